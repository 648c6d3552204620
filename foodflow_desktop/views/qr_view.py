"""A QR code as a picture that a supervisor's phone or scanner reads from the screen."""

from __future__ import annotations

import segno
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent

from foodflow_desktop.views import theme
from foodflow_desktop.views.widgets.parts import Card

INK, PAPER = "#13212D", "#FFFFFF"
"""Dark on white in every theme: readers want it so."""


class QrView(Card):
    """Draws one code with its quiet zone."""

    def __init__(self, name: str, size: int = 224) -> None:
        super().__init__(name)
        self.setFixedSize(size, size)
        self.radius = 12
        self._text = ""
        self._rows: list[bytearray] = []

    def show_text(self, text: str) -> None:
        """Encode a text."""
        if text != self._text:
            self._text = text
            self._rows = [bytearray(line) for line in segno.make(text, error="m", micro=False).matrix]
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw paper and modules."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.colour("line"))
        painter.setBrush(QColor(PAPER))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), self.radius, self.radius)
        if not self._rows:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        whole = self.width() - 38
        edges = [19 + round(whole * place / len(self._rows)) for place in range(len(self._rows) + 1)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(INK))
        for down, line in enumerate(self._rows):
            for across, is_dark in enumerate(line):
                if is_dark:
                    left, top = edges[across], edges[down]
                    painter.drawRect(left, top, edges[across + 1] - left, edges[down + 1] - top)
