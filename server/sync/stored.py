"""A fact as the server holds it: its place in a device's log, its hash, and who may answer for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from foodflow_kernel.wire.protocol import CLOCK_SKEW_FLAG_S
from server.core.actor import Actor, ActorKind


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


def place(stored: StoredFact) -> tuple[UUID, UUID, int, int]:
    """The identity of a stored fact."""
    return stored.device_id, stored.incarnation, stored.lane, stored.seq


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
    area: str = ""
    pepper: bytes = b""
    clock_skew_ms: int = 0

    @property
    def actor(self) -> Actor:
        """The terminal itself as an actor, for what nobody signed."""
        return device_actor(self.tenant_id, self.device_id, self.plant_id, self.name)

    @property
    def flags(self) -> tuple[str, ...]:
        """What the server says of everything this terminal sends now."""
        return skew_flags(self.clock_skew_ms)


def device_actor(tenant_id: UUID, device_id: UUID, plant_id: UUID, name: str = "") -> Actor:
    """A terminal as an actor: no rights of its own, its plant only."""
    return Actor(ActorKind.device, tenant_id, device_id, name, plant_ids=frozenset({plant_id}), device_id=device_id)


def skew_flags(clock_skew_ms: int) -> tuple[str, ...]:
    """The flag of a fact whose terminal has its clock far off."""
    return ("CLOCK_SKEW",) if abs(clock_skew_ms) > CLOCK_SKEW_FLAG_S * 1000 else ()
