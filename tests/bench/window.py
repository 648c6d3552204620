"""From the bytes of a scale to a durable record and the repainted window; saving and switching behind a long queue."""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from foodflow_desktop.hardware import config
from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.hardware.sim.wire import PtyWire
from foodflow_desktop.keys import open_keys
from foodflow_desktop.stations.context import Context
from foodflow_desktop.sync.engine import Engine
from foodflow_desktop.views import i18n, jobs, theme
from foodflow_desktop.views.kiosk import Kiosk, build
from foodflow_desktop.views.widgets.kiosk import TouchButton
from foodflow_kernel.clock import SystemClock
from foodflow_kernel.wire.protocol import Lane
from tests.bench.figure import Figure, percentile
from tests.bench.record import fsync
from tests.foodflow_desktop.stations import plant
from tests.foodflow_desktop.stations.test_weigh import SCALE, SPEC
from tests.foodflow_desktop.store.terminals import weighing

TIMES = 60
QUEUE = 50_000
GROUP = 1000
PATIENCE_S = 30.0
SAVE_MS, SWITCH_MS = 100.0, 150.0
EMPTY, TARE = b"S S        0.0 g\r\n", b"TA A      0.0 g\r\n"
VIEWS = ("run", "weigh", "materials", "checks", "downtime", "more")


class Painted(QObject):
    """Notes when a widget was painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        """Look, and let it through."""
        if event.type() == QEvent.Type.Paint:
            self.count += 1
        return False


class Bench:
    """The whole kiosk window on a terminal of line 2, and the wire of its scale."""

    def __init__(self, folder: Path) -> None:
        QApplication.instance() or QApplication([])
        clock = SystemClock()
        theme.use("light")
        i18n.use("en")
        jobs.prepare()
        self.wire = PtyWire(folder / "scale", clock)
        self.context: Context = plant.open_terminal(folder / "kiosk", clock)
        for entity, row in (("weight_spec", SPEC.model_copy(update={"tare_g": Decimal(0)})), ("equipment", SCALE)):
            plant.change(self.context.store, entity, row)
        section = {"driver": "mt_sics", "port": self.wire.address, "tag": "SC-02"}
        self.context.hardware = Hardware(config.parse({"scale": section}), clock)
        plant.sign_in(self.context, "FFB-1041")
        # Never started: nothing is sent, the queue only grows.
        held = open_keys(folder / "keys")
        engine = Engine(self.context.store, held.device_key())
        self.kiosk: Kiosk = build(self.context, engine, held, "")
        self.shell = self.kiosk.shell
        self.shell.resize(1280, 800)
        self.shell.show()
        self.context.hardware.start()
        self.shell.go("weigh")
        record, saved = self.shell.findChild(TouchButton, "weigh.record"), self.shell.findChild(QLabel, "weigh.saved")
        assert record is not None
        assert saved is not None
        self.record, self.saved = record, saved
        self.scale = threading.Thread(target=self._answer, daemon=True)
        self.frame, self._is_over, self.number = EMPTY, threading.Event(), 0

    def _answer(self) -> None:
        """What lies on the scale, said fifty times a second, and its tare when asked."""
        turns = 0
        while not self._is_over.wait(0.002):
            if b"TA" in self.wire.read(0.0):
                self._say(TARE)
            turns += 1
            if turns % 10 == 0:
                self._say(self.frame)

    def _say(self, frame: bytes) -> None:
        master = self.wire._master
        assert master is not None
        with contextlib.suppress(BlockingIOError):  # a scale does not wait for who does not listen
            os.write(master, frame)

    def put(self, frame: bytes) -> None:
        """Load or unload, and say so at once."""
        self.frame = frame
        self._say(frame)

    def close(self) -> None:
        """Everything down again."""
        self._is_over.set()
        self.scale.join()
        until(lambda: jobs.running() == 0)
        self.kiosk.stop()
        self.shell.stop()
        self.context.hardware.stop()
        self.wire.unplug()
        self.context.store.close()
        self.shell.deleteLater()

    def save(self) -> tuple[float, float]:
        """Milliseconds from a steady frame to the button that names it, and from the touch to the painted word."""
        self.number += 1
        weight = f"{595 + self.number % 150 / 10:.1f} g"
        self.put(EMPTY)
        until(lambda: not self.record.isEnabled() and not self.record.text().startswith("Saved"))
        offered = Painted(self.record)
        begun = time.perf_counter()
        self.put(f"S S      {weight}\r\n".encode())
        until(lambda: self.record.isEnabled() and offered.count > 0 and self.record.text().endswith(weight))
        shown = time.perf_counter() - begun
        before = self.kept()
        said = Painted(self.saved)
        begun = time.perf_counter()
        self.record.click()
        until(lambda: self.kept() > before and said.count > 0 and self.saved.text().endswith(weight))
        return shown * 1000, (time.perf_counter() - begun) * 1000

    def kept(self) -> int:
        """How many facts of lane 1 are durable."""
        return next(lane.head for lane in self.context.store.status().lanes if lane.lane == Lane.events)

    def switch(self, name: str) -> float:
        """Milliseconds until another view is painted."""
        begun = time.perf_counter()
        self.shell.go(name)
        painted = Painted(self.shell.view())
        until(lambda: painted.count > 0)
        return (time.perf_counter() - begun) * 1000


def until(is_so: Callable[[], bool]) -> None:
    """Run the window until it is so."""
    begun = time.perf_counter()
    while not is_so():
        QApplication.processEvents()
        assert time.perf_counter() - begun < PATIENCE_S, "waited in vain"


def measure() -> list[Figure]:
    """Save with an empty and a long queue, then go round the views; the disk's own fsync in between."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        bench = Bench(folder)
        try:
            bench.scale.start()
            store = bench.context.store
            bench.save()  # the first draws fonts and icons
            sync = fsync(folder / "floor")
            pairs, floor = [], []
            for _ in range(TIMES):
                pairs.append(bench.save())
                begun = time.perf_counter()
                sync()
                floor.append((time.perf_counter() - begun) * 1000)
            for _ in range(QUEUE // GROUP):
                store.record_all([weighing()] * GROUP)
            queued = [bench.save()[1] for _ in range(TIMES)]
            rounds = [[bench.switch(view) for view in VIEWS] for _ in range(11)][1:]
        finally:
            bench.close()
    whole = [shown + saved for shown, saved in pairs]
    slowest = max(range(len(VIEWS)), key=lambda at: statistics.median(one[at] for one in rounds))
    switches = [value for one in rounds for value in one]
    p50, p99 = percentile(floor, 0.5), percentile(floor, 0.99)
    split = f"frame to painted button {statistics.median(s for s, _ in pairs):.1f} ms, touch to painted word \
{statistics.median(s for _, s in pairs):.1f} ms (p50s)"
    ours = "floor: fsync of 4 KiB in the same seconds"
    return [
        Figure("scale frame to durable record and repaint, p50", percentile(whole, 0.5), "ms", p50, note=split),
        Figure("scale frame to durable record and repaint, p99", percentile(whole, 0.99), "ms", p99, note=ours),
        Figure(
            "save confirmed with 50,000 unsent, p99", percentile(queued, 0.99), "ms", p99, SAVE_MS,
            note=f"touch to painted word; p50 {percentile(queued, 0.5):.1f} ms",
        ),
        Figure(
            "view change with 50,000 unsent, p99", percentile(switches, 0.99), "ms", None, SWITCH_MS,
            note=f"p50 {percentile(switches, 0.5):.1f} ms; slowest: {VIEWS[slowest]}",
        ),
    ]  # fmt: skip
