"""What the weigh view's card shows besides the scale: a reason, a typed weight, the test, a correction."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from foodflow_desktop.stations.weigh import WeighStation
from foodflow_desktop.stations.weigh_screen import RowState, TestPart, WeighScreen
from foodflow_desktop.views import i18n, weigh_words
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.widgets.controls import Words
from foodflow_desktop.views.widgets.keypad import EntryKeys
from foodflow_desktop.views.widgets.kiosk import Dots, Pill, PinKeys, TouchButton
from foodflow_desktop.views.widgets.parts import column, row
from foodflow_desktop.views.widgets.readout import Readout
from foodflow_kernel.rules.weight import WeightVerdict

Do = Callable[[Callable[[], object]], None]
REASONS_MAX = 8
SIZES_MAX = 10


class Page(QWidget):
    """One of them: a title, a way back, its own primary action at the bottom right."""

    def __init__(self, name: str, station: WeighStation, do: Do) -> None:
        super().__init__()
        self.station, self.do = station, do
        self.turning: list[QBoxLayout] = []
        self.title, self.note = (
            Words(f"{name}.title", 27, 700, wrap=True, heading=True),
            Words(f"{name}.note", 20, 450, "ink2", wrap=True),
        )
        self.back = TouchButton("weigh.back", "outline", "back", px=21, weight=650, height=88)
        self.back.clicked.connect(lambda _=False: station.back())
        self.box: QVBoxLayout = column(gap=14)
        self.box.addWidget(self.title)
        self.box.addWidget(self.note)
        self.setLayout(self.box)

    def turn(self, direction: QBoxLayout.Direction) -> None:
        """Stand what is side by side below each other, or back."""
        for box in self.turning:
            box.setDirection(direction)

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw it."""
        self.back.say(tr("Back"))


class ReasonPage(Page):
    """One touch on a reason saves the weight held."""

    def __init__(self, station: WeighStation, do: Do) -> None:
        super().__init__("weigh.reason", station, do)
        self._grid = QGridLayout()
        self._grid.setSpacing(14)
        self._buttons: dict[str, TouchButton] = {}
        self.box.addSpacing(6)
        self.box.addLayout(self._grid)
        self.box.addStretch(1)
        foot = row()
        foot.addWidget(self.back)
        foot.addStretch(1)
        self.box.addLayout(foot)

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw the reasons."""
        super().show_screen(screen)
        if screen.held_g is not None and screen.held_verdict is not None:
            weight = weigh_words.grams(screen.held_g, screen.decimals)
            self.title.say(f"{weight}, {weigh_words.verdict(screen.held_verdict)}")
        self.note.say(tr("Why? One touch saves it."))
        for place, choice in enumerate(screen.reasons[:REASONS_MAX]):
            if choice.code not in self._buttons:
                button = TouchButton(
                    f"weigh.reason.{choice.code}", "outline", choice.icon, px=21, weight=650, height=96
                )
                button.clicked.connect(lambda _=False, c=choice.code: self.do(lambda: self.station.reason(c)))
                self._buttons[choice.code] = button
                self._grid.addWidget(button, place // 2, place % 2)
            self._buttons[choice.code].say(choice.name)
            self._buttons[choice.code].setEnabled(not screen.is_saving)


class TypingPage(Page):
    """A weight typed by hand, marked as such."""

    def __init__(self, station: WeighStation, do: Do) -> None:
        super().__init__("weigh.typing", station, do)
        self._value = Words("weigh.typed", 104, 700)
        self._verdict = Pill("weigh.typed_verdict", height=44, px=20)
        self._keys = EntryKeys("weigh.key", station.key)
        self._save = TouchButton("weigh.typed.save", "primary", px=24, weight=680, height=88, side=8)
        self._save.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._save.clicked.connect(lambda: do(station.save_typed))
        head = row(gap=20)
        head.addWidget(self._value)
        head.addWidget(self._verdict)
        head.addStretch(1)
        self.turning.append(head)
        self.box.setSpacing(4)
        self.box.addStretch(1)
        self.box.addLayout(head)
        self.box.addStretch(1)
        self.back.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.back.set_icon("")
        self._keys.add(self.back, 3, 0)
        self._keys.add(self._save, 2, 3, 2)
        self.box.addWidget(self._keys)

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw what is typed and how it lies."""
        super().show_screen(screen)
        self.title.say(tr("Type weight, net, sample {n} of {size}", n=screen.no, size=screen.size))
        self._value.say(f"{i18n.typed(screen.typed) or '–'} g", "ink" if screen.typed else "ink3")
        if screen.low_g is not None and screen.high_g is not None:
            low, high = i18n.number(screen.low_g.normalize(), None), i18n.number(screen.high_g.normalize(), None)
            self.note.say(tr("Limits {low} to {high} g. Typed weights are marked.", low=low, high=high))
        verdict = screen.typed_verdict
        self._verdict.setVisible(verdict is not None)
        self._save.setEnabled(verdict is not None and not screen.is_saving)
        self._keys.refresh()
        if verdict is None:
            self._save.say(tr("Type the weight"))
            return
        is_in = verdict is WeightVerdict.in_tolerance
        words = weigh_words.verdict(verdict)
        look = {"icon": "check", "ink": "ok", "fill": "okSoft", "border": "okSoft"}
        if not is_in:
            look = {"icon": "crit", "ink": "onState", "fill": "crit", "border": "crit"}
        self._verdict.say(words[:1].upper() + words[1:], **look)
        weight = weigh_words.grams(Decimal(screen.typed))
        plain = tr("Record {weight}", weight=weight)
        self._save.say(plain if is_in else tr("Record {weight}, {verdict}", weight=weight, verdict=words))


