"""Each machine: every state can be reached, every move not in the table is refused."""

from __future__ import annotations

from typing import Any

import pytest

from foodflow_kernel.errors import IllegalMove
from foodflow_kernel.machines import ALL, Machine


@pytest.mark.parametrize("machine", ALL, ids=lambda machine: machine.name)
def test_every_state_can_be_reached(machine: Machine[Any]) -> None:
    reached, edge = {machine.start}, {machine.start}
    while edge:
        edge = {to for (source, _), to in machine.moves.items() if source in edge} - reached
        reached |= edge
    assert reached == set(type(machine.start))


@pytest.mark.parametrize("machine", ALL, ids=lambda machine: machine.name)
def test_every_illegal_pair_is_refused(machine: Machine[Any]) -> None:
    moves = {move for _, move in machine.moves}
    refused = 0
    for state in type(machine.start):
        for move in moves - machine.allowed(state):
            with pytest.raises(IllegalMove):
                machine.move(state, move)
            refused += 1
    assert refused + len(machine.moves) == len(moves) * len(type(machine.start))
