"""A simulated device on a thread of its own, ticking in plant time without skipping a tick."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from foodflow_desktop.hardware.sim.wire import Wire
from foodflow_kernel.clock import Clock

IDLE_S = 0.05
"""Longest wait between two looks at the stop flag [real s]."""


class SimDevice(ABC):
    """Reads bytes, answers them, and does something at each tick.

    When the machine was busy, missed ticks are made up for one by one: every frame is emitted.
    """

    period_s = 0.1
    """Plant seconds between two ticks."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self.wire = wire
        self.clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._due_ns = clock.mono_ns()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and remove the cable."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(5.0)
        self.wire.unplug()

    @abstractmethod
    def receive(self, data: bytes) -> None:
        """Bytes came from the kiosk."""

    @abstractmethod
    def tick(self, at_ns: int) -> None:
        """One period passed; ``at_ns`` is when it was due, in plant time."""

    def _run(self) -> None:
        self._due_ns = self.clock.mono_ns()
        while not self._stop.is_set():
            wait_s = (self._due_ns - self.clock.mono_ns()) / 1e9 / self.clock.rate
            data = self.wire.read(min(max(wait_s, 0.0), IDLE_S))
            if data:
                self.receive(data)
            while self._due_ns <= self.clock.mono_ns() and not self._stop.is_set():
                self.tick(self._due_ns)
                self._due_ns += int(self.period_s * 1e9)
