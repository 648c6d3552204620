"""The line's home: mockups 02 and 11, and the line with no batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.line import LineStation
from foodflow_desktop.stations.line_screen import (
    HourBar,
    LastStop,
    LineWord,
    Offline,
    Planned,
    RunScreen,
    Task,
    TaskState,
)
from foodflow_desktop.sync.status import PillState
from foodflow_desktop.views.run_view import RunView
from tests.shots import frame
from tests.shots.frame import at
from tests.shots.shot import Shot

COUNTS = (81, 83, 80, 84, 82, 83, 79, 81, 83, 33, 80, 82)


def _bars(hour: int, minute: int, counts: tuple[int, ...]) -> tuple[HourBar, ...]:
    start = at(hour, minute)
    return tuple(
        HourBar(start + number * timedelta(minutes=5), count, count < 60) for number, count in enumerate(counts)
    )


HOME = RunScreen(
    batch_no="B-2611-0418",
    product="Tomato Basil Soup 600 g",
    word=LineWord.running,
    minutes=10,
    made=2602,
    planned=4800,
    unit="cups",
    plan_now=2724,
    rate=16.4,
    target=18,
    good=2578,
    scrap=24,
    finishes_at=at(12, 24),
    bars=_bars(9, 10, COUNTS),
    per_bar=90,
    to_at=at(10, 10),
    stop=LastStop(3, at(9, 57)),
    tasks=(
        Task("Metal detector", "detector", TaskState.late, 3, at(10, 7), "ccp"),
        Task("Cook temperature", "thermometer", TaskState.soon, 4, at(10, 14), "ccp"),
        Task("", "scale", TaskState.at, 5, at(10, 15), "weigh"),
    ),
)
OFFLINE_ES = replace(
    HOME,
    product="Sopa de tomate y albahaca 600 g",
    minutes=42,
    is_held=True,
    made=3126,
    unit="vasos",
    plan_now=3300,
    good=3098,
    scrap=28,
    bars=_bars(9, 42, (82, 80, 84, 33, 83, 82, 83, 81, 85, 80, 84, 82)),
    to_at=at(10, 42),
    tasks=(
        Task("Detector de metales", "detector", TaskState.late, 5, at(10, 37), "ccp"),
        Task("Temp. de cocción", "thermometer", TaskState.soon, 2, at(10, 44), "ccp"),
        Task("", "scale", TaskState.at, 3, at(10, 45), "weigh"),
    ),
    offline=Offline(at(10, 31), 12),
)
NO_BATCH = RunScreen(
    orders=(
        Planned("WO-261123-02", "B-2611-0418", "Tomato Basil Soup 600 g", 4800, "cups", at(10, 30)),
        Planned("WO-261123-05", "B-2611-0421", "Tomato Basil Soup 600 g", 2400, "cups", at(15, 0)),
    )
)


def build(screen: RunScreen, **over: Any) -> Callable[[], QWidget]:
    def make() -> QWidget:
        language = over.get("language", "en")
        frame.dressed(over.get("theme", "light"), language, over.get("scale", 1.0))
        context = frame.context(language)
        view = RunView(context, LineStation(context))
        view.show_screen(screen)
        bar = replace(frame.BAR, **over.get("bar", {}))
        return frame.window(view, here="run", bar=bar, badges={"checks": 2})

    return make


ES = {
    "line": "Línea 2 · B-2611-0418",
    "about": "Sopa de tomate y albahaca 600 g",
    "pill": PillState.offline,
    "count": 12,
    "user": "Operario 1041",
    "clock": "10:42",
}
SIZE = (1280, 800)
SHOTS = (
    Shot("02-line-home", "02-line-home.png", SIZE, build(HOME)),
    Shot("11-offline-dark-es", "11-offline-dark-es.png", SIZE, build(OFFLINE_ES, theme="dark", language="es", bar=ES)),
    Shot("run-no-batch", "", SIZE, build(NO_BATCH, bar={"about": "Terminal T-07 · Cook & Fill hall"})),
)
