"""Tells workers that something is due: listens to the database, polls as well, and alone publishes to the broker."""

import logging
import select
import time
from collections.abc import Callable, Container
from datetime import datetime
from functools import partial
from threading import Event

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone
from django.utils.module_loading import import_string

from work import claims
from work.models import WorkItem
from work.pace import Pace
from work.tasks import drive
from work.triggers import CHANNEL

log = logging.getLogger(__name__)
MOST_PER_ROUND = 64

Publish = Callable[[str, int], None]


def publish(label: str, pk: int) -> None:
    """Wakes a worker for one item; a broker that does not answer costs at most the socket timeout."""
    drive.apply_async((label, pk), retry=False)


def new_pace() -> Pace:
    """Of a dispatcher that has seen nothing yet."""
    return Pace(settings.WORK_LANE_LIMIT, settings.WORK_SLOW_LIMIT)


def round_of(
    at: datetime, publish: Publish = publish, pace: Pace | None = None, tables: Container[str] | None = None
) -> int:
    """Offers what is due and publishes it; answers how many. What could not be published is due again at once, and
    an offer that reaches nobody runs out and is made again. `pace` is what the dispatcher saw of the lanes so far.

    `tables` are those in which something is due, as far as is known; None if all are to be looked through. What had
    to wait for others of its lane is looked for as well: those may have ended in the meantime.
    """
    pace = pace or new_pace()
    models = {label: apps.get_model(label) for label, _handler in settings.WORK_ITEMS}
    out = claims.out(models.values(), at)
    for label, model in models.items():
        pace.see(label, out[model], at)
    count = 0
    for label, model in models.items():
        if tables is None or model._meta.db_table in tables or label in pace.waiting:
            pace.waiting.discard(label)
            count += _offered(label, model, at, publish, pace)
    return count


def _offered(label: str, model: type[WorkItem], at: datetime, publish: Publish, pace: Pace) -> int:
    waiting = claims.offer(model, at, MOST_PER_ROUND, partial(pace.takes, label, at=at))
    count = len(waiting)
    try:
        while waiting:
            publish(label, waiting[0])
            waiting.pop(0)
    finally:
        claims.take_back(model, waiting)
    return count


def wait_for_work(seconds: float) -> set[str] | None:
    """Returns when the database says that something became due, with the tables in which it did, or after `seconds`
    with None: what becomes due by itself says nothing."""
    connection.ensure_connection()
    raw = connection.connection
    if not raw.notifies:
        select.select([raw], [], [], seconds)
        raw.poll()
    tables = {notice.payload for notice in raw.notifies}
    raw.notifies.clear()
    return tables or None


def listen() -> None:
    """Subscribes this connection to the channel that the tables' triggers notify."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")


def prepare(at: datetime) -> None:
    """What settings.WORK_PREPARATIONS name is done at every connection, before anything is offered."""
    for path in settings.WORK_PREPARATIONS:
        import_string(path)(at=at)


def run(stop: Event) -> None:
    """Dispatches until `stop` is set; outlives restarts of the database and the broker."""
    listening, pace, tables = False, new_pace(), None
    polled = float("-inf")
    while not stop.is_set():
        try:
            if not listening:
                prepare(timezone.now())
                listen()
                listening, tables = True, None
            # However much is said of some tables, the others are not forgotten.
            if time.monotonic() - polled > settings.WORK_POLL_SECONDS:
                tables = None
            if tables is None:
                polled = time.monotonic()
            while round_of(timezone.now(), pace=pace, tables=tables) >= MOST_PER_ROUND:
                continue
            tables = wait_for_work(settings.WORK_POLL_SECONDS)
        except (DatabaseError, OperationalError, InterfaceError) as error:
            log.warning("database: %s", error)
            connection.close()
            listening = False
            stop.wait(settings.WORK_POLL_SECONDS)
        except Exception as error:  # the broker client raises many kinds; none may end the dispatcher
            log.warning("broker: %s", error)
            tables = None
            stop.wait(settings.WORK_POLL_SECONDS)
