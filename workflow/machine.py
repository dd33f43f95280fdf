"""The request machine: the one table of moves, pure; docs/architecture.md draws its diagram from here."""

from typing import NamedTuple

SUBMITTED, CHANGES_REQUESTED = "submitted", "changes_requested"
APPROVED, REJECTED, WITHDRAWN, EXPIRED = "approved", "rejected", "withdrawn", "expired"
STATES = (SUBMITTED, CHANGES_REQUESTED, APPROVED, REJECTED, WITHDRAWN, EXPIRED)
OPEN_STATES = (SUBMITTED, CHANGES_REQUESTED)


class Move(NamedTuple):
    """One allowed move; `by` says in a word who makes it."""

    name: str
    source: str
    target: str
    by: str


MOVES = (
    Move("submit", "", SUBMITTED, "asker"),
    Move("edit", SUBMITTED, SUBMITTED, "asker; the steps start anew"),
    Move("approve", SUBMITTED, APPROVED, "last approver, or the policy"),
    Move("reject", SUBMITTED, REJECTED, "approver"),
    Move("send_back", SUBMITTED, CHANGES_REQUESTED, "approver"),
    Move("edit", CHANGES_REQUESTED, SUBMITTED, "asker"),
    Move("withdraw", SUBMITTED, WITHDRAWN, "asker"),
    Move("withdraw", CHANGES_REQUESTED, WITHDRAWN, "asker"),
    Move("expire", SUBMITTED, EXPIRED, "deadline of the step"),
    Move("expire", CHANGES_REQUESTED, EXPIRED, "deadline of the asker"),
)


class NoSuchMove(ValueError):
    """The move does not lead out of the state."""


def after(state: str, move: str) -> str:
    """The state that `move` leads to from `state` ("" before the first); raises NoSuchMove."""
    for candidate in MOVES:
        if candidate.name == move and candidate.source == state:
            return candidate.target
    raise NoSuchMove(f"{move} does not lead out of {state or 'nothing'}")


def following(children: list[str]) -> str:
    """The state of a parent, which only follows its children: open while one is, else the best that became of one."""
    for state in (SUBMITTED, CHANGES_REQUESTED, APPROVED, REJECTED, EXPIRED):
        if state in children:
            return state
    return WITHDRAWN


def diagram() -> str:
    """The machine as a Mermaid state diagram, for the documents."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {m.source or '[*]'} --> {m.target}: {m.name} ({m.by})" for m in MOVES]
    sources = {move.source for move in MOVES}
    lines += [f"    {state} --> [*]" for state in STATES if state not in sources]
    return "\n".join(lines) + "\n"
