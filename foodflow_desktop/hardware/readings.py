"""What devices say, as values. The rest of the kiosk knows devices only through these.

Every reading names its device (the section of the hardware file) and the plant's tag of the
instrument. Times come from the kiosk's ``Clock``: ``at`` for records, ``mono_ns`` for ages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from foodflow_kernel.errors import DeviceError
from foodflow_kernel.rules.steady import Load, ScaleState
from foodflow_kernel.units import Celsius, Grams

__all__ = [
    "DeviceState",
    "DeviceStatus",
    "ProbeReading",
    "Quality",
    "Reading",
    "ScaleReading",
    "ScaleState",
    "Scan",
    "SensorSample",
    "SignalReading",
]


class Quality(StrEnum):
    """How far a sensor value can be trusted (plant_ops.md, SensorReading)."""

    good = "good"
    uncertain = "uncertain"
    """Kept, but no evidence: stuck value, or past calibration."""
    bad = "bad"
    """No usable value: open circuit, outside the instrument's range."""


class DeviceState(StrEnum):
    """How the link to a device is."""

    connecting = "connecting"
    connected = "connected"
    silent = "silent"
    """The port is open, nothing is heard for 2 s."""
    garbled = "garbled"
    """Something is heard that is not the device's language."""
    unplugged = "unplugged"
    """The port or address cannot be opened, or went away."""
    faulty = "faulty"
    """The device answers and reports a fault of its own."""
    stopped = "stopped"


@dataclass(frozen=True, slots=True)
class ScaleReading:
    """One weight from a scale.

    Args:
        net_g: net weight [g]; None where the scale gives no number (over, under range).
        tare_g: tare [g] in the scale's tare memory.
        is_tared: whether a tare is set.
    """

    at: datetime
    mono_ns: int
    net_g: Grams | None
    tare_g: Grams
    state: ScaleState
    is_tared: bool
    device: str = "scale"
    tag: str = ""

    @property
    def load(self) -> Load:
        """What the weigh gate (``foodflow_kernel.rules.steady``) needs of it."""
        return Load(self.state, self.net_g, self.tare_g, self.is_tared)


@dataclass(frozen=True, slots=True)
class Scan:
    """One code from a scanner, without the scanner's prefix, suffix and symbology identifier.

    Args:
        raw: the code's own characters; GS (0x1D) kept as the field separator.
        symbology: AIM identifier such as ``]C1``, ``]d2``, ``]Q3``; None if the scanner sends none.
    """

    at: datetime
    raw: str
    symbology: str | None
    mono_ns: int = 0
    device: str = "scanner"


@dataclass(frozen=True, slots=True)
class ProbeReading:
    """One temperature from a probe.

    Args:
        tag: the probe's equipment tag, such as ``P-14``.
        value_c: [°C]; None when the quality is bad.
        is_steady: the values of the last window lie within the configured band.
        error: why the quality is not good.
    """

    at: datetime
    tag: str
    value_c: Celsius | None
    is_steady: bool
    quality: Quality
    mono_ns: int = 0
    device: str = "probe"
    error: DeviceError | None = None


@dataclass(frozen=True, slots=True)
class SensorSample:
    """One raw sample of any measuring point, for telemetry; value in the sensor's own unit."""

    at: datetime
    tag: str
    value: Decimal | None
    quality: Quality
    mono_ns: int = 0
    device: str = ""


@dataclass(frozen=True, slots=True)
class SignalReading:
    """The line's running bit and piece counter as read; ``foodflow_kernel.rules.signal`` folds them.

    Args:
        count_raw: the counter register as read.
        bits: width of the counter, 16 or 32.
    """

    at: datetime
    is_running: bool
    count_raw: int
    mono_ns: int = 0
    bits: int = 32
    device: str = "line"
    tag: str = ""


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """The link to one device changed, or is as it was ``since`` then.

    Args:
        error: the failure, with code and sentence; None when connected.
        last_good_at: when the last good reading came; its value stays in ``latest``.
    """

    device: str
    state: DeviceState
    since: datetime
    error: DeviceError | None = None
    last_good_at: datetime | None = None

    @property
    def is_heard(self) -> bool:
        """Whether readings are coming now."""
        return self.state is DeviceState.connected


Reading = ScaleReading | Scan | ProbeReading | SensorSample | SignalReading
"""Anything a driver may emit."""
