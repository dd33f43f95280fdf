"""Every committed event is sealed once, whatever the order in which they commit."""

from datetime import timedelta
from threading import Event as Signal
from threading import Thread

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit import rules, sealing, services
from audit.models import Event, Seal, Sealing, Unsealed
from work import claims
from work.tasks import drive


def _happen(count=1, subject="thing:1"):
    deeds = [services.Deed(subject, "claims", {"number": number}) for number in range(count)]
    with transaction.atomic():
        services.record_many(actor=None, action="thing.do", deeds=deeds, at=timezone.now())


def _sealed_ids():
    return [pk for seal in Seal.objects.order_by("number") for pk in rules.ids_of(seal.runs)]


@pytest.mark.django_db
def test_seal__what_waits__covered_once_and_chained():
    _happen(3)
    first = sealing.seal_waiting(at=timezone.now())
    _happen(2)
    second = sealing.seal_waiting(at=timezone.now())
    assert (first.number, first.previous, first.count) == (1, rules.NOTHING_BEFORE, 3)
    assert (second.number, second.previous, second.count) == (2, first.hash, 2)
    assert _sealed_ids() == list(Event.objects.order_by("pk").values_list("pk", flat=True))
    assert not Unsealed.objects.exists()


@pytest.mark.django_db
def test_seal__nothing_waits__none():
    assert sealing.seal_waiting(at=timezone.now()) is None
    assert not Seal.objects.exists()


@pytest.mark.django_db
def test_seal__more_than_a_batch__the_lowest_ids_first(monkeypatch):
    monkeypatch.setattr(sealing, "MOST_EVENTS", 2)
    _happen(5)
    counts = [sealing.seal_waiting(at=timezone.now()).count for _round in range(3)]
    assert counts == [2, 2, 1]
    assert _sealed_ids() == sorted(_sealed_ids())


@pytest.mark.django_db(transaction=True)
def test_seal__an_event_that_commits_late_with_a_lower_id__in_a_later_seal():
    begun, may_end = Signal(), Signal()

    def slow():
        with transaction.atomic():
            services.record(actor=None, action="thing.do", subject="thing:late", at=timezone.now())
            begun.set()
            may_end.wait(30)
        connection.close()

    thread = Thread(target=slow)
    thread.start()
    assert begun.wait(30)
    _happen(2)
    with transaction.atomic():
        first = sealing.seal_waiting(at=timezone.now())
    may_end.set()
    thread.join()
    with transaction.atomic():
        second = sealing.seal_waiting(at=timezone.now())
    late = Event.objects.get(subject="thing:late")
    assert late.pk < first.first_id
    assert first.count == 2
    assert second.runs == [(late.pk, late.pk)]


@pytest.mark.django_db(transaction=True)
def test_seal__an_event_that_is_rolled_back__leaves_a_gap_in_the_runs():
    _happen()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        services.record(actor=None, action="thing.do", subject="thing:1", at=timezone.now())
        raise ZeroDivisionError
    _happen()
    with transaction.atomic():
        seal = sealing.seal_waiting(at=timezone.now())
    assert seal.count == 2
    assert len(seal.runs) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("sql", ["UPDATE audit_seal SET count = 9", "DELETE FROM audit_seal"], ids=["update", "delete"])
def test_seal__changed_by_sql__refused_by_the_database(sql):
    _happen()
    sealing.seal_waiting(at=timezone.now())
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db(transaction=True)
def test_proceed__driven_as_work__seals_all_and_comes_back_after_a_while(monkeypatch):
    monkeypatch.setattr(sealing, "MOST_EVENTS", 2)
    now = timezone.now()
    sealing.begin(at=now)
    sealing.begin(at=now)
    _happen(5)
    drive("audit.Sealing", Sealing.objects.get().pk)
    assert sorted(Seal.objects.values_list("count", flat=True)) == [1, 2, 2]
    due_at = Sealing.objects.get().due_at
    assert timedelta(0) < due_at - now <= timedelta(seconds=settings.AUDIT_SEAL_SECONDS + 30)


@pytest.mark.django_db(transaction=True)
def test_proceed__more_than_a_pass__again_at_once(monkeypatch):
    monkeypatch.setattr(sealing, "MOST_EVENTS", 1)
    monkeypatch.setattr(sealing, "MOST_SEALS", 2)
    sealing.begin(at=timezone.now())
    _happen(3)
    drive("audit.Sealing", 1)
    assert Seal.objects.count() == 2
    assert Sealing.objects.get().due_at <= timezone.now() + timedelta(seconds=1)


@pytest.mark.django_db(transaction=True)
def test_proceed__lease_lost__seals_nothing():
    now = timezone.now()
    sealing.begin(at=now)
    _happen()
    lease = claims.claim(Sealing, 1, now)
    Sealing.objects.update(lease_until=now - timedelta(seconds=1))
    with pytest.raises(claims.LeaseLost):
        sealing.proceed(lease)
    assert not Seal.objects.exists()


def test_runs__gaps__as_few_as_there_are():
    assert rules.runs_of([1, 2, 3, 7, 9, 10]) == [(1, 3), (7, 7), (9, 10)]
    assert list(rules.ids_of([(1, 3), (7, 7)])) == [1, 2, 3, 7]
    assert rules.runs_of([]) == []


def test_digest__the_same_event_however_its_keys_stand__the_same():
    at = timezone.now()
    event = {"id": 1, "at": at, "before": {"a": 1, "b": [2]}, "actor": "李明"}
    again = {
        "actor": "李明",
        "before": {"b": [2], "a": 1},
        "at": at.astimezone(timezone.get_fixed_timezone(480)),
        "id": 1,
    }
    assert rules.event_digest(event) == rules.event_digest(again)
    assert rules.event_digest(event) != rules.event_digest(again | {"id": 2})
