"""How much of what was recorded is on the server, as a value. Memory only: cheap enough for a UI thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from foodflow_kernel.wire.protocol import OPS_LANES


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """One lane, over all incarnations of this terminal.

    Args:
        head: last sequence of the present incarnation.
        acked: last one of those that the server has committed.
        unsent: rows not acknowledged, old incarnations included.
        oldest_at: when the oldest unsent row was recorded.
        parked: rows the server keeps for later (an upgrade, another terminal). Not a fault.
        dead: rows the server stored but a person must decide about.
        problem: why nothing more is sent on this lane (``fork``, ``chain_broken``), if so.
    """

    lane: int
    head: int = 0
    acked: int = 0
    unsent: int = 0
    oldest_at: datetime | None = None
    acked_at: datetime | None = None
    parked: int = 0
    dead: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """The whole picture, replaced whenever something changes.

    Args:
        heard_at: when the hub last answered.
        cannot_save: ``disk_full`` or ``damaged`` while recording fails.
        telemetry: ``kept``, ``thinned`` or ``stopped``.
        conflicts: commands the server answered with conflict or rejected.
        last_error: stable code of the newest sync error, None after a success.
        is_revoked: the server no longer takes orders from this terminal, only evidence.
        salvage: records ``kept`` and ``lost`` when a damaged file was set aside, and how many files were
            ``unreadable``; empty once a person has seen it (``repair``).
    """

    is_paired: bool
    lanes: tuple[LaneStatus, ...] = ()
    heard_at: datetime | None = None
    cannot_save: str | None = None
    telemetry: str = "kept"
    conflicts: int = 0
    last_error: str | None = None
    is_revoked: bool = False
    device: UUID | None = None
    incarnation: UUID | None = None
    hub: str = ""
    salvage: dict[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Records not yet acknowledged, telemetry left out: what the pill counts."""
        return sum(lane.unsent for lane in self.lanes if lane.lane in OPS_LANES)

    @property
    def needs_help(self) -> int:
        """Refused records, conflicts and lanes that a person must look at."""
        return (
            self.conflicts
            + sum(lane.dead + (lane.problem is not None) for lane in self.lanes)
            + any(self.salvage.get(what) for what in ("lost", "unreadable"))
        )

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest waiting record was taken."""
        return min((lane.oldest_at for lane in self.lanes if lane.lane in OPS_LANES and lane.oldest_at), default=None)
