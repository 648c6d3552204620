"""Packing a lot on pallets and shipping them: what exists is known to plant operations."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.core.actor import Actor
from server.fsq import lot as lots
from server.fsq.models import Lot, Pallet
from server.plant_ops import batch as batches
from server.plant_ops.models import ProductionBatch


async def made_of(db: AsyncSession, lot: Lot) -> Decimal:
    """How much of a lot exists: what its batch made well so far, or what was received."""
    batch = await db.scalar(select(ProductionBatch).where(ProductionBatch.output_lot_id == lot.id))
    if batch is None:
        return lot.qty_initial
    if batch.good is not None:
        return Decimal(batch.good)
    counted = (await batches.counts(db, [batch.id])).get(batch.id, batches.Counts())
    return Decimal(counted.good)


async def pack(db: AsyncSession, lot: Lot, cmd: lots.Pack) -> Pallet:
    """Pack part of a lot on a new pallet with its own SSCC.

    Raises:
        Refused: `lot_held`, `lot_not_packable`, `unit_differs`, `not_enough_made`.
        Invalid: `gs1_prefix_missing`.
    """
    actor: Actor = db.info["actor"]
    return await lots.pack(
        db,
        lot,
        cmd,
        made=await made_of(db, lot),
        gs1_prefix=db.info["tenant"].gs1_company_prefix,
        actor_id=actor.id,
        now=db.info["clock"].now(),
    )


async def ship(db: AsyncSession, pallet: Pallet, cmd: lots.Ship) -> Pallet:
    """Ship a pallet to a customer.

    Raises:
        Refused: `lot_held`, `lot_not_released`, `already_shipped`.
    """
    actor: Actor = db.info["actor"]
    return await lots.ship(db, pallet, cmd, actor_id=actor.id, now=db.info["clock"].now())
