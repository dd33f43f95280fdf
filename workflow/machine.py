"""The request machine: the one table of moves, pure; docs/architecture.md draws its diagram from here."""

from typing import NamedTuple

SUBMITTED, APPROVED, REJECTED, WITHDRAWN = "submitted", "approved", "rejected", "withdrawn"
STATES = (SUBMITTED, APPROVED, REJECTED, WITHDRAWN)
OPEN_STATES = (SUBMITTED,)


class Move(NamedTuple):
    """One allowed move; `by` says in a word who makes it."""

    name: str
    source: str
    target: str
    by: str


MOVES = (
    Move("submit", "", SUBMITTED, "asker"),
    Move("approve", SUBMITTED, APPROVED, "last approver, or the policy"),
    Move("reject", SUBMITTED, REJECTED, "approver"),
    Move("withdraw", SUBMITTED, WITHDRAWN, "asker"),
)


class NoSuchMove(ValueError):
    """The move does not lead out of the state."""


def after(state: str, move: str) -> str:
    """The state that `move` leads to from `state` ("" before the first); raises NoSuchMove."""
    for candidate in MOVES:
        if candidate.name == move and candidate.source == state:
            return candidate.target
    raise NoSuchMove(f"{move} does not lead out of {state or 'nothing'}")


def diagram() -> str:
    """The machine as a Mermaid state diagram, for the documents."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {m.source or '[*]'} --> {m.target}: {m.name} ({m.by})" for m in MOVES]
    sources = {move.source for move in MOVES}
    lines += [f"    {state} --> [*]" for state in STATES if state not in sources]
    return "\n".join(lines) + "\n"
