"""Weigh check: the weight in figures that are read from a metre away (mockups 03, 12a to 12d, 13)."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from foodflow_desktop.hardware.readings import DeviceStatus, ScaleReading
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.weigh import WeighStation
from foodflow_desktop.stations.weigh_screen import Mode, WeighScreen
from foodflow_desktop.views import i18n, jobs, theme, weigh_words
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.weigh_over import OverPanel
from foodflow_desktop.views.weigh_pages import CorrectPage, Page, ReasonPage, TestPage, TypingPage
from foodflow_desktop.views.weigh_parts import CheckCard, ScaleBox
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pill, TouchButton
from foodflow_desktop.views.widgets.parts import Card, Stack, column, row
from foodflow_desktop.views.widgets.readout import Readout, WeightBand
from foodflow_kernel.rules.steady import Digits, WeighState
from foodflow_kernel.rules.weight import WeightVerdict

SIDE_W = 328
AROUND_PX, NARROW_PX = 578, 560
"""What rail, side and margins take of the window, and the room below which the card is narrow."""
_MARKER = {WeightVerdict.in_tolerance: "ok", WeightVerdict.too_light: "crit", WeightVerdict.too_heavy: "crit"}


def _direction(is_narrow: bool) -> QBoxLayout.Direction:
    return QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight


class ScalePage(QWidget):
    """The card of the normal case: chips, digits, band, buttons."""

    def __init__(self, view: WeighView) -> None:
        super().__init__()
        station = view.station
        self._title, self._product = (
            Words("weigh.title", 27, 690, heading=True, wrap=True),
            Words("weigh.product", 20, 450, "ink2", wrap=True),
        )
        self._sample = Pill("weigh.sample", height=36, px=17, weight=640, side=14)
        self._state = Pill("weigh.state", height=46, px=22, weight=680, side=13, icon_px=28, right=20, gap=8)
        self._stable = Pill("weigh.stable", height=46, px=19, weight=650, side=9, icon_px=26, gap=8, right=14)
        self._tare = Pill("weigh.tare_chip", height=46, px=19, weight=650, side=15)
        self._digits, self._hint = Readout("weigh.digits"), Words("weigh.hint", 23, 450, "ink2")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._band = WeightBand("weigh.band")
        self._saved_icon, self._saved = Icon("check", 26, "ok"), Words("weigh.saved", 20, 620, "ok")
        self.zero = TouchButton("weigh.zero", px=21, weight=660, height=88)
        self.tare = TouchButton("weigh.tare", px=21, weight=660, height=88)
        self.typed = TouchButton("weigh.type", "outline", "keyboard", px=23.4, weight=660, height=88, icon_px=30)
        look = {"px": 28, "weight": 680, "height": 88, "icon_px": 34}
        self.record = TouchButton("weigh.record", "primary", "clipboard", **look)
        self.again = TouchButton("weigh.try_again", "primary", "sync", **look)
        self.test = TouchButton("weigh.do_test", "primary", "weight", **look)
        for button, gesture in (
            (self.zero, station.zero),
            (self.tare, station.tare),
            (self.record, station.record),
            (self.again, station.try_again),
            (self.typed, station.type_weight),
            (self.test, station.do_test),
        ):
            button.clicked.connect(lambda _=False, g=gesture: view.do(g))
        for button in (self.zero, self.tare):
            button.setFixedWidth(140)
        self._is_narrow = False
        self._build()

    def _build(self) -> None:
        head = row(gap=11)
        head.addWidget(self._title)
        head.addWidget(self._product, 1)
        head.addWidget(self._sample)
        chips, more = row(gap=16), row(gap=16)
        chips.addWidget(self._state)
        for chip in (self._stable, self._tare):
            more.addWidget(chip)
        more.addStretch(1)
        chips.addLayout(more, 1)
        self._chips = chips
        saved = row(gap=10)
        saved.addStretch(1)
        saved.addWidget(self._saved_icon)
        saved.addWidget(self._saved)
        saved.addStretch(1)
        foot = row(gap=16)
        for button, stretch in (
            (self.zero, 0),
            (self.tare, 0),
            (self.typed, 323),
            (self.record, 363),
            (self.again, 363),
            (self.test, 363),
        ):
            foot.addWidget(button, stretch)
        box = column()
        box.addLayout(head)
        box.addSpacing(22)
        box.addLayout(chips)
        box.addWidget(self._digits)
        box.addWidget(self._hint)
        box.addSpacing(20)
        box.addWidget(self._band)
        box.addStretch(1)
        box.addLayout(saved)
        box.addStretch(1)
        box.addLayout(foot)
        self.setLayout(box)

    def turn(self, is_narrow: bool) -> None:
        """In a narrow window chips take two lines and the buttons less room."""
        self._is_narrow = is_narrow
        self._chips.setDirection(_direction(is_narrow))
        for button in (self.zero, self.tare):
            button.setFixedWidth(92 if is_narrow else 140)
        if is_narrow:
            self.record.set_px(20)
            self.record.set_icon("")

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw it."""
        self._title.say(tr("Weigh check"))
        self._product.say(screen.product)
        self._sample.say(tr("Sample {n} of {size}", n=screen.no, size=screen.size))
        look = weigh_words.state(screen)
        self._state.say(look.text, icon=look.icon, ink=look.ink, fill=look.fill, border=look.border)
        self._stable.setVisible(weigh_words.is_stable(screen) and look.text != tr("Stable"))
        self._stable.say(tr("Stable"), icon="check_ring")
        self._tare.setVisible(screen.is_tared and screen.gate.state is not WeighState.silent)
        self._tare.say(tr("Net · tare {weight}", weight=weigh_words.grams(screen.tare_g)))
        self._show_digits(screen)
        self._hint.say(weigh_words.hint(screen))
        self._show_band(screen)
        self._show_saved(screen)
        self._show_buttons(screen)

    def _show_digits(self, screen: WeighScreen) -> None:
        is_silent = screen.gate.digits is Digits.dashes or screen.net_g is None
        text = "" if is_silent or screen.net_g is None else i18n.number(screen.net_g, screen.decimals)
        is_about = screen.gate.digits is Digits.approximate
        self._digits.show_value(text, "g", ink="ink2" if is_about else "ink", is_about=is_about)
        if screen.gate.state is not WeighState.moving:  # announced only once it is steady
            self._digits.setAccessibleName(f"{text} g" if text else tr("No weight"))

    def _show_band(self, screen: WeighScreen) -> None:
        if screen.low_g is None or screen.target_g is None or screen.high_g is None:
            self._band.show_band(None, (), None, "ink2")
            return
        limits = (screen.low_g, screen.target_g, screen.high_g)
        words = (tr("Low limit"), tr("Target"), tr("High limit"))
        texts = tuple((i18n.number(v.normalize() + 0), w) for v, w in zip(limits, words, strict=True))
        has_load = screen.net_g is not None and screen.gate.state not in (WeighState.empty, WeighState.under)
        value = float(screen.net_g) if has_load and screen.net_g is not None else None
        ink = _MARKER.get(screen.verdict, "ink2") if screen.verdict else "ink2"
        self._band.show_band((float(limits[0]), float(limits[1]), float(limits[2])), texts, value, ink)
        low, target, high = (number for number, _ in texts)
        self._band.setAccessibleName(
            tr("Limits {low} to {high} g, target {target} g", low=low, high=high, target=target)
        )

    def _show_saved(self, screen: WeighScreen) -> None:
        note = screen.saved
        self._saved.setVisible(note is not None)
        self._saved_icon.setVisible(note is not None)
        if note is not None:
            word = tr("Saved here") if note.is_here else tr("Saved")
            self._saved.say(f"{word}: {weigh_words.grams(note.net_g, screen.decimals)}")

    def _show_buttons(self, screen: WeighScreen) -> None:
        state = screen.gate.state
        is_silent, is_test = state is WeighState.silent, state is WeighState.test_weight_due
        self.zero.setVisible(not is_silent)
        self.tare.setVisible(not is_silent)
        self.typed.setVisible(is_silent)
        self.again.setVisible(is_silent)
        self.test.setVisible(is_test)
        self.record.setVisible(not is_silent and not is_test)
        self.zero.say(tr("Zero"))
        self.tare.say(tr("Tare"))
        self.typed.say(tr("Type weight"))
        self.again.say(tr("Try again"))
        self.test.say(tr("Do test"))
        words = weigh_words.record(screen)
        self.record.say(words)
        is_out = screen.verdict in (WeightVerdict.too_light, WeightVerdict.too_heavy)
        self.record.set_icon("clipboard" if screen.may_record and not self._is_narrow else "")
        self.record.set_px(20 if self._is_narrow else 28 if screen.may_record else 25)
        self.record.setEnabled(screen.may_record)
        if screen.may_record and not is_out:
            self.record.setAccessibleDescription(f"{words}, {tr('in tolerance')}")


