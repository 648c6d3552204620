"""What a computation answers when there is too little data: never 0, never a guess."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no value, and why.

    Args:
        reason: stable, ``lower_snake``.
    """

    reason: str

    def __bool__(self) -> bool:
        return False
