"""Material of a lot went into a batch: an edge of the graph, and a deviation if it never should have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.fsq import HoldState, LotState
from foodflow_kernel.wire.bodies import MaterialIssued
from server.core.models import Plant
from server.core.stamp import Stamp
from server.fsq import deviation, hold, links, nodes
from server.fsq.models import Lot, LotHold
from server.plant_ops.models import ProductionBatch

FORBIDDEN = {
    "HELD_LOT_USED": "A held lot was used",
    "EXPIRED_LOT_USED": "An expired lot was used",
    "UNRELEASED_LOT_USED": "A lot was used before its release",
}


async def record(db: AsyncSession, facts: Sequence[tuple[Stamp, MaterialIssued]]) -> None:
    """Keep issues of material; none is refused, because it has happened.

    One of a lot that was held, expired or not released when it went in opens a critical
    deviation and holds what the batch makes. One beyond the lot's quantity is flagged.
    """
    for stamp, body in facts:
        batch = await db.get(ProductionBatch, body.batch_id)
        lot = await db.get(Lot, body.lot_id)
        flags = await _findings(db, stamp, lot)
        if lot is not None and await _is_over(db, lot, body.amount.value):
            flags.append("OVER_LOT_QUANTITY")
        output = batch.output_lot_id if batch else None
        link = links.Link(
            "transform",
            nodes.lot(body.lot_id),
            nodes.batch(body.batch_id),
            body.amount.value,
            body.amount.uom,
            event_id=body.batch_id,
            from_lot_id=body.lot_id,
            to_lot_id=output,
            batch_id=body.batch_id,
            item_id=body.item_id,
            document_no=None,
            detail=body.model_dump(mode="json", exclude={"batch_id", "lot_id", "item_id", "amount"}, exclude_none=True),
            flags=tuple(flags),
        )
        is_new = await links.record(db, [(stamp, link)])
        found = [flag for flag in flags if flag in FORBIDDEN]
        if is_new and found and batch is not None:
            await _open_deviation(db, stamp, body, batch, found)


async def _findings(db: AsyncSession, stamp: Stamp, lot: Lot | None) -> list[str]:
    if lot is None:
        return ["UNKNOWN_LOT"]
    flags = []
    held = select(LotHold.id).where(
        LotHold.lot_id == lot.id,
        LotHold.placed_at <= stamp.occurred_at,
        (LotHold.state == HoldState.open) | (LotHold.ended_at > stamp.occurred_at),
    )
    if await db.scalar(held.limit(1)) is not None:
        flags.append("HELD_LOT_USED")
    if lot.expiry_on is not None and await _plant_date(db, lot, stamp.occurred_at) > lot.expiry_on:
        flags.append("EXPIRED_LOT_USED")
    if lot.status not in (LotState.released, LotState.depleted):
        flags.append("UNRELEASED_LOT_USED")
    return flags


async def _plant_date(db: AsyncSession, lot: Lot, at: datetime) -> date:
    plant = await db.get_one(Plant, lot.plant_id)
    return at.astimezone(ZoneInfo(plant.tz)).date()


async def _is_over(db: AsyncSession, lot: Lot, qty: Decimal) -> bool:
    return await links.used_of(db, lot.id) + qty > lot.qty_initial


async def _open_deviation(
    db: AsyncSession, stamp: Stamp, body: MaterialIssued, batch: ProductionBatch, found: Sequence[str]
) -> None:
    summary = f"{FORBIDDEN[found[0]]}: {body.lot_code}"
    new = deviation.NewDeviation(
        deviation_id=new_id(stamp.received_at),
        plant_id=batch.plant_id,
        severity="critical",
        source="check",
        detected_at=stamp.received_at,
        detected_by=None,
        batch_id=batch.id,
        line_id=batch.line_id,
        lot_ids=tuple(lot_id for lot_id in (batch.output_lot_id, body.lot_id) if lot_id is not None),
        summary=summary,
        detail=batch.batch_no,
    )
    opened = await deviation.open_(db, new)
    if batch.output_lot_id is not None:
        await hold.place(
            db,
            hold.NewHold(
                hold_id=new_id(stamp.received_at),
                lot_id=batch.output_lot_id,
                reason=summary,
                source="deviation",
                placed_at=stamp.received_at,
                placed_by=None,
                plant_id=batch.plant_id,
                deviation_id=opened.id,
            ),
        )
