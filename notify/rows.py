"""Messages as rows, prepared for pages."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from notify.models import Delivery, Endpoint, Message
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


def endpoint_row(one: Endpoint) -> Row:
    """An endpoint for lists and its page."""
    is_on = one.disabled_at is None
    status = {"label": _("On"), "tone": "success", "icon": "check"}
    if not is_on:
        status = {"label": _("Switched off"), "tone": "danger" if one.disabled_reason else "neutral", "icon": "skip"}
    return {
        "uid": one.uid,
        "url": one.url,
        "page": reverse("webhook", args=[one.uid]),
        "description": one.description,
        "tenant": str(one.tenant) if one.tenant else _("Whole portal"),
        "events": one.events,
        "status": status,
        "is_on": is_on,
        "reason": shown(one.disabled_reason),
        "succeeded_at": one.succeeded_at,
        "created_by": str(one.created_by),
        "created_at": one.created_at,
        "old_secret_until": one.old_secret_until,
    }


def delivery_row(one: Delivery) -> Row:
    """A delivery with its attempts, newest first, and where it can be sent again."""
    states = {
        "pending": {"label": _("Under way"), "tone": "info", "icon": "clock"},
        "delivered": {"label": _("Delivered"), "tone": "success", "icon": "check"},
        "failed": {"label": _("Given up"), "tone": "danger", "icon": "error"},
    }
    tries = [
        {"at": each.at, "status": each.status, "ms": each.milliseconds, "text": shown(each.problem) or each.excerpt}
        for each in one.tries.all()
    ]
    can_replay = one.state != "pending" or one.attempts > 0
    return {
        "pk": one.pk,
        "type": one.occurrence.type,
        "webhook_id": one.occurrence.webhook_id,
        "at": one.created_at,
        "status": states[one.state],
        "tries": tries,
        "next_at": one.due_at if one.state == "pending" else None,
        "replay_url": reverse("webhook-replay", args=[one.endpoint.uid, one.pk]) if can_replay else "",
    }