class WeighView(StationView):
    """The weigh view."""

    name = "weigh"

    def __init__(self, context: Context, station: WeighStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        self._main = Stack()
        self._scale_page = ScalePage(self)
        self._pages: dict[Mode, Page] = {
            Mode.reason: ReasonPage(station, self._do),
            Mode.typing: TypingPage(station, self._do),
            Mode.testing: TestPage(station, self._do),
            Mode.correcting: CorrectPage(station, self._do),
        }
        self._main.addWidget(self._scale_page)
        for page in self._pages.values():
            self._main.addWidget(page)
        self._empty = Words("weigh.empty", 26, 680, "ink2", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._main.addWidget(self._empty)
        card = Card("weigh.card")
        inside = column(margins=(35, 23, 35, 27))
        inside.addWidget(self._main)
        card.setLayout(inside)
        self._check = CheckCard(lambda: self.do(station.correct), lambda: self.do(station.undo))
        self._scale = ScaleBox()
        self.retheme()
        side = column(gap=20)
        side.addWidget(self._check)
        side.addWidget(self._scale, 1)
        normal = row(gap=20)
        normal.addWidget(card, 1)
        normal.addLayout(side)
        self._normal = QWidget()
        self._normal.setLayout(normal)
        self._over = OverPanel(station.use_other_scale, station.silence)
        self._whole = Stack()
        self._whole.addWidget(self._normal)
        self._whole.addWidget(self._over)
        box = column(margins=(24, 20, 24, 22))
        box.addWidget(self._whole)
        self.setLayout(box)
        self._redraw = jobs.coalesced(self._heard)
        self._unsubscribe = [
            context.hardware.subscribe(ScaleReading, self._on_reading),
            context.hardware.subscribe(DeviceStatus, self._on_status),
        ]

    def retheme(self) -> None:
        """Follow the text scale: the side needs more room for larger words."""
        for card in (self._check, self._scale):
            card.setFixedWidth(round(SIDE_W + (theme.scale() - 1) * 200))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What stands side by side in a wide window stands below each other in a narrow one."""
        super().resizeEvent(event)
        room = self.window().width() - AROUND_PX - (theme.scale() - 1) * 200
        is_narrow = room < NARROW_PX * theme.scale()
        self._scale_page.turn(is_narrow)
        for page in self._pages.values():
            page.turn(_direction(is_narrow))

    def _do(self, gesture: Any) -> None:
        self.do(gesture)

    def _on_reading(self, reading: ScaleReading) -> None:
        """On the device's thread."""
        self.station.on_reading(reading)
        self._redraw()

    def _on_status(self, status: DeviceStatus) -> None:
        """On the device's thread."""
        self.station.on_status(status)
        self._redraw()

    def _heard(self) -> None:
        if self._unsubscribe and self.isVisible():
            self.refresh()

    def stop(self) -> None:
        """Listen to the scale no more: the window goes."""
        for end in self._unsubscribe:
            end()
        self._unsubscribe = []

    def enter(self, about: Any = None) -> None:
        """The view comes to the front."""
        self.station.forget()
        self.refresh()

    def refresh(self) -> None:
        """Draw the station's picture."""
        self.show_screen(self.station.screen())

    def key(self, text: str) -> bool:
        """Enter records, Escape goes back; digits where a weight or a PIN is typed."""
        mode = self.station.screen().mode
        if text == "escape":
            self.station.back()
        elif mode is Mode.typing and (text.isdigit() or text in (".", "back")):
            self.station.key(text)
        elif mode is Mode.correcting and text.isdigit():
            self.do(lambda: self.station.pin_digit(text))
        elif text == "enter":
            self._on_enter(mode)
        else:
            return False
        return True

    def _on_enter(self, mode: Mode) -> None:
        gestures: dict[Mode, Any] = {Mode.weigh: self.station.record, Mode.typing: self.station.save_typed}
        gesture = gestures.get(mode, self.station.save_test)
        if mode in (Mode.weigh, Mode.typing, Mode.testing):
            self.do(gesture)

    def show_screen(self, screen: WeighScreen) -> None:
        """Draw a picture; nothing else decides what is seen."""
        if screen.gate.state is WeighState.over and screen.mode is not Mode.testing and screen.has_batch:
            self._over.show_screen(screen)
            self._whole.setCurrentWidget(self._over)
            return
        self._whole.setCurrentWidget(self._normal)
        self._check.show_screen(screen)
        self._scale.show_card(screen.scale)
        self._empty.say(tr("No batch on this line. Scan a work order to start."))
        if screen.mode is Mode.testing or (screen.has_batch and screen.mode is not Mode.weigh):
            page = self._pages[screen.mode]
            page.show_screen(screen)
            self._main.setCurrentWidget(page)
        elif screen.has_batch:
            self._scale_page.show_screen(screen)
            self._main.setCurrentWidget(self._scale_page)
        else:
            self._main.setCurrentWidget(self._empty)
