"""How quick the lanes are, as one dispatcher sees it, and so how many items of each may be out at once. Pure.

A pass that hangs holds a worker's slot until it gives up. So a lane begins with one item at a time, and may have more
as its passes end quickly; and lanes whose passes take long share a few slots among them, however many they are.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

# An ordinary pass takes a tenth of this.
QUICK = timedelta(seconds=2)
# How long a lane counts as slow after its last slow pass.
REMEMBERED = timedelta(seconds=60)


class Pace:
    """What was seen of the lanes until now. `most` items of one lane may be out at once, `most_slow` of all slow ones
    together."""

    def __init__(self, most: int, most_slow: int) -> None:
        self._most = most
        self._most_slow = most_slow
        self._began: dict[tuple[str, int, UUID], tuple[str, datetime]] = {}
        self._width: dict[str, int] = {}
        self._slow_until: dict[str, datetime] = {}
        self._out: dict[str, Counter[str]] = {}

    def see(self, label: str, held: Iterable[tuple[int, str, UUID | None]], at: datetime) -> None:
        """Takes in what is out of one model at `at`: (id, lane, lease owner; None: offered only)."""
        rows = list(held)
        self._out[label] = Counter(lane for _pk, lane, _owner in rows)
        leased = {(label, pk, owner): lane for pk, lane, owner in rows if owner is not None}
        for key in [key for key in self._began if key[0] == label and key not in leased]:
            lane, began = self._began.pop(key)
            self._judge(lane, began, at)
            if at - began <= QUICK:
                self._width[lane] = min(self._most, 2 * self._width.get(lane, 1))
        for key, lane in leased.items():
            _lane, began = self._began.setdefault(key, (lane, at))
            self._judge(lane, began, at)

    def takes(self, label: str, lane: str, at: datetime) -> bool:
        """Whether one more item of the lane may go out; then it counts as out."""
        out = sum((counts for counts in self._out.values()), Counter())
        if out[lane] >= self._width.get(lane, 1):
            return False
        slow = {name for name, until in self._slow_until.items() if until > at}
        if lane in slow and sum(out[name] for name in slow) >= self._most_slow:
            return False
        self._out.setdefault(label, Counter())[lane] += 1
        return True

    def _judge(self, lane: str, began: datetime, at: datetime) -> None:
        if at - began > QUICK:
            self._width[lane] = 1
            self._slow_until[lane] = at + REMEMBERED
