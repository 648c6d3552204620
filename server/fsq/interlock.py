"""Materials that were kept out at the line."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.bodies import InterlockStopped
from server.core import stamp as stamps
from server.core.stamp import Stamp
from server.fsq.models import InterlockStop


async def record(db: AsyncSession, facts: Sequence[tuple[Stamp, InterlockStopped]]) -> None:
    """Keep refused scans: nothing was issued."""
    rows = [
        stamp.columns()
        | {
            "batch_id": body.batch_id,
            "line_id": stamp.line_id,
            "cause": body.cause.value,
            "raw_scan": body.raw_scan,
            "item_id": body.item_id,
            "lot_id": body.lot_id,
            "lot_code": body.lot_code,
            "needed_item_id": body.needed_item_id,
            "allergens": list(body.allergens),
        }
        for stamp, body in facts
    ]
    await stamps.record(db, InterlockStop, rows)
