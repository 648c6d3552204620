"""Which batch runs on a line, as this terminal knows it.

The server's row is the base; what was moved here and not yet answered is folded over it by the
same machine, so a start or finish taken offline counts at once on every screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from foodflow_desktop.stations import records
from foodflow_desktop.store import Store
from foodflow_kernel.machines.plant_ops import BATCH, BatchState
from foodflow_kernel.wire import bodies, master

_OPEN = (BatchState.running, BatchState.paused)


@dataclass(frozen=True, slots=True)
class Running:
    """A batch with the state this terminal may act on.

    Args:
        resumed_at: when the clock of its checks last started: the start, or the last resume.
        ccp_version_ids: CCP versions in force when it was started here; empty if started elsewhere.
    """

    batch: master.Batch
    state: BatchState
    started_at: datetime | None
    resumed_at: datetime | None
    base_rev: int
    ccp_version_ids: tuple[UUID, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether work goes on: running or paused."""
        return self.state in _OPEN


def current_batch(store: Store, line_id: UUID | None) -> Running | None:
    """The running or paused batch of a line; None if there is none."""
    found = [seen for batch in store.master.batches.values() if (seen := _open_on(store, batch, line_id)) is not None]
    return max(found, key=lambda seen: (seen.started_at is not None, seen.started_at), default=None)


def _open_on(store: Store, batch: master.Batch, line_id: UUID | None) -> Running | None:
    if batch.line_id != line_id or batch.status not in (BatchState.released, *_OPEN):
        return None
    seen = of(store, batch)
    return seen if seen.is_open else None


def of(store: Store, batch: master.Batch) -> Running:
    """One batch with this terminal's own unanswered moves folded over the server's row.

    A move based on an older revision than the row is already in it, or was refused.
    """
    version = store.master.versions.get(batch.id, 1)
    state, started, resumed = batch.status, batch.started_at, batch.started_at
    versions: tuple[UUID, ...] = ()
    pending = 0
    for record in records.taken(store, bodies.BatchMoved, batch_id=batch.id):
        moved = record.body
        if moved.move == "start":
            versions = moved.ccp_version_ids
        if moved.move in ("start", "resume"):
            resumed = record.at
        if moved.base_rev < version or moved.move not in BATCH.allowed(state):
            continue
        state = BATCH.move(state, moved.move)
        pending += 1
        if moved.move == "start":
            started = record.at
    return Running(batch, state, started, resumed, version + pending, versions)
