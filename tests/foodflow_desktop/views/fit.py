"""Does everything on the screen fit? Words are not cut, controls keep their size and their names."""

from __future__ import annotations

from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QScrollBar, QWidget

from foodflow_desktop.views import theme
from foodflow_desktop.views.bar import BarButton
from foodflow_desktop.views.widgets.kiosk import Pressable, TouchButton
from foodflow_desktop.views.widgets.mixed import MixedWords

SMALLEST = 72
SLACK = 2


def problems(window: QWidget) -> list[str]:
    """What is cut, too small or without a name, by object name."""
    for _ in range(6):  # a view made just now settles one turn later than one that was there
        QApplication.processEvents()
    found = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or isinstance(widget, QScrollBar):
            continue
        if isinstance(widget, QLabel):
            found += _label(widget)
        elif isinstance(widget, Pressable):
            found += _button(widget)
        elif isinstance(widget, QAbstractButton) and not widget.accessibleName():
            found.append(f"{widget.objectName()}: no accessible name")
    return found


def words_of(window: QWidget) -> list[str]:
    """What a person reads on it, label by label."""
    QApplication.processEvents()
    labels = [one for one in window.findChildren(QLabel) if one.isVisible()]
    mixed = [one for one in window.findChildren(MixedWords) if one.isVisible()]
    return [one.text() for one in labels] + [one.text() for one in mixed]


def _label(label: QLabel) -> list[str]:
    text = label.text()
    if not text:
        return []
    metrics = QFontMetrics(label.font())
    lines = text.split("\n")
    if label.wordWrap():
        if label.heightForWidth(label.width()) > label.height() + SLACK:
            return [
                f"{label.objectName()}: '{text}' needs {label.heightForWidth(label.width())}, has {label.height()} high"
            ]
        return []
    wide, high = max(map(metrics.horizontalAdvance, lines)), metrics.height() * len(lines)
    if wide > label.width() + SLACK:
        return [f"{label.objectName()}: '{text}' needs {wide}, has {label.width()} wide"]
    if high > label.height() + SLACK:
        return [f"{label.objectName()}: '{text}' needs {high}, has {label.height()} high"]
    return []


def _button(button: Pressable) -> list[str]:
    found = []
    if not button.accessibleName():
        found.append(f"{button.objectName()}: no accessible name")
    is_small = button.height() < SMALLEST or (button.width() < SMALLEST and not isinstance(button, BarButton))
    if is_small:
        found.append(f"{button.objectName()}: {button.width()}x{button.height()} is too small to touch")
    if isinstance(button, TouchButton) and button.text():
        metrics = QFontMetrics(theme.font(button._px, button._weight))
        icon = (button._icon_px + 14) if button._icon else 0
        lines = button._lines(button.width() - icon - 16)
        widest = max(metrics.horizontalAdvance(line) for line in lines) + icon
        if widest > button.width() or len(lines) * metrics.lineSpacing() > button.height():
            found.append(f"{button.objectName()}: '{button.text()}' needs {widest}, has {button.width()} wide")
    return found
