"""How many items of a lane may be out at once: more where passes end quickly, few where they hang."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from work.pace import QUICK, REMEMBERED, Pace

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


@pytest.mark.parametrize("is_back", [True, False])
def test_takes__pass_that_takes_long__one_at_a_time_again(is_back):
    pace, owner = Pace(4, 1), uuid4()
    at = passes(pace, "a", passes(pace, "a", START, SOON), SOON)
    pace.see("m", [(1, "a", owner)], at)
    pace.see("m", [] if is_back else [(1, "a", owner)], at + LONG)
    assert taken(pace, "a", at + LONG) == (1 if is_back else 0)


def test_takes__several_slow_lanes__share_their_slots():
    pace = Pace(4, 1)
    slow = [(number, f"slow{number}", UUID(int=number)) for number in range(5)]
    pace.see("m", slow, START)
    pace.see("m", slow[:1], START + LONG)
    assert [taken(pace, lane, START + LONG) for _pk, lane, _owner in slow] == [0] * 5
    assert taken(pace, "quick", START + LONG) == 1
    pace.see("m", [], START + LONG)
    assert taken(pace, "slow3", START + LONG) == 1
    assert taken(pace, "slow4", START + LONG) == 0


def test_takes__long_after_the_last_slow_pass__like_any_other():
    pace = Pace(4, 1)
    at = passes(pace, "a", START, LONG)
    pace.see("m", [(2, "b", uuid4())], at)
    pace.see("m", [(2, "b", None)], at + LONG)
    assert taken(pace, "a", at + LONG) == 0
    assert taken(pace, "a", at + REMEMBERED + LONG) == 1


def test_see__offered_and_not_begun_yet__not_the_lanes_fault():
    pace = Pace(4, 1)
    pace.see("m", [(1, "a", None)], START)
    pace.see("m", [], START + LONG)
    assert taken(pace, "a", START + LONG) == 1
