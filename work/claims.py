"""Who works on an item: offering, claiming, keeping and giving back, each one conditional update."""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread

from django.conf import settings
from django.db import DatabaseError, connection, connections, models, transaction
from django.db.models import Case, F, Q, Value, When, Window
from django.db.models.functions import Greatest, RowNumber
from django.utils import timezone

from work.models import WorkItem

RETRY_FIRST_SECONDS = 1.0
RETRY_MOST_SECONDS = 300.0


class LeaseLost(Exception):
    """Somebody else works on the item by now; whatever this worker still wanted to write must not be written."""


@dataclass
class Lease:
    """A worker's right to one item until `until`, which the heartbeat moves on as long as it can."""

    model: type[WorkItem]
    pk: int
    owner: uuid.UUID
    generation: int
    until: datetime


def due(model: type[WorkItem], at: datetime) -> models.QuerySet[WorkItem]:
    """Items that nobody holds and whose time has come, oldest first."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=at)
    unoffered = Q(offered_until__isnull=True) | Q(offered_until__lt=at)
    return model.workable().filter(free, unoffered, due_at__lte=at).order_by("due_at")


def held(model: type[WorkItem], at: datetime) -> models.QuerySet[WorkItem]:
    """Items that a worker holds or has been offered."""
    return model._default_manager.filter(Q(lease_until__gte=at) | Q(offered_until__gte=at))


Out = tuple[int, str, uuid.UUID | None]


def out(models_: Iterable[type[WorkItem]], at: datetime) -> dict[type[WorkItem], list[Out]]:
    """(id, lane, lease owner) of what is offered or worked on, by model; not what a worker holds that stopped
    prolonging its lease: a dead one takes no slot, and must not keep others from the lane until its lease is over.

    One statement for all, written by hand, because the dispatcher asks before every round.
    """
    # Prolonged at a third of its time, a lease has never less than two thirds left.
    prolonged = at + timedelta(seconds=settings.WORK_LEASE_SECONDS / 2)
    found: dict[type[WorkItem], list[Out]] = {model: [] for model in models_}
    tables = {model._meta.db_table: model for model in found}
    each = (
        f"SELECT '{table}', id, lane, lease_owner FROM {table} "  # nosec B608  # names of the models' own tables
        f"WHERE lease_until >= %(prolonged)s OR offered_until >= %(at)s"
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each), {"prolonged": prolonged, "at": at})
        for table, *row in cursor.fetchall():
            found[tables[table]].append(tuple(row))
    return found


Room = Callable[[str], bool]


@transaction.atomic
def offer(model: type[WorkItem], at: datetime, most: int, room: Room | None = None) -> list[int]:
    """Marks at most `most` due items as offered, few per lane, and answers their ids to be published after commit.

    `room` says whether one more item of a lane may go out, and then counts it; without it a lane (a cluster) has at
    most WORK_LANE_LIMIT items of this model out at once. So one that hangs takes few slots of others.
    """
    room = room or _room_of(model, at)
    place = Window(RowNumber(), partition_by="lane", order_by="due_at")
    first_of_lanes = due(model, at).annotate(place=place).filter(place__lte=settings.WORK_LANE_LIMIT)
    chosen: list[int] = []
    for pk, lane in first_of_lanes.order_by("due_at").values_list("pk", "lane"):
        if len(chosen) < most and room(lane):
            chosen.append(pk)
    # The row lock is skipped, not awaited: what a second dispatcher took meanwhile is its own.
    free = due(model, at).filter(pk__in=chosen).select_for_update(skip_locked=True, of=("self",))
    offered = list(free.values_list("pk", flat=True))
    until = at + timedelta(seconds=settings.WORK_OFFER_SECONDS)
    model._default_manager.filter(pk__in=offered).update(offered_until=until)
    return offered


def _room_of(model: type[WorkItem], at: datetime) -> Room:
    busy = Counter(held(model, at).values_list("lane", flat=True))

    def room(lane: str) -> bool:
        if busy[lane] >= settings.WORK_LANE_LIMIT:
            return False
        busy[lane] += 1
        return True

    return room


def take_back(model: type[WorkItem], pks: list[int]) -> None:
    """Undoes offers that could not be published."""
    if pks:
        model._default_manager.filter(pk__in=pks).update(offered_until=None)


def claim(model: type[WorkItem], pk: int, at: datetime) -> Lease | None:
    """Takes the item, or None if somebody holds it or nothing is to be done: a doubled message is harmless.

    What may not be worked on by now, because a circuit opened while it waited for a worker, is not begun: its offer is
    over, and it is offered again when it may be.
    """
    owner = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=at)
    until = at + timedelta(seconds=settings.WORK_LEASE_SECONDS)
    waiting = model._default_manager.filter(free, pk=pk, due_at__lte=at)
    workable = model.workable().filter(pk=pk).values("pk")
    if not waiting.filter(pk__in=workable).update(lease_owner=owner, lease_until=until, offered_until=None):
        waiting.update(offered_until=None)
        return None
    generation = model._default_manager.values_list("generation", flat=True).get(pk=pk)
    return Lease(model, pk, owner, generation, until)


def mine(lease: Lease, at: datetime) -> models.QuerySet[WorkItem]:
    """The item, as long as this lease holds."""
    return lease.model._default_manager.filter(pk=lease.pk, lease_owner=lease.owner, lease_until__gt=at)


@contextmanager
def kept(lease: Lease) -> Iterator[None]:
    """Prolongs the lease from a thread of its own while the block runs; a stopped process stops prolonging."""
    stop = Event()

    def beat() -> None:
        while not stop.wait(settings.WORK_LEASE_SECONDS / 3):
            now = timezone.now()
            until = now + timedelta(seconds=settings.WORK_LEASE_SECONDS)
            try:
                if not mine(lease, now).update(lease_until=until):
                    break
                lease.until = until
            except DatabaseError:
                # The database may be back before the lease is over.
                connections.close_all()
        connections.close_all()

    thread = Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def check(lease: Lease) -> None:
    """Raises LeaseLost once the lease is over by this machine's clock; asks nobody, so it may stand before every call.

    A process that was stopped finds out here, before it writes anything anywhere.
    """
    if timezone.now() >= lease.until:
        raise LeaseLost(f"{lease.model._meta.label} {lease.pk}")


@contextmanager
def guarded(lease: Lease) -> Iterator[None]:
    """A transaction that holds the item's row while the lease is still ours; else raises LeaseLost at its start."""
    with transaction.atomic():
        if not mine(lease, timezone.now()).select_for_update().exists():
            raise LeaseLost(f"{lease.model._meta.label} {lease.pk}")
        yield


def finish(lease: Lease, at: datetime, *, next_at: datetime | None, observed: int | None, attempts: int) -> None:
    """Gives the item back; next pass at `next_at`, at once if somebody wanted something newer meanwhile.

    Raises LeaseLost if the item is somebody else's by now: then nothing is written.
    """
    changes: dict[str, object] = {
        "due_at": Case(When(generation__gt=lease.generation, then=Value(at)), default=Value(next_at)),
        "lease_owner": None,
        "lease_until": None,
        "attempts": Case(When(generation__gt=lease.generation, then=Value(0)), default=Value(attempts)),
    }
    if observed is not None:
        changes["observed_generation"] = Greatest(F("observed_generation"), Value(observed, models.BigIntegerField()))
    if not mine(lease, at).update(**changes):
        raise LeaseLost(f"{lease.model._meta.label} {lease.pk}")


def backoff(attempts: int) -> timedelta:
    """How long to wait after `attempts` failures in a row: doubling, with full jitter, at most five minutes."""
    ceiling = min(RETRY_MOST_SECONDS, RETRY_FIRST_SECONDS * 2 ** min(attempts, 12))
    return timedelta(seconds=random.uniform(ceiling / 2, ceiling))  # nosec B311  # spreads, keeps no secret
