"""What hello does for a terminal besides its token: heads, presence, clock."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.exchange import HelloRequest
from foodflow_kernel.wire.protocol import CLOCK_SKEW_FLAG_S
from server.core import audit
from server.core.actor import Actor, ActorKind
from server.sync import presence
from server.sync.models import SyncHead, SyncSafe
from server.sync.stored import Terminal

log = logging.getLogger(__name__)


async def heads(db: AsyncSession, device_id: UUID, incarnation: UUID) -> dict[int, tuple[int, bytes]]:
    """The last row the server has of each lane of this incarnation."""
    question = select(SyncHead.lane, SyncHead.seq, SyncHead.hash).where(
        SyncHead.device_id == device_id, SyncHead.incarnation == incarnation
    )
    return {lane: (seq, row_hash) for lane, seq, row_hash in await db.execute(question)}


async def safe(db: AsyncSession, device_id: UUID, incarnation: UUID) -> dict[int, int]:
    """How far each lane is in a backup that was proved by restoring it."""
    question = select(SyncSafe.lane, SyncSafe.seq).where(
        SyncSafe.device_id == device_id, SyncSafe.incarnation == incarnation
    )
    return {row.lane: row.seq for row in await db.execute(question)}


async def welcome(db: AsyncSession, terminal: Terminal, message: HelloRequest, now: datetime) -> None:
    """Note what the terminal says of itself; a clock far off is logged and flags its facts."""
    offset_ms = await presence.hello(db, message, now)
    if abs(offset_ms) > CLOCK_SKEW_FLAG_S * 1000:
        log.warning("terminal %s has its clock off by %.0f s", terminal.name, offset_ms / 1000)
        actor = Actor(
            ActorKind.device, terminal.tenant_id, terminal.device_id, terminal.name, device_id=terminal.device_id
        )
        said = {"offset_ms": offset_ms}
        audit.write(
            db, actor, "sync.clock_skew", "identity.device", terminal.device_id, said, plant_id=terminal.plant_id
        )
