"""Time as a value that is passed in: aware UTC, a monotonic counter, and its rate.

Nothing in the product calls ``datetime.now``; it asks the ``Clock`` it was given. The
demo runs kiosk, simulators and server on one ``ScaledClock``, so ten minutes of plant
time can pass in one. The hybrid logical clock breaks ties for display, never for cursors.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

HLC_FORWARD_BOUND_MS = 5 * 60 * 1000
"""A remote clock further ahead than this is not followed (sync.md, Time)."""

CLOCK_ENV = "FOODFLOW_CLOCK"
"""``real_epoch_s,simulated_epoch_s,rate``: puts a whole process on a scaled clock."""


class Clock(Protocol):
    """Where the product gets its time from."""

    @property
    def rate(self) -> float:
        """Plant seconds per real second; 1.0 outside the demo and tests."""
        ...

    def now(self) -> datetime:
        """The instant, aware UTC."""
        ...

    def mono_ns(self) -> int:
        """A counter [ns] of plant time that never goes back within one boot."""
        ...


class SystemClock:
    """The machine's own clock."""

    rate = 1.0

    def now(self) -> datetime:
        """The instant, aware UTC."""
        return datetime.now(UTC)

    def mono_ns(self) -> int:
        """The operating system's monotonic counter [ns]."""
        return time.monotonic_ns()


@dataclass(frozen=True)
class ScaledClock:
    """A clock that runs ``rate`` times as fast, the same in every process that shares it."""

    real_epoch_s: float
    simulated_epoch_s: float
    rate: float

    def now(self) -> datetime:
        """The simulated instant, aware UTC."""
        elapsed_s = (time.time() - self.real_epoch_s) * self.rate
        return datetime.fromtimestamp(self.simulated_epoch_s + elapsed_s, UTC)

    def mono_ns(self) -> int:
        """The monotonic counter [ns], scaled."""
        return int(time.monotonic_ns() * self.rate)

    def to_env(self) -> str:
        """The value of ``FOODFLOW_CLOCK`` that puts a child process on this clock."""
        return f"{self.real_epoch_s},{self.simulated_epoch_s},{self.rate}"


@dataclass
class FakeClock:
    """A clock that moves only when told to. For tests and for replays."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    rate: float = 1.0
    _mono_ns: int = 0

    def now(self) -> datetime:
        """The instant last set."""
        return self.at

    def mono_ns(self) -> int:
        """Nanoseconds advanced so far; a wall-clock jump does not change it."""
        return self._mono_ns

    def advance(self, seconds: float) -> None:
        """Let time pass: wall and monotonic move together."""
        self.at += timedelta(seconds=seconds)
        self._mono_ns += int(seconds * 1e9)

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as a person or NTP would; monotonic stays."""
        self.at += timedelta(seconds=seconds)


def clock_from_env() -> Clock:
    """The clock this process should run on: scaled if ``FOODFLOW_CLOCK`` says so."""
    spec = os.environ.get(CLOCK_ENV)
    if not spec:
        return SystemClock()
    real_s, simulated_s, rate = (float(part) for part in spec.split(","))
    return ScaledClock(real_s, simulated_s, rate)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of an aware instant."""
    return round(at.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """The aware UTC instant of milliseconds since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)


@dataclass
class HybridClock:
    """A hybrid logical clock: 48 bits of milliseconds and 16 bits of counter in one int.

    Source: Kulkarni et al., "Logical Physical Clocks", 2014. Forward jumps of a peer
    beyond ``HLC_FORWARD_BOUND_MS`` are ignored.
    """

    last: int = 0

    def tick(self, now: datetime) -> int:
        """The next stamp for an event of this device; always greater than the last."""
        self.last = max(self.last + 1, to_ms(now) << 16)
        return self.last

    def receive(self, remote: int, now: datetime) -> int:
        """Move past a stamp seen from a peer, unless it is implausibly far ahead."""
        if (remote >> 16) - to_ms(now) <= HLC_FORWARD_BOUND_MS:
            self.last = max(self.last, remote)
        return self.tick(now)
