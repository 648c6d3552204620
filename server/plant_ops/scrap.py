"""Scrap: quantity lost, with its cause."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.bodies import ScrapRecorded
from server.core import stamp as stamps
from server.core.stamp import Stamp
from server.plant_ops.models import ScrapEvent


async def record(db: AsyncSession, facts: Sequence[tuple[Stamp, ScrapRecorded]]) -> None:
    """Keep what was lost."""
    rows = [
        stamp.columns()
        | {
            "batch_id": body.batch_id,
            "lot_id": body.lot_id,
            "line_id": stamp.line_id,
            "qty": body.amount.value,
            "uom": body.amount.uom,
            "reason_code": body.reason_code,
            "stage": body.stage,
            "disposition": body.disposition,
            "source": body.source.value,
        }
        for stamp, body in facts
    ]
    await stamps.record(db, ScrapEvent, rows)
