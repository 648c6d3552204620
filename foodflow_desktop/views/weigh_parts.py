"""The right side of the weigh view: the samples of this check, and the scale."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.weigh_screen import RowState, SampleRow, ScaleCard, WeighScreen
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import TouchButton
from foodflow_desktop.views.widgets.parts import Card, column, row
from foodflow_kernel.rules.steady import WeighState
from foodflow_kernel.rules.weight import WeightVerdict

ROWS_MAX = 10
VERDICT_LOOK = {
    WeightVerdict.in_tolerance: ("check", "ok"),
    WeightVerdict.too_light: ("crit", "crit"),
    WeightVerdict.too_heavy: ("crit", "crit"),
}


class SampleLine(QWidget):
    """One sample: its number, its weight and how it lies."""

    def __init__(self, no: int) -> None:
        super().__init__()
        self.setObjectName(f"weigh.sample.{no}")
        self._no, self._words, self._icon, self._ink, self._look = no, "", "", "ink", (23.0, 680)
        self._is_now = self._is_typed = False
        self._verdict_ink = "ok"
        self._shown: tuple[SampleRow, str, str] | None = None
        self.setMinimumHeight(52)
        self.hide()

    def show_row(self, sample: SampleRow, words: str) -> None:
        """Draw a sample; ``words`` for one that has no weight yet."""
        shown = (sample, words, i18n.current())
        if shown == self._shown:
            return
        self._shown = shown
        self._is_now = sample.state is RowState.now
        self._icon, self._ink, self._look = "", "ink3", (18.5, 450)
        if sample.state is RowState.done and sample.net_g is not None and sample.verdict is not None:
            words = f"{i18n.number(sample.net_g, 1)} g"
            self._icon, self._ink, self._look = VERDICT_LOOK[sample.verdict][0], "ink", (23.0, 680)
        elif self._is_now:
            self._ink, self._look = "accentInk", (18.5, 680)
        self._verdict_ink = VERDICT_LOOK[sample.verdict][1] if sample.verdict else "ok"
        self._is_typed = sample.is_typed
        self._words = words
        self.setAccessibleName(f"{self._no}: {words}")
        self.update()

    def text(self) -> str:
        """The words shown."""
        return self._words

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the row."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self._is_now:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accentSoft"))
            painter.drawRoundedRect(area, 10, 10)
        painter.setFont(theme.font(18, 600))
        painter.setPen(theme.colour("ink2"))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area.adjusted(15, 0, 0, 0), middle, f"{self._no}")
        right = area.right() - 14
        if self._icon:
            pixmap = theme.pixmap(self._icon, 25, self._verdict_ink, self.devicePixelRatioF())
            painter.drawPixmap(int(right - 26), int(area.center().y() - 12), pixmap)
            right -= 40
        if self._icon and self._is_typed:
            pixmap = theme.pixmap("keyboard", 22, "ink2", self.devicePixelRatioF())
            painter.drawPixmap(42, int(area.center().y() - 11), pixmap)
        painter.setFont(theme.font(*self._look))
        painter.setPen(theme.colour(self._ink))
        painter.drawText(QRectF(0, 0, right, area.height()), middle | Qt.AlignmentFlag.AlignRight, self._words)


class CheckCard(Card):
    """The samples of this check and the way to take one out."""

    def __init__(self, on_correct: Callable[[], object], on_undo: Callable[[], object]) -> None:
        super().__init__("weigh.check")
        self.title = Words("weigh.check.title", 22, 680, heading=True, wrap=True)
        self.average = Words("weigh.average", 16, 620, "ink3")
        self.rows = [SampleLine(no) for no in range(1, ROWS_MAX + 1)]
        self.correct = TouchButton("weigh.correct", "quiet", "undo", px=19, weight=650)
        self.undo = TouchButton("weigh.undo", "outline", "undo", px=19, weight=650)
        self.correct.clicked.connect(lambda _=False: on_correct())
        self.undo.clicked.connect(lambda _=False: on_undo())
        head = row(margins=(9, 0, 8, 0))
        head.addWidget(self.title, 1)
        head.addWidget(self.average)
        box = column(margins=(17, 18, 17, 19))
        box.addLayout(head)
        box.addSpacing(12)
        for line in self.rows:
            box.addWidget(line)
        box.addSpacing(12)
        foot = row(margins=(6, 0, 6, 0))
        foot.addWidget(self.correct)
        foot.addWidget(self.undo)
        box.addLayout(foot)
        self.setLayout(box)

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw the samples."""
        self.title.say(tr("This check"))
        average = screen.average_g
        self.average.say(tr("Average {weight} g", weight=i18n.number(average, 1)) if average is not None else "")
        waiting = self._now_words(screen)
        for place, line in enumerate(self.rows):
            line.setVisible(place < len(screen.samples))
            if place < len(screen.samples):
                sample = screen.samples[place]
                line.show_row(sample, waiting if sample.state is RowState.now else tr("To do"))
        self.undo.setVisible(screen.saved is not None)
        self.correct.setVisible(screen.saved is None)
        if screen.saved is not None:
            self.undo.say(tr("Undo sample {n}", n=screen.saved.no))
        self.correct.say(tr("Correct a sample"))
        self.correct.setEnabled(any(sample.state is RowState.done for sample in screen.samples))

    @staticmethod
    def _now_words(screen: WeighScreen) -> str:
        if screen.gate.state is WeighState.silent:
            return tr("Waiting for the scale")
        if screen.gate.state is WeighState.test_weight_due:
            return tr("After the test")
        if screen.gate.state is WeighState.empty or screen.is_taken:
            return tr("Next")
        return tr("On the scale now")


