"""Small things that screens are made of: cards, bars, strips, rules.

Sizes are those of the 1440x900 reference (ux.md, section 8, Type: laptop) and follow the text
scale. Colours are tokens, so that a theme change repaints everything without a new widget.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QStackedWidget, QVBoxLayout, QWidget

from foodflow_desktop.views import theme
from foodflow_kernel.wire.reports import StripPart


def column(*, gap: int = 0, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QVBoxLayout:
    """An empty column without the style's own spacing."""
    box = QVBoxLayout()
    box.setContentsMargins(*margins)
    box.setSpacing(gap)
    return box


def row(*, gap: int = 0, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QHBoxLayout:
    """An empty row without the style's own spacing."""
    box = QHBoxLayout()
    box.setContentsMargins(*margins)
    box.setSpacing(gap)
    return box


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


class Stack(QStackedWidget):
    """One of several; only the one in front asks for room."""

    def sizeHint(self) -> QSize:
        """That of the one in front."""
        found = self.currentWidget()
        return found.sizeHint() if found is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """That of the one in front."""
        found = self.currentWidget()
        return found.minimumSizeHint() if found is not None else super().minimumSizeHint()

    def hasHeightForWidth(self) -> bool:
        """Pages are as high as they are given."""
        return False

    def setCurrentWidget(self, widget: QWidget) -> None:
        """Bring one to the front."""
        if widget is not self.currentWidget():
            super().setCurrentWidget(widget)
            self.updateGeometry()


class Card(QFrame):
    """A rounded surface; a problem gives it a border that is seen from afar."""

    def __init__(self, name: str = "", *, fill: str = "surface", border: str = "line", width: float = 1) -> None:
        super().__init__()
        self.setObjectName(name)
        self._fill, self._border, self._width, self.radius = fill, border, width, 16

    def set_border(self, border: str, width: float) -> None:
        """Change the border: colour token and width [px]."""
        if (border, width) != (self._border, self._width):
            self._border, self._width = border, width
            self.update()

    def set_fill(self, fill: str) -> None:
        """Change the surface."""
        self._fill = fill
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the surface."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = max(self._width, 2) if theme.is_high_contrast() and self._width else self._width
        half = width / 2
        painter.setPen(QPen(theme.colour(self._border), width) if width else Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(self._fill))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), self.radius, self.radius)


class Rule(QWidget):
    """A thin line between rows."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        QPainter(self).fillRect(self.rect(), theme.colour("line"))


class Bar(QWidget):
    """A share of a whole: 0..1, None draws the empty track."""

    def __init__(self, name: str, height: int = 8) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFixedHeight(height)
        self._share: float | None = None
        self._colour = "neutral"

    def show_share(self, share: float | None, colour: str = "neutral") -> None:
        """Draw a share in a colour."""
        self._share, self._colour = share, colour
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw track and share."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        radius = area.height() / 2
        painter.setBrush(theme.colour("track"))
        painter.drawRoundedRect(area, radius, radius)
        if self._share:
            area.setWidth(max(area.height(), area.width() * min(1.0, self._share)))
            painter.setBrush(theme.colour(self._colour))
            painter.drawRoundedRect(area, radius, radius)


class PlanBar(QWidget):
    """Made of planned, with a tick where the plan stands now."""

    TICK_H = 17

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFixedHeight(self.TICK_H)
        self._made: float | None = None
        self._now: float | None = None

    def show_shares(self, made: float | None, now: float | None) -> None:
        """Both as shares of the plan, 0..1."""
        self._made, self._now = made, now
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw track, made and tick."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        width, middle = self.width(), self.height() / 2
        area = QRectF(0, middle - 4.5, width, 9)
        painter.setBrush(theme.colour("track"))
        painter.drawRoundedRect(area, 4.5, 4.5)
        if self._made:
            area.setWidth(max(9.0, width * min(1.0, self._made)))
            painter.setBrush(theme.colour("accent"))
            painter.drawRoundedRect(area, 4.5, 4.5)
        if self._now is not None:
            painter.setBrush(theme.colour("ink"))
            left = min(width - 3.0, max(0.0, width * self._now - 1.5))
            painter.drawRect(QRectF(left, 0, 3, self.height()))


STRIP_COLOURS = {"running": "neutral", "stopped": "ink", "setup": "track", "planned": "track"}


def hatch(
    painter: QPainter, area: QRectF, ink: str = "off", ground: str = "offSoft", pitch: float = 7.8, width: float = 1.7
) -> None:
    """Fill an area with 45 degree lines: outside a tolerance, a stretch that was not heard, or is not found."""
    painter.save()
    painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
    painter.fillRect(area, theme.colour(ground))
    painter.setPen(QPen(theme.colour(ink), width))
    x = area.left() - area.height()
    while x < area.right() + area.height():
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x + area.height(), area.top()))
        x += pitch
    painter.restore()


class Strip(QWidget):
    """The shift as one strip: running, stopped, planned, and hatched where nothing was heard."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFixedHeight(26)
        self._parts: Sequence[StripPart] = ()
        self._from: datetime | None = None
        self._to: datetime | None = None

    def show_parts(self, parts: Sequence[StripPart], from_at: datetime, to_at: datetime) -> None:
        """Draw stretches of a shift."""
        self._parts, self._from, self._to = parts, from_at, to_at
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the stretches, longest names first in time."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("surface2"))
        painter.drawRoundedRect(area, 4, 4)
        if self._from is None or self._to is None:
            return
        clip = theme.rounded(area, 4)
        painter.setClipPath(clip)
        length = (self._to - self._from).total_seconds()
        for part in self._parts:
            left = area.width() * max(0.0, (part.from_at - self._from).total_seconds() / length)
            right = area.width() * min(1.0, (part.to_at - self._from).total_seconds() / length)
            box = QRectF(left, 0, max(1.0, right - left), area.height())
            if part.state == "not_heard":
                hatch(painter, box)
                continue
            painter.fillRect(box, theme.colour(STRIP_COLOURS.get(part.state, "track")))
            if part.state == "stopped":
                painter.fillRect(QRectF(left - 1, 0, 1, area.height()), theme.colour("surface"))
                painter.fillRect(QRectF(box.right(), 0, 1, area.height()), theme.colour("surface"))


class Swatch(QWidget):
    """One entry of a legend."""

    def __init__(self, kind: str, px: int = 14) -> None:
        super().__init__()
        self.kind = kind
        self.setFixedSize(px, px)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a small field of the legend's kind."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        painter.setClipPath(theme.rounded(area, 3.5))
        if self.kind == "not_heard":
            hatch(painter, area)
        else:
            painter.fillRect(area, theme.colour(STRIP_COLOURS.get(self.kind, self.kind)))
