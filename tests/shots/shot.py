"""A picture of one screen beside its mockup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget

GAP_PX = 24


@dataclass(frozen=True)
class Shot:
    """One screen.

    Args:
        name: file name of the picture, without suffix.
        mockup: file name of the mockup; empty if there is none.
        size: width and height [px] of the window.
        build: makes the whole window with the mockup's data; language and theme are its business.
        focus: object name of the control that the keyboard is on; empty if nobody pressed Tab.
    """

    name: str
    mockup: str
    size: tuple[int, int]
    build: Callable[[], QWidget]
    focus: str = ""


def render(shot: Shot) -> QImage:
    """The window of a shot, drawn offscreen at its size."""
    window = shot.build()
    window.resize(*shot.size)
    window.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # without a control named, none has the ring
    window.show()
    found = window.findChild(QWidget, shot.focus) if shot.focus else window
    if found is None:
        raise LookupError(shot.focus)
    found.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(3):  # layout, polish, fonts
        QApplication.processEvents()
        window.resize(*shot.size)
    image = QImage(*shot.size, QImage.Format.Format_ARGB32)
    image.fill(QColor("white"))
    window.render(image, QPoint())
    window.close()
    window.deleteLater()
    return image


def beside(shot: Shot, ours: QImage, mockups: Path) -> QImage:
    """Mockup left and ours right; ours alone where the mockup is not at hand."""
    theirs = QImage(str(mockups / shot.mockup)) if shot.mockup else QImage()
    if theirs.isNull():
        return ours
    left = theirs.scaled(*shot.size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
    both = QImage(left.width() + GAP_PX + ours.width(), max(left.height(), ours.height()), QImage.Format.Format_ARGB32)
    both.fill(QColor("#ff00ff"))
    painter = QPainter(both)
    painter.drawImage(0, 0, left)
    painter.drawImage(left.width() + GAP_PX, 0, ours)
    painter.end()
    return both
