"""Calls that happen once however often they are sent: Idempotency-Key (docs/adr/0014-a-key-is-claimed-first.md)."""

import hashlib
import re
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import KeptAnswer, User
from web.errors import Conflict, Invalid

# Printable ASCII, as long as the column.
LONGEST = 200
_KEY = re.compile(rf"[ -~]{{1,{LONGEST}}}")
KEPT_FOR = timedelta(hours=24)
# After this the process that was at it counts as dead. Longer than any call takes that does one thing; those that do
# many prolong it.
CLAIMED_FOR = timedelta(minutes=1)
# Old rows that a new one takes with it: more than come, so that they never pile up.
_PURGED_AT_ONCE = 20
# What of an answer's headers belongs to what was made, and not to the one call.
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Cache-Control", "Retry-After")


class KeyReused(Conflict):
    """The same idempotency key was sent with another call."""

    code = "idempotency-key-reused"

    def __init__(self, number: int | None = None) -> None:
        if number is None:
            super().__init__(_("This Idempotency-Key was used for another call. Take a new one."))
        else:
            super().__init__(_("This Idempotency-Key was used for another request: #%(number)s.") % {"number": number})


class InProgress(Conflict):
    """The first call with this key is still running."""

    code = "in-progress"
    headers = {"Retry-After": "1"}

    def __init__(self) -> None:
        super().__init__(_("The first call with this Idempotency-Key is still running. Ask again in a moment."))


def check_key(key: str) -> None:
    """Raises Invalid unless it is printable ASCII of 1 to 200 characters."""
    if not _KEY.fullmatch(key):
        sentence = _("1 to %(limit)s printable ASCII characters.") % {"limit": LONGEST}
        raise Invalid(_("The Idempotency-Key is not valid."), {"": sentence})


def fingerprint_of(method: str, address: str, body: bytes) -> str:
    """What tells one call from another: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(b"\n".join([method.encode(), address.encode(), body])).hexdigest()


def claim(*, user: User, key: str, fingerprint: str, at: datetime) -> KeptAnswer:
    """The row of this call: with a `status` it was answered already, without one it is the caller's to carry out.

    Outside of a transaction the row is there for everybody at once. A call whose process died is carried out anew
    after CLAIMED_FOR. Raises Invalid, KeyReused, InProgress.
    """
    check_key(key)
    _purge(at)
    mine = KeptAnswer(
        user=user,
        key=key,
        fingerprint=fingerprint,
        owner=uuid.uuid4(),
        claimed_until=at + CLAIMED_FOR,
        kept_until=at + KEPT_FOR,
    )
    KeptAnswer.objects.bulk_create([mine], ignore_conflicts=True)
    there = KeptAnswer.objects.filter(user=user, key=key).first()
    if there is None:
        # Given up between the two statements.
        raise InProgress
    if there.owner == mine.owner:
        return there
    if there.kept_until <= at:
        return _taken_over(there, mine)
    if there.fingerprint != fingerprint:
        raise KeyReused
    if there.status is not None:
        return there
    if there.claimed_until > at:
        raise InProgress
    return _taken_over(there, mine)


def prolong(claimed: KeptAnswer, *, at: datetime) -> None:
    """Says that the call is still being carried out; for those that do many things."""
    claimed.claimed_until = at + CLAIMED_FOR
    _mine(claimed).update(claimed_until=claimed.claimed_until)


def keep(claimed: KeptAnswer, *, status: int, body: bytes, headers: Mapping[str, str], at: datetime) -> None:
    """Keeps the answer for a day, unless the call was taken over meanwhile."""
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    _mine(claimed).update(status=status, body=body, headers=kept, kept_until=at + KEPT_FOR)


def give_up(claimed: KeptAnswer) -> None:
    """The call came to nothing that is worth keeping; whoever sends it again has it carried out."""
    _mine(claimed).delete()


def _mine(claimed: KeptAnswer) -> QuerySet[KeptAnswer]:
    return KeptAnswer.objects.filter(pk=claimed.pk, owner=claimed.owner, status__isnull=True)


def _taken_over(there: KeptAnswer, mine: KeptAnswer) -> KeptAnswer:
    """The row, now the caller's; of two who try one is told that the other is at it."""
    fields = ("fingerprint", "owner", "claimed_until", "kept_until", "status", "body", "headers")
    changes = {field: getattr(mine, field) for field in fields}
    if not KeptAnswer.objects.filter(pk=there.pk, owner=there.owner).update(**changes):
        raise InProgress
    mine.pk = there.pk
    return mine


def _purge(at: datetime) -> None:
    old = KeptAnswer.objects.filter(kept_until__lte=at).order_by("kept_until")
    KeptAnswer.objects.filter(pk__in=old.values("pk")[:_PURGED_AT_ONCE]).delete()
