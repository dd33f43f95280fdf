"""Writing down what happened."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.db import connection

from audit.models import Event
from web.request_id import request_id


class Actor(Protocol):
    """Whoever can be named: a user of the portal."""

    username: str


class Deed(NamedTuple):
    """One of several things that happened at once: `subject` is `kind:id`."""

    subject: str
    tenant: str
    after: dict[str, Any]


class NotInTransaction(RuntimeError):
    """An event was recorded outside the transaction of the deed it tells of."""


def record(
    *,
    actor: Actor | None,
    action: str,
    subject: str,
    at: datetime,
    tenant: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Event:
    """Writes one event in the current transaction. `action` is `entity.verb`, `subject` is `kind:id`; no actor means
    the portal itself. Raises NotInTransaction: an event must live and die with what it tells of."""
    if not connection.in_atomic_block:
        raise NotInTransaction(action)
    return Event.objects.create(
        at=at,
        actor=actor.username if actor else "system",
        action=action,
        subject=subject,
        tenant=tenant,
        before=before,
        after=after,
        request_id=request_id.get(),
    )


def record_many(*, actor: Actor | None, action: str, deeds: Iterable[Deed], at: datetime) -> None:
    """As `record`, an event for each of the deeds, all of one action, in one statement."""
    if not connection.in_atomic_block:
        raise NotInTransaction(action)
    Event.objects.bulk_create(
        Event(at=at, actor=actor.username if actor else "system", action=action, request_id=request_id.get(), **fields)
        for fields in (deed._asdict() for deed in deeds)
    )
