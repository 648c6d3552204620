"""Does the mass of a lot add up? What was received or made, against where it went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.units import Quantity, Uom, convert
from foodflow_kernel.wire.reports import MassBalance
from server.analytics.balance import lot_balance
from server.core.corrections import is_current
from server.flows import pallets as packing
from server.fsq import graph, nodes
from server.fsq.models import Lot, Pallet
from server.plant_ops.models import ScrapEvent


async def lot_balance_of(db: AsyncSession, lot: Lot) -> MassBalance:
    """Received = used + in store + waste + not found, in the lot's unit."""
    received = await packing.made_of(db, lot)
    uses = [
        (link.qty or Decimal(0), link.uom, link.occurred_at) for link in await graph.links_of(db, nodes.lot(lot.id))
    ]
    if lot.kind == "finished":
        shipped = select(Pallet.qty, Pallet.uom, Pallet.shipped_at).where(
            Pallet.lot_id == lot.id, Pallet.status == "shipped"
        )
        uses = [(qty, uom, at or lot.created_at) for qty, uom, at in await db.execute(shipped)]
    wastes = [
        (link.qty or Decimal(0), link.uom, link.occurred_at) for link in await graph.waste_of(db, nodes.lot(lot.id))
    ]
    if lot.kind != "finished":
        wastes += await _scrapped(db, lot)
    used, waste = _in_unit(uses, lot.uom), _in_unit(wastes, lot.uom)
    counted_at = lot.counted_at
    result = lot_balance(
        received=received,
        used=sum((qty for qty, _ in used), Decimal(0)),
        waste=sum((qty for qty, _ in waste), Decimal(0)),
        counted=lot.counted_qty,
        used_since_count=sum((qty for qty, at in used if counted_at and at > counted_at), Decimal(0)),
        waste_since_count=sum((qty for qty, at in waste if counted_at and at > counted_at), Decimal(0)),
    )
    return MassBalance(
        received=result.received,
        used=result.used,
        in_store=result.in_store,
        waste=result.waste,
        not_found=result.not_found,
        uom=lot.uom,
        counted_at=counted_at,
    )


async def _scrapped(db: AsyncSession, lot: Lot) -> list[tuple[Decimal, Uom, datetime]]:
    """Scrap that was recorded on the lot itself."""
    statement = (
        select(func.sum(ScrapEvent.qty), ScrapEvent.uom, func.max(ScrapEvent.occurred_at))
        .where(ScrapEvent.lot_id == lot.id, is_current(ScrapEvent))
        .group_by(ScrapEvent.uom, ScrapEvent.id)
    )
    return [(row[0], row[1], row[2]) for row in await db.execute(statement)]


def _in_unit(rows: Iterable[tuple[Decimal, Uom, datetime]], uom: Uom) -> list[tuple[Decimal, datetime]]:
    return [(convert(Quantity(qty, each), uom).value, at) for qty, each, at in rows]
