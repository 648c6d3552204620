"""The physics of a simulated line: a filler that counts cups, and a kettle that heats.

No bytes here: ``sim/sensors.py`` shows the values as registers. All in plant time.
"""

from __future__ import annotations

import math
import random
import threading
from decimal import Decimal

from foodflow_kernel.clock import Clock

KETTLE_TAU_S = 20.0
"""A kettle of soup follows its set temperature with this lag."""
NOISE_C = 0.02
OPEN_CIRCUIT = 0x7FFF
OUT_OF_RANGE_C = 312.0


class FillerLine:
    """A line that makes pieces while it runs, and a counter that nobody resets.

    Args:
        per_min: cups per minute.
        bits: width of its counter.
        count: where the counter stands at the start.
    """

    def __init__(self, clock: Clock, *, per_min: float = 62.0, bits: int = 32, count: int = 4_294_960_000) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._per_min = per_min
        self._bits = bits
        self._made = float(count)
        self._is_running = False
        self._since_ns = clock.mono_ns()
        self._frozen: int | None = None

    @property
    def is_running(self) -> bool:
        """The running bit."""
        return self._is_running

    def count(self) -> int:
        """The counter register, rolled over at its width."""
        with self._lock:
            if self._frozen is not None:
                return self._frozen
            self._settle()
            return int(self._made) % (1 << self._bits)

    def run(self, *, is_running: bool) -> None:
        """Start or stop the line."""
        with self._lock:
            self._settle()
            self._is_running = is_running

    def set_rate(self, per_min: float) -> None:
        """Change its speed."""
        with self._lock:
            self._settle()
            self._per_min = per_min

    def set_count(self, count: int) -> None:
        """Set the counter: to zero for a reset, near its top for a roll-over."""
        with self._lock:
            self._settle()
            self._made = float(count)

    def freeze(self, *, is_frozen: bool) -> None:
        """Let the counter stick while the line goes on."""
        shown = self.count()
        with self._lock:
            self._frozen = shown if is_frozen else None

    def _settle(self) -> None:
        now_ns = self._clock.mono_ns()
        if self._is_running:
            self._made += (now_ns - self._since_ns) / 60e9 * self._per_min
        self._since_ns = now_ns


class Kettle:
    """A kettle with a probe in it; shown in tenths of a degree."""

    def __init__(self, clock: Clock, *, celsius: float = 78.4, seed: int = 14) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._target_c = self._from_c = celsius
        self._since_ns = clock.mono_ns()
        self._noise = random.Random(seed)  # noqa: S311 - repeatable noise, not a secret
        self._tau_s = KETTLE_TAU_S
        self.is_open = False
        self.is_out_of_range = False
        self._frozen: int | None = None

    def heat(self, celsius: Decimal, tau_s: float = KETTLE_TAU_S) -> None:
        """Set another temperature; the kettle follows with its lag, at once if that is 0."""
        with self._lock:
            now_ns = self._clock.mono_ns()
            self._from_c, self._since_ns = self._at(now_ns), now_ns
            self._target_c, self._tau_s = float(celsius), tau_s

    def register(self) -> int:
        """The probe's holding register: tenths of a degree, or the code of a broken sensor."""
        if self.is_open:
            return OPEN_CIRCUIT
        if self.is_out_of_range:
            return int(OUT_OF_RANGE_C * 10)
        with self._lock:
            if self._frozen is not None:
                return self._frozen
            shown_c = self._at(self._clock.mono_ns()) + self._noise.gauss(0, NOISE_C)
        return round(shown_c * 10) & 0xFFFF

    def freeze(self, *, is_frozen: bool) -> None:
        """Let the value stick."""
        shown = self.register()
        self._frozen = shown if is_frozen else None

    def celsius(self) -> float:
        """The true temperature."""
        with self._lock:
            return self._at(self._clock.mono_ns())

    def _at(self, now_ns: int) -> float:
        if self._tau_s <= 0:
            return self._target_c
        elapsed_s = (now_ns - self._since_ns) / 1e9
        return self._target_c + (self._from_c - self._target_c) * math.exp(-elapsed_s / self._tau_s)
