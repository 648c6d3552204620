"""When a critical control point must be checked next, from what was recorded here.

Rule (fsq.md, CCP due list): last observed + frequency, or batch start + frequency; paused time
does not count and a resume restarts the clock. A deviation's re-check comes before both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from foodflow_desktop.stations import records
from foodflow_desktop.stations.records import Record
from foodflow_desktop.stations.running import Running
from foodflow_desktop.store import Store
from foodflow_kernel.machines.fsq import DeviationState
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.wire import bodies, master

SOON = timedelta(minutes=10)
"""A check due within this is work for now, not for later (Checks screen)."""


class Due(StrEnum):
    """How a check lies in time."""

    late = "late"
    soon = "soon"
    later = "later"
    paused = "paused"
    none = "none"
    """Nothing to wait for: no frequency, checked before the batch ends."""


@dataclass(frozen=True, slots=True)
class CheckDue:
    """One check of the running batch.

    Args:
        late_by: time past due, only while ``late``.
        is_missed: past due and grace.
        recheck_of: the deviation whose action asked for this check.
        last: the newest real reading in this batch.
    """

    ccp: master.Ccp
    running: Running
    state: Due
    due_at: datetime | None
    is_missed: bool
    recheck_of: UUID | None
    last: bodies.CcpReading | None
    last_at: datetime | None

    @property
    def is_now(self) -> bool:
        """Whether it belongs under Now."""
        return self.state in (Due.late, Due.soon)


def applicable(store: Store, running: Running) -> list[master.Ccp]:
    """The CCP versions that bind a batch: those it started with, else the effective ones.

    A version superseded since the start is retired in the master data and still readable.
    """
    chosen = {ccp.ccp_id: ccp for ccp in store.master.ccps.values() if _binds(ccp, running)}
    for version_id in running.ccp_version_ids:
        pinned = store.master.anything(version_id)
        if isinstance(pinned, master.Ccp):
            chosen[pinned.ccp_id] = pinned
    return sorted(chosen.values(), key=lambda one: one.ccp_no)


def _binds(ccp: master.Ccp, running: Running) -> bool:
    is_product = not ccp.item_ids or running.batch.item_id in ccp.item_ids
    return ccp.line_id == running.batch.line_id and is_product


def readings(store: Store, batch_id: UUID, ccp_id: UUID) -> list[Record[bodies.CcpReading]]:
    """All readings of a CCP in a batch, attempts included, oldest first."""
    return records.taken(store, bodies.CcpReading, batch_id=batch_id, ref_id=ccp_id)


def due(store: Store, ccp: master.Ccp, running: Running, now: datetime) -> CheckDue:
    """Where one check of a batch stands at an instant."""
    real = [one for one in readings(store, running.batch.id, ccp.ccp_id) if not one.body.is_attempt]
    last, last_at = (real[-1].body, real[-1].at) if real else (None, None)
    recheck_of, recheck_at = _recheck(store, ccp, running.batch.id, last_at)
    due_at = recheck_at or _regular(ccp, running, last_at)
    state = _state(running, due_at, now)
    is_missed = state is Due.late and due_at is not None and now > due_at + timedelta(minutes=ccp.grace_min)
    return CheckDue(ccp, running, state, due_at, is_missed, recheck_of, last, last_at)


def _regular(ccp: master.Ccp, running: Running, last_at: datetime | None) -> datetime | None:
    if ccp.frequency_min is None:
        return None
    known = [at for at in (last_at, running.started_at, running.resumed_at) if at is not None]
    return max(known) + timedelta(minutes=ccp.frequency_min) if known else None


def _recheck(
    store: Store, ccp: master.Ccp, batch_id: UUID, last_at: datetime | None
) -> tuple[UUID | None, datetime | None]:
    """The re-check a deviation's action asked for and nobody has done since."""
    opened = {
        one.body.deviation_id
        for one in records.taken(store, bodies.DeviationOpened, batch_id=batch_id)
        if one.body.ccp_id == ccp.ccp_id
    }
    for action in reversed(records.taken(store, bodies.DeviationAction) if opened else []):
        if action.body.deviation_id not in opened or action.body.recheck_due_at is None:
            continue
        is_done = last_at is not None and last_at > action.at
        return (None, None) if is_done else (action.body.deviation_id, action.body.recheck_due_at)
    return None, None


def open_deviation(store: Store, batch_id: UUID, ccp_id: UUID) -> UUID | None:
    """The deviation of a CCP in a batch that is not closed yet; a second breach joins it."""
    for opened in reversed(records.taken(store, bodies.DeviationOpened, batch_id=batch_id)):
        if opened.body.ccp_id != ccp_id:
            continue
        known = store.master.deviations.get(opened.body.deviation_id)
        is_over = known is not None and known.state in (DeviationState.closed, DeviationState.void)
        return None if is_over else opened.body.deviation_id
    return None


def _state(running: Running, due_at: datetime | None, now: datetime) -> Due:
    if running.state is BatchState.paused:
        return Due.paused
    if due_at is None:
        return Due.none
    if now > due_at:
        return Due.late
    return Due.soon if due_at - now <= SOON else Due.later
