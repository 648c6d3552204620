"""Is a probe's value at rest, and does it live at all? Pure, over the last seconds of values."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Steadiness:
    """The last window of one probe's values.

    Args:
        window_s: how long values must stay together [plant s].
        band: largest difference within the window, in the probe's unit.
        stuck_after_s: the very same raw value for longer than this is no measurement; None never.
    """

    window_s: float
    band: Decimal
    stuck_after_s: float | None
    _values: deque[tuple[int, Decimal]] = field(default_factory=deque)
    _same_since_ns: int | None = None
    _from_ns: int | None = None

    def add(self, value: Decimal, at_ns: int) -> None:
        """Take the next good value."""
        if not self._values or self._values[-1][1] != value:
            self._same_since_ns = at_ns
        if self._from_ns is None:
            self._from_ns = at_ns
        self._values.append((at_ns, value))
        while at_ns - self._values[0][0] > self.window_s * 1e9:
            self._values.popleft()

    def clear(self) -> None:
        """Forget all: after a bad value or a gap, rest must be shown anew."""
        self._values.clear()
        self._same_since_ns = self._from_ns = None

    @property
    def is_steady(self) -> bool:
        """Whether the window is full and all its values lie within the band."""
        if self._from_ns is None or self._values[-1][0] - self._from_ns < self.window_s * 1e9:
            return False
        values = [value for _, value in self._values]
        return max(values) - min(values) <= self.band

    @property
    def is_stuck(self) -> bool:
        """Whether the value has not moved at all for too long."""
        if self.stuck_after_s is None or self._same_since_ns is None:
            return False
        return self._values[-1][0] - self._same_since_ns >= self.stuck_after_s * 1e9