class TestPage(Page):
    """The scale checked with its test weight."""

    def __init__(self, station: WeighStation, do: Do) -> None:
        super().__init__("weigh.test", station, do)
        self._digits = Readout("weigh.test.digits")
        self._words = Words("weigh.test.words", 22, 450, "ink2", wrap=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._save = TouchButton("weigh.test.save", "primary", "weight", px=26, weight=680, height=88, icon_px=32)
        self._save.clicked.connect(lambda: do(station.save_test))
        self.box.addStretch(1)
        self.box.addWidget(self._digits)
        self.box.addWidget(self._words)
        self.box.addStretch(2)
        foot = row(gap=16)
        foot.addWidget(self.back)
        foot.addWidget(self._save, 1)
        self.box.addLayout(foot)

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw what the scale shows for its test weight."""
        super().show_screen(screen)
        part = screen.test
        if part is None:
            self.title.say(tr("This scale has no test weight"))
            self.note.say(tr("Call maintenance."))
            self._digits.show_value("", "g")
            self._words.say("")
            self._save.hide()
            return
        self._save.show()
        nominal = i18n.number(part.nominal_g.normalize() + 0, 0)
        self.title.say(tr("Put the {weight} g test weight on scale {tag}", weight=nominal, tag=screen.scale.tag))
        tolerance = i18n.number(part.tolerance_g.normalize() + 0)
        self.note.say(tr("Nothing else on it. It passes within {tolerance} g.", tolerance=tolerance))
        shown = i18n.number(part.shown_g, screen.decimals) if part.shown_g is not None else ""
        self._digits.show_value(shown, "g", ink="ink" if part.is_steady else "ink2", is_about=not part.is_steady)
        self._words.say(_result(part), "crit" if part.passed is False else "ink2")
        self._save.setEnabled(part.is_steady)
        self._save.say(tr("Record {weight}", weight=f"{shown} g") if part.is_steady else tr("Record when steady"))


def _result(part: TestPart) -> str:
    if part.passed is False:
        return tr("It did not pass. Clean the pan and try again, or call maintenance.")
    return ""


class CorrectPage(Page):
    """A sample is taken out with a reason and a signature; its place is weighed again."""

    def __init__(self, station: WeighStation, do: Do) -> None:
        super().__init__("weigh.correcting", station, do)
        self._which, self._why = Words("weigh.correcting.which", 19, 680), Words("weigh.correcting.why", 19, 680)
        self._samples = [TouchButton(f"weigh.correct.{no}", px=20, weight=650) for no in range(1, SIZES_MAX + 1)]
        self._samples_box = QGridLayout()
        self._samples_box.setSpacing(12)
        for place, button in enumerate(self._samples):
            button.clicked.connect(lambda _=False, n=place + 1: station.choose_sample(n))
            self._samples_box.addWidget(button, place // 2, place % 2)
        self._reasons: dict[str, TouchButton] = {}
        self._reasons_box = column(gap=12)
        self._ask = Words("weigh.correcting.ask", 19, 680, wrap=True)
        self._ask.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._dots = Dots("weigh.dots")
        self._keys = PinKeys(
            "weigh.pin", lambda d: do(lambda: station.pin_digit(d)), station.pin_back, station.pin_clear
        )
        left = column(gap=10)
        for part in (self._which,):
            left.addWidget(part)
        left.addLayout(self._samples_box)
        left.addSpacing(6)
        left.addWidget(self._why)
        left.addLayout(self._reasons_box)
        left.addStretch(1)
        left.addWidget(self.back)
        right = column(gap=14)
        right.addWidget(self._ask)
        right.addWidget(self._dots)
        right.addWidget(self._keys)
        right.addStretch(1)
        both = row(gap=32)
        both.addLayout(left, 1)
        both.addLayout(right)
        self.turning.append(both)
        self.box.addLayout(both, 1)

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw the choices and the pad."""
        super().show_screen(screen)
        self.title.say(tr("Correct a sample"))
        self.note.say(tr("The first value stays readable. The sample is weighed again."))
        self._which.say(tr("Which sample?"))
        self._why.say(tr("Why?"))
        by_no = {one.no: one for one in screen.samples if one.state is RowState.done and one.net_g is not None}
        for place, button in enumerate(self._samples):
            one = by_no.get(place + 1)
            button.setVisible(one is not None)
            if one is not None and one.net_g is not None:
                button.say(f"{one.no} · {weigh_words.grams(one.net_g, screen.decimals)}")
                button.set_kind("chosen" if one.is_chosen else "outline")
        words = {
            "wrong_portion": tr("Wrong portion on the scale"),
            "scale_touched": tr("Somebody touched the scale"),
            "typed_wrong": tr("Typed wrong"),
        }
        for choice in screen.reasons:
            if choice.code not in self._reasons:
                button = TouchButton(f"weigh.why.{choice.code}", px=19, weight=650)
                button.clicked.connect(lambda _=False, c=choice.code: self.station.choose_why(c))
                self._reasons[choice.code] = button
                self._reasons_box.addWidget(button)
            self._reasons[choice.code].say(words.get(choice.code, choice.name))
            self._reasons[choice.code].set_kind("chosen" if choice.is_chosen else "outline")
        can_sign = any(one.is_chosen for one in screen.samples) and any(one.is_chosen for one in screen.reasons)
        self._keys.setEnabled(can_sign)
        self._keys.clear.say(tr("Clear"))
        self._keys.back.setAccessibleName(tr("Delete"))
        pad = screen.pad
        self._dots.show_dots(pad.filled if pad else 0, pad.digits if pad else 4)
        if pad is not None and pad.wait_s:
            self._ask.say(tr("Too many tries. Wait {n} s.", n=pad.wait_s), "crit")
        elif pad is not None and pad.tries_left is not None:
            self._ask.say(tr("Not the right PIN. {n} tries left.", n=pad.tries_left), "crit")
        else:
            self._ask.say(tr("Enter your PIN to sign") if can_sign else tr("Choose sample and reason"), "ink")
