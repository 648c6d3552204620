"""A fact as the server holds it: its place in a device's log, its hash, and who may answer for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from foodflow_kernel.wire.protocol import CLOCK_SKEW_FLAG_S


@dataclass(frozen=True, slots=True)
class StoredFact:
    """Identity of a fact and what the server adds to it.

    Args:
        plant_id: plant of the device.
        line_id: line the device serves, None for a terminal of the whole plant.
        clock_skew_ms: device minus server at its last hello.
        flags: what the server found: ``STALE_USER``, ``CLOCK_SKEW``.
    """

    device_id: UUID
    incarnation: UUID
    lane: int
    seq: int
    hash: bytes
    received_at: datetime
    plant_id: UUID
    line_id: UUID | None = None
    clock_skew_ms: int = 0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terminal:
    """The device that pushes or pulls, as enrolment knows it."""

    device_id: UUID
    tenant_id: UUID
    plant_id: UUID
    line_id: UUID | None
    name: str
    public_key: bytes
    is_revoked: bool
    clock_skew_ms: int = 0

    @property
    def flags(self) -> tuple[str, ...]:
        """What the server says of everything this terminal sends now."""
        return ("CLOCK_SKEW",) if abs(self.clock_skew_ms) > CLOCK_SKEW_FLAG_S * 1000 else ()
