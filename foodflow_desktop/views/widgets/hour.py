"""The count against plan, and the last hour in five-minute bars."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from foodflow_desktop.stations.line_screen import HourBar
from foodflow_desktop.views import i18n, theme


class PlanTrack(QWidget):
    """Made of planned, with a tick where the plan stands now and its words below."""

    BAR_H, TICK_H = 22, 34

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._made: float = 0.0
        self._now: float | None = None
        self._words = ""
        self.retheme()

    def retheme(self) -> None:
        """Follow the text scale."""
        self.setFixedHeight(self.TICK_H + theme.px(24))

    def show_shares(self, made: float, now: float | None, words: str) -> None:
        """Both as shares of the plan, 0..1."""
        self._made, self._now, self._words = made, now, words
        self.setAccessibleName(words)
        self.update()

    def text(self) -> str:
        """The words of the tick."""
        return self._words

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw track, made, tick and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        top, radius = (self.TICK_H - self.BAR_H) / 2, self.BAR_H / 2
        area = QRectF(0, top, self.width(), self.BAR_H)
        painter.setBrush(theme.colour("track"))
        painter.drawRoundedRect(area, radius, radius)
        if self._made > 0:
            area.setWidth(max(self.BAR_H, self.width() * min(1.0, self._made)))
            painter.setBrush(theme.colour("accent"))
            painter.drawRoundedRect(area, radius, radius)
        if self._now is None:
            return
        x = min(self.width() - 2.0, max(2.0, self.width() * self._now))
        painter.setBrush(theme.colour("ink"))
        painter.drawRoundedRect(QRectF(x - 1.5, 0, 3, self.TICK_H), 1, 1)
        painter.setFont(theme.font(15, 600))
        painter.setPen(theme.colour("ink2"))
        width = painter.fontMetrics().horizontalAdvance(self._words) + 4
        left = min(self.width() - width, max(0.0, x - width / 2))
        words = QRectF(left, self.TICK_H, width, theme.px(24))
        painter.drawText(words, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, self._words)


class HourBars(QWidget):
    """Twelve bars of five minutes, the target as a dashed line, a stop in dark."""

    LABELS = (0, 3, 6, 9)
    """Bars whose start is written below; the end is written at the right."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._bars: tuple[HourBar, ...] = ()
        self._per_bar: int | None = None
        self._end = ""
        self.setMinimumHeight(90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_bars(self, bars: tuple[HourBar, ...], per_bar: int | None, end: str) -> None:
        """Draw the bars; ``per_bar`` is the target of one."""
        self._bars, self._per_bar, self._end = bars, per_bar, end
        self.setAccessibleName(", ".join(f"{i18n.clock(bar.from_at)} {bar.count}" for bar in bars))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw bars, target and times."""
        if not self._bars:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        foot = theme.px(35)
        height = self.height() - foot
        top = 2.0
        target_y = top + (height - top) * 0.11
        most = max(bar.count for bar in self._bars)
        full = max(self._per_bar or 0, most * 0.9, 1) / (1 - 0.105)
        pitch = self.width() / len(self._bars)
        painter.setPen(Qt.PenStyle.NoPen)
        for number, bar in enumerate(self._bars):
            left = number * pitch + 4
            if bar.is_stop:
                painter.setBrush(theme.colour("track"))
                painter.drawRoundedRect(QRectF(left, top, pitch - 8, height - top), 4, 4)
            painter.setBrush(theme.colour("ink3" if bar.is_stop else "neutral"))
            tall = (height - top) * min(1.0, bar.count / full)
            if tall > 1:
                painter.drawRoundedRect(QRectF(left, height - tall, pitch - 8, tall), 5, 5)
        if self._per_bar:
            pen = QPen(theme.colour("accent"), 2.8)
            pen.setDashPattern([2.5, 2.1])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLine(QPointF(0, target_y), QPointF(self.width(), target_y))
        self._paint_times(painter, height, pitch)

    def _paint_times(self, painter: QPainter, top: float, pitch: float) -> None:
        painter.setFont(theme.font(15.5, 450))
        painter.setPen(theme.colour("ink3"))
        line = QRectF(0, top, self.width(), self.height() - top - 4)
        for number in self.LABELS:
            if number >= len(self._bars):
                continue
            words = i18n.clock(self._bars[number].from_at)
            at = QRectF(number * pitch + 2, line.top(), pitch * 2, line.height())
            if number:
                at.moveLeft(number * pitch - pitch / 2 + 7)
            painter.drawText(at, Qt.AlignmentFlag.AlignVCenter, words)
        painter.drawText(
            line.adjusted(0, 0, -2, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._end
        )


class Dash(QWidget):
    """A dashed line in a legend."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(29, 16)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        pen = QPen(theme.colour("accent"), 3.2)
        pen.setDashPattern([2.2, 1.35])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawLine(QPointF(0, 8), QPointF(29, 8))
