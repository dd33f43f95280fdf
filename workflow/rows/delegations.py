"""Delegations as rows: those given and held, and in whose place somebody decides now."""

from collections.abc import Iterable
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from workflow.models import Delegation
from workflow.rows.lists import Row

# What a delegation can be, in words.
DELEGATION_STATES = {
    "now": _("In force"),
    "later": _("Begins later"),
    "over": _("Over"),
    "revoked": _("Taken back"),
}


def delegation_rows(found: Iterable[Delegation], user: User, at: datetime) -> list[Row]:
    """[{by, to, starts_at, ends_at, reason, state, status, is_given, is_held, revoke_url}]; `revoke_url` "" where it
    cannot be taken back any more, or not by this person."""
    return [
        {
            "pk": one.pk,
            "by": str(one.by),
            "to": str(one.to),
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "reason": one.reason,
            "state": _state(one, at),
            "status": _status(_state(one, at)),
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


def _state(one: Delegation, at: datetime) -> str:
    """One of DELEGATION_STATES."""
    if one.revoked_at is not None:
        return "revoked"
    if one.ends_at <= at:
        return "over"
    return "later" if one.starts_at > at else "now"


def _status(state: str) -> Row:
    tone, icon = {
        "now": ("success", "check"),
        "later": ("info", "clock"),
        "over": ("neutral", "check"),
        "revoked": ("neutral", "undo"),
    }[state]
    return {"label": str(DELEGATION_STATES[state]), "tone": tone, "icon": icon}
