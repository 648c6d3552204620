"""From a line's running bit and piece counter to pieces made and stops.

Two pure folds. ``count`` turns raw register values into pieces, telling a counter that rolled
over from one that was reset. ``watch`` turns the running bit into micro-stops and stops: one
shorter than ``microstop_s`` asks nobody anything and stays a speed loss (plant_ops.md, Downtime).

Durations come from the monotonic counter, so that a clock set back opens or closes nothing; the
instants in the events come from the wall clock, for records.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

MICROSTOP_S = 120.0
"""Default of ``oee.microstop_s`` [s]: a stop of this length or more needs a reason."""
PIECES_PER_S = 50.0
"""Default for the fastest a line can possibly count [1/s]; more is no production."""
SLACK_N = 5
"""Pieces allowed beyond the fastest rate between two readings: polling is not exact."""


class Change(StrEnum):
    """What happened to the counter since the last reading."""

    first = "first"
    """No reading before: nothing can be counted yet."""
    counted = "counted"
    rolled_over = "rolled_over"
    """It passed its highest value and went on from zero: nothing is missing."""
    was_reset = "was_reset"
    """It was set to zero: pieces between the last reading and the reset are not known."""
    jumped = "jumped"
    """It moved further than the line can run: another counter, not counted."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A piece counter's last raw value.

    Args:
        bits: width of the register, 16 or 32.
        max_per_s: the fastest the line can count [1/s].
    """

    bits: int = 32
    max_per_s: float = PIECES_PER_S
    raw: int | None = None
    mono_ns: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """One step of the counter.

    Args:
        delta: pieces made since the last reading.
        suspect: pieces a jump would have meant; shown, never counted.
    """

    delta: int
    change: Change
    suspect: int = 0


def count(counter: Counter, raw: int, mono_ns: int) -> tuple[Counter, Counted]:
    """Take a raw value and tell how many pieces it means.

    A value below the last one is a roll-over if the way across the top is no longer than the line
    can have run meanwhile; otherwise a reset, and the value itself is what was made since.

    >>> last = Counter(bits=16, raw=65_530, mono_ns=0)
    >>> count(last, 4, 1_000_000_000)[1]
    Counted(delta=10, change=<Change.rolled_over: 'rolled_over'>, suspect=0)
    >>> count(replace(last, raw=31_200), 4, 1_000_000_000)[1]
    Counted(delta=4, change=<Change.was_reset: 'was_reset'>, suspect=0)
    """
    after = replace(counter, raw=raw, mono_ns=mono_ns)
    if counter.raw is None:
        return after, Counted(0, Change.first)
    elapsed_s = max(0.0, (mono_ns - counter.mono_ns) / 1e9)
    possible = elapsed_s * counter.max_per_s + SLACK_N
    if raw >= counter.raw:
        delta = raw - counter.raw
        return after, Counted(delta, Change.counted) if delta <= possible else Counted(0, Change.jumped, delta)
    across = raw + (1 << counter.bits) - counter.raw
    if across <= possible:
        return after, Counted(across, Change.rolled_over)
    return after, Counted(raw, Change.was_reset) if raw <= possible else Counted(0, Change.jumped, raw)


class Running(StrEnum):
    """What the running bit has said for how long."""

    unknown = "unknown"
    running = "running"
    pausing = "pausing"
    """Stopped, but so far shorter than a micro-stop's limit."""
    stopped = "stopped"
    """Stopped long enough that a reason is asked."""


class Moment(StrEnum):
    """What a reading brought about."""

    started = "started"
    """The line was found running, or runs again after data were missing."""
    paused = "paused"
    stop_opened = "stop_opened"
    """The stop that began at ``at`` has reached the limit: ask for the reason."""
    micro_stop = "micro_stop"
    """It ran again before the limit: ``lasted_s`` are a speed loss."""
    stop_closed = "stop_closed"
    signal_lost = "signal_lost"
    """Nothing was heard for too long: neither running nor stopped is known."""


@dataclass(frozen=True, slots=True)
class SignalEvent:
    """One moment of the line; ``at`` is when it happened, which for an opened stop lies back."""

    moment: Moment
    at: datetime
    lasted_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LineWatch:
    """What is known of a line between two readings.

    Args:
        since: when the present state began, wall clock.
        since_ns: the same, monotonic.
        heard_ns: the last reading, monotonic.
    """

    state: Running = Running.unknown
    since: datetime | None = None
    since_ns: int = 0
    heard_ns: int = 0


def resume(state: Running, since: datetime, *, now: datetime, mono_ns: int) -> LineWatch:
    """Go on after a restart of the program, from what the journal knows: the state and its start."""
    ago_ns = max(0, int((now - since).total_seconds() * 1e9))
    return LineWatch(state, since, mono_ns - ago_ns, mono_ns)


def watch(
    line: LineWatch,
    *,
    is_running: bool,
    at: datetime,
    mono_ns: int,
    microstop_s: float = MICROSTOP_S,
) -> tuple[LineWatch, tuple[SignalEvent, ...]]:
    """Take one reading of the running bit.

    A stop of exactly ``microstop_s`` is a stop. A line first seen standing is treated as having
    stopped at that moment.
    """
    line = replace(line, heard_ns=mono_ns)
    if is_running:
        return _running(line, at, mono_ns, microstop_s)
    if line.state in (Running.unknown, Running.running):
        return LineWatch(Running.pausing, at, mono_ns, mono_ns), (SignalEvent(Moment.paused, at),)
    if line.state is Running.pausing and _lasted_s(line, mono_ns) >= microstop_s:
        return replace(line, state=Running.stopped), (_opened(line, mono_ns),)
    return line, ()


def lose(line: LineWatch, *, mono_ns: int, patience_s: float) -> tuple[LineWatch, tuple[SignalEvent, ...]]:
    """Say that nothing was heard now; after ``patience_s`` the line's state is unknown.

    An open stop stays open: that the line ran again would have to be seen.
    """
    quiet_s = (mono_ns - line.heard_ns) / 1e9
    if line.state in (Running.unknown, Running.stopped) or line.since is None or quiet_s < patience_s:
        return line, ()
    at = line.since + timedelta(seconds=(line.heard_ns - line.since_ns) / 1e9)
    return LineWatch(Running.unknown, at, line.heard_ns, line.heard_ns), (SignalEvent(Moment.signal_lost, at),)


def _running(
    line: LineWatch, at: datetime, mono_ns: int, microstop_s: float
) -> tuple[LineWatch, tuple[SignalEvent, ...]]:
    if line.state is Running.running:
        return line, ()
    lasted_s = _lasted_s(line, mono_ns)
    events: tuple[SignalEvent, ...] = (SignalEvent(Moment.started, at),)
    if line.state is Running.stopped:
        events = (SignalEvent(Moment.stop_closed, at, lasted_s),)
    elif line.state is Running.pausing and lasted_s < microstop_s:
        events = (SignalEvent(Moment.micro_stop, at, lasted_s),)
    elif line.state is Running.pausing:  # the limit passed between two readings
        events = (_opened(line, mono_ns), SignalEvent(Moment.stop_closed, at, lasted_s))
    return LineWatch(Running.running, at, mono_ns, mono_ns), events


def _opened(line: LineWatch, mono_ns: int) -> SignalEvent:
    if line.since is None:
        raise AssertionError("a pausing line knows since when")
    return SignalEvent(Moment.stop_opened, line.since, _lasted_s(line, mono_ns))


def _lasted_s(line: LineWatch, mono_ns: int) -> float:
    return (mono_ns - line.since_ns) / 1e9
