"""What may be done with a lot: start it, release it, pack it on pallets, ship them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Refused
from foodflow_kernel.gs1.check_digits import build_sscc
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import LOT
from foodflow_kernel.machines.fsq import LotState
from foodflow_kernel.units import Uom
from server.core.stamp import server_born
from server.fsq import hold, links, nodes, series
from server.fsq.models import Lot, Pallet

PACKABLE = (LotState.quarantine, LotState.released)


class Release(BaseModel):
    """Say that a lot may be used or sold."""

    reason: str = Field(min_length=5, max_length=500)


async def release(db: AsyncSession, lot: Lot, _cmd: Release) -> Lot:
    """Release a lot from quarantine.

    Raises:
        IllegalMove: the lot is not in quarantine.
        Refused: `lot_held`.
    """
    state = LOT.move(lot.status, "release")
    await hold.refuse_if_held(db, lot)
    lot.status = state
    await db.flush()
    return lot


async def begin(db: AsyncSession, lot_id: UUID, at: datetime) -> Lot | None:
    """A batch starts making a lot that was expected; it waits in quarantine for its release."""
    lot = await db.get(Lot, lot_id, with_for_update=True)
    if lot is not None and lot.status is LotState.expected:
        lot.status, lot.made_at = LOT.move(lot.status, "receive"), at
        await db.flush()
    return lot


class Pack(BaseModel):
    """Put a quantity of a lot on a new pallet."""

    qty: Decimal = Field(gt=0)
    uom: Uom = Uom.H87


async def pack(
    db: AsyncSession, lot: Lot, cmd: Pack, *, made: Decimal, gs1_prefix: str, actor_id: UUID | None, now: datetime
) -> Pallet:
    """Pack part of a lot on a pallet and give it its SSCC.

    Args:
        made: how much of the lot exists by now.
        gs1_prefix: the tenant's GS1 company prefix.

    Raises:
        Refused: `lot_held`, `lot_not_packable`, `unit_differs`, `not_enough_made`.
        Invalid: `gs1_prefix_missing`.
    """
    await hold.refuse_if_held(db, lot)
    if lot.status not in PACKABLE:
        raise Refused("lot_not_packable", lot_code=lot.lot_code, state=lot.status)
    if cmd.uom is not lot.uom:
        raise Refused("unit_differs", uom=cmd.uom, expected=lot.uom)
    free = made - await packed_of(db, lot.id)
    if cmd.qty > free:
        raise Refused("not_enough_made", lot_code=lot.lot_code, qty=cmd.qty, free=free)
    pallet = Pallet(
        id=new_id(now),
        plant_id=lot.plant_id,
        sscc=build_sscc(gs1_prefix, await series.take(db, "sscc")),
        lot_id=lot.id,
        qty=cmd.qty,
        uom=cmd.uom,
        status="in_warehouse",
        packed_at=now,
    )
    db.add(pallet)
    await db.flush()
    link = links.Link(
        "pack",
        nodes.lot(lot.id),
        nodes.pallet(pallet.id),
        cmd.qty,
        cmd.uom,
        from_lot_id=lot.id,
        pallet_id=pallet.id,
        item_id=lot.item_id,
    )
    await links.record(db, [(server_born(now, actor_id, lot.plant_id), link)])
    return pallet


async def packed_of(db: AsyncSession, lot_id: UUID) -> Decimal:
    """How much of a lot is on pallets."""
    return await db.scalar(select(func.sum(Pallet.qty)).where(Pallet.lot_id == lot_id)) or Decimal(0)


class Ship(BaseModel):
    """Send a pallet to a customer."""

    partner_code: str = Field(min_length=1, max_length=40)
    partner_name: str = Field(min_length=1, max_length=120)
    document_no: str = Field(min_length=1, max_length=40)


async def ship(db: AsyncSession, pallet: Pallet, cmd: Ship, *, actor_id: UUID | None, now: datetime) -> Pallet:
    """Ship a pallet: what is held or not released stays.

    Raises:
        Refused: `lot_held`, `lot_not_released`, `already_shipped`.
    """
    lot = await db.get_one(Lot, pallet.lot_id)
    await hold.refuse_if_held(db, lot)
    if pallet.status != "in_warehouse":
        raise Refused("already_shipped", sscc=pallet.sscc, document_no=pallet.document_no)
    if lot.status is not LotState.released:
        raise Refused("lot_not_released", lot_code=lot.lot_code, state=lot.status)
    pallet.status, pallet.shipped_at = "shipped", now
    pallet.partner_code, pallet.partner_name = cmd.partner_code, cmd.partner_name
    pallet.document_no = cmd.document_no
    await db.flush()
    link = links.Link(
        "ship",
        nodes.pallet(pallet.id),
        nodes.customer(cmd.partner_code, cmd.document_no),
        pallet.qty,
        pallet.uom,
        from_lot_id=lot.id,
        pallet_id=pallet.id,
        item_id=lot.item_id,
        partner_code=cmd.partner_code,
        partner_name=cmd.partner_name,
        document_no=cmd.document_no,
    )
    await links.record(db, [(server_born(now, actor_id, lot.plant_id), link)])
    return pallet
