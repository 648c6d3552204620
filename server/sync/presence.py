"""When each terminal was last heard and what it said it still has: for the board and sync health.

Written apart from the pushes and at most every few seconds, so that the lanes of one terminal
never wait for one another on this row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire.exchange import HelloRequest
from server.sync.models import SyncPresence

EVERY_S = 3.0
"""Plant seconds between writes for one terminal; what it has unsent is written when it changes."""


@dataclass(frozen=True, slots=True)
class _Heard:
    at: datetime
    unsent: dict[str, int] | None


class Ear:
    """Remembers what was written last, so that most calls write nothing."""

    def __init__(self) -> None:
        self._heard: dict[UUID, _Heard] = {}

    def is_news(self, device_id: UUID, now: datetime, unsent: dict[str, int] | None) -> bool:
        """Whether hearing a terminal now is worth a write."""
        before = self._heard.get(device_id)
        is_due = before is None or (now - before.at).total_seconds() >= EVERY_S
        if is_due or (unsent is not None and before is not None and unsent != before.unsent):
            self._heard[device_id] = _Heard(now, unsent)
            return True
        return False


def parse_unsent(header: str | None) -> dict[str, int] | None:
    """Read ``X-Unsent: 0=3,1=20``; anything else is no news.

    >>> parse_unsent("0=3,1=20")
    {'0': 3, '1': 20}
    >>> parse_unsent("many") is None
    True
    """
    if not header:
        return None
    unsent = {}
    for part in header.split(","):
        lane, _, count = part.strip().partition("=")
        if not (lane.isdecimal() and count.isdecimal() and len(lane) == 1 and len(count) < 12):  # noqa: PLR2004
            return None
        unsent[lane] = int(count)
    return unsent


async def hello(db: AsyncSession, message: HelloRequest, now: datetime) -> int:
    """Note all that a hello says; returns the clock offset [ms], device minus server."""
    offset_ms = round((message.now - now).total_seconds() * 1000)
    row: dict[str, Any] = {
        "device_id": message.device,
        "incarnation": message.incarnation,
        "app": message.app[:64],
        "heard_at": now,
        "clock_offset_ms": offset_ms,
        "unsent": {str(lane): count for lane, count in message.unsent.items()},
        "feed_seq": message.feed.seq if message.feed else 0,
    }
    said = insert(SyncPresence).values(row)
    rest = {name: said.excluded[name] for name in row if name != "device_id"}
    await db.execute(said.on_conflict_do_update(index_elements=["device_id"], set_=rest))
    return offset_ms


async def skew_ms(db: AsyncSession, device_id: UUID) -> int:
    """How far a terminal's clock was off at its last hello [ms]; 0 when it was never heard."""
    return await db.scalar(select(SyncPresence.clock_offset_ms).where(SyncPresence.device_id == device_id)) or 0


async def heard(
    db: AsyncSession, device_id: UUID, now: datetime, unsent: dict[str, int] | None, feed_seq: int | None = None
) -> None:
    """Note that a terminal was heard, what it has unsent and how far it has read, where it says so."""
    values: dict[str, Any] = {"heard_at": now}
    if unsent is not None:
        values["unsent"] = unsent
    if feed_seq is not None:
        values["feed_seq"] = feed_seq
    statement = update(SyncPresence).where(SyncPresence.device_id == device_id).values(values)
    await db.execute(statement, execution_options={"synchronize_session": False})
