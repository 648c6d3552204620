"""Where and when a fact was taken, and how it becomes a row exactly once.

Sync makes the stamp of a fact that a terminal pushed; ``server_born`` makes one for a fact that
is taken here. A fact table is only ever written through ``record``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.ids import new_id
from server.core.db import FactRow, copying


@dataclass(frozen=True, slots=True)
class Stamp:
    """Identity, time and author of one fact; device fields are None for one born on the server."""

    id: UUID
    occurred_at: datetime
    recorded_at: datetime
    received_at: datetime
    performed_by: UUID | None
    plant_id: UUID | None = None
    line_id: UUID | None = None
    device_id: UUID | None = None
    incarnation: UUID | None = None
    lane: int | None = None
    seq: int | None = None
    hash: bytes | None = None
    hlc: int | None = None
    clock_skew_ms: int | None = None
    corrects_id: UUID | None = None
    correction_reason: str | None = None
    flags: tuple[str, ...] = ()

    def columns(self) -> dict[str, Any]:
        """The columns that every fact table has."""
        return {
            "id": self.id,
            "plant_id": self.plant_id,
            "device_id": self.device_id,
            "incarnation": self.incarnation,
            "lane": self.lane,
            "seq": self.seq,
            "hash": self.hash,
            "hlc": self.hlc,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "received_at": self.received_at,
            "clock_skew_ms": self.clock_skew_ms,
            "performed_by": self.performed_by,
            "corrects_id": self.corrects_id,
            "correction_reason": self.correction_reason,
        }


def server_born(now: datetime, performed_by: UUID | None, plant_id: UUID | None = None) -> Stamp:
    """The stamp of a fact that is taken on the server itself."""
    return Stamp(
        id=new_id(now),
        occurred_at=now,
        recorded_at=now,
        received_at=now,
        performed_by=performed_by,
        plant_id=plant_id,
    )


async def record(db: AsyncSession, model: type[FactRow], rows: Sequence[dict[str, Any]]) -> int:
    """Insert facts that are not there yet; a fact that arrives again changes nothing.

    Returns:
        How many were new.
    """
    return await copying.insert_new(db, cast("Table", inspect(model).local_table), rows)
