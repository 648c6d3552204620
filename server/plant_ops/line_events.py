"""Line states and counts as they come from the terminals: only rows, folded when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.bodies import LineCount as CountBody
from foodflow_kernel.wire.bodies import LineState
from server.core import live
from server.core import stamp as stamps
from server.core.stamp import Stamp
from server.plant_ops.models import LineCount, LineEvent

LINE_TOPIC = "line"
"""Of open screens that show lines."""


async def record_states(db: AsyncSession, facts: Sequence[tuple[Stamp, LineState]]) -> None:
    """Keep what the lines said they were doing."""
    rows = [
        stamp.columns()
        | {"line_id": body.line_id, "batch_id": body.batch_id, "state": body.state, "source": body.source.value}
        for stamp, body in facts
    ]
    await stamps.record(db, LineEvent, rows)
    for _, body in facts:
        live.tell(db, LINE_TOPIC, body.line_id)


async def record_counts(db: AsyncSession, facts: Sequence[tuple[Stamp, CountBody]]) -> None:
    """Keep what was counted; the sum of the deltas is what a batch made."""
    rows = [stamp.columns() | _count(body) for stamp, body in facts]
    await stamps.record(db, LineCount, rows)
    for _, body in facts:
        live.tell(db, LINE_TOPIC, body.line_id)


def _count(body: CountBody) -> dict[str, Any]:
    return {
        "line_id": body.line_id,
        "batch_id": body.batch_id,
        "delta": body.delta,
        "total": body.total,
        "raw": body.raw,
        "from_at": body.from_at,
        "was_reset": body.was_reset,
    }
