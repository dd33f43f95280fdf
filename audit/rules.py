"""The pure rules of the chain of seals: how an event is written down to be hashed, and what a seal's hash covers."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

# What the first seal follows.
NOTHING_BEFORE = "0" * 64
DIGEST_BYTES = 32
# Of an event, in the words of its table; the digest covers all of them.
FIELDS = ("id", "at", "actor", "action", "subject", "tenant", "before", "after", "request_id")

Run = tuple[int, int]


def canonical(value: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8 with sorted keys and without spaces; times in UTC to the microsecond."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_moment)
    return text.encode()


def _moment(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is not what events hold.")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def event_digest(event: Mapping[str, Any]) -> bytes:
    """SHA-256 of an event; `event` holds FIELDS as the database gave them back, and nothing else."""
    return hashlib.sha256(canonical(event)).digest()


def root_of(digests: bytes) -> str:
    """SHA-256, in hex, of the events' digests one after the other in the order of their ids."""
    return hashlib.sha256(digests).hexdigest()


def seal_hash(seal: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of a seal: number, previous, count, runs, root and at."""
    return hashlib.sha256(canonical(seal)).hexdigest()


def runs_of(ids: Iterable[int]) -> list[Run]:
    """Rising ids as (first, last) of each unbroken run: 1 2 3 7 -> (1, 3) (7, 7)."""
    runs: list[Run] = []
    for one in ids:
        if runs and one == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], one)
        else:
            runs.append((one, one))
    return runs


def ids_of(runs: Sequence[Run]) -> Iterator[int]:
    """The ids that the runs hold, in order."""
    for first, last in runs:
        yield from range(first, last + 1)


def size_of(runs: Sequence[Run]) -> int:
    """How many ids the runs hold."""
    return sum(last - first + 1 for first, last in runs)
