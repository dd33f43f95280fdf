"""What a person may see of what the portal tells."""

from django.db import models

from accounts.models import User
from notify.models import Message

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
