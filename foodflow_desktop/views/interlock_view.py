"""The interlock (mockup 05): the whole content area, red, until it is put back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from foodflow_desktop.stations.material import InterlockScreen, MaterialStation
from foodflow_desktop.views import kiosk_words, theme
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.sign_pad import SignCard
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pages, Pill, TouchButton
from foodflow_desktop.views.widgets.mixed import MixedWords
from foodflow_desktop.views.widgets.parts import Card, column, row
from foodflow_kernel.rules.interlock import Cause

HEAD_H = 138


class Head(QWidget):
    """The red head: octagon, what must not be done, why."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(HEAD_H)
        self._title, self._why = (
            Words("interlock.title", 42, 740, "onState", wrap=True),
            MixedWords("interlock.why", 22, 500, "onState", strong=(700, "onState")),
        )
        self.alarm = TouchButton("interlock.silence", "danger", "sound", px=18, weight=620)
        words = column(gap=2)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._why)
        words.addStretch(1)
        box = row(gap=30, margins=(48, 10, 18, 10))
        box.addWidget(Icon("crit_out", 72, "onState"))
        box.addLayout(words, 1)
        box.addWidget(self.alarm)
        self.setLayout(box)

    def say(self, title: str, why: str, alarm: str) -> None:
        """Change the words."""
        self._title.say(title)
        self._why.say(why)
        self.alarm.say(alarm)
        self.alarm.set_icon("sound" if alarm == tr("Alarm on") else "sound_off")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, round at the top."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setClipRect(self.rect())
        painter.setBrush(theme.colour("crit"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0, 0, 0, 20), 12, 12)


class NotEqual(QWidget):
    """Scanned is not what is needed."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(52, 60)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the sign."""
        painter = QPainter(self)
        painter.setFont(theme.font(40 / theme.scale(), 700))
        painter.setPen(theme.colour("ink2"))
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, "≠")


class Side(Card):
    """One side of the comparison."""

    def __init__(self, name: str, fill: str, border: str) -> None:
        super().__init__(name, fill=fill, border=border)
        self.label, self.title = Words(f"{name}.label", 18, 650, "ink2"), Words(f"{name}.item", 34, 720, wrap=True)
        self.code = Words(f"{name}.code", 20, 450, "ink2", mono=name.endswith("scanned"))
        self.icon = Icon("box", 24, "ink2")
        self.chips = [Pill(f"{name}.chip.{n}", height=42, px=17, weight=650) for n in range(4)]
        head = row(gap=8)
        head.addWidget(self.icon)
        head.addWidget(self.label)
        head.addStretch(1)
        chips = row(gap=12)
        for chip in self.chips:
            chips.addWidget(chip)
        chips.addStretch(1)
        box = column(margins=(28, 20, 28, 20))
        box.addStretch(1)
        box.addLayout(head)
        box.addSpacing(6)
        box.addWidget(self.title)
        box.addSpacing(4)
        box.addWidget(self.code)
        box.addSpacing(18)
        box.addLayout(chips)
        box.addStretch(1)
        self.setLayout(box)


