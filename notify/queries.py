"""What a person may see of what the portal tells."""

from typing import Any

from django.db import models

from accounts.models import User
from notify.models import Delivery, Endpoint, Mail, Message, Preference

# Beyond it the bell says "more than".
MOST_COUNTED = 99


def messages_visible_to(user: User) -> models.QuerySet[Message]:
    """The person's own, newest first."""
    return Message.objects.filter(to=user)


def unread_of(user: User) -> models.QuerySet[Message]:
    """What the person has not read and is not done yet."""
    return messages_visible_to(user).filter(read_at__isnull=True, closed_at__isnull=True)


def unread_count(user: User) -> int:
    """How much is unread; counted up to one more than MOST_COUNTED."""
    return unread_of(user).order_by()[: MOST_COUNTED + 1].count()


def endpoints_visible_to(user: User) -> models.QuerySet[Endpoint]:
    """Endpoints of the tenants that the person owns; administrators see all."""
    rows = Endpoint.objects.select_related("tenant", "created_by")
    if user.is_administrator and user.owner_id is None:
        return rows
    return rows.filter(tenant__in=tenants_managed_by(user))


def deliveries_of(endpoint: Endpoint) -> models.QuerySet[Delivery]:
    """What was sent to an endpoint the caller may see, with every attempt."""
    return endpoint.deliveries.select_related("occurrence").prefetch_related("tries")


def tenants_managed_by(user: User) -> models.QuerySet[Any]:
    """Tenants for which the person may register endpoints. The model above is reached by name, not by import."""
    tenants = Endpoint._meta.get_field("tenant").related_model._default_manager
    if user.owner_id is not None:
        return tenants.none()
    if user.is_administrator:
        return tenants.all()
    return tenants.filter(memberships__subject__in=user.subjects, memberships__role="owner").distinct()


def owns(user: User, tenant: Any) -> bool:
    """Whether the person is an owner of the tenant."""
    return bool(tenant.memberships.filter(subject__in=user.subjects, role="owner").exists())


def keepers_of(endpoint: Endpoint) -> list[User]:
    """Whom to tell of an endpoint: of a tenant its owners, as far as they have come here; of the portal its
    administrators."""
    people = User.objects.filter(is_active=True, owner__isnull=True)
    if endpoint.tenant is None:
        return list(people.filter(roles__contains=["administrator"]))
    subjects = endpoint.tenant.memberships.filter(role="owner").values_list("subject", flat=True)
    names = [one.removeprefix("user:") for one in subjects if one.startswith("user:")]
    groups = [one.removeprefix("group:") for one in subjects if one.startswith("group:")]
    return list(people.filter(models.Q(username__in=names) | models.Q(directory_groups__overlap=groups)))


def preference_of(user: User) -> Preference:
    """What the person wishes to be mailed, by default where nothing was chosen."""
    return Preference.objects.filter(user=user).first() or Preference(user=user)


def failed_mail_of(user: User) -> Mail | None:
    """The person's last mail, if it could not be delivered."""
    last = Mail.objects.filter(to=user, state__in=["sent", "failed"]).order_by("-id").first()
    return last if last is not None and last.state == "failed" else None
