"""States and moves of plant operations: batch, downtime, line, work order (plant_ops.md, planning.md)."""

from __future__ import annotations

from enum import StrEnum

from foodflow_kernel.machines.machine import Machine


class BatchState(StrEnum):
    """A production batch: one run of one product on one line."""

    planned = "planned"
    released = "released"
    running = "running"
    paused = "paused"
    completed = "completed"
    reviewed = "reviewed"
    closed = "closed"
    aborted = "aborted"
    cancelled = "cancelled"


_B = BatchState
BATCH: Machine[BatchState] = Machine(
    "batch",
    start=_B.planned,
    moves={
        (_B.planned, "release"): _B.released,
        (_B.planned, "cancel"): _B.cancelled,
        (_B.released, "cancel"): _B.cancelled,
        (_B.released, "start"): _B.running,
        (_B.running, "pause"): _B.paused,
        (_B.paused, "resume"): _B.running,
        (_B.running, "complete"): _B.completed,
        (_B.paused, "complete"): _B.completed,
        (_B.running, "abort"): _B.aborted,
        (_B.completed, "review"): _B.reviewed,
        (_B.reviewed, "close"): _B.closed,
    },
)


class DowntimeState(StrEnum):
    """A stop of a line, from the moment it is seen to its approval."""

    open = "open"
    closed = "closed"
    categorised = "categorised"
    approved = "approved"


_D = DowntimeState
DOWNTIME: Machine[DowntimeState] = Machine(
    "stop",
    start=_D.open,
    moves={
        (_D.open, "close"): _D.closed,
        (_D.closed, "categorise"): _D.categorised,
        (_D.categorised, "categorise"): _D.categorised,
        (_D.categorised, "approve"): _D.approved,
    },
)


class WorkOrderState(StrEnum):
    """An order to produce."""

    planned = "planned"
    firm = "firm"
    released = "released"
    in_progress = "in_progress"
    completed = "completed"
    closed = "closed"
    on_hold = "on_hold"
    cancelled = "cancelled"


_W = WorkOrderState
WORK_ORDER: Machine[WorkOrderState] = Machine(
    "work order",
    start=_W.planned,
    moves={
        (_W.planned, "firm"): _W.firm,
        (_W.firm, "release"): _W.released,
        (_W.released, "start"): _W.in_progress,
        (_W.in_progress, "complete"): _W.completed,
        (_W.completed, "close"): _W.closed,
        (_W.released, "hold"): _W.on_hold,
        (_W.on_hold, "resume"): _W.released,
        (_W.planned, "cancel"): _W.cancelled,
        (_W.firm, "cancel"): _W.cancelled,
        (_W.released, "cancel"): _W.cancelled,
    },
)
