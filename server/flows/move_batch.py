"""A batch move reaches further than plant operations: its output lot, its order, its graph."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import WORK_ORDER
from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.wire.bodies import BatchMoved
from foodflow_kernel.wire.exchange import CommandAnswer
from server.core.stamp import Stamp
from server.fsq import links, lot
from server.fsq.models import Lot
from server.planning.models import WorkOrder
from server.plant_ops import batch as batches
from server.plant_ops.models import ProductionBatch

_ORDER_MOVE = {"start": "start", "complete": "complete"}


async def move(db: AsyncSession, batch: ProductionBatch, stamp: Stamp, body: BatchMoved) -> CommandAnswer:
    """Move a locked batch; if it moved, its lot, order and graph follow in the same transaction.

    A rejected output lot beats every move but the abort: REJECT before HOLD before all else. A
    hold does not stop the line, it stops the lot.
    """
    answer = await batches.move(db, batch, stamp, body, refusal=await _refusal(db, batch.output_lot_id))
    if answer.outcome not in ("applied", "merged"):
        return answer
    if body.move == "start" and batch.output_lot_id is not None:
        made = await lot.begin(db, batch.output_lot_id, stamp.occurred_at)
        if made is not None:
            edge = replace(_derived(stamp), plant_id=batch.plant_id)
            await links.record_output(db, edge, batch_id=batch.id, lot_id=made.id, item_id=batch.item_id, uom=batch.uom)
    await _move_order(db, batch.work_order_id, body.move)
    return answer


def _derived(stamp: Stamp) -> Stamp:
    """A stamp for a fact that the server adds to one of a terminal: same times, no place in its log."""
    return replace(
        stamp, id=new_id(stamp.received_at), device_id=None, incarnation=None, lane=None, seq=None, hash=None, hlc=None
    )


async def _refusal(db: AsyncSession, lot_id: UUID | None) -> str | None:
    if lot_id is None:
        return None
    made = await db.get(Lot, lot_id)
    return "lot_rejected" if made is not None and made.status in (LotState.rejected, LotState.disposed) else None


async def _move_order(db: AsyncSession, order_id: UUID | None, move_name: str) -> None:
    order_move = _ORDER_MOVE.get(move_name)
    order = await db.get(WorkOrder, order_id) if order_id is not None and order_move is not None else None
    if order is not None and order_move in WORK_ORDER.allowed(order.status):
        order.status = WORK_ORDER.move(order.status, str(order_move))
        await db.flush()
