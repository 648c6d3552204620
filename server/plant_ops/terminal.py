"""What a terminal says of itself: sessions, clock jumps, witnesses; and entries taken back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.wire.bodies import Voided
from foodflow_kernel.wire.facts import Wire
from server.core import stamp as stamps
from server.core.corrections import VoidedFact
from server.core.stamp import Stamp
from server.plant_ops.models import TerminalEvent

MAY_BE_TAKEN_BACK = frozenset(
    {"weighing", "test_weight", "material_issued", "scrap_recorded", "line_state", "stop_explained"}
)
"""Undo is for entries of the floor; never for CCP readings, holds, deviations or commands."""


async def record(db: AsyncSession, kind: str, facts: Sequence[tuple[Stamp, Wire]]) -> None:
    """Keep what a terminal said of itself."""
    rows = [
        stamp.columns() | {"kind": kind, "line_id": stamp.line_id, "detail": body.model_dump(mode="json")}
        for stamp, body in facts
    ]
    await stamps.record(db, TerminalEvent, rows)


async def take_back(db: AsyncSession, stamp: Stamp, body: Voided) -> None:
    """Take an earlier entry back; it stays readable.

    Raises:
        Invalid: `void_without_target`.
        Refused: `cannot_be_taken_back` for kinds that only a correction by a supervisor may touch.
    """
    if stamp.corrects_id is None:
        raise Invalid("void_without_target")
    if body.target_kind not in MAY_BE_TAKEN_BACK:
        raise Refused("cannot_be_taken_back", kind=body.target_kind)
    row = stamp.columns() | {
        "target_id": stamp.corrects_id,
        "target_kind": body.target_kind,
        "reason": body.reason,
        "corrects_id": None,
    }
    await stamps.record(db, VoidedFact, [row])
