"""What food safety announces."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DeviationOpened:
    """Something went outside its limits.

    Args:
        root_id: the deviation, or the first one of the same event if this is its duplicate.
    """

    root_id: UUID
    plant_id: UUID
    line_id: UUID | None
    severity: str
    source: str
    number: str | None
    summary: str


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """A lot may not be used."""

    hold_id: UUID
    lot_id: UUID
    plant_id: UUID | None
    reason: str
