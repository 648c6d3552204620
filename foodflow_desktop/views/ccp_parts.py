"""What the CCP entry is painted of: the readout, the probe key, the batch's chart, test pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QGridLayout, QWidget

from foodflow_desktop.stations.ccp import Blocked, CcpScreen, Judged, PieceRow, ProbeKey, ProbeState
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.i18n import number, tr
from foodflow_desktop.views.widgets.controls import Words
from foodflow_desktop.views.widgets.kiosk import Pressable, TouchButton

READOUT_H = 150


class Readout(QWidget):
    """The value at 104 px with its unit, and what is said of it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._screen: CcpScreen | None = None
        self.setFixedHeight(READOUT_H)

    def show_screen(self, screen: CcpScreen) -> None:
        """Draw a screen's value."""
        self._screen = screen
        words, note = _verdict(screen)
        self.setAccessibleName(" ".join(part for part in (self.digits(), screen.limit.unit or "", words, note) if part))
        self.update()

    def digits(self) -> str:
        """The value as shown, in the language's own mark."""
        text = self._screen.text if self._screen else ""
        return text.replace(".", ",") if i18n.current() == "es" else text

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field."""
        screen = self._screen
        if screen is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill, border, ink, width, icon = _look(screen)
        half = width / 2
        painter.setPen(QPen(theme.colour(border), width))
        painter.setBrush(theme.colour(fill))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 14, 14)
        right = self._paint_words(painter, screen, ink, icon)
        self._paint_value(painter, screen, ink, right)

    def _paint_value(self, painter: QPainter, screen: CcpScreen, ink: str, right: float) -> None:
        if screen.pieces:
            return
        size = 103.0
        text = self.digits() or "–"
        painter.setFont(theme.font(size / theme.scale(), 700))
        while painter.fontMetrics().horizontalAdvance(text) > right - 120 and size > 40:  # noqa: PLR2004 - still legible
            size -= 8
            painter.setFont(theme.font(size / theme.scale(), 700))
        is_quiet = screen.judged in (Judged.moving, Judged.empty)
        painter.setPen(theme.colour("ink3" if is_quiet else ink))
        width = painter.fontMetrics().horizontalAdvance(text)
        baseline = self.height() / 2 + 38.5
        painter.drawText(QPointF(32, baseline), text)
        painter.setFont(theme.font(39 / theme.scale(), 560))
        painter.drawText(QPointF(32 + width + 11, baseline), screen.limit.unit or "")

    def _paint_words(self, painter: QPainter, screen: CcpScreen, ink: str, icon: str) -> float:
        words, note = _verdict(screen)
        painter.setPen(theme.colour(ink))
        right = self.width() - 31.0
        painter.setFont(theme.font(27, 680))
        width = painter.fontMetrics().horizontalAdvance(words)
        left = right - width
        painter.drawText(QRectF(left, 36, width + 4, 46), Qt.AlignmentFlag.AlignVCenter, words)
        if icon:
            painter.drawPixmap(QPointF(left - 47, 42), theme.pixmap(icon, 34, ink, self.devicePixelRatioF()))
        painter.setFont(theme.font(19.3, 600))
        note_width = painter.fontMetrics().horizontalAdvance(note)
        painter.drawText(QRectF(right - note_width, 80, note_width + 4, 34), Qt.AlignmentFlag.AlignVCenter, note)
        return min(left - (48 if icon else 0), right - note_width)


def _look(screen: CcpScreen) -> tuple[str, str, str, float, str]:
    """Fill, border, ink, border width and icon."""
    if screen.blocked is Blocked.calibration or screen.judged.is_breach:
        return "critSoft", "crit", "crit", 3, "crit"
    match screen.judged:
        case Judged.ok:
            return "okSoft", "ok", "ok", 3, "check"
        case Judged.op_limit | Judged.retype | Judged.differs | Judged.outside_range:
            return "warnSoft", "warn", "warn", 3, "warn"
    return "surface2", "lineStrong", "ink2", 2, ""


def _verdict(screen: CcpScreen) -> tuple[str, str]:
    """What is said of the value, and the line under it."""
    if screen.blocked is Blocked.calibration:
        return tr("Calibration expired"), screen.instrument
    if screen.pieces:
        return _pieces_verdict(screen)
    off = number(abs(screen.margin)) if screen.margin is not None else ""
    filled = {"v": off, "unit": screen.limit.unit or ""}
    return {
        Judged.too_low: (tr("Too low"), tr("{v} {unit} under the limit", **filled)),
        Judged.too_high: (tr("Too high"), tr("{v} {unit} over the limit", **filled)),
        Judged.ok: (tr("In limits"), tr("{v} {unit} inside the limit", **filled)),
        Judged.op_limit: (tr("Close to the limit"), tr("{v} {unit} inside the limit", **filled)),
        Judged.outside_range: (tr("Not plausible"), tr("outside the instrument's range")),
        Judged.retype: (tr("Sure?"), tr("type it twice")),
        Judged.differs: (tr("Not the same"), tr("type it twice")),
        Judged.moving: (tr("Still moving"), ""),
    }.get(screen.judged, ("", ""))


def _pieces_verdict(screen: CcpScreen) -> tuple[str, str]:
    """The same for a metal detector."""
    count = len(screen.pieces)
    if screen.judged is Judged.ok:
        return tr("All rejected"), tr("{n} of {n} test pieces", n=count)
    if screen.judged is Judged.not_rejected:
        return tr("Not rejected"), ", ".join(row.name for row in screen.pieces if row.rejected is False)
    seen = sum(row.rejected is not None for row in screen.pieces)
    return "", tr("{n} of {all} test pieces", n=seen, all=count)


class ProbeButton(Pressable):
    """The probe beside the keypad: its value, and whether it is in use."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._probe: ProbeKey | None = None
        self._unit = ""
        self.setMinimumHeight(2 * 92 + 12)

    def sizeHint(self) -> QSize:
        """Two keys high."""
        return QSize(172, 2 * 92 + 12)

    def show_probe(self, probe: ProbeKey | None, unit: str) -> None:
        """Draw a probe."""
        self._probe, self._unit = probe, unit
        if probe is not None:
            self.say(self.words(), f"{tr('Probe {tag}', tag=probe.tag)}. {self.words()}")
        self.update()

    def words(self) -> str:
        """What the probe says."""
        if self._probe is None:
            return ""
        state = {
            ProbeState.steady: tr("Steady"),
            ProbeState.moving: tr("Still moving"),
            ProbeState.silent: tr("Not connected"),
            ProbeState.bad: tr("No reading"),
        }[self._probe.state]
        return f"{state} · {tr('in use')}" if self._probe.is_used else state

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the key."""
        probe = self._probe
        if probe is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_heard = probe.state in (ProbeState.steady, ProbeState.moving)
        fill, border, ink = ("accentSoft", "accent", "accentInk") if is_heard else ("surface2", "lineStrong", "ink2")
        painter.setPen(QPen(theme.colour(border), 2))
        painter.setBrush(theme.colour(fill))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 13, 13)
        self.paint_focus(painter, 13)
        painter.drawPixmap(QPointF(15, 15), theme.pixmap("usb", 22, ink, self.devicePixelRatioF()))
        painter.setPen(theme.colour(ink))
        painter.setFont(theme.font(16, 600))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        wrap = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom) | int(Qt.TextFlag.TextWordWrap)
        name = tr("Probe {tag}", tag=probe.tag)
        area = QRectF(44, 6, self.width() - 50, 40)
        if painter.fontMetrics().horizontalAdvance(name) > area.width():
            area, name = QRectF(44, 6, self.width() - 50, 40), probe.tag
        painter.drawText(area, left, name)
        painter.setFont(theme.font(16, 600))
        height = painter.fontMetrics().boundingRect(0, 0, self.width() - 28, 200, wrap, self.words()).height()
        painter.drawText(QRectF(16, self.height() - 14 - height, self.width() - 26, height), wrap, self.words())
        painter.setFont(theme.font(30.5, 690))
        shown = f"{number(probe.value)} {self._unit}" if probe.value is not None else "–"
        painter.drawText(QRectF(17, self.height() - 18 - height - 38, self.width() - 20, 40), left, shown)


class PieceRows(QWidget):
    """Test pieces of a metal detector: rejected or not, for each."""

    def __init__(self, name: str, on_piece: Callable[[int, bool], None]) -> None:
        super().__init__()
        self._name, self._on_piece = name, on_piece
        self._rows: list[tuple[Words, TouchButton, TouchButton]] = []
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(16)
        self.setLayout(self._grid)

    def show_rows(self, rows: Sequence[PieceRow]) -> None:
        """Draw what was seen of each piece."""
        while len(self._rows) < len(rows):
            self._grow(len(self._rows))
        for place, parts in enumerate(self._rows):
            for part in parts:
                part.setVisible(place < len(rows))
        for (words, yes, no), one in zip(self._rows, rows, strict=False):
            words.say(f"{one.name} mm")
            yes.say(tr("Rejected"), f"{one.name}: {tr('Rejected')}")
            no.say(tr("Not rejected"), f"{one.name}: {tr('Not rejected')}")
            yes.set_kind("chosen" if one.rejected is True else "outline")
            no.set_kind("danger" if one.rejected is False else "outline")

    def _grow(self, place: int) -> None:
        words = Words(f"{self._name}.{place}", 23, 680)
        yes = TouchButton(f"{self._name}.{place}.rejected", px=20, height=92)
        no = TouchButton(f"{self._name}.{place}.not_rejected", px=20, height=92)
        yes.clicked.connect(lambda: self._on_piece(place, True))
        no.clicked.connect(lambda: self._on_piece(place, False))
        for column, part in enumerate((words, yes, no)):
            self._grid.addWidget(part, place, column)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        self._rows.append((words, yes, no))


class BatchChart(QWidget):
    """The limit as a band, the last checks as a line, the value now as a mark."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._screen: CcpScreen | None = None
        self.setMinimumHeight(150)

    def show_screen(self, screen: CcpScreen) -> None:
        """Draw a screen's history and limit."""
        self._screen = screen
        values = ", ".join(number(point.value) for point in screen.history)
        self.setAccessibleName(tr("Last checks: {values}", values=values or "–"))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the chart."""
        screen = self._screen
        if screen is None or screen.pieces or (screen.limit.low is None and screen.limit.high is None):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        span = _Span(screen, self.height() - 6)
        self._paint_band(painter, screen, span)
        self._paint_points(painter, screen, span)

    def _paint_band(self, painter: QPainter, screen: CcpScreen, span: _Span) -> None:
        band = QRectF(4, 2, 62, self.height() - 10)
        painter.save()
        painter.setClipPath(theme.rounded(band, 12))
        painter.fillRect(band, theme.colour("okSoft"))
        for limit, is_low in ((screen.limit.low, True), (screen.limit.high, False)):
            if limit is not None:
                y = span.y(limit)
                bad = (
                    QRectF(band.left(), y, 62, band.bottom() - y) if is_low else QRectF(band.left(), band.top(), 62, y)
                )
                _hatch(painter, bad)
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour("lineStrong"), 2))
        painter.drawRoundedRect(band, 12, 12)
        for limit in (screen.limit.low, screen.limit.high):
            if limit is not None:
                y = span.y(limit)
                painter.fillRect(QRectF(1, y - 1.5, self.width() - 5, 3), theme.colour("ink"))
                painter.setFont(theme.font(17, 650))
                painter.setPen(theme.colour("ink"))
                text = tr("Limit {v}", v=f"{number(limit)} {screen.limit.unit or ''}".strip())
                painter.drawText(QPointF(87, y - 10), text)

    def _paint_points(self, painter: QPainter, screen: CcpScreen, span: _Span) -> None:
        step, right = 36.0, self.width() - 38.0
        count = len(screen.history)
        points = [QPointF(right - (count - n) * step, span.y(point.value)) for n, point in enumerate(screen.history)]
        painter.setPen(QPen(theme.colour("neutral"), 2.5))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(Qt.PenStyle.NoPen)
        for place, point in zip(points, screen.history, strict=True):
            painter.setBrush(theme.colour("crit" if point.is_breach else "neutral"))
            painter.drawEllipse(place, 6, 6)
        if screen.value is None or screen.judged in (Judged.outside_range, Judged.empty):
            return
        ink = "crit" if screen.judged.is_breach else "ok"
        here = QPointF(right, span.y(screen.value))
        if points:
            pen = QPen(theme.colour(ink), 3, Qt.PenStyle.CustomDashLine, Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([1.6, 1.5])
            painter.setPen(pen)
            painter.drawLine(points[-1], here)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(ink))
        painter.drawPolygon(QPolygonF([here + QPointF(*d) for d in ((0, -14), (14, 0), (0, 14), (-14, 0))]))
        pointer = [QPointF(73, here.y()), QPointF(91, here.y() - 11), QPointF(91, here.y() + 11)]
        painter.drawPolygon(QPolygonF(pointer))
        painter.setFont(theme.font(21, 700))
        painter.setPen(theme.colour(ink))
        painter.drawText(QPointF(100, here.y() + 8), number(screen.value))


def _hatch(painter: QPainter, area: QRectF) -> None:
    """45 degree lines: outside the limit."""
    painter.save()
    painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
    painter.fillRect(area, theme.colour("critSoft"))
    ink = theme.colour("crit")
    ink.setAlphaF(0.33)
    painter.setPen(QPen(ink, 1.8))
    path, x = QPainterPath(), area.left() - area.height()
    while x < area.right() + area.height():
        path.moveTo(x, area.bottom())
        path.lineTo(x + area.height(), area.top())
        x += 14.2
    painter.drawPath(path)
    painter.restore()


class _Span:
    """The values the chart's height stands for.

    Twice the greatest distance from the limit towards the good side, 1.6 times beyond it; with
    two limits as much on both sides of their middle.
    """

    def __init__(self, screen: CcpScreen, height: int) -> None:
        low, high = screen.limit.low, screen.limit.high
        limits = [one for one in (low, high) if one is not None]
        values = [point.value for point in screen.history]
        if screen.value is not None and screen.judged is not Judged.outside_range:
            values.append(screen.value)
        middle = sum(limits, Decimal(0)) / len(limits)
        reach = float(max((abs(value - middle) for value in (*values, *limits)), default=Decimal(0))) or 1.0
        above, below = {(True, False): (2.0, 1.6), (False, True): (1.6, 2.0)}.get(
            (low is not None, high is not None), (1.8, 1.8)
        )
        self._top = float(middle) + reach * above
        self._per = (height - 4) / (reach * (above + below))

    def y(self, value: Decimal) -> float:
        """Where a value lies."""
        return 2 + (self._top - float(value)) * self._per
