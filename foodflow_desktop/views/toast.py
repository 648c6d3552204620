"""A message over the foot of the content that goes by itself; never over the bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from foodflow_desktop.views import theme
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.parts import row

SHOWN_MS = {"ok": 2500, "warn": 6000, "crit": 10000}
_LOOK = {"ok": ("ok", "okSoft", "check"), "warn": ("warn", "warnSoft", "warn"), "crit": ("crit", "critSoft", "crit")}


class Toast(QWidget):
    """What was saved, or what went wrong and what to do."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("toast")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._kind = "ok"
        self._icon, self._words = Icon("check", 24, "ok"), Words("toast.text", 19, 600, wrap=True)
        box = row(gap=12, margins=(20, 14, 24, 14))
        box.addWidget(self._icon)
        box.addWidget(self._words, 1)
        self._box = box
        self.setLayout(box)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def tell(self, text: str, kind: str = "ok") -> None:
        """Show a message."""
        ink, _, icon = _LOOK[kind]
        self._kind = kind
        self._icon.show_icon(icon, ink)
        self._words.say(text, ink)
        window = self._window
        width = min(window.width() - 160, max(260, self._words.fontMetrics().horizontalAdvance(text) + 110))
        self.setFixedWidth(width)
        self.setFixedHeight(max(64, self._box.heightForWidth(width)))
        self.move((window.width() - width) // 2, window.height() - self.height() - 24)
        self.show()
        self.raise_()
        self._timer.start(SHOWN_MS[kind])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground."""
        ink, fill, _ = _LOOK[self._kind]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(ink), 2))
        painter.setBrush(theme.colour(fill))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 14, 14)
