"""Downtime, scrap, history, sync details, more, pairing: no cut label, nothing too small, in every look."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from foodflow_desktop.stations import records
from foodflow_desktop.stations.downtime import DowntimeStation
from foodflow_desktop.stations.line_recording import LineRecording
from foodflow_desktop.views.downtime_view import DowntimeView
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant
from tests.shots import frame, station

pytestmark = pytest.mark.qt
CONTENT = QSize(1168, 728)
"""What bar and rail leave of the 1280x800 panel."""
LOOKS = [("light", "en", 1.0), ("dark", "es", 1.3), ("high_contrast", "es", 1.0), ("light", "en", 1.3)]
MAKERS = (station.downtime, station.scrap, station.history, station.sync, station.more, station.pairing)
PANEL_W = 1280
TOUCH = 72


def cut(view: QWidget) -> list[str]:
    """Visible labels whose words do not fit."""
    found = []
    for label in view.findChildren(QLabel):
        if not label.isVisible() or not label.text() or label.objectName().endswith((".said", ".what")):
            continue
        if label.wordWrap():
            needs = label.heightForWidth(label.width())
            if label.height() + 1 < needs and not label.objectName().endswith(".time"):
                found.append(f"{label.objectName()}: {label.height()} < {needs} high")
        elif label.width() + 1 < label.sizeHint().width():
            found.append(f"{label.objectName()}: {label.width()} < {label.sizeHint().width()} wide")
    return found


@pytest.fixture
def shown(tmp_path, qtbot, request):
    make, (look, language, scale) = request.param
    frame.dressed(look, language, scale)
    context = plant.open_terminal(tmp_path)
    plant.sign_in(context, "FFB-1041")
    context.language = language
    view = make(context)
    qtbot.addWidget(view)
    # a page scrolls downwards where it must, never sideways
    width = PANEL_W if make is station.pairing else CONTENT.width()  # no rail before pairing
    view.resize(width, max(CONTENT.height(), view.minimumSizeHint().height()))
    view.show()
    for _ in range(3):
        QApplication.processEvents()
    yield view
    view.close()
    context.store.close()
    frame.dressed()


@pytest.mark.parametrize("shown", [(make, look) for make in MAKERS for look in LOOKS], indirect=True)
def test_words_fit_controls_are_large_enough_and_named(shown):
    assert shown.minimumSizeHint().width() <= shown.width()
    assert cut(shown) == []
    for button in shown.findChildren(QAbstractButton):
        if button.isVisible():
            assert button.accessibleName(), button.objectName()
            assert button.height() >= TOUCH, button.objectName()
            assert button.objectName()


def test_one_touch_on_a_reason_is_one_stop_with_its_reason(tmp_path, qtbot):
    context = plant.open_terminal(tmp_path)
    plant.sign_in(context, "FFB-1041")
    recording = LineRecording(context)
    recording.start()
    view = DowntimeView(context, DowntimeStation(context, recording))
    qtbot.addWidget(view)
    view.resize(CONTENT)
    view.show()
    view.enter()
    qtbot.mousePress(view.tiles[2], Qt.MouseButton.LeftButton)
    qtbot.wait(60)
    qtbot.mouseRelease(view.tiles[2], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(records.taken(context.store, bodies.StopExplained)) == 1)
    qtbot.waitUntil(lambda: view.tiles[0].tile.code == "breakdown")
    assert records.taken(context.store, bodies.StopExplained)[0].body.reason_code == "breakdown"
    assert "Breakdown" in view._unit.text()
    recording.stop()
    context.store.close()
