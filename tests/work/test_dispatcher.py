"""What is due reaches a worker, whatever happens to the broker."""

import select
import time
from datetime import timedelta

import psycopg2
import pytest
from django.db import connection
from django.utils import timezone

from clusters.models import Bundle, Health
from tests.builders import a_bundle
from work import claims, dispatcher


class BrokerDown(Exception):
    pass


@pytest.mark.django_db
def test_round_of__two_due__both_published():
    bundles = [a_bundle(due_at=timezone.now(), lane=f"lane{number}") for number in range(2)]
    published: list[tuple[str, int]] = []
    count = dispatcher.round_of(timezone.now(), lambda label, pk: published.append((label, pk)))
    assert count == 2
    assert published == [("clusters.Bundle", b.pk) for b in bundles]


@pytest.mark.django_db
def test_round_of__broker_down__due_again_at_once():
    bundle = a_bundle(due_at=timezone.now())

    def refuse(label: str, pk: int) -> None:
        raise BrokerDown

    with pytest.raises(BrokerDown):
        dispatcher.round_of(timezone.now(), refuse)
    published: list[int] = []
    dispatcher.round_of(timezone.now(), lambda label, pk: published.append(pk))
    assert published == [bundle.pk]


@pytest.mark.django_db
def test_round_of__lane_whose_passes_are_quick__more_at_once_in_the_next_round():
    for _ in range(9):
        a_bundle(due_at=timezone.now(), lane="quick")
    pace, at = dispatcher.new_pace(), timezone.now()
    counts = []
    for _turn in range(4):
        published: list[int] = []
        dispatcher.round_of(at, lambda label, pk, published=published: published.append(pk), pace)
        counts.append(len(published))
        leases = [claims.claim(Bundle, pk, at) for pk in published]
        # The dispatcher looks while they are worked on, and again when they are back.
        dispatcher.round_of(at, lambda label, pk: None, pace)
        for lease in leases:
            claims.finish(lease, at, next_at=None, observed=None, attempts=0)
    assert counts == [1, 2, 4, 2]


@pytest.mark.django_db
def test_round_of__told_of_one_table__others_wait_for_the_next_poll():
    bundle = a_bundle(due_at=timezone.now())
    health = Health.objects.create(cluster=bundle.cluster, lane="probe:demo", due_at=timezone.now())
    published: list[tuple[str, int]] = []

    def note(label: str, pk: int) -> None:
        published.append((label, pk))

    dispatcher.round_of(timezone.now(), note, tables={"clusters_health"})
    assert published == [("clusters.Health", health.pk)]
    dispatcher.round_of(timezone.now(), note)
    assert published[1:] == [("clusters.Bundle", bundle.pk)]


@pytest.mark.django_db
def test_round_of__waited_for_its_lane__looked_for_whatever_table_is_told_of():
    at, pace = timezone.now(), dispatcher.new_pace()
    for _ in range(2):
        a_bundle(due_at=at, lane="one")
    published: list[int] = []

    def note(label: str, pk: int) -> None:
        published.append(pk)

    dispatcher.round_of(at, note, pace)
    first = claims.claim(Bundle, published[0], at)
    dispatcher.round_of(at, note, pace, tables=set())
    assert len(published) == 1
    claims.finish(first, at, next_at=None, observed=None, attempts=0)
    dispatcher.round_of(at, note, pace, tables=set())
    assert len(published) == 2


@pytest.mark.django_db(transaction=True)
def test_trigger__row_becomes_due__listener_is_woken():
    bundle = a_bundle(due_at=None)
    settings = connection.get_connection_params()
    listener = psycopg2.connect(
        **{key: settings[key] for key in ("dbname", "user", "password", "host", "port") if key in settings}
    )
    try:
        listener.set_session(autocommit=True)
        with listener.cursor() as cursor:
            cursor.execute("LISTEN work")
        Bundle.objects.filter(pk=bundle.pk).update(due_at=timezone.now() + timedelta(seconds=1))
        deadline = time.monotonic() + 10
        while not listener.notifies and time.monotonic() < deadline:
            select.select([listener], [], [], 1)
            listener.poll()
        assert [(n.channel, n.payload) for n in listener.notifies] == [("work", "clusters_bundle")]
    finally:
        listener.close()
