"""The dispatcher outlives its database connection, and a lease is prolonged while its work goes on."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from clusters.models import Bundle
from tests.builders import a_bundle
from tests.waiting import eventually
from work import claims, dispatcher

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dispatching(settings, monkeypatch):
    """A dispatcher in a thread of its own that polls hardly ever; the answer is what it published."""
    settings.WORK_POLL_SECONDS = 30
    published: list[int] = []
    monkeypatch.setattr(dispatcher, "round_of", lambda at, pace, tables: publish_round(at, pace, tables, published))
    stop = threading.Event()

    def run() -> None:
        try:
            dispatcher.run(stop)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    yield published
    stop.set()
    wake()
    thread.join(20)


ROUND_OF = dispatcher.round_of


def publish_round(at, pace, tables, published: list[int]) -> int:
    return ROUND_OF(at, lambda label, pk: published.append(pk), pace, tables)


def wake() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('work', 'clusters_bundle')")


def sessions() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return {row[0] for row in cursor.fetchall()}


def test_run__row_becomes_due__published_long_before_the_next_poll(dispatching):
    eventually(sessions, 10, "the dispatcher is connected")
    bundle = a_bundle(due_at=timezone.now())
    eventually(lambda: bundle.pk in dispatching, 10, "woken by the notification, not by the poll of 30 s")


def test_run__connection_cut__listens_again(dispatching, settings):
    first = eventually(sessions, 10, "the dispatcher is connected")
    settings.WORK_POLL_SECONDS = 0.2
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [list(first)])
    eventually(lambda: sessions() - first, 20, "it connects again")
    settings.WORK_POLL_SECONDS = 30
    # The first may still be found by the last short poll; the second one only by a notification.
    for lane in ("one", "other"):
        bundle = a_bundle(due_at=timezone.now(), lane=lane)
        eventually(lambda pk=bundle.pk: pk in dispatching, 10, "and is woken by a notification again")


def test_kept__work_longer_than_the_lease__prolonged(settings):
    settings.WORK_LEASE_SECONDS = 1
    bundle = a_bundle(due_at=timezone.now(), generation=1)
    lease = claims.claim(Bundle, bundle.pk, timezone.now())
    assert lease is not None
    first = Bundle.objects.get(pk=bundle.pk).lease_until
    with claims.kept(lease):
        later = first + timedelta(seconds=1)
        eventually(lambda: Bundle.objects.get(pk=bundle.pk).lease_until >= later, 20, "the heartbeat prolongs it")
        assert claims.claim(Bundle, bundle.pk, timezone.now()) is None
    claims.finish(lease, timezone.now(), next_at=None, observed=1, attempts=0)
