"""Parts of the Run view: the state, the tasks, the wide buttons, the offline strip, the planned orders."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from foodflow_desktop.stations.line_screen import LineWord, Offline, Planned, Task, TaskState
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pressable
from foodflow_desktop.views.widgets.parts import Card, column, row

TASK_H, STRIP_H = 98, 68
DOTS = {LineWord.running: "ok", LineWord.stopped: "ink", LineWord.paused: "neutral"}


class StateChip(QWidget):
    """What the line does, and for how long: a dot, a word, a length."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._word, self._tail, self._dot = "", "", "ok"
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_state(self, word: LineWord, minutes: int) -> None:
        """Draw it."""
        self._dot = DOTS[word]
        self._word = {
            LineWord.running: tr("Running"),
            LineWord.stopped: tr("Stopped"),
            LineWord.paused: tr("Paused"),
        }[word]
        self._tail = "" if word is LineWord.paused else tr("for {n} min", n=minutes)
        self.setAccessibleName(self.text())
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        """The words shown."""
        return f"{self._word} {self._tail}".strip()

    def sizeHint(self) -> QSize:
        """Room for dot and words."""
        width = 36 + QFontMetricsF(theme.font(19, 680)).horizontalAdvance(self._word) + 14
        if self._tail:
            width += 8 + QFontMetricsF(theme.font(18, 450)).horizontalAdvance(self._tail)
        return QSize(round(width), max(40, theme.px(32)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw field, dot and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 2 if theme.is_high_contrast() else 1
        painter.setPen(QPen(theme.colour("line"), width))
        painter.setBrush(theme.colour("surface2"))
        half, inset = self.height() / 2, width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), half - inset, half - inset)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(self._dot))
        dot = QRectF(14, half - 7, 14, 14)
        painter.drawRect(dot) if self._dot == "ink" else painter.drawEllipse(dot)
        left = 36.0
        for text, px, weight, ink in ((self._word, 19, 680, "ink"), (self._tail, 18, 450, "ink2")):
            painter.setFont(theme.font(px, weight))
            painter.setPen(theme.colour(ink))
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(QRectF(left, 0, width + 4, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            left += width + 8


class TaskButton(Pressable):
    """One thing to do next; late is amber with a triangle."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._task: Task | None = None
        self._note = ""
        self.setMinimumHeight(TASK_H)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def task(self) -> Task | None:
        """What it opens."""
        return self._task

    def show_task(self, task: Task) -> None:
        """Draw a task."""
        self._task = task
        at = i18n.clock(task.at) if task.at else ""
        self._note = {
            TaskState.late: tr("Late {n} min", n=task.minutes),
            TaskState.soon: tr("In {n} min", n=task.minutes),
            TaskState.at: tr("At {at}", at=at),
        }[task.state]
        name = task.name or tr("Weigh check")
        self.say(name, f"{name}. {self._note}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        if self._task is None:
            return
        is_late = self._task.state is TaskState.late
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("warnLine" if is_late else "line"), 1.2))
        fill = "warnSoft" if is_late else "surface"
        painter.setBrush(theme.colour("accentSoft" if self.isDown() else fill))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)
        self.paint_focus(painter, 12)
        middle, ratio = self.height() / 2, self.devicePixelRatioF()
        ink = "warn" if is_late else "ink2"
        painter.drawPixmap(QPointF(17, middle - 18), theme.pixmap(self._task.icon or "clipboard", 36, ink, ratio, 1.9))
        painter.drawPixmap(QPointF(self.width() - 42, middle - 15), theme.pixmap("chevron", 30, "ink3", ratio, 1.9))
        painter.setFont(theme.font(19.4, 680))
        painter.setPen(theme.colour("ink"))
        room = self.width() - 67 - 44
        centre = Qt.AlignmentFlag.AlignVCenter
        name = QRectF(67, middle - theme.px(13) - 18, room, 36)
        if painter.fontMetrics().horizontalAdvance(self.text()) > room:
            painter.setFont(theme.font(17, 680))
        painter.drawText(name, centre, self.text())
        left = 67.0
        if is_late:
            painter.drawPixmap(QPointF(left, middle + theme.px(14) - 10), theme.pixmap("warn", 19, "warn", ratio))
            left += 25
        painter.setFont(theme.font(16, 650))
        painter.setPen(theme.colour("warn" if is_late else "ink2"))
        painter.drawText(QRectF(left, middle + theme.px(14) - 15, room, 30), centre, self._note)


class WideButton(Pressable):
    """A large secondary action with its icon at the left."""

    def __init__(self, name: str, icon: str) -> None:
        super().__init__(name)
        self._icon = icon
        self.setMinimumHeight(72)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def _lines(self) -> list[str]:
        metrics = QFontMetricsF(theme.font(22, 680))
        words, room = self.text().split(" "), self.width() - 78 - 16
        if metrics.horizontalAdvance(self.text()) <= room or len(words) == 1:
            return [self.text()]
        splits = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
        return list(min(splits, key=lambda pair: max(map(metrics.horizontalAdvance, pair))))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_on = self.isEnabled()
        painter.setPen(QPen(theme.colour("lineStrong" if is_on else "line"), 2))
        painter.setBrush(theme.colour("accentSoft" if self.isDown() else "surface" if is_on else "surface2"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 13, 13)
        self.paint_focus(painter, 13)
        ink = "ink" if is_on else "ink3"
        pixmap = theme.pixmap(self._icon, 32, ink, self.devicePixelRatioF(), 1.9)
        painter.drawPixmap(QPointF(27, self.height() / 2 - 16), pixmap)
        painter.setFont(theme.font(22, 680))
        painter.setPen(theme.colour(ink))
        lines, height = self._lines(), painter.fontMetrics().height() - 3
        top = (self.height() - height * len(lines)) / 2
        for number, line in enumerate(lines):
            area = QRectF(78, top + number * height - 6, self.width() - 80, height + 12)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, line)


class OfflineStrip(Pressable):
    """Since when there is no hub, and what still works; it goes by itself."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._rest, self._see = "", ""
        self.setFixedHeight(STRIP_H)
        self.hide()

    def show_offline(self, offline: Offline | None) -> None:
        """Show or hide it."""
        self.setVisible(offline is not None)
        if offline is None:
            return
        since = i18n.clock(offline.since) if offline.since else ""
        head = tr("Offline since {at}", at=since) if since else tr("Offline")
        self._rest = tr("You can record, check and hold.")
        if offline.waiting:
            self._rest += " " + tr("{n} saved here.", n=offline.waiting)
        self._see = tr("See")
        self.say(head, f"{head}. {self._rest}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("lineStrong"), 1))
        painter.setBrush(theme.colour("offSoft"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 13, 13)
        self.paint_focus(painter, 13)
        ratio, centre = self.devicePixelRatioF(), Qt.AlignmentFlag.AlignVCenter
        painter.drawPixmap(QPointF(23, 18), theme.pixmap("cloud_off", 32, "off", ratio, 1.8))
        painter.setFont(theme.font(19, 680))
        painter.setPen(theme.colour("ink"))
        width = painter.fontMetrics().horizontalAdvance(self.text())
        painter.drawText(QRectF(71, 0, width + 4, self.height()), centre, self.text())
        painter.drawPixmap(QPointF(self.width() - 45, 22), theme.pixmap("chevron", 23, "accent", ratio, 2))
        painter.setFont(theme.font(17, 680))
        see = painter.fontMetrics().horizontalAdvance(self._see)
        painter.setPen(theme.colour("accent"))
        painter.drawText(QRectF(self.width() - 53 - see, 0, see + 4, self.height()), centre, self._see)
        painter.setFont(theme.font(18.4, 450))
        painter.setPen(theme.colour("ink2"))
        room = self.width() - 71 - width - 18 - see - 70
        rest = painter.fontMetrics().elidedText(self._rest, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(QRectF(71 + width + 18, 0, room + 4, self.height()), centre, rest)


class Figure(QWidget):
    """A label, a number and what belongs to it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._label, self._value = Words(f"{name}.label", 16, 560, "ink3", wrap=True), Words(f"{name}.value", 26, 720)
        self._tail = Words(f"{name}.tail", 16.4, 450, "ink2", wrap=True)
        line = row(gap=5)
        line.addWidget(self._value)
        line.addWidget(self._tail, 1, Qt.AlignmentFlag.AlignBottom)
        self._tail.setContentsMargins(0, 0, 0, 2)  # on the value's baseline
        box = column(gap=3)
        box.addWidget(self._label)
        box.addLayout(line)
        self.setLayout(box)

    def say(self, label: str, value: str, tail: str = "") -> None:
        """Draw it."""
        self._label.say(label)
        self._value.say(value)
        self._tail.say(tail)
        self._tail.setVisible(bool(tail))


class PlannedLine(Card):
    """One order that may be started here."""

    def __init__(self, name: str) -> None:
        super().__init__(name, fill="surface2")
        self._what, self._no = Words(f"{name}.product", 21, 680), Words(f"{name}.code", 17, 450, "ink2", mono=True)
        self._when = Words(f"{name}.when", 19, 560, "ink2")
        words = column(gap=2)
        words.addWidget(self._what)
        words.addWidget(self._no)
        box = row(gap=16, margins=(22, 12, 22, 12))
        box.addLayout(words, 1)
        box.addWidget(self._when)
        self.setLayout(box)

    def show_order(self, order: Planned) -> None:
        """Draw it."""
        self._what.say(order.product)
        self._no.say(f"{order.wo_no} · {order.batch_no}")
        amount = tr("{n} {unit}", n=i18n.number(order.qty), unit=order.unit)
        self._when.say(f"{amount} · {i18n.clock(order.start_at)}")


class NoBatch(Card):
    """Nothing runs: scan a work order; what is planned next."""

    ROWS = 3

    def __init__(self) -> None:
        super().__init__("run.empty")
        self._icon = Icon("scan", 96, "accent", 1.4)
        self._title = Words("run.empty.title", 36, 700, heading=True)
        self._note = Words("run.empty.note", 21, 450, "ink2", wrap=True)
        self._next = Words("run.empty.next", 19, 680)
        self._rows = [PlannedLine(f"run.order.{number + 1}") for number in range(self.ROWS)]
        words: QVBoxLayout = column(gap=6)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._note)
        words.addStretch(1)
        head = row(gap=32)
        head.addWidget(self._icon)
        head.addLayout(words, 1)
        box = column(gap=14, margins=(44, 34, 44, 34))
        box.addStretch(1)
        box.addLayout(head)
        box.addStretch(1)
        box.addWidget(self._next)
        for line in self._rows:
            box.addWidget(line)
        self.setLayout(box)

    def show_orders(self, orders: tuple[Planned, ...]) -> None:
        """Draw what is planned."""
        self._title.say(tr("Scan a work order"))
        self._note.say(tr("No batch on this line. Scan a work order to start."))
        self._next.say(tr("Planned next") if orders else tr("Nothing is planned on this line."))
        for place, line in enumerate(self._rows):
            line.setVisible(place < len(orders))
            if place < len(orders):
                line.show_order(orders[place])
