"""OEE of lines over any window: components summed first, then divided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid
from foodflow_kernel.missing import Missing
from foodflow_kernel.rules import shifts
from foodflow_kernel.stats import oee as stats
from foodflow_kernel.stats.fold import Span
from foodflow_kernel.wire.facts import Instant, Wire
from server.core.models import Plant
from server.plant_ops import frames
from server.plant_ops.models import ProductionLine

MAX_BUCKETS = 400


class Group(StrEnum):
    """How a window is cut."""

    whole = "whole"
    hour = "hour"
    shift = "shift"
    day = "day"


class OeeFigures(Wire):
    """OEE with what it is made of; ratios are None where they do not exist, never 0.

    ``missing`` says why there is no figure at all. The four losses add up to ``pbt_s`` exactly.
    """

    from_at: Instant
    to_at: Instant
    line_id: UUID | None = None
    shift: str | None = None
    oee: float | None = None
    availability: float | None = None
    effectiveness: float | None = None
    quality: float | None = None
    nee: float | None = None
    teep: float | None = None
    pot_s: Decimal
    pdt_s: Decimal
    pbt_s: Decimal
    apt_s: Decimal
    aust_s: Decimal
    adot_s: Decimal
    adet_s: Decimal
    no_data_s: Decimal
    microstops: int
    microstop_s: Decimal
    pq: int
    gq: int
    availability_loss_s: Decimal | None = None
    speed_loss_s: Decimal | None = None
    quality_loss_s: Decimal | None = None
    productive_s: Decimal | None = None
    flags: tuple[str, ...] = ()
    missing: str | None = None
    input_hash: str | None = None


class OeeReport(Wire):
    """Figures by bucket, and of all of them together."""

    group: Group
    buckets: tuple[OeeFigures, ...]
    total: OeeFigures


async def oee(
    db: AsyncSession,
    plant: Plant,
    lines: Sequence[ProductionLine],
    window: Span,
    *,
    group: Group,
    now: datetime,
    heard: Mapping[UUID, datetime],
) -> OeeReport:
    """OEE of lines in a window; what lies ahead of now is left out.

    Args:
        heard: for lines whose terminal is silent, when it was last heard: no state is known since.

    Raises:
        Invalid: `window_empty`, `too_many_buckets`.
    """
    if window.from_at >= window.to_at:
        raise Invalid("window_empty")
    buckets = await _buckets(db, plant, window, group)
    if len(buckets) * max(len(lines), 1) > MAX_BUCKETS:
        raise Invalid("too_many_buckets", most=MAX_BUCKETS)
    figures, parts = [], []
    for line in lines:
        day = await frames.line_day(db, line.id, window, plant.microstop_s)
        for name, from_at, to_at in buckets:
            part = frames.clipped(from_at, to_at, now)
            silent = [Span(heard[line.id], now)] if line.id in heard else []
            folded = day.folded(part, silent)
            shift = stats.components(folded, await frames.runs(db, line.id, part))
            parts.append(shift)
            figures.append(_figures([shift], part, line_id=line.id, shift=name, input_hash=folded.input_hash))
    whole = frames.clipped(window.from_at, window.to_at, now)
    return OeeReport(group=group, buckets=tuple(figures), total=_figures(parts, whole))


async def _buckets(
    db: AsyncSession, plant: Plant, window: Span, group: Group
) -> list[tuple[str | None, datetime, datetime]]:
    if group is Group.whole:
        return [(None, window.from_at, window.to_at)]
    if group is Group.shift:
        found = shifts.between(await frames.shift_hours(db, plant.id), plant.tz, window.from_at, window.to_at)
        return [(w.name, max(w.from_at, window.from_at), min(w.to_at, window.to_at)) for w in found]
    zone = ZoneInfo(plant.tz)
    start = window.from_at.astimezone(zone)
    hours = {Group.hour: 1, Group.day: 24}[group]
    start = start.replace(hour=start.hour if hours == 1 else plant.day_start.hour, minute=0, second=0, microsecond=0)
    if group is Group.hour:
        start = start.astimezone(UTC)  # hours are counted, days follow the plant's clock
    cut: list[tuple[str | None, datetime, datetime]] = []
    while start < window.to_at and len(cut) <= MAX_BUCKETS:
        end = start + timedelta(hours=hours)
        if end > window.from_at:
            cut.append((None, max(start.astimezone(UTC), window.from_at), min(end.astimezone(UTC), window.to_at)))
        start = end
    return cut


def _figures(
    parts: Sequence[stats.Shift],
    span: Span,
    *,
    line_id: UUID | None = None,
    shift: str | None = None,
    input_hash: str | None = None,
) -> OeeFigures:
    sums = stats.total(parts) if parts else stats.Shift(*(Decimal(0),) * 4)
    result = stats.oee(parts)
    given = {
        "from_at": span.from_at,
        "to_at": span.to_at,
        "line_id": line_id,
        "shift": shift,
        "input_hash": input_hash,
        **{
            name: getattr(sums, name)
            for name in ("pot_s", "pdt_s", "pbt_s", "apt_s", "aust_s", "adot_s", "adet_s", "no_data_s", "microstops",
                         "microstop_s", "pq", "gq")
        },
    }  # fmt: skip
    if isinstance(result, Missing):
        flags = ("NO_DATA",) if sums.no_data_s else ()
        return OeeFigures(**given, missing=result.reason, flags=flags)
    return OeeFigures(
        **given,
        oee=result.oee,
        availability=result.availability,
        effectiveness=result.effectiveness,
        quality=result.quality,
        nee=result.nee,
        teep=result.teep,
        availability_loss_s=result.losses.availability_s,
        speed_loss_s=result.losses.speed_s,
        quality_loss_s=result.losses.quality_s,
        productive_s=result.losses.productive_s,
        flags=result.flags,
    )
