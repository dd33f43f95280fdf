"""Sealing what happened: one pass closes batches of events, each by a hash that also covers the seal before it."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from audit import rules
from audit.models import Event, Seal, Sealing, Unsealed
from work.claims import Lease, guarded
from work.tasks import Pass

log = logging.getLogger(__name__)

# A batch is read as a whole, here and whenever it is verified.
MOST_EVENTS = 1000
# A pass stays far within its lease; what is left over is due again at once.
MOST_SEALS = 20


def begin(*, at: datetime) -> None:
    """Makes sealing due; harmless to repeat."""
    Sealing.objects.get_or_create(pk=1, defaults={"lane": "audit", "due_at": at})


def proceed(lease: Lease) -> Pass:
    """Seals what waits; again after AUDIT_SEAL_SECONDS, or at once where more waits than one pass seals."""
    for _round in range(MOST_SEALS):
        # Under the lock of the row of the lease, so that no two seals follow the same one.
        with guarded(lease):
            seal = seal_waiting(at=timezone.now())
        if seal is None or seal.count < MOST_EVENTS:
            return Pass(observed=lease.generation, after=timedelta(seconds=settings.AUDIT_SEAL_SECONDS))
    return Pass(observed=lease.generation, after=timedelta(milliseconds=1))


def seal_waiting(*, at: datetime) -> Seal | None:
    """Seals the events with the lowest ids that wait, at most MOST_EVENTS, in the caller's transaction; None if none
    does. The caller sees to it that nobody else seals meanwhile."""
    # An event that is gone before it was sealed leaves its mark behind, for verifying to find.
    waiting = Event.objects.filter(pk__in=Unsealed.objects.values("event_id")).order_by("pk")
    ids: list[int] = []
    digests = b""
    for event in fields_of(waiting[:MOST_EVENTS]):
        ids.append(event["id"])
        digests += rules.event_digest(event)
    if not ids:
        return None
    last = Seal.objects.only("number", "hash").first()
    runs = rules.runs_of(ids)
    seal = Seal(
        number=last.number + 1 if last else 1,
        previous=last.hash if last else rules.NOTHING_BEFORE,
        count=len(ids),
        first_id=ids[0],
        last_id=ids[-1],
        run_firsts=[first for first, _last in runs],
        run_lasts=[last for _first, last in runs],
        digests=digests,
        root=rules.root_of(digests),
        at=at,
    )
    seal.hash = rules.seal_hash(seal.hashed())
    seal.save(force_insert=True)
    Unsealed.objects.filter(pk__in=ids).delete()
    # Logs leave this machine, so whoever rewrites the chain later cannot rewrite this.
    log.info("audit seal %s of %s events: %s", seal.number, seal.count, seal.hash)
    return seal


def fields_of(events: Iterable[Event]) -> Iterator[dict[str, Any]]:
    """What of each event is hashed."""
    for event in events:
        yield {name: getattr(event, name) for name in rules.FIELDS}
