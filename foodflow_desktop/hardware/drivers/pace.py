"""Keeps a polling driver in step with plant time."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from foodflow_desktop.hardware.transport import SLICE_S
from foodflow_kernel.clock import Clock


@dataclass
class Pace:
    """One turn for each period of plant time; turns missed by a busy machine are not made up for."""

    clock: Clock
    period_s: float
    _due_ns: int = 0

    def __post_init__(self) -> None:
        self._idle = threading.Event()

    def is_due(self) -> bool:
        """Whether a turn is due; otherwise waits for it, but no longer than one slice."""
        now_ns = self.clock.mono_ns()
        wait_s = (self._due_ns - now_ns) / 1e9 / self.clock.rate
        if wait_s > 0:
            self._idle.wait(min(wait_s, SLICE_S))
            return wait_s <= SLICE_S and self._take(self.clock.mono_ns())
        return self._take(now_ns)

    def _take(self, now_ns: int) -> bool:
        period_ns = int(self.period_s * 1e9)
        self._due_ns = max(self._due_ns + period_ns, now_ns - period_ns)
        return True
