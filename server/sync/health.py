"""Sync health: every terminal, what it still has, and what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.protocol import HUB_HEARD_S, OPS_LANES
from foodflow_kernel.wire.reports import SyncHealth, TerminalLine
from server.core.models import Plant
from server.plant_ops.models import ProductionLine
from server.sync import inbox
from server.sync.models import SyncLog, SyncParked, SyncPresence, SyncTelemetry
from server.sync.stored import Terminal


async def sync_health(db: AsyncSession, terminals: Sequence[Terminal], now: datetime) -> SyncHealth:
    """The state of these terminals as of now; revoked ones are shown as long as they have something."""
    presence = {row.device_id: row for row in await db.execute(select(*SyncPresence.__table__.c))}
    needs_help = await inbox.open_by_device(db)
    parked_rows = select(SyncParked.device_id, func.count()).group_by(SyncParked.device_id)
    parked: dict[UUID, int] = dict((await db.execute(parked_rows)).all())
    lines: dict[UUID, str] = dict((await db.execute(select(ProductionLine.id, ProductionLine.name))).all())
    shown = []
    for terminal in terminals:
        help_n = needs_help.get(terminal.device_id, 0)
        if terminal.is_revoked and not help_n:
            continue
        seen = presence.get(terminal.device_id)
        is_heard = seen is not None and (now - seen.heard_at).total_seconds() <= HUB_HEARD_S
        waiting = _waiting(seen.unsent) if seen is not None and is_heard else None
        shown.append(
            TerminalLine(
                device_id=terminal.device_id,
                name=terminal.name,
                line_id=terminal.line_id,
                line_name=lines.get(terminal.line_id) if terminal.line_id else None,
                area=terminal.area,
                state=_state(terminal, is_heard=is_heard, waiting=waiting, needs_help=help_n),
                waiting=waiting,
                heard_at=seen.heard_at if seen is not None else None,
                clock_offset_s=seen.clock_offset_ms / 1000 if seen is not None else None,
                needs_help=help_n,
                parked=parked.get(terminal.device_id, 0),
            )
        )
    names = {terminal.device_id: terminal.name for terminal in terminals}
    since = await _day_start(db, now)
    return SyncHealth(
        at=now,
        terminals=tuple(shown),
        received_today=await _received_since(db, since),
        quarantine=tuple(await inbox.dead(db, names)),
    )


def _waiting(unsent: dict[str, int]) -> int:
    """What the pill of the terminal counts: lanes 0 to 2."""
    return sum(unsent.get(str(int(lane)), 0) for lane in OPS_LANES)


def _state(terminal: Terminal, *, is_heard: bool, waiting: int | None, needs_help: int) -> str:
    if terminal.is_revoked:
        return "revoked"
    if needs_help:
        return "needs_help"
    if not is_heard:
        return "offline"
    return "sending" if waiting else "all_sent"


async def _day_start(db: AsyncSession, now: datetime) -> datetime:
    """Midnight at the plant; the first plant's zone if there are several."""
    tz = await db.scalar(select(Plant.tz).where(Plant.retired_at.is_(None)).order_by(Plant.code).limit(1))
    return now.astimezone(ZoneInfo(tz or "UTC")).replace(hour=0, minute=0, second=0, microsecond=0)


async def _received_since(db: AsyncSession, since: datetime) -> int:
    total = 0
    for log in (SyncLog, SyncTelemetry):
        total += await db.scalar(select(func.count()).select_from(log).where(log.received_at >= since)) or 0
    return total
