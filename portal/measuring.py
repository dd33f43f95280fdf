"""Carrying what each process measured into the database, every few seconds and beside the work."""

import atexit
import json
import logging
from collections.abc import Callable
from threading import Event, Thread

from django.db import Error, connection

from web import measures

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0
_UPSERT = """
    INSERT INTO portal_measure (name, labels, count, sum, buckets) VALUES {rows}
    ON CONFLICT (name, labels) DO UPDATE SET
        count = portal_measure.count + EXCLUDED.count,
        sum = portal_measure.sum + EXCLUDED.sum,
        buckets = coalesce((
            SELECT array_agg(coalesce(had, 0) + coalesce(new, 0) ORDER BY place)
            FROM unnest(portal_measure.buckets, EXCLUDED.buckets) WITH ORDINALITY AS pair (had, new, place)
        ), '{{}}')
"""


def flush() -> None:
    """Adds what was measured to the rows of all processes, in one statement; what cannot be written is kept."""
    taken = measures.take()
    if not taken:
        return
    # In the same order everywhere, so that two processes never wait for each other's rows.
    rows = [
        (name, json.dumps(dict(labels), sort_keys=True), one.count, one.sum, one.buckets)
        for (name, labels), one in sorted(taken.items())
    ]
    places = ", ".join(["(%s, %s, %s, %s, %s::bigint[])"] * len(rows))
    try:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT.format(rows=places), [value for row in rows for value in row])
    except Error as error:
        measures.put_back(taken)
        log.warning("what was measured is kept until the database takes it: %s", error)


def start(every: float = EVERY_SECONDS) -> Callable[[], None]:
    """Flushes from a thread of its own for as long as the process lives, and once more when it ends, or when what is
    answered is called."""
    stop = Event()

    def run() -> None:
        while not stop.wait(every):
            flush()
            # A connection that is used for a moment every few seconds is not worth keeping.
            connection.close()

    thread = Thread(target=run, name="measuring", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(5)
        flush()

    atexit.register(end)
    return end
