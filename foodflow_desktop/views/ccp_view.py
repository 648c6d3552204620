"""CCP entry (mockup 08): keypad left, limit, history and consequence right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QGridLayout, QWidget

from foodflow_desktop.hardware.readings import ProbeReading
from foodflow_desktop.stations.ccp import Blocked, CcpScreen, CcpStation, Judged
from foodflow_desktop.stations.context import Context
from foodflow_desktop.views import i18n, jobs, kiosk_words
from foodflow_desktop.views.ccp_parts import BatchChart, PieceRows, ProbeButton, Readout
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pages, Pill, TouchButton
from foodflow_desktop.views.widgets.mixed import MixedWords
from foodflow_desktop.views.widgets.parts import Card, column, row

KEY_H, KEY_W, SIDE_KEY_W = 92, 122, 172


class CcpView(StationView):
    """One reading of a critical control point."""

    name, rail = "ccp", "checks"
    holds_front = True

    def __init__(self, context: Context, station: CcpStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        station.on_saved = self._on_saved
        context.hardware.subscribe(ProbeReading, lambda one: jobs.on_ui(lambda: self._on_probe(one)))
        whole = row(gap=20, margins=(24, 20, 24, 22))
        whole.addWidget(self._entry_card(), 644)
        whole.addLayout(self._side(), 456)
        self.setLayout(whole)

    # --- building ------------------------------------------------------------------------

    def _entry_card(self) -> Card:
        card = Card("ccp.entry")
        self._icon, self._title = Icon("thermometer", 36, "ink2", 1.8), Words("ccp.title", 27, 680, wrap=True)
        self._chip = Pill("ccp.place", height=36, px=17, weight=600)
        head = row(gap=14)
        head.addWidget(self._icon)
        head.addWidget(self._title, 1)
        head.addWidget(self._chip)
        self._readout = Readout("ccp.value")
        self._pieces = PieceRows("ccp.piece", self.station.piece)
        keys, pieces = QWidget(), QWidget()
        keys.setLayout(self._keys())
        box = column()
        box.addWidget(self._pieces)
        box.addStretch(1)
        pieces.setLayout(box)
        self._lower = Pages()
        self._lower.addWidget(keys)
        self._lower.addWidget(pieces)
        inside = column(margins=(31, 22, 31, 34))
        inside.addLayout(head)
        inside.addSpacing(18)
        inside.addWidget(self._readout)
        inside.addSpacing(20)
        inside.addLayout(self._lower, 1)
        card.setLayout(inside)
        return card

    def _keys(self) -> Any:
        left, right = QGridLayout(), QGridLayout()
        for grid in (left, right):
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setSpacing(12)
            for place in range(4):
                grid.setRowMinimumHeight(place, KEY_H)
            grid.setRowStretch(4, 1)
        for number in range(1, 10):
            left.addWidget(self._key(f"{number}"), (number - 1) // 3, (number - 1) % 3)
        self._point = self._side_key("ccp.key.point", px=35)
        self._point.clicked.connect(self.station.point)
        self._minus = self._side_key("ccp.key.minus", px=33)
        self._minus.say("−", tr("Minus"))
        self._minus.clicked.connect(self.station.sign)
        left.addWidget(self._point, 3, 0)
        left.addWidget(self._key("0"), 3, 1)
        left.addWidget(self._minus, 3, 2)
        for place in range(3):
            left.setColumnStretch(place, 1)
        self._probe = ProbeButton("ccp.probe")
        self._probe.clicked.connect(self.station.use_probe)
        self._back = self._side_key("ccp.key.backspace", icon="backspace")
        self._back.clicked.connect(self.station.backspace)
        self._clear = self._side_key("ccp.key.clear", px=19)
        self._clear.clicked.connect(self.station.clear)
        right.addWidget(self._probe, 0, 0, 2, 1)
        right.addWidget(self._back, 2, 0)
        right.addWidget(self._clear, 3, 0)
        keys = row(gap=20)
        keys.addLayout(left, 3 * KEY_W + 24)
        keys.addLayout(right, SIDE_KEY_W)
        return keys

    def _key(self, text: str) -> TouchButton:
        key = TouchButton(f"ccp.key.{text}", "outline", px=33, weight=650, height=KEY_H, side=8)
        key.say(text)
        key.clicked.connect(lambda: self.station.digit(text))
        return key

    @staticmethod
    def _side_key(name: str, *, icon: str = "", px: float = 19) -> TouchButton:
        return TouchButton(name, "key", icon, px=px, weight=650, height=KEY_H, icon_px=30, side=8)

    def _side(self) -> Any:
        history = Card("ccp.history")
        self._history_title = Words("ccp.history_title", 21.4, 680, wrap=True)
        self._history_count = Words("ccp.history_count", 16, 600, "ink3")
        head = row()
        head.addWidget(self._history_title, 1)
        head.addWidget(self._history_count)
        self._chart = BatchChart("ccp.chart")
        inside = column(margins=(28, 23, 28, 28))
        inside.addLayout(head)
        inside.addSpacing(24)
        inside.addWidget(self._chart, 10)
        inside.addStretch(1)
        history.setLayout(inside)

        then = Card("ccp.consequence")
        self._then_icon = Icon("lock", 36, "hold")
        self._then_title = Words("ccp.then_title", 21.4, 680, wrap=True)
        self._then_text = MixedWords("ccp.then_text", 18.4, 450)
        words = column(gap=4)
        words.addWidget(self._then_title)
        words.addWidget(self._then_text)
        words.addStretch(1)
        top = row(gap=17)
        icon = column(margins=(0, 2, 0, 0))
        icon.addWidget(self._then_icon)
        icon.addStretch(1)
        top.addLayout(icon)
        top.addLayout(words, 1)
        self._again = TouchButton("ccp.again", "outline", px=20.5, weight=650, height=88, side=14)
        self._again.clicked.connect(lambda: self.do(self.station.measure_again))
        self._save = TouchButton("ccp.save", "primary", px=23.4, weight=680, height=88, side=14)
        self._save.clicked.connect(self._on_save)
        buttons = row(gap=12)
        buttons.addWidget(self._again, 178)
        buttons.addWidget(self._save, 212)
        inside = column(margins=(27, 22, 27, 25))
        inside.addLayout(top, 1)
        inside.addSpacing(16)
        inside.addLayout(buttons)
        then.setLayout(inside)
        box = column(gap=20)
        box.addWidget(history, 405)
        box.addWidget(then, 260)
        return box

    # --- gestures ------------------------------------------------------------------------

    def enter(self, about: Any = None) -> None:
        """Open a CCP by its version's id; without one, back to the list."""
        if about is not None:
            self.station.open(about)
        if not self.station.is_open:
            self.go("checks")
            return
        for device in self.context.hardware.devices():
            latest = self.context.hardware.latest(device)
            if isinstance(latest, ProbeReading):
                self.station.on_probe(latest)
        self.refresh()

    def key(self, text: str) -> bool:
        """Digits and marks type; Enter saves; Escape goes back."""
        if text.isdigit():
            self.station.digit(text)
        elif text in (".", "-", "back", "enter", "escape"):
            acts: dict[str, Callable[[], object]] = {
                ".": self.station.point,
                "-": self.station.sign,
                "back": self.station.backspace,
                "enter": self._save.click,
                "escape": lambda: self.go("checks"),
            }
            acts[text]()
        else:
            return False
        return True

    def _on_probe(self, reading: ProbeReading) -> None:
        if self.station.is_open and self.isVisible():
            self.station.on_probe(reading)

    def _on_save(self) -> None:
        screen = self.station.screen()
        if screen.pieces and screen.judged is Judged.empty:
            self.station.all_rejected()
            self.do(self.station.save)
        elif screen.judged in (Judged.retype, Judged.differs):
            self.station.type_again()
        elif screen.may_save:
            self.do(self.station.save)

    def _on_saved(self, deviation_id: object) -> None:
        if deviation_id is not None:
            self.go("deviation", deviation_id)
            return
        self.tell(tr("Saved"), "ok")
        self.go("checks")

    # --- drawing -------------------------------------------------------------------------

    def refresh(self) -> None:
        """Draw the entry."""
        if not self.station.is_open:
            return
        screen = self.station.screen()
        self._icon.show_icon(kiosk_words.icon(screen.icon))
        self._title.say(screen.name)
        self._chip.say(" · ".join(part for part in (screen.ccp_no, screen.place) if part))
        self._readout.show_screen(screen)
        self._lower.setCurrentIndex(1 if screen.pieces else 0)
        if screen.pieces:
            self._pieces.show_rows(screen.pieces)
        self._probe.setVisible(screen.probe is not None)
        self._probe.show_probe(screen.probe, screen.limit.unit or "")
        self._point.say("," if i18n.current() == "es" else ".", tr("Decimal mark"))
        self._minus.setVisible(bool(screen.range and screen.range[0] < 0) and screen.probe is None)
        self._clear.say(tr("Clear"))
        self._back.setAccessibleName(tr("Delete"))
        self._history_title.say(tr("This batch"))
        count = len(screen.history)
        self._history_count.say(_count_words(count))
        self._chart.show_screen(screen)
        self._show_consequence(screen)

    def _show_consequence(self, screen: CcpScreen) -> None:
        icon, colour, title, text = _consequence(screen)
        self._then_icon.show_icon(icon, colour)
        self._then_title.say(title)
        self._then_text.say(text)
        self._again.setVisible(screen.may_measure_again)
        self._again.say(tr("Measure again"))
        self._save.set_kind("danger" if screen.judged.is_breach else "primary")
        self._save.say(_save_words(screen))
        may_retype = screen.judged in (Judged.retype, Judged.differs) and screen.value is not None
        may_all = bool(screen.pieces) and screen.judged is Judged.empty and screen.blocked is None
        self._save.setEnabled(screen.may_save or may_retype or may_all)


