"""What sync announces, and who is told: a record that waits for a person is known to one."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from server.core.events import Reactions
from server.identity import notices


@dataclass(frozen=True, slots=True)
class FactsQuarantined:
    """Records of a terminal could not be applied and wait for a decision."""

    device_id: UUID
    plant_id: UUID | None
    count: int


async def on_quarantine(db: AsyncSession, event: FactsQuarantined) -> None:
    """One notification for a terminal, however many of its records wait."""
    new = notices.New(
        category="sync.quarantine",
        severity="warn",
        title="Records of a terminal wait for a decision",
        body="They are kept as they came. Open sync health to replay or waive them.",
        dedupe_key=f"sync.quarantine:{event.device_id}",
        roles=("SV",),
        plant_id=event.plant_id,
        entity="identity.device",
        entity_id=event.device_id,
    )
    await notices.post(db, new)


REACTIONS: Reactions = {FactsQuarantined: (on_quarantine,)}
"""Read by the application."""
