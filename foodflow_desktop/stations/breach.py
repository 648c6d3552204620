"""What a breach writes: the deviation and the hold on the whole lot, in the order they are stored.

The part made since the last good check is marked on the hold; the vessel goes with it
(fsq.md, CCPMonitoring; ux.md section 5, Deviation).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from foodflow_desktop.stations import records
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.running import Running
from foodflow_desktop.store import Draft
from foodflow_kernel import ids
from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies, master


@dataclass(frozen=True, slots=True)
class Breach:
    """Why a lot is held.

    Args:
        source: deviation source of fsq.md: ccp, check.
        reason: what the hold says.
        reading_id: the fact of the reading that broke the limit, if one did.
        last_good_at: the last check that passed; None marks everything made.
    """

    source: str
    reason: str
    ccp: master.Ccp | None = None
    reading_id: UUID | None = None
    last_good_at: datetime | None = None


def drafts(context: Context, running: Running, breach: Breach) -> tuple[UUID, list[Draft]]:
    """The deviation's id and the facts to store with the cause, in one transaction."""
    now = context.clock.now()
    deviation_id, batch = ids.new_id(now), running.batch
    lot_ids = (batch.output_lot_id,) if batch.output_lot_id else ()
    opened = bodies.DeviationOpened(
        deviation_id=deviation_id,
        local_no=next_local_no(context),
        reading_id=breach.reading_id,
        ccp_id=breach.ccp.ccp_id if breach.ccp else None,
        ccp_version_id=breach.ccp.id if breach.ccp else None,
        batch_id=batch.id,
        source=breach.source,
        last_good_at=breach.last_good_at,
        lot_ids=lot_ids,
        summary=breach.reason,
    )
    return deviation_id, [
        _draft(context, opened),
        *(_draft(context, hold(context, running, breach, lot_id, deviation_id)) for lot_id in lot_ids),
    ]


def hold(context: Context, running: Running, breach: Breach, lot_id: UUID, deviation_id: UUID) -> bodies.HoldPlaced:
    """A hold on the whole lot, with the part made since the last good check marked."""
    marked_from = breach.last_good_at or running.started_at
    vessel = breach.ccp.place.get("en") if breach.ccp and breach.ccp.vessel_id else None
    made = records.counted(context.store, running.batch.id, since=marked_from)
    return bodies.HoldPlaced(
        hold_id=ids.new_id(context.clock.now()),
        lot_id=lot_id,
        reason=breach.reason,
        deviation_id=deviation_id,
        marked_from=marked_from,
        marked_qty=bodies.Amount(value=made, uom=Uom.H87),
        vessel=vessel,
    )


def next_local_no(context: Context) -> str:
    """Terminal and running number, until the server gives the deviation its own."""
    opened = records.taken(context.store, bodies.DeviationOpened)
    return f"{context.terminal_name}-{len(opened) + 1:04d}"


def _draft(context: Context, body: bodies.DeviationOpened | bodies.HoldPlaced) -> Draft:
    user = context.session.user
    return Draft(body, performed_by=user.id if user else None, line_id=context.line_id)