class _Fact(QWidget):
    """One line about the scale: icon, word, value."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.icon = Icon("info", 24, "ink2", 1.8)
        self.word, self.value = Words(f"{name}.word", 18, 450, wrap=True), Words(f"{name}.value", 18, 450, "ink2")
        box = row(gap=12)
        box.addWidget(self.icon)
        box.addWidget(self.word, 1)
        box.addWidget(self.value)
        self.setLayout(box)

    def say(self, icon: str, word: str, value: str, *, is_warning: bool = False) -> None:
        """Show it; a warning is bold and in the warning colour."""
        ink, weight = ("warn", 680) if is_warning else ("ink2", 450)
        self.icon.show_icon(icon, ink)
        self.word.say(word, "warn" if is_warning else "ink")
        self.value.say(value, ink)
        self.value.setVisible(bool(value))  # an empty one would still take its gap from the word
        self.word.set_weight(weight)
        self.value.set_weight(weight)


class ScaleBox(Card):
    """The instrument: link, test weight, calibration."""

    def __init__(self) -> None:
        super().__init__("weigh.scale")
        self.title = Words("weigh.scale.title", 22, 680, heading=True)
        self.facts = [_Fact(f"weigh.scale.{number}") for number in range(3)]
        box = column(gap=0, margins=(23, 19, 23, 16))
        box.addWidget(self.title)
        box.addSpacing(6)
        for fact in self.facts:
            fact.setMinimumHeight(38)
            box.addWidget(fact)
        box.addStretch(1)
        self.setLayout(box)

    def show_card(self, scale: ScaleCard) -> None:
        """Draw what is known of the scale."""
        self.title.say(tr("Scale {tag}", tag=scale.tag) if scale.tag else tr("Scale"))
        link, test, calibration = self.facts
        if not scale.is_connected:
            since = i18n.clock(scale.silent_since, seconds=True) if scale.silent_since else ""
            link.say("plug_off", tr("Not connected"), since, is_warning=True)
            test.say("pencil", tr("Typed weights are marked"), "")
            calibration.say("crew", tr("A supervisor approves"), "")
            return
        link.say("usb", tr("Connected"), tr("{n} readings/s", n=scale.per_s) if scale.per_s else "")
        if scale.is_test_due:
            due = tr("due {at}", at=i18n.clock(scale.test_due_at)) if scale.test_due_at else tr("due now")
            test.say("warn", tr("Test weight"), due, is_warning=True)
        elif scale.tested_at is not None:
            test.say("check_ring", tr("Test weight"), tr("passed {at}", at=i18n.clock(scale.tested_at)))
        else:
            test.say("check_ring", tr("Test weight"), tr("not needed"))
        until = scale.calibrated_until
        day = f"{i18n.day_of(until)}" if until else tr("not needed")
        calibration.say("clock", tr("Calibrated until"), day, is_warning=scale.is_expired)
