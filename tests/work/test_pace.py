"""How many items of a lane may be out at once: more where passes end quickly, few where they hang."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from work.pace import IDLE, QUICK, REMEMBERED, Pace

START = datetime(2026, 11, 26, tzinfo=UTC)
SOON = timedelta(seconds=0.2)
LONG = QUICK + timedelta(seconds=1)


def taken(pace: Pace, lane: str, at: datetime, label: str = "m") -> int:
    """How many more items of the lane may go out now."""
    count = 0
    while count < 20 and pace.takes(label, lane, at):
        count += 1
    return count


def passes(pace: Pace, lane: str, at: datetime, lasts: timedelta) -> datetime:
    """One item of the lane is leased for so long; when it was seen to be back."""
    pace.see("m", [(1, lane, uuid4())], at)
    pace.see("m", [], at + lasts)
    return at + lasts


def test_takes__lane_nobody_knows__one():
    assert taken(Pace(4, 1), "a", START) == 1


def test_takes__quick_passes__twice_as_many_each_time_up_to_the_limit():
    pace, at = Pace(4, 1), START
    found = []
    for _turn in range(4):
        at = passes(pace, "a", at, SOON)
        found.append(taken(pace, "a", at))
        pace.see("m", [], at)
    assert found == [2, 4, 4, 4]


def test_takes__items_out_of_several_models__count_together():
    pace = Pace(4, 1)
    pace.see("other", [(1, "a", None)], START)
    assert taken(pace, "a", START) == 0
    assert taken(pace, "b", START) == 1


def beside_quick_ones(most: int = 4, most_slow: int = 1) -> Pace:
    """With three lanes whose passes end quickly."""
    pace = Pace(most, most_slow)
    for lane in ("q1", "q2", "q3"):
        passes(pace, lane, START - SOON, SOON)
    return pace


def test_takes__lane_of_which_nothing_was_out_for_long__begins_anew():
    pace = Pace(4, 1)
    at = passes(pace, "a", passes(pace, "a", START, SOON), SOON)
    assert taken(pace, "a", at + IDLE - SOON) == 4
    pace.see("m", [], at)
    assert taken(pace, "a", at + IDLE + SOON) == 1


@pytest.mark.parametrize("is_back", [True, False])
def test_takes__pass_that_takes_long__one_at_a_time_again(is_back):
    pace, owner = beside_quick_ones(), uuid4()
    at = passes(pace, "a", passes(pace, "a", START, SOON), SOON)
    pace.see("m", [(1, "a", owner)], at)
    pace.see("m", [] if is_back else [(1, "a", owner)], at + LONG)
    assert pace.slow(at + LONG) == {"a"}
    assert taken(pace, "a", at + LONG) == (1 if is_back else 0)


def test_takes__several_slow_lanes__share_their_slots():
    pace = beside_quick_ones()
    held = [(1, "slow1", uuid4()), (2, "slow2", uuid4())]
    pace.see("m", held, START)
    pace.see("m", held[:1], START + LONG)
    assert pace.slow(START + LONG) == {"slow1", "slow2"}
    assert taken(pace, "slow2", START + LONG) == 0
    assert taken(pace, "q1", START + LONG) == 2
    pace.see("m", [], START + LONG)
    assert taken(pace, "slow2", START + LONG) == 1
    assert taken(pace, "slow1", START + LONG) == 0


def test_takes__everything_takes_long__nobody_is_slow():
    pace = Pace(4, 1)
    for lane in ("a", "b", "c"):
        passes(pace, lane, START, LONG)
    assert pace.slow(START + LONG) == set()
    assert [taken(pace, lane, START + LONG) for lane in ("a", "b", "c")] == [2, 2, 2]


def test_takes__the_only_lane__never_slow():
    pace = Pace(4, 1)
    at = passes(pace, "a", START, 10 * LONG)
    assert pace.slow(at) == set()


def test_takes__long_after_the_last_slow_pass__like_any_other():
    pace = beside_quick_ones()
    at = passes(pace, "a", START, LONG)
    assert pace.slow(at) == {"a"}
    assert pace.slow(at + REMEMBERED + SOON) == set()


def test_see__offered_and_not_begun_yet__not_the_lanes_fault():
    pace = beside_quick_ones()
    pace.see("m", [(1, "a", None)], START)
    pace.see("m", [], START + LONG)
    assert pace.slow(START + LONG) == set() and taken(pace, "a", START + LONG) == 1
