"""Placing and ending holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Refused
from foodflow_kernel.machines import HOLD
from foodflow_kernel.machines.fsq import HoldState
from foodflow_kernel.wire.bodies import Amount
from server.core import events, feed
from server.core.actor import Actor
from server.fsq.events import HoldPlaced
from server.fsq.models import CcpMonitoring, Deviation, Lot, LotHold


@dataclass(frozen=True, slots=True)
class NewHold:
    """What is to be held and why."""

    hold_id: UUID
    lot_id: UUID
    reason: str
    source: str
    placed_at: datetime
    placed_by: UUID | None
    plant_id: UUID | None
    qty: Amount | None = None
    deviation_id: UUID | None = None
    marked_from: datetime | None = None
    marked_qty: Amount | None = None
    vessel: str | None = None
    device_id: UUID | None = None
    fact_id: UUID | None = None


async def place(db: AsyncSession, new: NewHold) -> LotHold:
    """Hold a lot at once, known or not; the same hold arriving again changes nothing."""
    held = await db.get(LotHold, new.hold_id)
    if held is not None:
        return held
    held = LotHold(
        id=new.hold_id,
        plant_id=new.plant_id,
        lot_id=new.lot_id,
        state=HOLD.start,
        qty=new.qty.value if new.qty else None,
        uom=new.qty.uom if new.qty else None,
        reason=new.reason,
        source=new.source,
        deviation_id=new.deviation_id,
        marked_from=new.marked_from,
        marked_qty=new.marked_qty.value if new.marked_qty else None,
        marked_uom=new.marked_qty.uom if new.marked_qty else None,
        vessel=new.vessel,
        placed_at=new.placed_at,
        placed_by=new.placed_by,
        device_id=new.device_id,
        fact_id=new.fact_id,
    )
    db.add(held)
    events.announce(db, HoldPlaced(held.id, held.lot_id, held.plant_id, held.reason))
    await _tell(db, new.lot_id)
    await db.flush()
    return held


async def open_on(db: AsyncSession, lot_ids: Collection[UUID]) -> dict[UUID, LotHold]:
    """The oldest open hold of each held lot."""
    statement = select(LotHold).where(LotHold.lot_id.in_(lot_ids), LotHold.state == HoldState.open)
    found = await db.scalars(statement.order_by(LotHold.placed_at.desc()))
    return {hold.lot_id: hold for hold in found}


async def refuse_if_held(db: AsyncSession, lot: Lot) -> None:
    """A held lot is not used, packed or shipped.

    Raises:
        Refused: `lot_held`.
    """
    held = (await open_on(db, [lot.id])).get(lot.id)
    if held is not None:
        raise Refused("lot_held", lot_code=lot.lot_code, reason=held.reason, hold_id=held.id)


class Release(BaseModel):
    """End a hold: the product is safe."""

    reason: str = Field(min_length=5, max_length=500)


async def release(db: AsyncSession, held: LotHold, cmd: Release) -> LotHold:
    """End a hold by the signature of a QA manager who did not do the failed work.

    Raises:
        IllegalMove: the hold is not open.
        Refused: `own_work` when the one who took the failed reading would release it.
    """
    actor: Actor = db.info["actor"]
    state = HOLD.move(held.state, "release")
    if actor.id is not None and actor.id in {held.placed_by, *await _performers(db, held)}:
        raise Refused("own_work", lot_id=held.lot_id)
    held.state, held.ended_at = state, db.info["clock"].now()
    held.ended_by, held.end_reason = actor.id, cmd.reason
    await _tell(db, held.lot_id)
    await db.flush()
    return held


async def _performers(db: AsyncSession, held: LotHold) -> set[UUID | None]:
    if held.deviation_id is None:
        return set()
    reading = select(CcpMonitoring.performed_by).join(Deviation, Deviation.reading_id == CcpMonitoring.id)
    return set((await db.scalars(reading.where(Deviation.id == held.deviation_id))).all())


async def _tell(db: AsyncSession, lot_id: UUID) -> None:
    lot = await db.get(Lot, lot_id)
    if lot is not None:
        feed.touch(db, "lot", lot.id, plant_id=lot.plant_id)
