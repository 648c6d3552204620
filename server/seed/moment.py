"""When the demo shift is: shift A of the plant's own day, and it is about ten in the morning there.

The plants of the demo lie in a time zone where the local hour is ten when they are seeded, so the
pictures look as they should whatever the hour is for the person who looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DEMO_HOUR = 10
_FURTHEST_WEST = -12


def zone_for(now: datetime) -> str:
    """The IANA zone, of whole hours, in which it is ten to eleven now.

    >>> zone_for(datetime(2026, 11, 23, 16, 10, tzinfo=UTC))
    'Etc/GMT+6'
    >>> zone_for(datetime(2026, 11, 23, 4, 10, tzinfo=UTC))
    'Etc/GMT-6'
    """
    offset = DEMO_HOUR - now.astimezone(UTC).hour
    if offset < _FURTHEST_WEST:
        offset += 24
    # POSIX signs: Etc/GMT+6 is six hours behind UTC.
    return "Etc/GMT" if offset == 0 else f"Etc/GMT{-offset:+d}"


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, and the demo's day around it."""

    now: datetime
    tz: str

    @classmethod
    def at(cls, now: datetime) -> Moment:
        """The demo's day of an instant."""
        return cls(now, zone_for(now))

    @property
    def today(self) -> date:
        """The plant's date."""
        return self.now.astimezone(ZoneInfo(self.tz)).date()

    def local(self, hour: int, minute: int = 0, *, days: int = 0) -> datetime:
        """A plant wall time of today, or of some days away."""
        day = self.today + timedelta(days=days)
        return datetime.combine(day, time(hour, minute), ZoneInfo(self.tz)).astimezone(UTC)

    def ago(self, **length: float) -> datetime:
        """So long before now."""
        return self.now - timedelta(**length)
