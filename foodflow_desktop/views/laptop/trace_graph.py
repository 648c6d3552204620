"""The graph of a trace: five columns of boxes and the lines between them, painted.

Every box can be reached with Tab and the arrows and says its name, kind and state; the table
beside it (``trace.table``) has the same data.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from foodflow_desktop.stations.trace_layout import COLUMNS, Placed
from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import named, tr
from foodflow_kernel.wire.reports import TraceEdge, TraceNode

BOX_W, BOX_H, PITCH_X, PITCH_Y, LEFT, TOP = 140, 86, 158, 116, 21, 46
LEAST_PITCH_Y = 96
"""Rows stand closer before the graph scrolls."""
ICONS = {"supplier_lot": "sprout", "lot": "box", "batch": "pot", "pallet": "pallet", "customer": "truck"}
HEADS = (
    lambda: tr("Supplier"),
    lambda: tr("Ingredient lot"),
    lambda: tr("Batches"),
    lambda: tr("Finished"),
    lambda: tr("Customers"),
)


def box_lines(text: str) -> list[str]:
    """A title in one line, or in two where the box is too narrow for one."""
    metrics = QFontMetrics(theme.font(14.5, 700))
    room = BOX_W - 50
    if metrics.horizontalAdvance(text) <= room:
        return [text]
    words = text.split(" ")
    splits = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
    return list(min(splits, key=lambda pair: max(map(metrics.horizontalAdvance, pair)))) if splits else [text]


class NodeBox(QAbstractButton):
    """One box of the graph."""

    def __init__(self, node: TraceNode) -> None:
        super().__init__()
        self.node = node
        self.setObjectName(f"trace.node.{node.code or node.id}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        title = named(node.title_names, node.title)
        self.setText(title)
        self._lines = box_lines(title)
        self._code = tr("Customer {code}", code=node.code) if node.kind == "customer" else node.code
        self._detail = named(node.detail_names, node.detail) or (tr("On hold") if node.is_held else "")
        height = theme.px(BOX_H) + (len(self._lines) - 1) * theme.px(17)
        self.setFixedSize(BOX_W, height)
        self.setAccessibleName(", ".join(part for part in (title, self._code, self._detail) if part))
        self.setToolTip(self.accessibleName())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw border, icon, title, code and detail."""
        node = self.node
        fill, border, width = "surface", "ink2", 2.0
        if node.is_held:
            fill, border, width = "holdSoft", "hold", 3.0
        elif node.is_seed:
            fill, border, width = "accentSoft", "accent", 3.0
        if self.hasFocus():
            border, width = "focus", 4.0
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour(border), width))
        painter.setBrush(theme.colour(fill))
        half = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 11, 11)
        icon = "lock" if node.is_held else ICONS.get(node.kind, "box")
        tint = "hold" if node.is_held else "accentInk" if node.is_seed else "ink2"
        painter.drawPixmap(12, 11, theme.pixmap(icon, 18, tint, self.devicePixelRatioF()))
        top = 10
        for line in self._lines:
            self._line(painter, 37, top, line, theme.font(14.5, 700), "ink")
            top += theme.px(17)
        top += theme.px(6)
        is_code = node.kind != "customer"
        self._line(painter, 13, top, self._code, theme.font(13 if is_code else 14, 400, mono=is_code), "ink2")
        self._line(painter, 13, top + theme.px(18), self._detail, theme.font(14, 400), "ink2")

    def _line(self, painter: QPainter, x: int, y: int, text: str, font: QFont, ink: str) -> None:
        painter.setFont(font)
        metrics = painter.fontMetrics()
        room = self.width() - x - 8
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
        painter.setPen(theme.colour(ink))
        painter.drawText(QRectF(x, y, room + 4, metrics.height() + 2), Qt.AlignmentFlag.AlignVCenter, shown)


class TraceGraph(QWidget):
    """Boxes placed by the station, lines painted below them."""

    node_opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("trace.graph")
        self._placed: Sequence[Placed] = ()
        self._edges: Sequence[TraceEdge] = ()
        self._boxes: dict[str, NodeBox] = {}

    def show_trace(self, placed: Sequence[Placed], edges: Sequence[TraceEdge]) -> None:
        """Draw boxes and lines anew."""
        for box in self._boxes.values():
            box.hide()
            box.deleteLater()
        self._placed, self._edges, self._boxes = placed, edges, {}
        for one in placed:
            box = NodeBox(one.node)
            box.setParent(self)
            box.clicked.connect(lambda _=False, node=one.node: self.node_opened.emit(node))
            self._boxes[one.node.id] = box
            box.show()
        self._lay_out()
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for all rows."""
        rows = max((one.row for one in self._placed), default=0.0) + 1
        return QSize(2 * LEFT + PITCH_X * (COLUMNS - 1) + BOX_W, int(TOP + 12 + rows * theme.px(LEAST_PITCH_Y)))

    def minimumSizeHint(self) -> QSize:
        """The graph scrolls; it is never squeezed."""
        return self.sizeHint()

    def resizeEvent(self, event: object) -> None:
        """Keep the columns even."""
        self._lay_out()

    def _pitch(self) -> float:
        return max(float(PITCH_X), (self.width() - 2 * LEFT - BOX_W) / (COLUMNS - 1))

    def _lay_out(self) -> None:
        pitch = self._pitch()
        rows = max((one.row for one in self._placed), default=0.0)
        fits = (self.height() - TOP - 12) / (rows + 1)
        down = min(float(theme.px(PITCH_Y)), max(float(theme.px(LEAST_PITCH_Y)), fits))
        spare = max(0.0, self.height() - TOP - (rows + 1) * down) / 2
        for one in self._placed:
            box = self._boxes[one.node.id]
            middle = TOP + min(spare, 30) + one.row * down + theme.px(BOX_H) / 2
            box.move(int(LEFT + one.node.column * pitch), int(middle - box.height() / 2))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the heads of the columns and the lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(14, 600))
        painter.setPen(theme.colour("ink2"))
        used = {one.node.column for one in self._placed}
        for place in range(COLUMNS):
            if place in used:
                painter.drawText(QPointF(LEFT + place * self._pitch(), 30), HEADS[place]())
        painter.setPen(QPen(theme.colour("ink2"), 3))
        for edge in self._edges:
            source, target = self._boxes.get(edge.source), self._boxes.get(edge.target)
            if source is None or target is None:
                continue
            start = QPointF(source.x() + source.width(), source.y() + source.height() / 2)
            end = QPointF(target.x(), target.y() + target.height() / 2)
            painter.drawPath(_curve(start, end))


def _curve(start: QPointF, end: QPointF) -> QPainterPath:
    path = QPainterPath(start)
    middle = (start.x() + end.x()) / 2
    path.cubicTo(QPointF(middle, start.y()), QPointF(middle, end.y()), end)
    return path
