"""What a bundle used of its quota over time, in as many points as a picture can show."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from clusters.models import Bundle, UsageSample
from clusters.models.usage import RESOURCES
from clusters.sampling import DAY, FINE, KEPT, begins, seconds

MOST_POINTS = 500
LONGEST = KEPT[DAY]
# A worker looks every five minutes or so, when it has the time: less than this without a look is no gap.
LEAST_GAP = 4 * FINE


@dataclass(frozen=True)
class History:
    """Use and limit from `since` until `until`.

    `at`: the beginnings of steps, each `step` long, at most MOST_POINTS. `used` (the highest within a step) and `limit`
    (the last one in it) have a value per step by resource, in millicores, bytes and pieces. None is what nobody knows:
    a step of Nones marks where a gap begins.
    """

    since: datetime
    until: datetime
    step: timedelta
    at: list[datetime] = field(default_factory=list)
    used: dict[str, list[int | None]] = field(default_factory=lambda: {name: [] for name in RESOURCES})
    limit: dict[str, list[int | None]] = field(default_factory=lambda: {name: [] for name in RESOURCES})

    @property
    def is_empty(self) -> bool:
        """Nothing was seen in the whole time."""
        return not self.at


def read(bundle: Bundle, since: datetime, until: datetime, now: datetime) -> History:
    """The history of a bundle that the reader may see, in one query; `until` is after `since`."""
    since = max(since, now - LONGEST)
    until = max(until, since)
    kept = _length(since, until, now)
    step = kept * max(1, ceil((until - since) / kept / (MOST_POINTS - 1)))
    history = History(since, until, step)
    rows = UsageSample.objects.filter(bundle=bundle, step=seconds(kept))
    _fill(history, rows.filter(at__gte=begins(since, step), at__lte=until).order_by("at"))
    return history


def _length(since: datetime, until: datetime, now: datetime) -> timedelta:
    """The shortest steps that are still kept of the whole time; the one that has just begun to be dropped counts."""
    return next(
        (step for step, kept in KEPT.items() if since >= now - kept - step and until - since <= kept + step), DAY
    )


def _fill(history: History, samples: Iterable[UsageSample]) -> None:
    gap = max(history.step, LEAST_GAP)
    for sample in samples:
        at = begins(sample.at, history.step)
        if not history.at or history.at[-1] != at:
            if history.at and at - history.at[-1] > gap:
                _add(history, history.at[-1] + history.step)
            _add(history, at)
        for name in RESOURCES:
            used, limit = getattr(sample, f"{name}_used"), getattr(sample, f"{name}_limit")
            history.used[name][-1] = _higher(history.used[name][-1], used)
            history.limit[name][-1] = history.limit[name][-1] if limit is None else limit


def _add(history: History, at: datetime) -> None:
    history.at.append(at)
    for name in RESOURCES:
        history.used[name].append(None)
        history.limit[name].append(None)


def _higher(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)
