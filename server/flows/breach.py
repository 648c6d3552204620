"""A breach without a deviation: the server opens it, and holds the lot, itself."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.ids import new_id
from server.core import audit
from server.core.actor import system
from server.fsq import deviation, hold, monitoring
from server.fsq.models import Ccp, CcpMonitoring, CcpVersion
from server.plant_ops.models import ProductionBatch


async def settle(db: AsyncSession) -> list[UUID]:
    """Complete what a terminal could not: each breach has a deviation, and its lot a hold.

    Runs after the last fact of a batch, so a deviation that came with its reading is there
    already. Returns the deviations opened here.
    """
    return [
        await _open(db, reading)
        for reading in await monitoring.unanswered_breaches(db)
        if await deviation.open_for(db, reading.ccp_id, reading.batch_id) is None
    ]


async def _open(db: AsyncSession, reading: CcpMonitoring) -> UUID:
    batch = await db.get(ProductionBatch, reading.batch_id) if reading.batch_id else None
    point = await db.get(Ccp, reading.ccp_id)
    version = await db.get(CcpVersion, reading.ccp_version_id)
    plant_id = point.plant_id if point else batch.plant_id if batch else None
    if plant_id is None:
        return reading.id
    lot_id = reading.lot_id or (batch.output_lot_id if batch else None)
    name = version.names.get("en", "") if version else ""
    summary = " ".join(part for part in (point.ccp_no if point else "", name.lower()) if part) + " outside its limits"
    row = await deviation.open_(
        db,
        deviation.NewDeviation(
            deviation_id=new_id(reading.received_at),
            plant_id=plant_id,
            severity="critical",
            source="ccp",
            detected_at=reading.occurred_at,
            detected_by=reading.performed_by,
            ccp_id=reading.ccp_id,
            ccp_version_id=reading.ccp_version_id,
            reading_id=reading.id,
            batch_id=reading.batch_id,
            line_id=reading.line_id or (point.line_id if point else None),
            lot_ids=() if lot_id is None else (lot_id,),
            last_good_at=cast("datetime | None", await monitoring.last_good_at(db, reading)),
            summary=summary.strip(),
            detail=monitoring.shown(reading.value, reading.unit),
            flags=("OPENED_BY_SERVER",),
        ),
    )
    audit.write(
        db,
        system(db.info["tenant_id"]),
        "fsq.deviation.open",
        "fsq.deviation",
        row.id,
        {"number": row.number, "reading": reading.id},
        "breach_without_deviation",
        plant_id=plant_id,
    )
    if lot_id is not None:
        held = await hold.place(
            db,
            hold.NewHold(
                hold_id=new_id(reading.received_at),
                lot_id=lot_id,
                reason=row.summary,
                source="deviation",
                placed_at=reading.occurred_at,
                placed_by=reading.performed_by,
                plant_id=plant_id,
                deviation_id=row.id,
                marked_from=row.last_good_at,
            ),
        )
        said = {"lot_id": lot_id, "deviation": row.id}
        who = system(db.info["tenant_id"])
        audit.write(db, who, "fsq.hold.place", "fsq.hold", held.id, said, row.summary, plant_id=plant_id)
    return row.id
