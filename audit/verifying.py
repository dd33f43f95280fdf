"""Whether what happened is still what was written down: the chain of seals, event by event, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from audit import rules
from audit.models import Event, Seal, Unsealed
from audit.sealing import fields_of

# Seals that are read ahead, with 32 bytes for each of their events.
_AHEAD = 20

_EVENTS = """
    SELECT event.* FROM unnest(%s::bigint[], %s::bigint[]) AS run (first, last)
    JOIN audit_event event ON event.id BETWEEN run.first AND run.last ORDER BY event.id
"""
_BESIDE_THE_CHAIN = """
    WITH sealed AS MATERIALIZED (
        SELECT coalesce(range_agg(int8range(run.first, run.last, '[]')), '{}') AS ids
        FROM audit_seal seal, unnest(seal.run_firsts, seal.run_lasts) AS run (first, last)
    )
    SELECT event.id FROM audit_event event, sealed
    WHERE NOT event.id <@ sealed.ids AND NOT EXISTS (SELECT FROM audit_unsealed WHERE event_id = event.id)
    ORDER BY event.id LIMIT 1
"""


@dataclass(frozen=True)
class Report:
    """What was looked at, and the first thing that is not as it was sealed; `head` is the newest seal's hash."""

    seals: int
    events: int
    waiting: int
    head: str
    difference: str = ""


@dataclass
class _Walk:
    """How far the chain was followed."""

    number: int = 0
    hash: str = rules.NOTHING_BEFORE
    events: int = 0
    met_anchor: bool = False


def verify(*, at: datetime, limit: timedelta, anchor: str = "") -> Report:
    """Follows the chain from its beginning and compares every event.

    `limit`: an event that waits longer to be sealed is a difference, too. `anchor`: a seal's hash that was kept
    elsewhere; if no seal has it, the chain was cut or rewritten since. All is one look at one state of the database.
    """
    with transaction.atomic():
        _freeze()
        walk = _Walk()
        differences = _differences(walk, at - limit, anchor)
        found = next(differences, "")
        return Report(walk.number, walk.events, Unsealed.objects.count(), walk.hash, found)


def _freeze() -> None:
    """One state of the database for all statements, where nobody above has a transaction already."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _differences(walk: _Walk, oldest: datetime, anchor: str) -> Iterator[str]:
    for seal in Seal.objects.order_by("number").iterator(chunk_size=_AHEAD):
        yield from _wrong_with_seal(seal, walk)
        yield from _wrong_with_events(seal)
        walk.number, walk.hash = seal.number, seal.hash
        walk.events += seal.count
        walk.met_anchor = walk.met_anchor or seal.hash == anchor
    if anchor and not walk.met_anchor:
        yield f"no seal has the hash {anchor}: the chain was cut or rewritten since that hash was kept"
    yield from _wrong_beside_the_chain(oldest)


def _wrong_with_seal(seal: Seal, walk: _Walk) -> Iterator[str]:
    if seal.number != walk.number + 1:
        yield f"seal {walk.number + 1} is missing"
    if len(seal.run_firsts) != len(seal.run_lasts) or seal.hash != rules.seal_hash(seal.hashed()):
        yield f"seal {seal.number} was changed"
    if seal.previous != walk.hash:
        yield f"seal {seal.number} does not follow seal {seal.number - 1}: one of the two was replaced"
    digests = bytes(seal.digests)
    if (
        rules.root_of(digests) != seal.root
        or len(digests) != seal.count * rules.DIGEST_BYTES
        or rules.size_of(seal.runs) != seal.count
        or (seal.first_id, seal.last_id) != (seal.runs[0][0], seal.runs[-1][1])
    ):
        yield f"seal {seal.number} was changed: it does not agree with its own digests"


def _wrong_with_events(seal: Seal) -> Iterator[str]:
    events = fields_of(Event.objects.raw(_EVENTS, [seal.run_firsts, seal.run_lasts]).iterator())
    digests = bytes(seal.digests)
    found = next(events, None)
    for place, pk in enumerate(rules.ids_of(seal.runs)):
        if found is None or found["id"] != pk:
            yield f"event {pk} of seal {seal.number} is missing"
            continue
        begin = place * rules.DIGEST_BYTES
        if rules.event_digest(found) != digests[begin : begin + rules.DIGEST_BYTES]:
            yield f"event {pk} of seal {seal.number} was changed"
        found = next(events, None)


def _wrong_beside_the_chain(oldest: datetime) -> Iterator[str]:
    gone = Unsealed.objects.exclude(Exists(Event.objects.filter(pk=OuterRef("pk")))).order_by("pk").first()
    if gone is not None:
        yield f"event {gone.pk} is missing: it was removed before it was sealed"
    with connection.cursor() as cursor:
        cursor.execute(_BESIDE_THE_CHAIN)
        row = cursor.fetchone()
    if row is not None:
        why = "it was inserted past the portal, or its seal is gone"
        yield f"event {row[0]} is in no seal and does not wait for one: {why}"
    waits = Event.objects.filter(pk__in=Unsealed.objects.values("event_id"), at__lt=oldest).order_by("pk").first()
    if waits is not None:
        yield f"event {waits.pk} of {waits.at.isoformat()} still waits to be sealed: is anything sealing?"
