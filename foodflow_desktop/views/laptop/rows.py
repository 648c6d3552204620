"""Rows that can be picked, and the area that scrolls when there are many."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QLayout, QScrollArea, QSizePolicy, QWidget

from foodflow_desktop.views import theme
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.parts import column, row


def scrolled(layout: QLayout) -> QScrollArea:
    """A layout in an area that scrolls vertically."""
    inside = QWidget()
    inside.setLayout(layout)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inside)
    area.viewport().setAutoFillBackground(False)
    return area


class PickRow(QAbstractButton):
    """A list row: icon, title, what it is about, and something short on the right."""

    def __init__(self, name: str, icon: str, colour: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._is_chosen = False
        self._title = Words(f"{name}.title", 15.5, 700, wrap=True)
        self._below = Words(f"{name}.detail", 14.5, 400, "ink2", wrap=True)
        self._right = Words(f"{name}.right", 14.5, 500, "ink2")
        words = column(gap=2)
        words.addWidget(self._title)
        words.addWidget(self._below)
        box = row(gap=14, margins=(16, 12, 16, 12))
        box.addWidget(Icon(icon, 22, colour), 0, Qt.AlignmentFlag.AlignTop)
        box.addLayout(words, 1)
        box.addWidget(self._right, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(box)
        for part in (self._title, self._below, self._right):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def say(self, title: str, below: str, right: str = "") -> None:
        """Change the words."""
        self._title.say(title)
        self._below.say(below)
        self._right.say(right)
        self.setText(title)
        self.setAccessibleName(f"{title}, {below}")

    def set_chosen(self, is_chosen: bool) -> None:
        """Mark the row whose detail is shown."""
        self._is_chosen = is_chosen
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw field and border."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self._is_chosen or self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.setBrush(theme.colour("accentSoft") if self._is_chosen else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area, 10, 10)
        elif self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("surface2"))
            painter.drawRoundedRect(area, 10, 10)
