"""A simulated device, the driver for it, and a hub between them, on one clock that runs fast."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from foodflow_desktop.hardware import config
from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.hardware.readings import (
    DeviceState,
    DeviceStatus,
    ProbeReading,
    ScaleReading,
    Scan,
    SensorSample,
    SignalReading,
)
from foodflow_desktop.hardware.sim.machine import SimDevice
from foodflow_desktop.hardware.sim.wire import PtyWire, TcpWire, Wire
from foodflow_kernel.clock import Clock, ScaledClock

PATIENCE_REAL_S = 20.0
RATE = 10.0
EPOCH_S = 1_795_597_200.0

_IDLE = threading.Event()


def fast_clock(rate: float = RATE) -> ScaledClock:
    return ScaledClock(time.time(), EPOCH_S, rate)


def wire(kind: str, folder: Path, clock: Clock) -> Wire:
    return PtyWire(folder / "device", clock) if kind == "pty" else TcpWire(0, clock)


def until(is_so: Callable[[], Any]) -> Any:
    """Wait until it is so; fail if it never is. Returns what made it so."""
    for _ in range(int(PATIENCE_REAL_S / 0.005)):
        told = is_so()
        if told:
            return told
        _IDLE.wait(0.005)
    raise AssertionError("waited in vain")


class Rig:
    """One simulated device and the hub that reads it. Everything that came is kept in order."""

    def __init__(self, sim: SimDevice, device: str, driver: str, clock: Clock, **options: Any) -> None:
        self.sim, self.device, self.clock = sim, device, clock
        address = "port" if isinstance(sim.wire, PtyWire) else "tcp"
        section = {"driver": driver, address: sim.wire.address, **options}
        self.hub = Hardware(config.parse({device: section}), clock)
        self.came: dict[type, list[Any]] = defaultdict(list)
        for kind in (ScaleReading, Scan, ProbeReading, SensorSample, SignalReading, DeviceStatus):
            self.hub.subscribe(kind, self.came[kind].append)

    def __enter__(self) -> Self:
        self.sim.start()
        self.hub.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hub.stop()
        self.sim.stop()

    @property
    def status(self) -> DeviceStatus:
        return self.hub.status(self.device)

    def until_state(self, state: DeviceState) -> DeviceStatus:
        until(lambda: self.status.state is state)
        return self.status

    def until_more(self, kind: type, count: int = 3) -> list[Any]:
        """Wait for so many further readings and return them."""
        before = len(self.came[kind])
        until(lambda: len(self.came[kind]) >= before + count)
        return self.came[kind][before:]

    def states(self) -> list[tuple[DeviceState, str | None]]:
        """The course of the status: state and error code."""
        return [(s.state, s.error.code if s.error else None) for s in self.came[DeviceStatus]]
