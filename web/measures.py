"""What this process measures: counts and durations by name and labels, kept in memory until somebody takes them along.

Names follow Prometheus: `_total` for counts, `_duration_seconds` for durations. Labels must have few values.
"""

import os
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

# Upper bounds of the buckets of every duration, in seconds.
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

# (name, ((label, value), ...)) with the labels in the order of the alphabet.
Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class Measured:
    """How often something happened; for durations how long together, and how many of each bucket (not cumulative, the
    last one is beyond all bounds)."""

    count: int = 0
    sum: float = 0.0
    buckets: list[int] = field(default_factory=list)

    def add(self, other: "Measured") -> None:
        """Both together."""
        self.count += other.count
        self.sum += other.sum
        if other.buckets:
            mine = self.buckets or [0] * len(other.buckets)
            self.buckets = [a + b for a, b in zip(mine, other.buckets, strict=True)]


_lock = Lock()
_held: dict[Key, Measured] = {}


def count(name: str, **labels: str) -> None:
    """One more."""
    with _lock:
        _held.setdefault(_key(name, labels), Measured()).count += 1


def observe(name: str, seconds: float, **labels: str) -> None:
    """One more that took so long."""
    with _lock:
        one = _held.setdefault(_key(name, labels), Measured(buckets=[0] * (len(BOUNDS) + 1)))
        one.count += 1
        one.sum += seconds
        one.buckets[bisect_left(BOUNDS, seconds)] += 1


@contextmanager
def timed(name: str, *failures: type[BaseException], **labels: str) -> Iterator[None]:
    """Measures the block; the label outcome is error if it raised one of `failures`, else ok."""
    began, outcome = time.monotonic(), "ok"
    try:
        yield
    except failures:
        outcome = "error"
        raise
    finally:
        observe(name, time.monotonic() - began, outcome=outcome, **labels)


def take() -> dict[Key, Measured]:
    """All that was measured since the last time; the caller keeps it, or puts it back."""
    global _held
    with _lock:
        taken, _held = _held, {}
    return taken


def put_back(taken: dict[Key, Measured]) -> None:
    """What could not be kept elsewhere."""
    with _lock:
        for key, one in taken.items():
            _held.setdefault(key, Measured()).add(one)


def _key(name: str, labels: dict[str, str]) -> Key:
    return name, tuple(sorted(labels.items()))


def _anew() -> None:
    """A child process begins with nothing of its parent's, least of all a lock that a thread of the parent held."""
    global _lock, _held
    _lock, _held = Lock(), {}


os.register_at_fork(after_in_child=_anew)
