"""How long to wait after a failure: full jitter, and a circuit breaker for each lane (sync.md, Scheduling)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

FIRST_S = 0.5
CAP_S = 15.0
BREAK_AFTER = 8
BROKEN_S = 60.0
"""After eight failures in a row that are not the network's, a lane rests a minute; the others go on."""


@dataclass
class Backoff:
    """Delays [plant s] that grow and are spread, so that two hundred terminals do not return at once."""

    failures: int = 0
    _random: random.Random = field(default_factory=random.Random)

    def succeeded(self) -> None:
        """Start over."""
        self.failures = 0

    def failed(self, *, is_network: bool = True) -> float:
        """The delay before the next try."""
        self.failures += 1
        if not is_network and self.failures >= BREAK_AFTER:
            return BROKEN_S
        return self._random.uniform(0, min(CAP_S, FIRST_S * 2.0 ** min(self.failures, 10)))


@dataclass
class BatchSize:
    """Rows per batch, aimed at 150 ms from send to acknowledgement."""

    rows: int
    least: int
    most: int
    target_s: float = 0.15

    def took(self, seconds: float, rows: int) -> None:
        """Learn from one batch; a batch that was not full says nothing about larger ones."""
        if seconds > self.target_s:
            self.rows = max(self.least, int(rows * self.target_s / seconds))
        elif rows >= self.rows and seconds < self.target_s / 2:
            self.rows = min(self.most, self.rows * 2)

    def refused(self) -> None:
        """The server found it too large."""
        self.rows = max(1, self.rows // 2)
