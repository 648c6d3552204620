"""One scale as the weigh station hears it. Fed on the device's thread, read on any.

Whether a portion was already recorded is decided here, reading by reading: a screen that is
drawn less often than the scale speaks must not miss that the load was changed in between.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime
from decimal import Decimal

from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.hardware.readings import DeviceStatus, ScaleReading
from foodflow_kernel.rules.steady import ScaleState

WINDOW = 12
"""Readings over which the rate is taken."""
SAME_G = Decimal("0.5")
"""A steady weight this near [g] to the recorded one is the same portion still lying there."""


class ScaleWatch:
    """The last reading, the link, and whether the load changed since the last record."""

    def __init__(self, hardware: Hardware, device: str) -> None:
        self.device = device
        self._hardware = hardware
        self._lock = threading.Lock()
        self._times: deque[int] = deque(maxlen=WINDOW)
        self._taken: Decimal | None = None
        self._reading: ScaleReading | None = None
        if self.is_there:
            found = hardware.latest(device)
            self._reading = found if isinstance(found, ScaleReading) else None

    @property
    def is_there(self) -> bool:
        """Whether such a device is configured."""
        return self.device in self._hardware.devices()

    def on_reading(self, reading: ScaleReading) -> None:
        """Take in a reading."""
        with self._lock:
            self._reading = reading
            self._times.append(reading.mono_ns)
            if self._taken is None:
                return
            is_other = reading.net_g is None or abs(reading.net_g - self._taken) >= SAME_G
            if reading.state is not ScaleState.steady or is_other:
                self._taken = None

    def take(self, net_g: Decimal) -> None:
        """This portion is recorded: it must change before the next may be."""
        with self._lock:
            self._taken = net_g

    def release(self) -> None:
        """It was not recorded after all, or it was taken back: it may be recorded again."""
        with self._lock:
            self._taken = None

    @property
    def is_taken(self) -> bool:
        """Whether the portion on the scale was already recorded."""
        with self._lock:
            return self._taken is not None

    @property
    def reading(self) -> ScaleReading | None:
        """The last reading; None before the first."""
        return self._reading

    @property
    def status(self) -> DeviceStatus | None:
        """How the link is; None where no such scale is configured."""
        return self._hardware.status(self.device) if self.is_there else None

    @property
    def is_heard(self) -> bool:
        """Whether readings are coming."""
        status = self.status
        return status is not None and status.is_heard and self._reading is not None

    @property
    def silent_since(self) -> datetime | None:
        """The last reading, while none comes."""
        if self.is_heard:
            return None
        status = self.status
        if self._reading is not None:
            return self._reading.at
        return status.since if status else None

    @property
    def per_s(self) -> int:
        """Readings a second of plant time."""
        with self._lock:
            span_ns = self._times[-1] - self._times[0] if len(self._times) > 1 else 0
            return round((len(self._times) - 1) * 1e9 / span_ns) if span_ns else 0
