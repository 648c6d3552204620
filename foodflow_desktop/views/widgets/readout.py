"""The large weight and its band: seen from a metre away, never jumping while digits change."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from foodflow_desktop.views import theme
from foodflow_desktop.views.widgets.parts import hatch

DIGITS_PX, UNIT_PX, ABOUT_PX = 176, 58, 120


class Readout(QWidget):
    """A number with its unit at 176 px, ``≈`` before it, or three dashes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._text, self._unit, self._ink, self._is_about = "", "", "ink", False
        self.setFixedHeight(196)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_value(self, text: str, unit: str, *, ink: str = "ink", is_about: bool = False) -> None:
        """Show a number; an empty text shows dashes."""
        shown = (text, unit, ink, is_about)
        if shown != (self._text, self._unit, self._ink, self._is_about):
            self._text, self._unit, self._ink, self._is_about = shown
            self.update()

    def text(self) -> str:
        """What is shown, as words."""
        return f"{'≈ ' if self._is_about else ''}{self._text} {self._unit}" if self._text else "– – –"

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw number, unit and mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._text:
            self._paint_dashes(painter)
            return
        scale = min(1.0, self.width() / 690)  # narrow windows keep the whole number
        digits, unit = (
            theme.font(DIGITS_PX * scale / theme.scale(), 700),
            theme.font(UNIT_PX * scale / theme.scale(), 600),
        )
        digits.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, -0.01 * DIGITS_PX * scale)
        about = theme.font(ABOUT_PX * scale / theme.scale(), 700)
        number_w = QFontMetricsF(digits).horizontalAdvance(self._text)
        about_w = QFontMetricsF(about).horizontalAdvance("≈") + 26 if self._is_about else 0.0
        unit_w = QFontMetricsF(unit).horizontalAdvance(self._unit) + 14
        left = (self.width() - number_w - about_w - unit_w) / 2
        base = 170.0
        painter.setPen(theme.colour(self._ink))
        if self._is_about:
            painter.setFont(about)
            painter.drawText(QPointF(left, base), "≈")
        painter.setFont(digits)
        painter.drawText(QPointF(left + about_w, base), self._text)
        painter.setFont(unit)
        painter.setPen(theme.colour("ink2"))
        painter.drawText(QPointF(left + about_w + number_w + 14, base), self._unit)

    def _paint_dashes(self, painter: QPainter) -> None:
        left = (self.width() - 314) / 2 + 4
        for number in range(3):
            painter.fillRect(QRectF(left + number * 113, 106, 88, 21), theme.colour("ink2"))


class WeightBand(QWidget):
    """Low limit, target and high limit on a band, hatched outside, with a marker on the reading."""

    BAND_TOP, BAND_H = 32, 40
    INSIDE = 0.5214
    """Share of the width between the limits."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._limits: tuple[float, float, float] | None = None
        self._texts: tuple[tuple[str, str], ...] = ()
        self._value: float | None = None
        self._ink = "ink2"
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(self.BAND_TOP + self.BAND_H + 4 + theme.px(27) + theme.px(22))

    def show_band(
        self,
        limits: tuple[float, float, float] | None,
        texts: tuple[tuple[str, str], ...],
        value: float | None,
        ink: str,
    ) -> None:
        """Draw limits (low, target, high) with number and word each, and the marker in a colour."""
        self._limits, self._texts, self._value, self._ink = limits, texts, value, ink
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw band, limits and marker."""
        if self._limits is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        low, _, high = self._limits
        per_g = self.width() * self.INSIDE / max(0.001, high - low)
        left = self.width() * (1 - self.INSIDE) / 2

        def x_of(value: float) -> float:
            return left + (value - low) * per_g

        band = QRectF(0, self.BAND_TOP, self.width(), self.BAND_H)
        painter.save()
        painter.setClipPath(theme.rounded(band, 9))
        hatch(painter, band, "neutral", "track", 14.14, 1.5)
        painter.restore()
        inside = QRectF(x_of(low), self.BAND_TOP, x_of(high) - x_of(low), self.BAND_H)
        painter.fillRect(inside, theme.colour("surface"))
        painter.fillRect(inside, theme.colour("okSoft"))
        painter.setPen(QPen(theme.colour("ok"), 2.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(inside)
        self._paint_target(painter, x_of(self._limits[1]))
        self._paint_texts(painter, [x_of(value) for value in self._limits])
        if self._value is not None:
            self._paint_marker(painter, min(self.width() - 15.0, max(15.0, x_of(self._value))))

    def _paint_target(self, painter: QPainter, x: float) -> None:
        pen = QPen(theme.colour("ok"), 2)
        pen.setDashPattern([2.5, 2.0])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(x, self.BAND_TOP + 2), QPointF(x, self.BAND_TOP + self.BAND_H - 1))

    def _paint_texts(self, painter: QPainter, places: list[float]) -> None:
        top = self.BAND_TOP + self.BAND_H + 4
        for x, (number, word) in zip(places, self._texts, strict=False):
            painter.setFont(theme.font(20, 700))
            painter.setPen(theme.colour("ink"))
            painter.drawText(QRectF(x - 80, top, 160, theme.px(27)), Qt.AlignmentFlag.AlignCenter, number)
            painter.setFont(theme.font(15, 450))
            painter.setPen(theme.colour("ink3"))
            words = QRectF(x - 80, top + theme.px(25), 160, theme.px(22))
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, word)

    def _paint_marker(self, painter: QPainter, x: float) -> None:
        painter.setPen(QPen(QColor(Qt.GlobalColor.transparent)))
        painter.setBrush(theme.colour(self._ink))
        painter.drawPolygon(QPolygonF([QPointF(x - 15, 0), QPointF(x + 15, 0), QPointF(x, 25)]))
        painter.drawRoundedRect(QRectF(x - 2.5, 20, 5, 59), 1, 1)
