"""Delegations as rows: those given and held, and in whose place somebody decides now."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from workflow.models import Delegation
from workflow.rows.lists import Row


def delegation_rows(found: Iterable[Delegation], user: User, at: datetime) -> list[Row]:
    """[{by, to, starts_at, ends_at, reason, status, is_mine, revoke_url}]; `revoke_url` "" where it cannot be taken
    back any more, or not by this person."""
    return [
        {
            "pk": one.pk,
            "by": str(one.by),
            "to": str(one.to),
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "reason": one.reason,
            "status": _status(one, at),
            "is_given": one.by_id == user.pk,
            "is_held": one.to_id == user.pk,
            "revoke_url": reverse("delegation-revoke", args=[one.pk]) if _revocable(one, user, at) else "",
        }
        for one in found
    ]


def held_rows(found: Iterable[Delegation]) -> list[Row]:
    """In whose place the person decides now and until when: [{who, until}], each once with its latest end."""
    until: dict[str, datetime] = {}
    for one in found:
        name = str(one.by)
        until[name] = max(until.get(name, one.ends_at), one.ends_at)
    return [{"who": who, "until": ends_at} for who, ends_at in until.items()]


def _revocable(one: Delegation, user: User, at: datetime) -> bool:
    over = one.revoked_at is not None or one.ends_at <= at
    return not over and (one.by_id == user.pk or user.is_administrator)


def _status(one: Delegation, at: datetime) -> Row:
    if one.revoked_at is not None:
        return {"label": _("Taken back"), "tone": "neutral", "icon": "undo"}
    if one.ends_at <= at:
        return {"label": _("Over"), "tone": "neutral", "icon": "check"}
    if one.starts_at > at:
        return {"label": _("Begins later"), "tone": "info", "icon": "clock"}
    return {"label": _("In force"), "tone": "success", "icon": "check"}
