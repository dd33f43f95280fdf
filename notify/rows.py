"""Messages as rows, prepared for pages."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from notify.models import Message
from web.sentences import shown

Row = dict[str, Any]

# By kind, else by sort: icon and tone.
_LOOKS = {
    "request.approved": ("check", "success"),
    "request.rejected": ("error", "danger"),
    "request.sent-back": ("undo", "warning"),
    "request.expired": ("clock", "danger"),
    "request.reminder": ("clock", "warning"),
    "request.ready": ("check", "success"),
    "request.committed": ("check", "success"),
    "request.removed": ("check", "success"),
    "request.blocked": ("error", "danger"),
    "waiting": ("inbox", "info"),
    "mine": ("send", "info"),
    "talk": ("edit", "info"),
    "portal": ("warning", "warning"),
}


def message_rows(found: Iterable[Message]) -> list[Row]:
    """[{pk, text, url, at, icon, tone, sort_label, is_unread, is_done, read_url}]; `is_done`: somebody did what it
    asked for."""
    return [_row(one) for one in found]


def sort_labels() -> dict[str, str]:
    """What the sorts of messages are called."""
    return {
        "waiting": _("Waiting for me"),
        "mine": _("My requests"),
        "talk": _("Comments"),
        "portal": _("Webhooks and the portal"),
    }


def _row(one: Message) -> Row:
    icon, tone = _LOOKS.get(one.kind) or _LOOKS[one.sort]
    is_done = one.closed_at is not None
    return {
        "pk": one.pk,
        "text": shown(one.sentence),
        "url": one.link,
        "at": one.at,
        "icon": "check" if is_done else icon,
        "tone": "" if is_done else tone,
        "sort_label": sort_labels()[one.sort],
        "is_unread": one.read_at is None and not is_done,
        "is_done": is_done,
        "read_url": reverse("notification-read", args=[one.pk]),
    }
