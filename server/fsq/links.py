"""Edges of the graph of material: receive, use in a batch, make, pack, ship."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.units import Uom
from server.core import stamp as stamps
from server.core.corrections import is_current
from server.core.stamp import Stamp
from server.fsq import nodes
from server.fsq.models import TraceLink


@dataclass(frozen=True, slots=True)
class Link:
    """Material went from one node to another."""

    cte: str
    source: str
    target: str
    qty: Decimal | None
    uom: Uom
    event_id: UUID | None = None
    from_lot_id: UUID | None = None
    to_lot_id: UUID | None = None
    batch_id: UUID | None = None
    pallet_id: UUID | None = None
    item_id: UUID | None = None
    partner_code: str | None = None
    partner_name: str | None = None
    document_no: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


async def record(db: AsyncSession, links: Sequence[tuple[Stamp, Link]]) -> int:
    """Keep edges; one that is there already changes nothing. Returns how many were new."""
    rows = []
    for stamp, link in links:
        rows.append(
            stamp.columns()
            | {
                "event_id": link.event_id or stamp.id,
                "cte": link.cte,
                "source": link.source,
                "target": link.target,
                "from_lot_id": link.from_lot_id,
                "to_lot_id": link.to_lot_id,
                "batch_id": link.batch_id,
                "pallet_id": link.pallet_id,
                "item_id": link.item_id,
                "qty": link.qty,
                "uom": link.uom,
                "partner_code": link.partner_code,
                "partner_name": link.partner_name,
                "document_no": link.document_no,
                "detail": link.detail,
                "flags": [*stamp.flags, *link.flags],
            }
        )
    return await stamps.record(db, TraceLink, rows)


async def record_output(
    db: AsyncSession, stamp: Stamp, *, batch_id: UUID, lot_id: UUID, item_id: UUID, uom: Uom
) -> None:
    """A batch makes a lot; how much is what the batch counts."""
    known = select(TraceLink.id).where(TraceLink.source == nodes.batch(batch_id), TraceLink.target == nodes.lot(lot_id))
    if await db.scalar(known.limit(1)) is None:
        link = Link(
            "transform",
            nodes.batch(batch_id),
            nodes.lot(lot_id),
            None,
            uom,
            event_id=batch_id,
            to_lot_id=lot_id,
            batch_id=batch_id,
            item_id=item_id,
        )
        await record(db, [(stamp, link)])


async def used_of(db: AsyncSession, lot_id: UUID) -> Decimal:
    """How much of a lot went into batches, in its own unit."""
    statement = select(func.sum(TraceLink.qty)).where(
        TraceLink.from_lot_id == lot_id, TraceLink.cte == "transform", is_current(TraceLink)
    )
    return await db.scalar(statement) or Decimal(0)
