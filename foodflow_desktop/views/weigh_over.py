"""Too heavy for the scale: the whole content, until the load is off (mockup 12b)."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from foodflow_desktop.stations.weigh_screen import RowState, WeighScreen
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import TouchButton
from foodflow_desktop.views.widgets.parts import Card, Rule, column, row

HEAD_H = 138


class _OverMark(QWidget):
    """``▲ over`` on its soft ground."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("weigh.over.mark")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("critSoft"))
        painter.drawRoundedRect(QRectF(self.rect()), 14, 14)
        font = theme.font(182 / theme.scale(), 730)
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, -4.5)
        painter.setFont(font)
        word = tr("over")
        width = painter.fontMetrics().horizontalAdvance(word)
        left = (self.width() - width - 151) / 2 + 3
        base = self.height() / 2 + 53
        painter.setBrush(theme.colour("crit"))
        painter.drawPolygon(QPolygonF([QPointF(left, base), QPointF(left + 116, base), QPointF(left + 58, base - 104)]))
        painter.setPen(theme.colour("crit"))
        painter.drawText(QPointF(left + 144, base), word)


class _Line(QWidget):
    """A word and its value under a thin rule."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.word, self.value = Words(f"{name}.word", 19, 450, "ink2", wrap=True), Words(f"{name}.value", 19, 680)
        box = column()
        box.addWidget(Rule())
        line = row(gap=8)
        line.addWidget(self.word, 1)
        line.addWidget(self.value)
        box.addLayout(line, 1)
        self.setLayout(box)
        self.setMinimumHeight(46)


class OverPanel(QWidget):
    """The red panel."""

    def __init__(self, on_other: Callable[[], object], on_silence: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("weigh.over")
        self._title = Words("weigh.over.title", 44, 750, "onState", heading=True)
        self._do = Words("weigh.over.do", 23, 560, "onState", wrap=True)
        self._alarm_icon, self._alarm = Icon("speaker", 28, "onState"), Words("weigh.over.alarm", 18, 620, "onState")
        self._scale = Words("weigh.over.scale", 22, 680, heading=True)
        self._lines = [_Line(f"weigh.over.{number}") for number in range(3)]
        self._closes = Words("weigh.over.closes", 17, 450, "ink2", wrap=True)
        self._kept_icon = Icon("info", 28, "ink2")
        self._nothing, self._kept = Words("weigh.over.nothing", 20, 680), Words("weigh.over.kept", 20, 450, "ink2")
        self.other = TouchButton("weigh.other_scale", "outline", "scale", px=21, weight=650, height=92, icon_px=30)
        self.silence = TouchButton("weigh.silence", "primary", "speaker_off", px=27, weight=680, height=92, icon_px=32)
        self.other.setMinimumWidth(330)
        self.silence.setMinimumWidth(420)
        self.other.clicked.connect(lambda _=False: on_other())
        self.silence.clicked.connect(lambda _=False: on_silence())
        box = column(margins=(0, 0, 0, 0))
        box.addLayout(self._head())
        box.addLayout(self._body(), 1)
        self.setLayout(box)

    def _head(self) -> QHBoxLayout:
        words = column(gap=4)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._do)
        words.addStretch(1)
        head = row(margins=(44, 0, 41, 0))
        mark = QWidget()
        mark.setFixedSize(78, HEAD_H)
        head.addWidget(mark)
        head.addSpacing(28)
        head.addLayout(words, 1)
        head.addWidget(self._alarm_icon)
        head.addSpacing(10)
        head.addWidget(self._alarm)
        return head

    def _body(self) -> QVBoxLayout:
        card = Card("weigh.over.card", fill="surface2")
        self._card = card
        self.retheme()
        inside = column(margins=(26, 21, 26, 26))
        inside.addWidget(self._scale)
        inside.addSpacing(15)
        for line in self._lines:
            inside.addWidget(line)
        inside.addStretch(1)
        inside.addWidget(self._closes)
        card.setLayout(inside)
        upper = row(gap=24)
        upper.addWidget(_OverMark(), 1)
        upper.addWidget(card)
        kept = row(gap=16)
        kept.addWidget(self._kept_icon)
        words = row(gap=8)
        words.addWidget(self._nothing)
        words.addWidget(self._kept, 1)
        kept.addLayout(words, 1)
        foot = row(gap=24)
        foot.addWidget(self.other)
        foot.addStretch(1)
        foot.addWidget(self.silence)
        box = column(margins=(41, 26, 41, 35))
        box.addLayout(upper, 1)
        box.addSpacing(23)
        box.addLayout(kept)
        box.addSpacing(22)
        box.addLayout(foot)
        return box

    def retheme(self) -> None:
        """Follow the text scale."""
        self._card.setFixedWidth(round(340 + (theme.scale() - 1) * 300))

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw the stop."""
        self._title.say(tr("Too heavy for this scale"))
        self._do.say(tr("Take the load off now. It can damage the scale."))
        self._alarm_icon.show_icon("speaker_off" if screen.is_silenced else "speaker")
        self._alarm.say(tr("Alarm silenced") if screen.is_silenced else tr("Alarm on"))
        scale = screen.scale
        self._scale.say(tr("Scale {tag}", tag=scale.tag))
        capacity, sample, test = self._lines
        capacity.word.say(tr("Weighs up to"))
        capacity.value.say(f"{i18n.number(scale.capacity_g, 0)} g" if scale.capacity_g is not None else "")
        sample.word.say(tr("Sample {n} of {size}", n=screen.no, size=screen.size))
        sample.value.say(tr("not recorded"))
        test.word.say(tr("Test weight"))
        test.value.say(tr("passed {at}", at=i18n.clock(scale.tested_at)) if scale.tested_at else tr("not needed"))
        self._closes.say(tr("This screen closes by itself when the load is off."))
        self._nothing.say(tr("Nothing was recorded."))
        self._kept.say(_kept([sample.no for sample in screen.samples if sample.state is RowState.done]))
        self.other.setVisible(scale.has_other)
        self.other.say(tr("Use another scale"))
        self.silence.setVisible(not screen.is_silenced)
        self.silence.say(tr("Silence the alarm"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw frame, head and octagon."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        painter.setClipPath(theme.rounded(area, 17))
        painter.fillRect(area, theme.colour("surface"))
        painter.fillRect(QRectF(0, 0, area.width(), HEAD_H), theme.colour("crit"))
        painter.setClipping(False)
        painter.setPen(QPen(theme.colour("crit"), 5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area.adjusted(2.5, 2.5, -2.5, -2.5), 15, 15)
        painter.drawPixmap(QPointF(44, 30), theme.pixmap("stop", 78, "onState", self.devicePixelRatioF()))


def _kept(numbers: list[int]) -> str:
    if not numbers:
        return ""
    if len(numbers) == 1:
        return tr("Sample {n} is kept.", n=numbers[0])
    first = ", ".join(f"{n}" for n in numbers[:-1])
    return tr("Samples {first} and {last} are kept.", first=first, last=numbers[-1])
