"""A state machine is a table: states, moves, and nothing hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from foodflow_kernel.errors import IllegalMove

State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True)
class Machine(Generic[State]):
    """The legal moves of one kind of record.

    Args:
        name: what a person calls the record, used in the refusal.
        start: the state a record is born in.
        moves: (from, move) -> to. What is absent is illegal.
    """

    name: str
    start: State
    moves: Mapping[tuple[State, str], State]

    def move(self, state: State, move: str) -> State:
        """The state after a move.

        Raises:
            IllegalMove: there is no such move from this state.
        """
        to = self.moves.get((state, move))
        if to is None:
            raise IllegalMove(self.name, state, move)
        return to

    def allowed(self, state: State) -> frozenset[str]:
        """The moves that are legal from a state."""
        return frozenset(move for (source, move) in self.moves if source is state)
