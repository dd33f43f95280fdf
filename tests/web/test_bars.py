"""The quota bar's geometry and its sentence."""

from decimal import Decimal

import pytest
from django.utils import translation

from web import bars


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def test_geometry__use_below_limit__bar_ends_at_the_limit():
    drawn = bars.geometry(18.4, 0, 0, 24)
    assert (drawn.used.width, drawn.limit, drawn.limit_before) == ("76.67%", "100%", "")
    assert (drawn.before, drawn.after, drawn.level) == (77, 77, "")
    assert drawn.held is drawn.ask is drawn.grow is drawn.shrink is None


def test_geometry__held_by_others__counts_as_used_afterwards():
    drawn = bars.geometry(1.8, 1, 0, 4)
    assert (drawn.held.x, drawn.held.width) == ("45%", "25%")
    assert (drawn.before, drawn.after) == (45, 70)


def test_geometry__higher_limit__grows_from_the_old_one():
    drawn = bars.geometry(22.4, 0, 0, 48, 32)
    assert (drawn.track.width, drawn.grow.x, drawn.grow.width) == ("66.67%", "66.67%", "33.33%")
    assert (drawn.limit_before, drawn.limit) == ("66.67%", "100%")
    assert (drawn.before, drawn.after) == (70, 47)


def test_geometry__lower_limit__shows_what_is_taken_away():
    drawn = bars.geometry(310, 60, 0, 500, 800)
    assert (drawn.shrink.x, drawn.shrink.width, drawn.limit) == ("62.5%", "37.5%", "62.5%")
    assert drawn.grow is None


def test_geometry__change_too_small_to_see__drawn_wide_enough():
    drawn = bars.geometry(34, 0, 1, 2000)
    assert drawn.ask.width == "1.2%"


def test_geometry__small_change_at_the_end__stays_inside():
    drawn = bars.geometry(999, 0, 1, 1000)
    assert (drawn.ask.x, drawn.ask.width) == ("98.8%", "1.2%")


@pytest.mark.parametrize(("ask", "level"), [(0, ""), (4, ""), (5, "warn"), (20, "warn"), (21, "over")])
def test_geometry__share_after_the_change__warns_from_85_and_is_over_above_100(ask, level):
    assert bars.geometry(80, 0, ask, 100).level == level


def test_geometry__over_the_limit__bar_is_as_long_as_the_use():
    drawn = bars.geometry(51, 8, 40, 64)
    assert (drawn.ask.x, drawn.limit) == ("59.6%", "64.65%")
    assert drawn.after == 155


def test_geometry__no_limit_and_no_use__draws_an_empty_bar():
    drawn = bars.geometry(0, 0, 0, 0)
    assert (drawn.used, drawn.before, drawn.after, drawn.level) == (None, None, None, "")


def test_geometry__decimals__are_taken():
    assert bars.geometry(Decimal("1.5"), 0, 0, Decimal(3)).before == 50


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (8.0, "8"), (18.4, "18.4"), (1106, "1,106"), (2.125, "2.12"), (100, "100")]
)
def test_amount__number__is_short_and_grouped(value, text):
    assert bars.amount(value) == text


def test_sentence__everything_at_once__says_all_of_it():
    bar = {"name": "CPU", "used": 22.4, "held": 1, "ask": 2, "limit": 48, "limit_before": 32, "unit": "cores"}
    assert bars.sentence(bar, bars.geometry(22.4, 1, 2, 48, 32)) == (
        "CPU: used 22.4 cores, held by other open requests 1 cores, this request adds 2 cores, "
        "limit now 32 cores, new limit 48 cores, 70% used, 53% after the change"
    )


def test_sentence__near_the_limit_without_unit__says_so():
    bar = {"name": "Pods", "used": 9, "limit": 10}
    assert bars.sentence(bar, bars.geometry(9, 0, 0, 10)) == "Pods: used 9, limit 10, 90% used, near the limit"


def test_sentence__use_unknown__claims_no_share():
    bar = {"name": "CPU", "used": 0, "limit": 8, "unit": "cores", "known": False}
    assert bars.sentence(bar, bars.geometry(0, 0, 0, 8)) == "CPU: use unknown, limit 8 cores"
