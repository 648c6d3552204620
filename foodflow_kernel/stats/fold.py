"""Line events folded into intervals, and the intervals into ISO 22400-2 time elements.

Facts arrive late, twice and in any order; the fold sees the whole window each time, so the
same events always give the same intervals and the same ``input_hash``. It leaves to others
which facts are current (voided and corrected ones are taken out before) and what was counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

CONFLICT_WINDOW = timedelta(seconds=5)
"""Two terminals that name different states within this are flagged (plant_ops.md, section 4)."""


class LineStateName(StrEnum):
    """What a line is doing, as a terminal says it; ``unknown`` is never sent."""

    running = "running"
    setup = "setup"
    down = "down"
    planned_down = "planned_down"
    starved = "starved"
    blocked = "blocked"
    idle = "idle"
    cleaning = "cleaning"
    trial = "trial"
    unknown = "unknown"


class Element(StrEnum):
    """Time elements of ISO 22400-2; the first four tile the planned busy time."""

    apt = "apt"
    """Actual production time."""
    aust = "aust"
    """Actual unit setup time."""
    adot = "adot"
    """Actual unit down time."""
    adet = "adet"
    """Actual unit delay time."""
    planned = "planned"
    """Planned down time: outside the planned busy time."""


ELEMENT_OF_STATE: dict[LineStateName, Element] = {
    LineStateName.running: Element.apt,
    LineStateName.setup: Element.aust,
    LineStateName.down: Element.adot,
    LineStateName.planned_down: Element.planned,
    LineStateName.starved: Element.adet,
    LineStateName.blocked: Element.adet,
    LineStateName.idle: Element.planned,
    LineStateName.cleaning: Element.adot,
    LineStateName.trial: Element.planned,
    LineStateName.unknown: Element.adot,
}
"""Idle counts as planned only while no run is scheduled: the caller names it ``down`` otherwise."""

ELEMENT_OF_CATEGORY: dict[str, Element] = {
    "breakdown": Element.adot,
    "quality": Element.adot,
    "utilities": Element.adot,
    "cleaning": Element.adot,
    "changeover": Element.aust,
    "starved": Element.adet,
    "blocked": Element.adet,
    "planned": Element.planned,
    "no_demand": Element.planned,
}
"""What a stop's category says of its time (plant_ops.md, section 2)."""

_MICRO = (LineStateName.down, LineStateName.starved, LineStateName.blocked)

EventKey = tuple[str, str, int, int]
"""device, incarnation, lane, sequence: breaks ties and finds a replay."""


@dataclass(frozen=True, slots=True)
class StateEvent:
    """From ``at`` on the line was in ``state``."""

    at: datetime
    state: LineStateName
    key: EventKey


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time."""

    from_at: datetime
    to_at: datetime


@dataclass(frozen=True, slots=True)
class ExplainedStop:
    """A stop that somebody gave a category; it refines ``down``, and only that."""

    from_at: datetime
    to_at: datetime
    category: str
    is_planned: bool = False

    @property
    def element(self) -> Element:
        """The time element of this stop."""
        return Element.planned if self.is_planned else ELEMENT_OF_CATEGORY.get(self.category, Element.adot)


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of one state and one time element."""

    from_at: datetime
    to_at: datetime
    state: LineStateName
    element: Element
    is_micro: bool = False
    is_no_data: bool = False

    @property
    def seconds(self) -> Decimal:
        """Length [s], exact to the microsecond."""
        return seconds(self.to_at - self.from_at)


@dataclass(frozen=True, slots=True)
class Fold:
    """The folded window.

    Args:
        intervals: tile the window, without overlap, in order.
        microstops: number of stops shorter than the micro-stop limit; their time stays in APT.
        microstop_s: their length [s], part of the speed loss.
        flags: ``NO_DATA``, ``STATE_CONFLICT``.
        input_hash: SHA-256 (hex) of everything that went in.
    """

    intervals: tuple[Interval, ...]
    microstops: int
    microstop_s: Decimal
    flags: tuple[str, ...]
    input_hash: str

    def total_s(self, element: Element) -> Decimal:
        """Seconds of one time element."""
        return sum((i.seconds for i in self.intervals if i.element is element), Decimal(0))