def _count_words(count: int) -> str:
    if count == 0:
        return tr("no checks yet")
    return tr("last check") if count == 1 else tr("last {n} checks", n=count)


def _save_words(screen: CcpScreen) -> str:
    """What the primary button says: it repeats the value."""
    if screen.judged.is_breach:
        return tr("Save and hold")
    if screen.judged in (Judged.retype, Judged.differs) and screen.value is not None:
        return tr("Type it again")
    if screen.pieces:
        return tr("Record all {n} rejected", n=len(screen.pieces))
    if screen.value is None or not screen.judged.may_save:
        return tr("Record")
    return tr("Record {v}", v=kiosk_words.value_with_unit(screen.value, screen.limit.unit))


def _consequence(screen: CcpScreen) -> tuple[str, str, str, str]:
    """Icon, colour, title and text of what saving does, said before it is touched."""
    if screen.blocked is Blocked.calibration:
        text = tr(
            "{tag} was due on {on}. Call maintenance; use another instrument.",
            tag=screen.instrument,
            on=screen.calib_due,
        )
        return "crit", "crit", tr("Calibration expired"), text
    if screen.blocked is Blocked.no_batch:
        return "info", "ink2", tr("No batch on this line"), tr("Scan a work order to start one.")
    if screen.judged.is_breach:
        return "lock", "hold", _breach_title(screen), _breach_text(screen)
    if screen.judged is Judged.empty and screen.pieces:
        return "info", "ink2", tr("Send each test piece through"), tr("Say for each whether it was rejected.")
    return _plain_consequence(screen)


