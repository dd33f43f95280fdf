"""How quick the lanes are, as one dispatcher sees it, and so how many items of each may be out at once. Pure.

A pass that hangs holds a worker's slot until it gives up. So a lane begins with one item at a time, and may have more
as its passes end; and lanes that are slow beside the others share a few slots among them, however many they are. Where
everything takes long, because the machine is busy, nobody is slow.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

# Nobody is slow below this; an ordinary pass takes a tenth of it.
QUICK = timedelta(seconds=2)
# Above it, so many times what the lane in the middle takes.
TIMES = 4
# How long the longest pass of a lane is held against it.
REMEMBERED = timedelta(seconds=60)
# A lane of which nothing was out for so long begins anew: it may have died meanwhile.
IDLE = timedelta(seconds=10)


class Pace:
    """What was seen of the lanes until now. `most` items of one lane may be out at once, `most_slow` of all slow ones
    together."""

    def __init__(self, most: int, most_slow: int) -> None:
        self._most = most
        self._most_slow = most_slow
        self._began: dict[tuple[str, int, UUID], tuple[str, datetime]] = {}
        self._width: dict[str, int] = {}
        # The longest pass of a lane, and when it was seen.
        self._longest: dict[str, tuple[timedelta, datetime]] = {}
        self._out: dict[str, Counter[str]] = {}
        # When something of a lane was last out.
        self._used: dict[str, datetime] = {}
        # Models of which something had to wait for others of its lane, of any model.
        self.waiting: set[str] = set()

    def see(self, label: str, held: Iterable[tuple[int, str, UUID | None]], at: datetime) -> None:
        """Takes in what is out of one model at `at`: (id, lane, lease owner; None: offered only)."""
        rows = list(held)
        self._out[label] = Counter(lane for _pk, lane, _owner in rows)
        self._used |= dict.fromkeys(self._out[label], at)
        leased = {(label, pk, owner): lane for pk, lane, owner in rows if owner is not None}
        for key in [key for key in self._began if key[0] == label and key not in leased]:
            lane, began = self._began.pop(key)
            self._note(lane, at - began, at)
            self._width[lane] = min(self._most, 2 * self._width.get(lane, 1))
        for key, lane in leased.items():
            _lane, began = self._began.setdefault(key, (lane, at))
            # One that has just begun says nothing yet.
            if at - began > QUICK:
                self._note(lane, at - began, at)
        for lane in self.slow(at):
            self._width[lane] = 1

    def slow(self, at: datetime) -> set[str]:
        """Lanes with a pass, within the last minute or not ended yet, that took much longer than others' do."""
        recent = {lane: took for lane, (took, seen) in self._longest.items() if at - seen <= REMEMBERED}
        if not recent:
            return set()
        middle = sorted(recent.values())[(len(recent) - 1) // 2]
        limit = max(QUICK, TIMES * middle)
        return {lane for lane, took in recent.items() if took > limit}

    def takes(self, label: str, lane: str, at: datetime) -> bool:
        """Whether one more item of the lane may go out; then it counts as out, else its model is `waiting`."""
        if not self._has_room(lane, at):
            self.waiting.add(label)
            return False
        self._out.setdefault(label, Counter())[lane] += 1
        return True

    def _has_room(self, lane: str, at: datetime) -> bool:
        out = sum((counts for counts in self._out.values()), Counter())
        if at - self._used.get(lane, at) > IDLE:
            self._width[lane] = 1
        if out[lane] >= self._width.get(lane, 1):
            return False
        slow = self.slow(at)
        return lane not in slow or sum(out[name] for name in slow) < self._most_slow

    def _note(self, lane: str, took: timedelta, at: datetime) -> None:
        longest, seen = self._longest.get(lane, (timedelta(0), at))
        if took >= longest or at - seen > REMEMBERED:
            self._longest[lane] = (took, at)
