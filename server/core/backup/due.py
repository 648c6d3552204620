"""What is due, and how it stands: for the job, the health page and the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.core.backup import folder
from server.core.backup.folder import Backup, Place
from server.core.settings import Settings


class Due(StrEnum):
    """What the next round has to do."""

    nothing = "nothing"
    take = "take"
    verify = "verify"


class Outcome(StrEnum):
    """How the backups stand."""

    off = "off"
    none = "none"
    failed = "failed"
    unverified = "unverified"
    verified = "verified"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the backups stand.

    Args:
        outcome: of the last one that was tried.
        age_s: seconds since the last verification that was good began; None if there was none.
    """

    outcome: Outcome
    age_s: float | None


def due(settings: Settings, place: Place, now: datetime) -> Due:
    """What has to be done now: a new copy each day, and after one that is not good; else a proof."""
    there = folder.listed(place)
    if not there:
        return Due.take
    newest = there[-1]
    every = timedelta(minutes=settings.backup_verify_minutes)
    if newest.has_failed:
        # Tried anew, but not in every round: a copy is large.
        return Due.take if newest.failed_at is None or now - newest.failed_at >= every else Due.nothing
    if newest.ended_at < last_turn(settings.backup_hour, now):
        return Due.take
    return Due.verify if newest.verified_at is None or now - newest.verified_at >= every else Due.nothing


def last_turn(hour: int, now: datetime) -> datetime:
    """When the last daily copy was due."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def standing(settings: Settings, now: datetime) -> Standing:
    """How the backups of a server stand."""
    if settings.database_url or not settings.backup:
        return Standing(Outcome.off, None)
    place = folder.place_of(settings)
    there = folder.listed(place)
    verified = [each.verified_at for each in there if each.verified_at is not None]
    age_s = max(0.0, (now - max(verified)).total_seconds()) if verified else None
    return Standing(_outcome(place, there[-1] if there else None), age_s)


def _outcome(place: Place, newest: Backup | None) -> Outcome:
    if place.not_taken.exists():
        return Outcome.failed
    if newest is None:
        return Outcome.none
    if newest.has_failed:
        return Outcome.failed
    return Outcome.unverified if newest.verified_at is None else Outcome.verified