def seconds(length: timedelta) -> Decimal:
    """A length in seconds without rounding."""
    return Decimal(length // timedelta(microseconds=1)) / 1_000_000


def fold(
    events: Sequence[StateEvent],
    window: Span,
    *,
    microstop_s: int = 120,
    stops: Sequence[ExplainedStop] = (),
    unheard: Sequence[Span] = (),
) -> Fold:
    """Fold state events into intervals over a window.

    Args:
        events: in any order, repeated or not; those before the window give its first state.
        window: the shift, or the part of it that has passed.
        microstop_s: a stop between two runs that is shorter stays production time [s].
        stops: categories that people gave.
        unheard: spans in which no state is known to hold; they count as down and ``NO_DATA``.
    """
    ordered = sorted({event.key: event for event in events}.values(), key=lambda e: (e.at, e.key))
    raw = _raw_intervals(ordered, window)
    raw = _cut(raw, [(span.from_at, span.to_at, None) for span in sorted(unheard, key=lambda s: s.from_at)])
    merged = _with_micro_stops(_merged(raw), timedelta(seconds=microstop_s))
    explained = sorted(stops, key=lambda s: (s.from_at, s.to_at, s.category))
    final = _merged(_cut(merged, [(stop.from_at, stop.to_at, stop.element) for stop in explained]))
    micro = [i for i in final if i.is_micro]
    flags = []
    if any(i.is_no_data for i in final):
        flags.append("NO_DATA")
    if _has_conflict(ordered):
        flags.append("STATE_CONFLICT")
    return Fold(
        intervals=tuple(final),
        microstops=len(micro),
        microstop_s=sum((i.seconds for i in micro), Decimal(0)),
        flags=tuple(flags),
        input_hash=_hash(ordered, window, microstop_s, explained, unheard),
    )


def _interval(from_at: datetime, to_at: datetime, state: LineStateName) -> Interval:
    return Interval(from_at, to_at, state, ELEMENT_OF_STATE[state], is_no_data=state is LineStateName.unknown)


def _raw_intervals(events: Sequence[StateEvent], window: Span) -> list[Interval]:
    if window.from_at >= window.to_at:
        return []
    state = LineStateName.unknown
    at = window.from_at
    found = []
    for event in events:
        if event.at >= window.to_at:
            break
        if event.at > at:
            found.append(_interval(at, event.at, state))
            at = event.at
        state = event.state
    found.append(_interval(at, window.to_at, state))
    return found


def _cut(intervals: Sequence[Interval], spans: Sequence[tuple[datetime, datetime, Element | None]]) -> list[Interval]:
    """Lay spans over intervals: an element refines ``down``, None makes the state unknown."""
    parts = list(intervals)
    for from_at, to_at, element in spans:
        cut: list[Interval] = []
        for part in parts:
            start, end = max(part.from_at, from_at), min(part.to_at, to_at)
            refines = element is None or (part.state is LineStateName.down and not part.is_micro)
            if start >= end or not refines:
                cut.append(part)
                continue
            if part.from_at < start:
                cut.append(_piece(part, part.from_at, start))
            if element is None:
                cut.append(_interval(start, end, LineStateName.unknown))
            else:
                cut.append(Interval(start, end, part.state, element))
            if end < part.to_at:
                cut.append(_piece(part, end, part.to_at))
        parts = cut
    return parts


def _piece(whole: Interval, from_at: datetime, to_at: datetime) -> Interval:
    return Interval(from_at, to_at, whole.state, whole.element, whole.is_micro, whole.is_no_data)


def _merged(intervals: Sequence[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for part in intervals:
        last = merged[-1] if merged else None
        if last and (last.state, last.element, last.is_micro) == (part.state, part.element, part.is_micro):
            merged[-1] = _piece(last, last.from_at, part.to_at)
        else:
            merged.append(part)
    return merged


def _with_micro_stops(intervals: Sequence[Interval], limit: timedelta) -> list[Interval]:
    found = list(intervals)
    for index in range(1, len(found) - 1):
        before, part, after = found[index - 1 : index + 2]
        between_runs = before.state is LineStateName.running and after.state is LineStateName.running
        if between_runs and part.state in _MICRO and part.to_at - part.from_at < limit:
            found[index] = Interval(part.from_at, part.to_at, part.state, Element.apt, is_micro=True)
    return found


def _has_conflict(events: Sequence[StateEvent]) -> bool:
    return any(
        left.key[0] != right.key[0] and left.state is not right.state and right.at - left.at <= CONFLICT_WINDOW
        for left, right in pairwise(events)
    )


def _hash(
    events: Sequence[StateEvent],
    window: Span,
    microstop_s: int,
    stops: Sequence[ExplainedStop],
    unheard: Sequence[Span],
) -> str:
    lines = [f"{window.from_at.isoformat()} {window.to_at.isoformat()} {microstop_s}"]
    lines += [f"{e.at.isoformat()} {e.state} {e.key}" for e in events]
    lines += [f"{s.from_at.isoformat()} {s.to_at.isoformat()} {s.element}" for s in stops]
    lines += [f"{s.from_at.isoformat()} {s.to_at.isoformat()}" for s in sorted(unheard, key=lambda s: s.from_at)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
