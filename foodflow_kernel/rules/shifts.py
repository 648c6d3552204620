"""Which shift is it? Shifts are wall times of a plant; their length in hours is what the clocks make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class ShiftHours:
    """A shift in local wall time; one that ends at or before its start runs past midnight."""

    name: str
    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class ShiftWindow:
    """One shift of one day, half-open, in UTC."""

    name: str
    business_date: date
    from_at: datetime
    to_at: datetime


def on(hours: ShiftHours, day: date, tz: str) -> ShiftWindow:
    """The window of a shift that starts on a local date.

    The night shift has 8 hours, but 9 or 7 in the nights in which the clocks change.

    >>> night = ShiftHours("C", time(22), time(6))
    >>> window = on(night, date(2026, 10, 31), "America/New_York")
    >>> (window.to_at - window.from_at).total_seconds() / 60
    540.0
    """
    zone = ZoneInfo(tz)
    end_day = day if hours.ends > hours.starts else day + timedelta(days=1)
    from_at = datetime.combine(day, hours.starts, zone).astimezone(UTC)
    return ShiftWindow(hours.name, day, from_at, datetime.combine(end_day, hours.ends, zone).astimezone(UTC))


def at(shifts: Sequence[ShiftHours], tz: str, now: datetime) -> ShiftWindow | None:
    """The shift that runs at an instant; None between shifts."""
    today = now.astimezone(ZoneInfo(tz)).date()
    for day in (today, today - timedelta(days=1)):
        for hours in shifts:
            window = on(hours, day, tz)
            if window.from_at <= now < window.to_at:
                return window
    return None


def between(shifts: Sequence[ShiftHours], tz: str, from_at: datetime, to_at: datetime) -> list[ShiftWindow]:
    """All shifts that lie in or reach into a window, in order."""
    zone = ZoneInfo(tz)
    day, last = from_at.astimezone(zone).date() - timedelta(days=1), to_at.astimezone(zone).date()
    found = []
    while day <= last:
        found += [on(hours, day, tz) for hours in shifts]
        day += timedelta(days=1)
    return sorted((w for w in found if w.from_at < to_at and w.to_at > from_at), key=lambda w: w.from_at)
