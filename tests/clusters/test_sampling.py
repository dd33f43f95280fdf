"""Samples of what bundles use: taken at each observation, kept the shorter the finer they are, read for a picture."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusters import history, sampling
from clusters.models import Bundle, BundleObject, UsageSample, UsageThinning
from clusters.sampling import DAY, FINE, HOUR, KEPT
from tests.builders import a_bundle
from tests.clusters.doing import kept, now_due
from tests.waiting import eventually
from work.tasks import drive

pytestmark = pytest.mark.django_db
GI = 1024**3
NOON = datetime(2026, 11, 23, 12, 2, tzinfo=ZoneInfo("Asia/Shanghai"))


def a_quota(cpu: str, limit: str = "4", **used: str) -> list[BundleObject]:
    usage = {"used": {"limits.cpu": cpu, **used}, "hard": {"limits.cpu": limit, "limits.memory": "8Gi"}}
    return [BundleObject(kind="Namespace"), BundleObject(kind="ResourceQuota", usage=usage)]


def samples(step: timedelta, *fields: str) -> list[tuple[Any, ...]]:
    return list(UsageSample.objects.filter(step=step.total_seconds()).order_by("at").values_list(*fields))


def test_take__several_in_a_step__highest_use_and_last_limit():
    bundle = a_bundle()
    sampling.take(bundle, a_quota("1200m"), NOON)
    sampling.take(bundle, a_quota("3100m", "4"), NOON + timedelta(minutes=1))
    sampling.take(bundle, a_quota("100m", "6"), NOON + timedelta(minutes=2))
    sampling.take(bundle, a_quota("200m", "6"), NOON + timedelta(minutes=3))
    at = NOON.replace(minute=0)
    five = at + timedelta(minutes=5)
    assert samples(FINE, "at", "cpu_used", "cpu_limit") == [(at, 3100, 6000), (five, 200, 6000)]
    assert samples(HOUR, "at", "cpu_used", "cpu_limit") == [(at, 3100, 6000)]
    # A day begins at midnight where the portal is.
    assert samples(DAY, "at", "cpu_used", "memory_used", "memory_limit") == [
        (NOON.replace(hour=0, minute=0), 3100, None, 8 * GI)
    ]


def test_take__no_figures__nothing():
    bundle = a_bundle()
    sampling.take(bundle, [BundleObject(kind="Namespace"), BundleObject(kind="ResourceQuota", usage={})], NOON)
    sampling.take(bundle, [], NOON)
    assert not UsageSample.objects.exists()


@pytest.mark.parametrize(("text", "kept"), [("-1", None), ("1e3", 1_000_000), ("8E", 2**63 - 1), ("lots", None)])
def test_take__whatever_a_quota_says__something_that_can_be_kept(text, kept):
    sampling.take(a_bundle(), a_quota(text), NOON)
    assert samples(FINE, "cpu_used") == [(kept,)]


def test_take__any_observation__one_statement_and_unchanged_rows_stay():
    bundle = a_bundle()
    sampling.take(bundle, a_quota("1"), NOON)

    def versions() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid::text FROM clusters_usagesample ORDER BY id")
            return [row[0] for row in cursor.fetchall()]

    before = versions()
    with CaptureQueriesContext(connection) as captured:
        sampling.take(bundle, a_quota("500m"), NOON + timedelta(seconds=30))
    assert len(captured) == 1
    assert versions() == before and len(before) == len(KEPT)


def test_thin__old_samples__dropped_by_the_length_of_their_step():
    bundle, now = a_bundle(), timezone.now()
    for step, keep in KEPT.items():
        for age in (keep - step, keep + 2 * step):
            UsageSample.objects.create(bundle=bundle, step=step.total_seconds(), at=now - age, cpu_used=1)
    sampling.keep_thinning(at=now - sampling.THIN_EVERY - timedelta(seconds=1))
    drive("clusters.UsageThinning", 1)
    assert [samples(step, "at") for step in KEPT] == [[(now - (keep - step),)] for step, keep in KEPT.items()]
    assert UsageThinning.objects.get().due_at > timezone.now() + timedelta(minutes=9)


def test_thin__more_than_one_pass_drops__comes_back_at_once(monkeypatch):
    bundle, now = a_bundle(), timezone.now()
    monkeypatch.setattr(sampling, "MOST_DROPPED", 3)
    UsageSample.objects.bulk_create(
        UsageSample(bundle=bundle, step=300, at=now - timedelta(days=3, minutes=5 * n)) for n in range(4)
    )
    sampling.keep_thinning(at=now - sampling.THIN_EVERY - timedelta(seconds=1))
    drive("clusters.UsageThinning", 1)
    # The oldest first.
    assert samples(FINE, "at") == [(now - timedelta(days=3),)]
    row = UsageThinning.objects.get()
    assert row.due_at < timezone.now() + timedelta(seconds=2)
    now_due(row)
    assert samples(FINE, "at") == []


def test_keep_thinning__again__leaves_the_row_as_it_is():
    sampling.keep_thinning(at=NOON)
    sampling.keep_thinning(at=NOON + DAY)
    assert UsageThinning.objects.get().due_at == NOON + sampling.THIN_EVERY


def read(bundle: Bundle, since: datetime, until: datetime) -> history.History:
    with CaptureQueriesContext(connection) as captured:
        found = history.read(bundle, since, until, NOON)
    assert len(captured) == 1
    assert len(found.at) <= history.MOST_POINTS
    return found


def fill(bundle: Bundle, step: timedelta, count: int, *missing: int) -> None:
    last = sampling.begins(NOON, step)
    UsageSample.objects.bulk_create(
        UsageSample(bundle=bundle, step=step.total_seconds(), at=last - n * step, cpu_used=n, cpu_limit=4000)
        for n in range(count)
        if n not in missing
    )


@pytest.mark.parametrize(
    ("back", "kept_by", "step"),
    [
        (timedelta(hours=1), FINE, FINE),
        (DAY, FINE, FINE),
        (2 * DAY, FINE, 2 * FINE),
        (3 * DAY, HOUR, HOUR),
        (30 * DAY, HOUR, 2 * HOUR),
        (30 * DAY + HOUR, HOUR, 2 * HOUR),
        (40 * DAY, DAY, DAY),
        (730 * DAY, DAY, 2 * DAY),
    ],
)
def test_read__any_time__steps_that_are_kept_of_it_in_few_points(back, kept_by, step):
    bundle = a_bundle()
    fill(bundle, kept_by, int(back / kept_by))
    fill(a_bundle(), kept_by, 3)
    found = read(bundle, NOON - back, NOON)
    assert found.step == step
    assert None not in found.used["cpu"] and set(found.limit["cpu"]) == {4000}
    assert found.used["memory"] == [None] * len(found.at)
    # The oldest sample is the highest, and nothing is lost between.
    assert found.used["cpu"][0] == int(back / kept_by) - 1
    assert len(found.at) >= int(back / step) - 1


def test_read__nobody_looked_for_a_while__gap_of_unknown():
    bundle = a_bundle()
    # Two single steps without a look are none; six are.
    fill(bundle, FINE, 20, 3, 5, *range(8, 14))
    found = read(bundle, NOON - timedelta(hours=3), NOON)
    assert found.used["cpu"] == [19, 18, 17, 16, 15, 14, None, 7, 6, 4, 2, 1, 0]
    assert found.at[6] == found.at[5] + FINE


def test_read__a_day_missing__gap_of_unknown():
    bundle = a_bundle()
    fill(bundle, DAY, 60, 10)
    assert read(bundle, NOON - 59 * DAY, NOON).used["cpu"][-11:-9] == [None, 9]


def test_read__longer_ago_than_anything_is_kept__from_two_years_ago():
    found = read(a_bundle(), NOON - 5000 * DAY, NOON - 4000 * DAY)
    assert found.is_empty and found.since == found.until == NOON - 730 * DAY


def test_look__bundle_on_a_cluster__sample_of_what_the_server_counts(real_cluster, unique):
    bundle = kept(real_cluster, unique("sampled"))

    def counted() -> bool:
        now_due(bundle)
        return UsageSample.objects.filter(bundle=bundle, step=300, cpu_used=0, cpu_limit=2500).exists()

    eventually(counted, 60, "the quota's use is counted")
    newest = UsageSample.objects.filter(bundle=bundle, step=300).latest("at")
    assert (newest.memory_limit, newest.storage_limit, newest.pods_limit) == (4 * GI, 20 * GI, 20)
    assert timezone.now() - newest.at < timedelta(minutes=6)
