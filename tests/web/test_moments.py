"""Points in time as people say them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from web import moments

NOW = datetime(2026, 11, 23, 7, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english_in_shanghai():
    with translation.override("en"), timezone.override("Asia/Shanghai"):
        yield


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=29, hours=23), "29 days ago"),
        (timedelta(days=30), "2026-10-24"),
        (timedelta(seconds=-10), "in a moment"),
        (timedelta(seconds=-59), "in a moment"),
        (timedelta(minutes=-5, seconds=10), "in 5 minutes"),
        (timedelta(minutes=-59, seconds=-40), "in 1 hour"),
        (timedelta(hours=-3), "in 3 hours"),
        (timedelta(hours=-23, minutes=-40), "in 1 day"),
        (timedelta(hours=-72, seconds=1), "in 3 days"),
        (timedelta(days=-10, minutes=1), "in 10 days"),
        (timedelta(days=-29, hours=-13), "2026-12-23"),
        (timedelta(days=-81), "2027-02-12"),
    ],
)
def test_relative__distance__whole_unit_past_and_nearest_to_come(ago, text):
    assert moments.relative(NOW - ago, NOW) == text


def test_exact__time_in_utc__is_shown_in_the_portals_zone():
    assert moments.exact(NOW) == "2026-11-23 15:20 (UTC+8)"


def test_exact__zone_with_half_hours__names_them():
    with timezone.override("America/St_Johns"):
        assert moments.exact(NOW) == "2026-11-23 03:50 (UTC-3:30)"
