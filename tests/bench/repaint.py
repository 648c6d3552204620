"""Repaint: a weight on the screen from its reading, and how long a frame takes, beside an empty widget."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from tests.bench.figure import Figure, percentile

TIMES = 300
FRAME_MS = 16.0
"""A frame of the kiosk (architecture, decision 13)."""
VIEW_MS = 150.0
"""A change of view (ux.md, section 12)."""


def measure() -> list[Figure]:
    """Draw the weigh view again and again with a weight that changes, what changed only, and change views."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication, QWidget  # noqa: PLC0415 - after the platform is named

    from foodflow_desktop.views.run_view import RunView  # noqa: PLC0415
    from foodflow_desktop.views.weigh_view import WeighView  # noqa: PLC0415
    from tests.shots import run, weigh  # noqa: PLC0415

    app = QApplication.instance() or QApplication([])
    window = weigh.build(weigh.READY)()
    window.resize(1280, 800)
    window.show()
    app.processEvents()
    view = window.findChild(WeighView)
    weights = (replace(weigh.READY, net_g=Decimal(5900 + n) / 10) for n in range(TIMES))

    def frame() -> None:
        view.show_screen(next(weights))
        app.processEvents()

    frames = _times(frame)
    empty = QWidget()
    empty.resize(1280, 800)
    empty.show()
    app.processEvents()
    bare = _times(empty.repaint)
    home = run.build(run.HOME)()
    home.resize(1280, 800)
    home.show()
    line = home.findChild(RunView)

    def change() -> None:
        line.show_screen(run.NO_BATCH)
        app.processEvents()
        line.show_screen(run.HOME)
        app.processEvents()

    changes = [taken / 2 for taken in _times(change, 40)]
    view.stop()
    for one in (window, empty, home):
        one.close()
        one.deleteLater()
    app.processEvents()
    note = "software rendering into memory; the floor repaints an empty widget of the same size"
    return [
        Figure("weight drawn anew, p50", percentile(frames, 0.5), "ms", percentile(bare, 0.5), note=note),
        Figure("weight drawn anew, p99", percentile(frames, 0.99), "ms", percentile(bare, 0.99), FRAME_MS),
        Figure("view changed, p99", percentile(changes, 0.99), "ms", target=VIEW_MS),
    ]


def _times(what: Callable[[], object], times: int = TIMES) -> list[float]:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        what()
        taken.append((time.perf_counter() - started) * 1000)
    return taken
