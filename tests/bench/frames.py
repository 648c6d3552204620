"""Scale frames a second from a real pty to typed readings, beside reading the bare lines."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import serial

from foodflow_desktop.hardware import config
from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.hardware.readings import ScaleReading
from foodflow_desktop.hardware.sim.wire import PtyWire
from foodflow_kernel.clock import SystemClock
from tests.bench.figure import Figure

FRAMES = 20_000
BLOCK = 50
FRAME = b"S D      603.4 g\r\n"


def _pour(wire: PtyWire) -> None:
    """Write all frames as fast as the reader takes them."""
    master = wire._master
    assert master is not None
    os.set_blocking(master, True)
    for _ in range(FRAMES // BLOCK):
        os.write(master, FRAME * BLOCK)


def _timed(wire: PtyWire, done: Callable[[], None]) -> float:
    writer = threading.Thread(target=_pour, args=(wire,))
    begun = time.perf_counter()
    writer.start()
    done()
    seconds = time.perf_counter() - begun
    writer.join()
    return FRAMES / seconds


def _product(folder: Path) -> float:
    clock = SystemClock()
    wire = PtyWire(folder / "scale", clock)
    hub = Hardware(config.parse({"scale": {"driver": "mt_sics", "port": wire.address}}), clock)
    seen, all_seen, asked = [0], threading.Event(), threading.Event()

    def count(_reading: ScaleReading) -> None:
        seen[0] += 1
        if seen[0] >= FRAMES:
            all_seen.set()

    hub.subscribe(ScaleReading, count)
    hub.start()
    while b"SIR" not in wire.read(1.0):  # the port is open and its old bytes are gone
        asked.wait(0.01)
    rate = _timed(wire, lambda: assert_done(all_seen))
    hub.stop()
    wire.unplug()
    return rate


def assert_done(event: threading.Event) -> None:
    """Every frame must arrive."""
    assert event.wait(60)


def _bare(folder: Path) -> float:
    wire = PtyWire(folder / "bare", SystemClock())
    with serial.Serial(wire.address, timeout=1, exclusive=True) as port:

        def read() -> None:
            heard = 0
            while heard < FRAMES * len(FRAME):
                heard += len(port.read(port.in_waiting or 1))

        rate = _timed(wire, read)
    wire.unplug()
    return rate


def measure() -> list[Figure]:
    """The figure of this module."""
    with tempfile.TemporaryDirectory() as folder:
        floor = _bare(Path(folder))
        value = _product(Path(folder))
    note = "floor: pyserial reading the same bytes without understanding them; a scale sends 10 to 90 a second"
    return [Figure("scale frames from pty to typed reading", value, "1/s", floor, more_is_better=True, note=note)]
