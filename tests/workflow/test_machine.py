"""The table of moves."""

import pytest

from workflow import machine


def test_after__every_listed_move__leads_to_its_target():
    for move in machine.MOVES:
        assert machine.after(move.source, move.name) == move.target


@pytest.mark.parametrize("state", [machine.APPROVED, machine.REJECTED, machine.WITHDRAWN])
@pytest.mark.parametrize("move", ["submit", "approve", "reject", "withdraw"])
def test_after__closed_state__nothing_leads_out(state, move):
    with pytest.raises(machine.NoSuchMove):
        machine.after(state, move)


def test_moves__every_state__is_reached_and_known():
    assert {move.target for move in machine.MOVES} == set(machine.STATES)
    assert {move.source for move in machine.MOVES} <= {"", *machine.STATES}


def test_diagram__drawn__names_every_state():
    assert all(state in machine.diagram() for state in machine.STATES)
