"""Quiet hours of a person."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.core.models import QuietHours


def end_of(quiet: tuple[time, time, str], now: datetime) -> datetime:
    """When a person may be disturbed: now, or the end of the quiet hours that ``now`` lies in.

    Args:
        quiet: start and end in wall time (an end before its start is on the next day), time zone.

    >>> from datetime import UTC
    >>> night = (time(22), time(6), "Europe/Berlin")
    >>> end_of(night, datetime(2026, 11, 23, 22, 30, tzinfo=UTC)).isoformat()
    '2026-11-24T05:00:00+00:00'
    >>> end_of(night, datetime(2026, 11, 23, 12, 0, tzinfo=UTC)).isoformat()
    '2026-11-23T12:00:00+00:00'
    """
    starts, ends, name = quiet
    zone = ZoneInfo(name)
    local = now.astimezone(zone)
    for day in (local.date() - timedelta(days=1), local.date()):
        begin = datetime.combine(day, starts, zone)
        end = datetime.combine(day + timedelta(days=ends < starts), ends, zone)
        # Compared as instants: on the night of a clock change wall times are not in order.
        if begin.timestamp() <= now.timestamp() < end.timestamp():
            return end.astimezone(now.tzinfo)
    return now


async def due(
    db: AsyncSession, user_ids: Iterable[uuid.UUID], severity: str, now: datetime
) -> dict[uuid.UUID, datetime]:
    """When each of these people may be disturbed. What is critical waits for nobody's rest."""
    people = list(user_ids)
    if severity == "critical":
        return dict.fromkeys(people, now)
    asked = select(QuietHours).where(QuietHours.user_id.in_(people))
    kept = {row.user_id: (row.starts, row.ends, row.tz) for row in (await db.scalars(asked)).all()}
    return {each: end_of(kept[each], now) if each in kept else now for each in people}
