"""All devices of a terminal behind one object: subscribe, latest, status, commands."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from foodflow_desktop.hardware.config import HardwareConfig
from foodflow_desktop.hardware.device_loop import DeviceLoop
from foodflow_desktop.hardware.readings import DeviceStatus, Reading
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import NotFound
from foodflow_kernel.units import Grams

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Reading | DeviceStatus)


@dataclass(frozen=True, slots=True)
class ScaleKeys:
    """What a worker can do to a scale. Each answer is a future: wait for it off the UI thread.

    A future fails with a ``DeviceError``: `scale_busy`, `scale_parameter_wrong`, `device_silent`,
    `device_unplugged`; or ``Overload``: `scale_overload`, `scale_underload`.
    """

    hub: Hardware
    device: str

    def zero(self) -> Future[None]:
        """Set the present load to zero; the scale waits until it is stable, and clears its tare."""
        return self.hub.ask(self.device, "zero")

    def tare(self) -> Future[Grams]:
        """Take the present load as tare; answers the tare [g]."""
        return self.hub.ask(self.device, "tare")

    def set_tare(self, tare_g: Grams) -> Future[Grams]:
        """Preset a known tare [g], such as that of the empty cup; answers what the scale took."""
        return self.hub.ask(self.device, "set_tare", tare_g)

    def clear_tare(self) -> Future[None]:
        """Empty the tare memory."""
        return self.hub.ask(self.device, "clear_tare")

    def identity(self) -> Future[dict[str, str]]:
        """Type, software and serial number."""
        return self.hub.ask(self.device, "identity")


class Hardware:
    """The devices of one terminal, each on a thread of its own.

    Callbacks run on device threads: they must be quick and must not touch Qt.
    """

    def __init__(self, config: HardwareConfig, clock: Clock) -> None:
        self._clock = clock
        self._callbacks: dict[type, list[Callable[[Any], None]]] = defaultdict(list)
        self._broken: set[Callable[[Any], None]] = set()
        self._lock = threading.Lock()
        self._loops = {s.device: DeviceLoop(s, clock, self._publish) for s in config.sections}

    def start(self) -> None:
        """Start all devices. Subscribe before, to miss nothing."""
        for loop in self._loops.values():
            loop.start()

    def stop(self) -> None:
        """Stop all devices and wait for their threads."""
        for loop in self._loops.values():
            loop.stop()

    def subscribe(self, reading_type: type[R], callback: Callable[[R], None]) -> Callable[[], None]:
        """Call back for each reading (or status) of this type; returns what ends it."""
        with self._lock:
            self._callbacks[reading_type] = [*self._callbacks[reading_type], callback]

        def unsubscribe() -> None:
            with self._lock:
                self._callbacks[reading_type] = [c for c in self._callbacks[reading_type] if c is not callback]

        return unsubscribe

    def devices(self) -> tuple[str, ...]:
        """Names of all configured devices."""
        return tuple(self._loops)

    def latest(self, device: str) -> Reading | None:
        """The last good reading of a device, however old; None before the first."""
        return self._loop(device).latest

    def age_s(self, device: str) -> float | None:
        """Plant seconds since the last good reading, by the monotonic clock; None before the first."""
        reading = self.latest(device)
        return None if reading is None else max(0.0, (self._clock.mono_ns() - reading.mono_ns) / 1e9)

    def status(self, device: str) -> DeviceStatus:
        """How the link to a device is."""
        return self._loop(device).status

    def ask(self, device: str, command: str, *args: Any) -> Future[Any]:
        """Run a driver's command on its thread; see the driver for its commands and answers."""
        return self._loop(device).ask(lambda driver: getattr(driver, command)(*args))

    def scale(self, device: str = "scale") -> ScaleKeys:
        """The keys of a scale: zero and tare."""
        return ScaleKeys(self, device)

    def _loop(self, device: str) -> DeviceLoop:
        try:
            return self._loops[device]
        except KeyError:
            raise NotFound("device_unknown", device=device) from None

    def _publish(self, reading: Reading | DeviceStatus) -> None:
        for callback in self._callbacks.get(type(reading), ()):
            try:
                callback(reading)
            except Exception:  # a screen's fault must not stop a device
                if callback not in self._broken:
                    self._broken.add(callback)
                    log.exception("a subscriber of %s failed", type(reading).__name__)
