"""No cut label, no control under its minimum, every control named: in Spanish, at 130 %, in a small window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QScrollArea

from foodflow_desktop.views.widgets.kiosk import Pressable, TouchButton
from tests.shots import run, sign_in, weigh

pytestmark = pytest.mark.qt

SCREENS = {
    "sign-in": lambda **over: sign_in.build(sign_in.SCREEN, **over),
    "wrong PIN": lambda **over: sign_in.build(sign_in.WRONG, **over),
    "run": lambda **over: run.build(run.HOME, **over),
    "run offline": lambda **over: run.build(run.OFFLINE_ES, **over),
    "no batch": lambda **over: run.build(run.NO_BATCH, **over),
    "weigh": lambda **over: weigh.build(weigh.READY, **over),
    "weigh moving": lambda **over: weigh.build(weigh.MOVING, **over),
    "weigh over": lambda **over: weigh.build(weigh.OVER, **over),
    "weigh silent": lambda **over: weigh.build(weigh.SILENT, **over),
    "weigh test due": lambda **over: weigh.build(weigh.TEST_DUE, **over),
    "weigh too heavy": lambda **over: weigh.build(weigh.HEAVY, **over),
    "weigh reason": lambda **over: weigh.build(weigh.REASON, **over),
    "weigh typing": lambda **over: weigh.build(weigh.TYPING, **over),
    "weigh testing": lambda **over: weigh.build(weigh.TESTING, **over),
    "weigh correcting": lambda **over: weigh.build(weigh.CORRECTING, **over),
}
VARIANTS = [
    ((1280, 800), "light", "en", 1.0),
    ((1280, 800), "dark", "es", 1.0),
    ((1280, 800), "light", "es", 1.3),
    ((1024, 768), "high_contrast", "es", 1.0),
    ((1440, 900), "dark", "en", 1.3),
]
TOUCH_PX = 72


def shown(screen, size, theme, language, scale):
    window = SCREENS[screen](theme=theme, language=language, scale=scale)()
    window.show()
    for _ in range(4):
        window.resize(*size)
        QApplication.processEvents()
    return window


def cut(label: QLabel) -> bool:
    room = label.contentsRect()
    metrics = QFontMetricsF(label.font())
    if label.wordWrap():
        longest = max((metrics.horizontalAdvance(word) for word in label.text().split()), default=0)
        return label.heightForWidth(label.width()) > label.height() + 1 or longest > room.width() + 1
    return metrics.horizontalAdvance(label.text()) > room.width() + 1 or metrics.height() > room.height() + 6


def cut_button(button: TouchButton) -> bool:
    metrics = QFontMetricsF(button.words_font())
    lines = button.lines_shown()
    widest = max((metrics.horizontalAdvance(line) for line in lines), default=0)
    return widest + button.icon_room() > button.width() or metrics.height() * len(lines) > button.height() + 6


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda one: f"{one[0][0]}-{one[1]}-{one[2]}-{one[3]}")
@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_is_cut_and_everything_can_be_touched(qtbot, screen, variant):
    window = shown(screen, *variant)
    qtbot.addWidget(window)
    page = window.findChild(QScrollArea, "page")
    assert page.widget().width() <= page.viewport().width(), "wider than the window"
    labels = [one for one in page.findChildren(QLabel) if one.isVisible() and one.text()]
    assert [f"{one.objectName()}: {one.text()}" for one in labels if cut(one)] == []
    buttons = [one for one in page.findChildren(TouchButton) if one.isVisible()]
    assert [f"{one.objectName()}: {one.text()}" for one in buttons if cut_button(one)] == []
    touched = [one for one in page.findChildren(Pressable) if one.isVisible()]
    small = [one.objectName() for one in touched if min(one.width(), one.height()) < TOUCH_PX - 4]
    assert small == []


@pytest.mark.parametrize("screen", SCREENS)
def test_controls_have_names_and_do_not_overlap(qtbot, screen):
    window = shown(screen, *VARIANTS[1])
    qtbot.addWidget(window)
    controls = [one for one in window.findChildren(QAbstractButton) if one.isVisible()]
    assert [one for one in controls if not one.objectName() or not one.accessibleName()] == []
    areas = [(one.objectName(), QRect(one.mapTo(window, one.rect().topLeft()), one.size())) for one in controls]
    hit = [
        (name, other)
        for place, (name, area) in enumerate(areas)
        for other, its in areas[place + 1 :]
        if area.intersects(its)
    ]
    assert hit == []
