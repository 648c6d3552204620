"""Opening a deviation once, and containing it at the line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import IllegalMove
from foodflow_kernel.machines import DEVIATION
from foodflow_kernel.machines.fsq import DeviationState
from foodflow_kernel.wire.bodies import DeviationAction
from foodflow_kernel.wire.exchange import CommandAnswer
from server.core import events
from server.core import stamp as stamps
from server.core.stamp import Stamp
from server.fsq import series
from server.fsq.events import DeviationOpened
from server.fsq.models import Deviation, DeviationStep

ENDED = (DeviationState.closed, DeviationState.void)
SEVERITIES = ("minor", "major", "critical")


@dataclass(frozen=True, slots=True)
class NewDeviation:
    """What went outside its limits."""

    deviation_id: UUID
    plant_id: UUID
    severity: str
    source: str
    detected_at: datetime
    detected_by: UUID | None
    local_no: str = ""
    ccp_id: UUID | None = None
    ccp_version_id: UUID | None = None
    reading_id: UUID | None = None
    batch_id: UUID | None = None
    line_id: UUID | None = None
    lot_ids: tuple[UUID, ...] = ()
    last_good_at: datetime | None = None
    summary: str = ""
    detail: str = ""
    fact_id: UUID | None = None
    flags: tuple[str, ...] = ()


async def open_(db: AsyncSession, new: NewDeviation) -> Deviation:
    """Open a deviation and give it its number; the same one arriving again changes nothing.

    One root event has one open deviation per CCP and batch. A second one, opened by a terminal
    that could not know, is kept as a duplicate and shows the first one's number.
    """
    known = await db.get(Deviation, new.deviation_id)
    if known is not None:
        return known
    name = f"deviation:{new.plant_id}:{new.detected_at.year}"
    await series.lock(db, name)
    first = await open_for(db, new.ccp_id, new.batch_id)
    n = await series.take(db, name) if first is None else None
    row = Deviation(
        id=new.deviation_id,
        plant_id=new.plant_id,
        number=None if n is None else f"DV-{n:04d}",
        year=new.detected_at.year,
        n=n,
        local_no=new.local_no,
        state=DEVIATION.start,
        severity=new.severity if new.severity in SEVERITIES else "critical",
        source=new.source,
        ccp_id=new.ccp_id,
        ccp_version_id=new.ccp_version_id,
        reading_id=new.reading_id,
        batch_id=new.batch_id,
        line_id=new.line_id,
        lot_ids=list(new.lot_ids),
        last_good_at=new.last_good_at,
        detected_at=new.detected_at,
        detected_by=new.detected_by,
        summary=new.summary,
        detail=new.detail,
        duplicate_of_id=None if first is None else first.id,
        fact_id=new.fact_id,
        flags=list(new.flags),
    )
    db.add(row)
    await db.flush()
    root = row if first is None else first
    events.announce(
        db, DeviationOpened(root.id, row.plant_id, row.line_id, row.severity, row.source, root.number, row.summary)
    )
    return row


async def open_for(db: AsyncSession, ccp_id: UUID | None, batch_id: UUID | None) -> Deviation | None:
    """The open deviation of a CCP in a batch, if there is one."""
    if ccp_id is None or batch_id is None:
        return None
    statement = select(Deviation).where(
        Deviation.ccp_id == ccp_id,
        Deviation.batch_id == batch_id,
        Deviation.duplicate_of_id.is_(None),
        Deviation.state.not_in(ENDED),
    )
    return await db.scalar(statement)


async def locked(db: AsyncSession, deviation_id: UUID) -> Deviation | None:
    """The deviation, locked until the end of the transaction."""
    statement = select(Deviation).where(Deviation.id == deviation_id).with_for_update()
    return await db.scalar(statement.execution_options(populate_existing=True))


async def answered(db: AsyncSession, fact_id: UUID) -> CommandAnswer | None:
    """The answer that an action already got, if it came before."""
    kept = await db.get(DeviationStep, fact_id)
    return None if kept is None else CommandAnswer(fact_id=kept.id, outcome=kept.outcome, reason=kept.reason)


async def act(db: AsyncSession, row: Deviation, stamp: Stamp, body: DeviationAction) -> CommandAnswer:
    """Keep a containing action and move the deviation on.

    A further action on a contained deviation adds to it (merged); one on a deviation that ended
    meanwhile is a conflict: kept, shown to a person, and changes nothing.
    """
    outcome, reason = "applied", None
    try:
        row.state = DEVIATION.move(row.state, "contain")
    except IllegalMove:
        outcome = "conflict" if row.state in ENDED else "merged"
        reason = "illegal_move" if row.state in ENDED else None
    values = {
        "deviation_id": row.id,
        "action_code": body.action_code,
        "note": body.note,
        "recheck_due_at": body.recheck_due_at,
        "signature": body.signature.model_dump(mode="json"),
        "outcome": outcome,
        "reason": reason,
    }
    await stamps.record(db, DeviationStep, [stamp.columns() | values])
    await db.flush()
    return CommandAnswer(fact_id=stamp.id, outcome=outcome, reason=reason)