def _plain_consequence(screen: CcpScreen) -> tuple[str, str, str, str]:
    """The same where nothing is held."""
    low, high = screen.range or (None, None)
    reads = ""
    if low is not None and high is not None:
        reads = tr("The instrument reads {low} to {high}.", low=i18n.number(low), high=i18n.number(high))
    close = tr("It may be saved. Act now, before it is a deviation.")
    return {
        Judged.outside_range: ("warn", "warn", tr("This cannot be right"), reads),
        Judged.retype: ("warn", "warn", tr("Far from the last check"), tr("If it is right, type it once more.")),
        Judged.differs: ("warn", "warn", tr("The two values differ"), tr("Measure again and type the value twice.")),
        Judged.op_limit: ("warn", "warn", tr("Close to the limit"), close),
        Judged.ok: ("check", "ok", tr("In limits"), tr("One touch records it.")),
        Judged.moving: ("clock", "ink2", tr("Still moving"), tr("Wait until the probe is steady.")),
    }.get(screen.judged, ("info", "ink2", tr("No reading yet"), tr("Use the probe, or type the value.")))


def _breach_title(screen: CcpScreen) -> str:
    return tr("Saving this keeps the hold") if screen.is_held else tr("Saving this opens a deviation")


def _breach_text(screen: CcpScreen) -> str:
    lot = f"**{screen.hold_lot}**"
    if screen.is_held:
        return tr("The whole lot {lot} is on hold already. Then you choose what to do.", lot=lot)
    if screen.hold_vessel:
        return tr(
            "{vessel} and the whole lot {lot} go on hold at once. Then you choose what to do.",
            vessel=screen.hold_vessel,
            lot=lot,
        )
    return tr("The whole lot {lot} goes on hold at once. Then you choose what to do.", lot=lot)
