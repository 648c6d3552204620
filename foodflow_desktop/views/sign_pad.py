"""The card in which a person signs: who, meaning, PIN; then who signed and when."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.deviation import DeviationScreen
from foodflow_desktop.stations.signing import SignPad
from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import clock, tr
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Dots, PinKeys, TouchButton
from foodflow_desktop.views.widgets.mixed import MixedWords
from foodflow_desktop.views.widgets.parts import Card, Rule, column, row


class Circle(QWidget):
    """A person's short number."""

    def __init__(self, size: int = 46) -> None:
        super().__init__()
        self.setFixedSize(size, size)
        self._text = ""

    def say(self, text: str) -> None:
        """Change the number."""
        self._text = text
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("accent"))
        painter.drawEllipse(QRectF(self.rect()))
        painter.setPen(theme.colour("onAccent"))
        painter.setFont(theme.font(17 / theme.scale(), 700))
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, self._text)


class SignCard(Card):
    """Name, meaning and PIN keys."""

    def __init__(
        self,
        name: str,
        on_digit: Callable[[str], object],
        on_backspace: Callable[[], object],
        on_clear: Callable[[], object],
    ) -> None:
        super().__init__(f"{name}.sign")
        self._circle, self._name = Circle(), Words(f"{name}.signer", 20, 680)
        self._by = Words(f"{name}.signer_by", 16, 450, "ink2")
        self._meaning = MixedWords(f"{name}.meaning", 16, 450, leading=1.38)
        self._ask = Words(f"{name}.pin_title", 20, 680, wrap=True)
        self._dots = Dots(f"{name}.dots")
        self._keys = PinKeys(f"{name}.pin", on_digit, on_backspace, on_clear)
        self._not_you = Words(f"{name}.not_you", 15.4, 450, "ink2", wrap=True)
        self.done = TouchButton(f"{name}.done", "primary", "clipboard", px=21, weight=680, height=88)
        self.done.hide()
        self._by_icon = Icon("badge", 18, "ink2", 2.2)
        self._build()

    def _build(self) -> None:
        words = column(gap=1)
        words.addWidget(self._name)
        by = row(gap=7)
        by.addWidget(self._by_icon)
        by.addWidget(self._by, 1)
        words.addLayout(by)
        head = row(gap=12)
        head.addWidget(self._circle)
        head.addLayout(words, 1)
        foot = row(gap=8)
        foot.addStretch(1)
        self._foot_icon = Icon("badge", 20, "ink2")
        foot.addWidget(self._foot_icon)
        foot.addWidget(self._not_you, 5)
        foot.addStretch(1)
        self._ask.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box = column(margins=(21, 19, 21, 17))
        box.addLayout(head)
        box.addSpacing(13)
        box.addWidget(Rule())
        box.addSpacing(9)
        box.addWidget(self._meaning)
        box.addSpacing(12)
        box.addWidget(self._ask)
        box.addSpacing(11)
        box.addWidget(self._dots)
        box.addSpacing(12)
        box.addWidget(self._keys)
        box.addStretch(1)
        box.addLayout(foot)
        box.addWidget(self.done)
        self.setLayout(box)

    def show_state(self, screen: DeviationScreen, now: str) -> None:
        """Draw a deviation's signature."""
        if screen.is_signed:
            at = clock(screen.signed_at, seconds=True) if screen.signed_at else ""
            self.show_signed(screen.signed_as, tr("Signed as **performed** at {at}.", at=at))
            self._ask.say(tr("The lot stays on hold until the QA manager decides."), "ink2")
            return
        meaning = tr("I sign as **performed**: the reading and my action.")
        if screen.pad is None:
            self.show_waiting(tr("Choose what you will do first."))
            return
        if screen.needs_note:
            self.show_waiting(tr("A note is needed for this."))
            return
        self.show_pad(screen.pad, f"{meaning} {now}")

    def show_pad(self, pad: SignPad, meaning: str) -> None:
        """Ask for the PIN."""
        self._set_parts(signing=True)
        self._circle.say(pad.short)
        self._name.say(pad.name)
        at = clock(pad.identified_at) if pad.identified_at else ""
        self._by.say(tr("by badge, {at}", at=at) if pad.identified_by == "badge" else tr("by PIN, {at}", at=at))
        self._meaning.say(meaning)
        self._dots.show_dots(pad.filled, pad.digits)
        self._keys.clear.say(tr("Clear"))
        self._keys.back.setAccessibleName(tr("Delete"))
        self._not_you.say(tr("Not you? Badge, then PIN."))
        if pad.wait_s:
            self._ask.say(tr("Too many tries. Wait {n} s.", n=pad.wait_s), "crit")
        elif pad.tries_left is not None:
            self._ask.say(tr("Not the right PIN. {n} tries left.", n=pad.tries_left), "crit")
        else:
            self._ask.say(tr("Enter your PIN to sign"), "ink")

    def show_waiting(self, text: str) -> None:
        """Nothing to sign yet."""
        self._set_parts(signing=False)
        self.done.hide()
        self._meaning.say(text)
        self._name.say(tr("Sign"))
        self._circle.say("3")
        self._ask.say("")

    def show_signed(self, name: str, text: str) -> None:
        """Signed: who and when, and the way on."""
        self._set_parts(signing=False)
        self._circle.say("✓")
        self._name.say(name)
        self._meaning.say(text)
        self.done.say(tr("Back to checks"))
        self.done.show()

    def _set_parts(self, *, signing: bool) -> None:
        for part in (self._dots, self._keys, self._not_you, self._foot_icon, self._by, self._by_icon):
            part.setVisible(signing)
        if signing:
            self.done.hide()
