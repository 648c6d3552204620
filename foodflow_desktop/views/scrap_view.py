"""Scrap: a reason, an amount, one touch to record; ten seconds to take it back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSizePolicy

from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.scrap import ScrapScreen, ScrapStation
from foodflow_desktop.views import jobs
from foodflow_desktop.views.i18n import number, tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import TouchButton
from foodflow_desktop.views.widgets.parts import Card, column, row
from foodflow_kernel.units import Uom

REASONS = 6
KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", ".", "0", "back")
PROBLEMS = {
    "no_batch": lambda: tr("No batch on this line. Start one first."),
    "nobody_signed_in": lambda: tr("Sign in first."),
    "no_reason": lambda: tr("Touch why it was lost."),
    "no_amount": lambda: tr("Type how much."),
}
SYMBOLS = {Uom.KGM: "kg", Uom.GRM: "g", Uom.LTR: "l", Uom.MLT: "ml"}


class ScrapView(StationView):
    """Reasons left, keypad right, Record at the bottom right."""

    name = "scrap"
    rail = "run"

    def __init__(self, context: Context, station: ScrapStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = lambda: jobs.on_ui(self.refresh)
        self._title = Words("scrap.title", 30, 720)
        self._about = Words("scrap.about", 19, 500, "ink2", wrap=True)
        self._why = Words("scrap.why", 21, 680)
        self.reasons = [
            TouchButton(f"scrap.reason.{place}", "outline", "question", px=20, height=96, icon_px=30)
            for place in range(1, REASONS + 1)
        ]
        self._codes: list[str] = []
        self._saved = Card("scrap.saved", fill="okSoft", border="", width=0)
        self._saved_words = Words("scrap.saved.text", 19, 600, wrap=True)
        self.undo = TouchButton("scrap.undo", "outline", "undo", px=19)
        self._amount = Words("scrap.amount", 88, 700)
        self._unit = Words("scrap.unit", 26, 500, "ink2")
        self.keys = {
            key: TouchButton(
                f"scrap.key.{'point' if key == '.' else key}",
                "key",
                "backspace" if key == "back" else "",
                px=32,
                height=92,
            )
            for key in KEYS
        }
        self.clear = TouchButton("scrap.key.clear", "quiet", px=19)
        self._problem = Words("scrap.problem", 17, 500, "ink2", wrap=True)
        self.record = TouchButton("scrap.record", "primary", "trash", px=22, weight=700, height=88)
        self._build()

    def _build(self) -> None:
        reasons = QGridLayout()
        reasons.setContentsMargins(0, 0, 0, 0)
        reasons.setSpacing(12)
        for place, button in enumerate(self.reasons):
            reasons.addWidget(button, place // 2, place % 2)
            button.clicked.connect(lambda _=False, place=place: self._chosen(place))
        saved = row(gap=14, margins=(20, 12, 12, 12))
        saved.addWidget(Icon("check", 28, "ok"))
        saved.addWidget(self._saved_words, 1)
        saved.addWidget(self.undo)
        self._saved.setLayout(saved)
        left = column(gap=0, margins=(28, 22, 28, 22))
        left.addWidget(self._title)
        left.addWidget(self._about)
        left.addSpacing(18)
        left.addWidget(self._why)
        left.addSpacing(12)
        left.addLayout(reasons)
        left.addStretch(1)
        left.addWidget(self._saved)
        left_card = Card("scrap.left")
        left_card.setLayout(left)

        figure = row(gap=12)
        figure.addWidget(self.clear, 0, Qt.AlignmentFlag.AlignVCenter)
        figure.addStretch(1)
        figure.addWidget(self._amount, 0, Qt.AlignmentFlag.AlignBaseline)
        figure.addWidget(self._unit, 0, Qt.AlignmentFlag.AlignBaseline)
        keys = QGridLayout()
        keys.setContentsMargins(0, 0, 0, 0)
        keys.setSpacing(12)
        for place, (name, key) in enumerate(self.keys.items()):
            key.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            key.clicked.connect(lambda _=False, name=name: self.station.key(name))
            keys.addWidget(key, place // 3, place % 3)
        right = column(gap=10, margins=(24, 6, 24, 20))
        right.addLayout(figure)
        right.addLayout(keys)
        right.addStretch(1)
        right.addWidget(self._problem)
        right.addWidget(self.record)
        right_card = Card("scrap.right")
        right_card.setLayout(right)
        right_card.setFixedWidth(452)
        whole = row(gap=20, margins=(24, 20, 24, 25))
        whole.addWidget(left_card, 1)
        whole.addWidget(right_card)
        self.setLayout(whole)
        self.clear.clicked.connect(lambda: self.station.key("clear"))
        self.record.clicked.connect(self._record)
        self.undo.clicked.connect(
            lambda: self.do(lambda: self.station.undo().then(lambda: self.tell(tr("Taken back"), "ok")))
        )

    def refresh(self) -> None:
        """Draw the station's picture again."""
        self.show_screen(self.station.screen())

    def key(self, text: str) -> bool:
        """Digits and marks of a keyboard."""
        if text == "enter":
            if self.record.isEnabled():
                self._record()
            return True
        if text in self.keys or text == "clear":
            self.station.key(text)
            return True
        return False

    def show_screen(self, screen: ScrapScreen) -> None:
        """Draw one picture."""
        unit = screen.unit if screen.unit != screen.uom.value else SYMBOLS.get(screen.uom, tr("pieces"))
        self._title.say(tr("Record scrap"))
        about = " · ".join(part for part in (screen.product, screen.batch_no) if part)
        if screen.batch_no:
            about += " · " + tr("{n} {unit} so far", n=number(screen.so_far.normalize() + 0), unit=unit)
        self._about.say(about or PROBLEMS["no_batch"]())
        self._why.say(tr("Why was it lost?"))
        self._codes = [reason.code for reason in screen.reasons]
        for place, button in enumerate(self.reasons):
            button.setVisible(place < len(screen.reasons))
            if place < len(screen.reasons):
                reason = screen.reasons[place]
                button.say(reason.name)
                button.set_icon(reason.icon or "question")
                button.set_kind("chosen" if reason.is_chosen else "outline")
        shown = (
            number(screen.amount)
            if screen.amount is not None and "." not in screen.typed
            else screen.typed.replace(".", _mark())
        )
        self._amount.say(shown or "0", "ink" if screen.typed else "ink3")
        self._unit.say(unit)
        for name, key in self.keys.items():
            if name == ".":
                key.say(_mark(), tr("Decimal mark"))
                key.setEnabled(screen.is_decimal)
            elif name == "back":
                key.say("", tr("Delete the last digit"))
            else:
                key.say(name)
        self.clear.say(tr("Clear"))
        self._problem.say(PROBLEMS[screen.problem]() if screen.problem else "")
        self.record.setEnabled(screen.problem is None)
        amount = f"{shown} {unit}" if screen.amount is not None else ""
        self.record.say(tr("Record {amount}", amount=amount).strip() if amount else tr("Record scrap"))
        saved = screen.saved
        self._saved.setVisible(saved is not None)
        if saved is not None:
            self._saved_words.say(
                tr("Saved: {n} {unit}, {reason}", n=number(saved.amount), unit=unit, reason=saved.reason)
            )
            self.undo.say(tr("Undo"))

    def _chosen(self, place: int) -> None:
        if place < len(self._codes):
            self.station.choose(self._codes[place])

    def _record(self) -> None:
        self.do(self.station.record)


def _mark() -> str:
    """The decimal mark of the language."""
    return number("0.1")[1]
