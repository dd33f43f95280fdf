"""Offering, claiming, keeping and giving back, on real rows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clusters.models import Bundle, Cluster, Health
from tests.builders import a_bundle
from work import claims

pytestmark = pytest.mark.django_db


def test_offer__item_due__offered_once():
    bundle = a_bundle(due_at=timezone.now())
    now = timezone.now()
    assert claims.offer(Bundle, now, 10) == [bundle.pk]
    assert claims.offer(Bundle, now, 10) == []


def test_offer__offer_ran_out__offered_again(settings):
    bundle = a_bundle(due_at=timezone.now())
    now = timezone.now()
    claims.offer(Bundle, now, 10)
    later = now + timedelta(seconds=settings.WORK_OFFER_SECONDS + 1)
    assert claims.offer(Bundle, later, 10) == [bundle.pk]


def test_offer__not_due__left_alone():
    a_bundle(due_at=timezone.now() + timedelta(seconds=60))
    a_bundle(due_at=None)
    assert claims.offer(Bundle, timezone.now(), 10) == []


def test_offer__lane_full__other_lanes_go_on(settings):
    settings.WORK_LANE_LIMIT = 2
    dead = [a_bundle(due_at=timezone.now(), lane="dead") for _ in range(5)]
    other = a_bundle(due_at=timezone.now(), lane="other")
    offered = claims.offer(Bundle, timezone.now(), 10)
    assert other.pk in offered
    assert len([pk for pk in offered if pk in {b.pk for b in dead}]) == 2


def test_offer__lane_already_full__nothing_more_until_one_is_back(settings):
    settings.WORK_LANE_LIMIT = 2
    for _ in range(4):
        a_bundle(due_at=timezone.now(), lane="slow")
    now = timezone.now()
    first = claims.offer(Bundle, now, 10)
    assert len(first) == 2
    assert claims.offer(Bundle, now, 10) == []
    lease = claims.claim(Bundle, first[0], now)
    assert claims.offer(Bundle, now, 10) == []
    claims.finish(lease, now, next_at=None, observed=None, attempts=0)
    assert len(claims.offer(Bundle, now, 10)) == 1


def test_offer__more_than_asked_for__no_more_than_that():
    for lane in range(5):
        a_bundle(due_at=timezone.now(), lane=f"lane{lane}")
    assert len(claims.offer(Bundle, timezone.now(), 3)) == 3


def test_offer__lane_full_of_older_rows__newer_lane_is_reached(settings):
    settings.WORK_LANE_LIMIT = 1
    past = timezone.now() - timedelta(hours=1)
    for _ in range(30):
        a_bundle(due_at=past, lane="slow")
    other = a_bundle(due_at=timezone.now(), lane="other")
    assert other.pk in claims.offer(Bundle, timezone.now(), 2)


def test_claim__twice__one_lease():
    bundle = a_bundle(due_at=timezone.now())
    now = timezone.now()
    assert claims.claim(Bundle, bundle.pk, now) is not None
    assert claims.claim(Bundle, bundle.pk, now) is None


@pytest.mark.parametrize("why", ["circuit", "restore"])
def test_claim__cluster_not_workable_by_now__not_begun_and_offered_again_later(why):
    now = timezone.now()
    bundle = a_bundle(due_at=now)
    health = Health.objects.create(cluster=bundle.cluster, lane="probe:demo")
    assert claims.offer(Bundle, now, 10) == [bundle.pk]
    if why == "circuit":
        Health.objects.filter(pk=health.pk).update(open_since=now, reason={"text": "x"})
    else:
        Cluster.objects.update(held_since=now)
    assert claims.claim(Bundle, bundle.pk, now) is None
    assert claims.offer(Bundle, now, 10) == []
    Health.objects.update(open_since=None, reason=None)
    Cluster.objects.update(held_since=None)
    assert claims.offer(Bundle, now, 10) == [bundle.pk]
    assert claims.claim(Bundle, bundle.pk, now) is not None


def test_claim__somebody_elses_while_the_circuit_opens__their_lease_stays():
    now = timezone.now()
    bundle = a_bundle(due_at=now)
    assert claims.claim(Bundle, bundle.pk, now) is not None
    Cluster.objects.update(held_since=now)
    assert claims.claim(Bundle, bundle.pk, now) is None
    bundle.refresh_from_db()
    assert bundle.lease_owner is not None


def test_out__worker_that_stopped_prolonging__takes_no_place(settings):
    now = timezone.now()
    bundle, offered = a_bundle(due_at=now, lane="a"), a_bundle(due_at=now, lane="b")
    lease = claims.claim(Bundle, bundle.pk, now)
    claims.offer(Bundle, now, 10)

    def out(at):
        return claims.out([Bundle, Health], at)[Bundle]

    assert out(now) == [(bundle.pk, "a", lease.owner), (offered.pk, "b", None)]
    beaten = now + timedelta(seconds=settings.WORK_LEASE_SECONDS / 3)
    assert len([owner for _pk, _lane, owner in out(beaten) if owner]) == 1
    stopped = now + timedelta(seconds=settings.WORK_LEASE_SECONDS * 0.6)
    assert [pk for pk, _lane, owner in out(stopped) if owner] == []
    assert claims.held(Bundle, stopped).filter(pk=bundle.pk).exists()


def test_claim__lease_over__next_worker_takes_it(settings):
    bundle = a_bundle(due_at=timezone.now())
    first = claims.claim(Bundle, bundle.pk, timezone.now())
    later = timezone.now() + timedelta(seconds=settings.WORK_LEASE_SECONDS + 1)
    second = claims.claim(Bundle, bundle.pk, later)
    assert second is not None and first is not None and second.owner != first.owner


def test_finish__lease_taken_over__writes_nothing(settings):
    bundle = a_bundle(due_at=timezone.now(), generation=1)
    stale = claims.claim(Bundle, bundle.pk, timezone.now())
    later = timezone.now() + timedelta(seconds=settings.WORK_LEASE_SECONDS + 1)
    claims.claim(Bundle, bundle.pk, later)
    with pytest.raises(claims.LeaseLost):
        claims.finish(stale, later, next_at=None, observed=1, attempts=0)
    bundle.refresh_from_db()
    assert bundle.observed_generation == 0 and bundle.due_at is not None


def test_finish__newer_generation_meanwhile__due_at_once():
    bundle = a_bundle(due_at=timezone.now(), generation=1)
    lease = claims.claim(Bundle, bundle.pk, timezone.now())
    Bundle.objects.filter(pk=bundle.pk).update(generation=2)
    at = timezone.now()
    claims.finish(lease, at, next_at=None, observed=1, attempts=3)
    bundle.refresh_from_db()
    assert (bundle.due_at, bundle.observed_generation, bundle.attempts) == (at, 1, 0)


def test_finish__nothing_left__not_due_any_more():
    bundle = a_bundle(due_at=timezone.now(), generation=1)
    lease = claims.claim(Bundle, bundle.pk, timezone.now())
    claims.finish(lease, timezone.now(), next_at=None, observed=1, attempts=0)
    bundle.refresh_from_db()
    assert bundle.due_at is None and bundle.lease_owner is None


def test_guarded__lease_lost__block_not_entered(settings):
    bundle = a_bundle(due_at=timezone.now())
    lease = claims.claim(Bundle, bundle.pk, timezone.now())
    Bundle.objects.filter(pk=bundle.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    entered = False
    with pytest.raises(claims.LeaseLost), claims.guarded(lease):
        entered = True
    assert not entered


def test_backoff__many_failures__bounded_and_jittered():
    waits = {claims.backoff(100).total_seconds() for _ in range(20)}
    assert all(claims.RETRY_MOST_SECONDS / 2 <= wait <= claims.RETRY_MOST_SECONDS for wait in waits)
    assert len(waits) > 1
