"""Having read what one was told."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from notify import queries
from notify.models import Message
from web.errors import NotFound


def read(*, pk: int, by: User, at: datetime) -> Message:
    """One message of one's own is read; a second time changes nothing. Raises NotFound."""
    found = queries.messages_visible_to(by).filter(pk=pk).first()
    if found is None:
        raise NotFound(_("There is no such message."))
    if queries.messages_visible_to(by).filter(pk=pk, read_at__isnull=True).update(read_at=at):
        found.read_at = at
    return found


def read_all(*, until: int | None, by: User, at: datetime) -> int:
    """All of one's own are read, up to the one with the id `until`: what came after the list was drawn stays unread.
    How many there were."""
    unread = queries.messages_visible_to(by).filter(read_at__isnull=True)
    return (unread if until is None else unread.filter(pk__lte=until)).update(read_at=at)
