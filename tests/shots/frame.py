"""The kiosk's window around one view, with bar and rail as given: what a shot shows."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QWidget

from foodflow_desktop.stations.context import Context
from foodflow_desktop.sync.status import PillState
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.bar import BarScreen, Rail, TopBar
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.kiosk import RAIL
from foodflow_desktop.views.widgets.parts import column, row
from tests.foodflow_desktop.stations import plant

BAR = BarScreen(
    line="Line 2",
    about="Tomato Basil Soup 600 g · B-2611-0418",
    pill=PillState.all_sent,
    count=0,
    language="en",
    user="Operator 1041",
    short="41",
    clock="10:10",
)
DAY = datetime(2026, 11, 23, tzinfo=UTC)


def at(hour: int, minute: int, second: int = 0) -> datetime:
    """A time of the mockups' day."""
    return DAY.replace(hour=hour, minute=minute, second=second)


def context(language: str = "en") -> Context:
    """A terminal of the demo plant in a folder of its own; nothing of it is shown but its data."""
    folder = Path(tempfile.mkdtemp(prefix="foodflow-shot-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    found = plant.open_terminal(folder)
    atexit.register(found.store.close)
    plant.sign_in(found, "FFB-1041")
    found.language = language
    return found


def dressed(name: str = "light", language: str = "en", scale: float = 1.0) -> None:
    """Theme and language of the shot."""
    app = QApplication.instance()
    assert app is not None
    theme.use(name, scale)
    i18n.use(language)
    i18n.use_zone(UTC)


def window(view: QWidget, *, here: str, bar: BarScreen = BAR, badges: dict[str, int] | None = None) -> QWidget:
    """Bar, rail and a view."""
    found = QWidget()
    found.setObjectName("window")
    top, rail = TopBar(), Rail([(entry.name, entry.icon) for entry in RAIL])
    top.show_screen(replace(bar, language=i18n.current()))
    for entry in RAIL:
        button = rail.buttons[entry.name]
        button.say(tr(entry.words))
        button.show_state(entry.name == here, (badges or {}).get(entry.name, 0))
    rail.setVisible(bool(bar.user))
    body = row()
    body.addWidget(rail)
    page = QScrollArea()
    page.setObjectName("page")
    page.setWidgetResizable(True)
    page.setFrameShape(QFrame.Shape.NoFrame)
    page.setWidget(view)
    body.addWidget(page, 1)
    whole = column()
    whole.addWidget(top)
    whole.addLayout(body, 1)
    found.setLayout(whole)
    return found
