"""What a person may see of accounts."""

from django.db.models import Q, QuerySet

from accounts.models import ApiToken, User


def tokens_visible_to(user: User) -> QuerySet[ApiToken]:
    """The person's own API tokens and those of service accounts the person owns, newest first."""
    return ApiToken.objects.filter(Q(user=user) | Q(user__owner=user)).select_related("user")