class InterlockPage(Card):
    """Stop: scanned against needed, nothing was issued, the way back."""

    def __init__(self, station: MaterialStation, do: Callable[[Any], None]) -> None:
        super().__init__("interlock", fill="bg", border="", width=0)
        self.station, self._do = station, do
        self._frame = Card("interlock.frame", border="crit", width=5)
        self._head = Head()
        self._head.alarm.clicked.connect(station.silence)
        self._scanned, self._needed = (
            Side("interlock.scanned", "critSoft", "critSoft"),
            Side("interlock.needed", "surface2", "line"),
        )
        self._not_equal = NotEqual()
        self._note = MixedWords("interlock.note", 20, 450)
        self._went_in = TouchButton("interlock.went_in", "warn", "phone", px=20, weight=680, height=92)
        self._went_in.clicked.connect(lambda: do(station.some_went_in))
        self._override = TouchButton("interlock.override", "outline", "pencil", px=20, weight=680, height=92)
        self._override.clicked.connect(lambda: do(self._start_override))
        self._back = TouchButton("interlock.put_back", "primary", "barcode", px=25, weight=680, height=92, icon_px=32)
        self._back.clicked.connect(station.put_back)
        self._build()

    def _build(self) -> None:
        sides = row(gap=15)
        sides.addWidget(self._scanned, 477)
        sides.addWidget(self._not_equal)
        sides.addWidget(self._needed, 477)
        note = row(gap=14)
        note.addWidget(Icon("info", 28, "ink2"))
        note.addWidget(self._note, 1)
        buttons = row(gap=20)
        buttons.addWidget(self._went_in, 360)
        buttons.addWidget(self._override, 200)
        buttons.addStretch(207)
        buttons.addWidget(self._back, 470)
        stop = QWidget()
        inside = column(margins=(36, 30, 36, 30))
        inside.addLayout(sides, 1)
        inside.addSpacing(22)
        inside.addLayout(note)
        inside.addSpacing(22)
        inside.addLayout(buttons)
        stop.setLayout(inside)
        self._pages = Pages()
        self._pages.addWidget(stop)
        self._pages.addWidget(self._override_page())
        frame = column(margins=(5, 4, 5, 5))
        frame.addWidget(self._head)
        frame.addLayout(self._pages, 1)
        self._frame.setLayout(frame)
        whole = column(margins=(24, 20, 24, 22))
        whole.addWidget(self._frame)
        self.setLayout(whole)

    def _override_page(self) -> QWidget:
        self._reason_title = Words("interlock.reason_title", 21, 680)
        self._reason = QLineEdit()
        self._reason.setObjectName("interlock.reason")
        self._reason.textChanged.connect(self.station.set_override_reason)
        self._reason_note = Words("interlock.reason_note", 18, 450, "ink2", wrap=True)
        self._cancel = TouchButton("interlock.override_cancel", "outline", px=20, weight=680, height=88)
        self._cancel.clicked.connect(self.station.put_back)
        self.sign = SignCard(
            "interlock",
            lambda digit: self._do(lambda: self.station.override_digit(digit)),
            self.station.override_backspace,
            self.station.override_clear,
        )
        left = column(gap=14)
        left.addWidget(self._reason_title)
        left.addWidget(self._reason)
        left.addWidget(self._reason_note)
        left.addStretch(1)
        left.addWidget(self._cancel)
        page = QWidget()
        box = row(gap=24, margins=(36, 20, 36, 20))
        box.addLayout(left, 1)
        box.addWidget(self.sign)
        page.setLayout(box)
        return page

    def _start_override(self) -> None:
        self._reason.clear()
        self.station.start_override()

    def key(self, text: str) -> bool:
        """Digits are QA's PIN; Escape puts it back."""
        if text.isdigit():
            self._do(lambda: self.station.override_digit(text))
        elif text in ("enter", "escape"):
            self.station.put_back()
        else:
            return False
        return True

    def show_stop(self, stop: InterlockScreen) -> None:
        """Draw a stop."""
        title, why = _words(stop)
        self._head.say(title, why, tr("Alarm on") if stop.is_alarm_on else tr("Alarm silenced"))
        self._show_scanned(stop)
        self._show_needed(stop)
        self._note.say(
            tr("**Nothing was issued.** Your scan is saved as a stopped attempt. If any went in, call QA now.")
        )
        self._went_in.say(tr("Some went in — call QA"))
        self._override.say(tr("QA: allow it"))
        self._override.setVisible(stop.may_override)
        self._back.say(tr("Put it back and scan again"))
        self._pages.setCurrentIndex(1 if stop.override else 0)
        if stop.override is not None:
            self._reason_title.say(tr("Why is this allowed?"))
            self._reason.setFixedHeight(theme.px(64))
            self._reason.setFont(theme.font(19, 500))
            self._reason_note.say(tr("At least 5 letters. It is saved with your signature."))
            self._cancel.say(tr("Put it back and scan again"))
            if stop.override.may_sign:
                self.sign.show_pad(stop.override.pad, tr("I sign as **acknowledged**: this material may go in."))
            else:
                self.sign.show_waiting(tr("Write the reason first."))

    def _show_scanned(self, stop: InterlockScreen) -> None:
        side = self._scanned
        side.icon.show_icon("x", "crit")
        side.label.say(tr("You scanned"), "crit")
        side.title.say(stop.item_name or tr("Unknown lot"))
        side.code.say(tr("Lot {code}", code=stop.lot_code))
        chips: list[tuple[str, bool]] = [
            (kiosk_words.allergen(one).capitalize(), True) for one in stop.foreign_allergens
        ]
        if stop.cause not in (Cause.allergen, Cause.unknown_lot):
            chips.append((_cause(stop), True))
        if stop.belongs_to:
            chips.append((tr("Belongs to {line}", line=stop.belongs_to), False))
        for n, chip in enumerate(side.chips):
            chip.setVisible(n < len(chips))
            if n < len(chips):
                words, is_bad = chips[n]
                if is_bad:
                    chip.say(words, icon="crit_out", ink="onState", fill="crit", border="crit")
                else:
                    chip.say(words)

    def _show_needed(self, stop: InterlockScreen) -> None:
        side = self._needed
        side.setVisible(bool(stop.needed_name))
        self._not_equal.setVisible(bool(stop.needed_name))
        side.label.say(tr("This step needs"))
        side.title.say(stop.needed_name)
        if stop.needed_left is not None and stop.needed_uom is not None:
            side.code.say(tr("{q} to go", q=kiosk_words.amount(stop.needed_left, stop.needed_uom)))
        chips = [stop.needed_place, *(kiosk_words.allergen(one).capitalize() for one in stop.needed_allergens)]
        chips = [chip for chip in chips if chip]
        for n, chip in enumerate(side.chips):
            chip.setVisible(n < len(chips))
            if n < len(chips):
                chip.say(chips[n])


def _cause(stop: InterlockScreen) -> str:
    expiry = stop.expiry_on.isoformat() if stop.expiry_on else ""
    return {
        Cause.wrong_material: tr("Not on this recipe"),
        Cause.on_hold: tr("On hold"),
        Cause.not_released: tr("Not released"),
        Cause.expired: tr("Expired {on}", on=expiry),
        Cause.wrong_line: tr("Another line"),
        Cause.near_expiry: tr("Expires {on}", on=expiry),
    }.get(stop.cause, "")


def _words(stop: InterlockScreen) -> tuple[str, str]:
    """What must not be done, and why."""
    title = tr("Stop — do not add this")
    if stop.cause is Cause.allergen:
        names = [kiosk_words.allergen(one) for one in stop.foreign_allergens]
        listed = tr(" and ").join(f"**{name}**" for name in names)
        free = ", ".join(names)
        return title, tr("It contains {names}. This batch must be {free}-free.", names=listed, free=free)
    expiry = stop.expiry_on.isoformat() if stop.expiry_on else ""
    return title, {
        Cause.unknown_lot: tr("This lot is not known here. It may not go in."),
        Cause.wrong_material: tr("It is not on this recipe."),
        Cause.on_hold: tr("This lot is **on hold**. Only the QA manager can release it."),
        Cause.not_released: tr("This lot is **not released** yet."),
        Cause.expired: tr("It **expired** on {on}.", on=expiry),
        Cause.wrong_line: tr("It was staged for another line. QA can allow it."),
        Cause.near_expiry: tr("Today is its last day. QA can allow it."),
    }[stop.cause]
