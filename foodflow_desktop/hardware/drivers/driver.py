"""What every driver is to the hub: open, step, close, and commands of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from foodflow_desktop.hardware.readings import Reading
from foodflow_desktop.hardware.transport import Link, Transport
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import DeviceError

Emit = Callable[[Reading], None]
"""Takes each reading, on the device's thread."""
Complain = Callable[[DeviceError], None]
"""Takes a fault that does not end the connection, such as one garbage frame."""


class Options(Link):
    """Options that every driver has; each driver adds its own.

    Args:
        tag: the plant's tag of the instrument, as on its label.
        silent_after_s: without a good reading for this long [plant s] the device is silent;
            None where silence is normal.
    """

    tag: str = ""
    silent_after_s: float | None = 2.0


@dataclass(frozen=True, slots=True)
class Bench:
    """What a driver works with: its wire, the time, and where readings and complaints go."""

    transport: Transport
    clock: Clock
    emit: Emit
    complain: Complain


class Driver(ABC):
    """Speaks one device dialect over a transport. All methods run on the device's own thread."""

    options_type: ClassVar[type[Options]] = Options

    def __init__(self, device: str, options: Any, bench: Bench) -> None:
        self.device = device
        self.options: Any = options
        self.transport = bench.transport
        self.clock = bench.clock
        self.emit = bench.emit
        self.complain = bench.complain

    def open(self) -> None:
        """Open the link and introduce ourselves.

        Raises:
            DeviceError: what is wrong; the hub closes, waits and tries again.
        """
        self.transport.open()

    @abstractmethod
    def step(self) -> None:
        """Listen or ask once, emit what came, return within about 0.1 real seconds.

        Raises:
            DeviceError: the connection is over; the hub closes, waits and opens again.
        """

    def close(self) -> None:
        """Let go of the device; harmless when it is closed already."""
        self.transport.close()
