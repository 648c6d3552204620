"""Sync health (mockup 23): which terminals are heard, and what was stored but not applied.

A record that waits for its own kind (an upgrade, another terminal) is not listed: it needs
nobody. Each quarantined one says why in a sentence and shows the bytes as they came.
"""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout, QPlainTextEdit, QWidget

from foodflow_desktop.stations.supervisor import SyncHealthScreen
from foodflow_desktop.views import history_words, theme
from foodflow_desktop.views.i18n import clock, number, tr
from foodflow_desktop.views.laptop.notices import Notice
from foodflow_desktop.views.laptop.rows import PickRow, scrolled
from foodflow_desktop.views.widgets.controls import Button, Icon, Words
from foodflow_desktop.views.widgets.parts import Card, Rule, clear, column, row
from foodflow_kernel.wire.protocol import CLOCK_SKEW_FLAG_S, HUB_HEARD_S
from foodflow_kernel.wire.reports import QuarantineLine, SyncHealth, TerminalLine

COLUMNS = (3, 11, 11, 6, 5, 5)
"""Relative widths: name, place, state, waiting, heard, clock."""


class Figure(Card):
    """One figure in the row at the top."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._what = Words(f"{name}.what", 14, 500, "ink2")
        self._figure = Words(f"{name}.figure", 27, 700)
        self._beside = Words(f"{name}.beside", 16, 400, "ink2")
        line = row(gap=6)
        line.addWidget(self._figure, 0, Qt.AlignmentFlag.AlignBaseline)
        line.addWidget(self._beside, 0, Qt.AlignmentFlag.AlignBaseline)
        line.addStretch(1)
        box = column(gap=1, margins=(18, 12, 18, 10))
        box.addWidget(self._what)
        box.addLayout(line)
        self.setLayout(box)

    def say(self, what: str, figure: str, beside: str = "") -> None:
        """Show a figure."""
        self._what.say(what)
        self._figure.say(figure)
        self._beside.say(beside)


class TerminalRow(QWidget):
    """One terminal of the table."""

    def __init__(self, one: TerminalLine, now: datetime, height: int) -> None:
        super().__init__()
        self.setObjectName(f"sync_health.terminal.{one.name}")
        self.setFixedHeight(theme.px(height))
        self._is_off = one.state == "offline"
        icon, words, colour, weight = _state(one)
        name = self._words("name", one.name, 15, 700)
        where = self._words(
            "place", " ".join(part for part in (one.line_name, one.area) if part) or "–", 15, 400, "ink2"
        )
        state = row(gap=8)
        state.addWidget(Icon(icon, 20, colour))
        state.addWidget(self._words("state", words, 15, weight, colour))
        state.addStretch(1)
        known = one.waiting is not None
        waiting = self._words(
            "waiting", number(one.waiting or 0) if known else tr("not known"), 15, 600 if known else 400
        )
        heard = self._words("heard", _heard(one, now), 15, 400, "ink2")
        offset = self._words("clock", _offset(one), 15, 400, "ink2")
        if one.clock_offset_s is not None and abs(one.clock_offset_s) > CLOCK_SKEW_FLAG_S:
            offset.say(offset.text(), "warn")
            offset.set_weight(700)
        offset.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        grid = _grid()
        grid.addLayout(state, 0, 2)
        for place, part in ((0, name), (1, where), (3, waiting), (4, heard), (5, offset)):
            grid.addWidget(part, 0, place)
        self.setLayout(grid)

    def _words(self, name: str, text: str, px: float, weight: int, colour: str = "ink") -> Words:
        found = Words(f"{self.objectName()}.{name}", px, weight, colour)
        found.say(text)
        return found

    def paintEvent(self, event: object) -> None:
        """Mark a terminal that is not heard."""
        if self._is_off:
            QPainter(self).fillRect(self.rect(), theme.colour("offSoft"))


class SyncHealthView(QWidget):
    """Figures, terminals, and what needs a person."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sync_health")
        self.notice = Notice("sync_health.notice")
        self._figures = {name: Figure(f"sync_health.{name}") for name in ("online", "waiting", "help", "received")}
        figures = row(gap=12)
        for figure in self._figures.values():
            figures.addWidget(figure, 1)
        self._heads = [Words(f"sync_health.head.{name}", 14.5, 600, "ink2") for name in HEADS]
        head = _grid()
        head.setContentsMargins(16, 12, 16, 12)
        for place, words in zip((0, 2, 3, 4, 5), self._heads, strict=True):
            head.addWidget(words, 0, place)
        self._heads[-1].setAlignment(Qt.AlignmentFlag.AlignRight)
        self._terminals = column()
        table = Card("sync_health.terminals")
        inside = column(margins=(1, 1, 1, 6))
        inside.addLayout(head)
        inside.addWidget(scrolled(self._terminals), 1)
        table.setLayout(inside)

        self._list_title = Words("sync_health.quarantine.title", 17, 700)
        self._list_count = Words("sync_health.quarantine.count", 15, 400, "ink2")
        self._list_none = Words("sync_health.quarantine.none", 15, 400, "ink2", wrap=True)
        self._list = column(gap=4)
        waiting = Card("sync_health.quarantine")
        title = row()
        title.addWidget(self._list_title, 1)
        title.addWidget(self._list_count)
        inside = column(gap=8, margins=(12, 14, 12, 12))
        holder = column(margins=(8, 0, 8, 0))
        holder.addLayout(title)
        holder.addWidget(self._list_none)
        inside.addLayout(holder)
        inside.addWidget(scrolled(self._list), 1)
        waiting.setLayout(inside)

        self._detail_card = Card("sync_health.detail")
        self._detail = column(gap=0, margins=(24, 20, 24, 20))
        self._detail_card.setLayout(self._detail)
        left = column(gap=16)
        left.addWidget(table, 5)
        left.addWidget(waiting, 5)
        both = row(gap=16)
        both.addLayout(left, 51)
        both.addWidget(self._detail_card, 49)
        whole = column(gap=16, margins=(24, 20, 24, 21))
        whole.addWidget(self.notice)
        whole.addLayout(figures)
        whole.addLayout(both, 1)
        self.setLayout(whole)
        self._picked = 0
        self._shown: tuple[object, ...] = ()
        self._screen: SyncHealthScreen | None = None

    def show_screen(self, screen: SyncHealthScreen) -> None:
        """Draw all parts; rebuilt only when something changed, so that focus and scroll stay."""
        self._screen = screen
        health = screen.answer.value
        self.notice.show_answer(screen.answer, has_value=health is not None)
        if health is None:
            return
        key = (
            health.terminals,
            health.quarantine,
            health.received_today,
            self._picked,
            int(screen.now.timestamp() // 10),
            tr("Terminal"),
        )
        if key == self._shown:
            return
        self._shown = key
        self._show_figures(health)
        for words, text in zip(self._heads, (HEADS[name]() for name in HEADS), strict=True):
            words.say(text)
        clear(self._terminals)
        for one in health.terminals:
            self._terminals.addWidget(Rule())
            self._terminals.addWidget(TerminalRow(one, screen.now, 40))
        self._terminals.addStretch(1)
        self._show_list(health, screen.now)
        self._show_detail(health)

    def _show_figures(self, health: SyncHealth) -> None:
        online = sum(one.state not in ("offline", "revoked") for one in health.terminals)
        live = [one for one in health.terminals if one.state != "revoked"]
        unknown = [one.name for one in live if one.waiting is None]
        self._figures["online"].say(tr("Terminals online"), number(online), tr("of {count}", count=number(len(live))))
        beside = tr("{names} not known", names=", ".join(unknown)) if unknown else ""
        self._figures["waiting"].say(tr("Records waiting"), number(sum(one.waiting or 0 for one in live)), beside)
        self._figures["help"].say(tr("Need help"), number(len(health.quarantine)))
        self._figures["received"].say(tr("Received today"), number(health.received_today))

    def _show_list(self, health: SyncHealth, now: datetime) -> None:
        self._list_title.say(tr("Stored, but not applied"))
        self._list_count.say(number(len(health.quarantine)))
        self._list_none.say(tr("None. Every record that arrived was understood and applied."))
        self._list_none.setVisible(not health.quarantine)
        clear(self._list)
        self._picked = min(self._picked, max(0, len(health.quarantine) - 1))
        for place, one in enumerate(health.quarantine):
            picked = PickRow(f"sync_health.quarantine.{place}", "flag", "warn")
            minutes = int((now - one.received_at).total_seconds() // 60)
            picked.say(one.sentence, f"{_what(one)} · {one.device_name}", tr("{minutes} min", minutes=minutes))
            picked.set_chosen(place == self._picked)
            picked.clicked.connect(lambda _=False, place=place: self._pick(place))
            self._list.addWidget(picked)
        self._list.addStretch(1)

    def _show_detail(self, health: SyncHealth) -> None:
        self._detail_card.setVisible(bool(health.quarantine))
        clear(self._detail)
        if not health.quarantine:
            return
        one = health.quarantine[self._picked]
        title = Words("sync_health.detail.title", 18, 700, wrap=True)
        title.say(one.sentence)
        below = Words("sync_health.detail.below", 15, 400, "ink2", wrap=True)
        below.say(tr("The record is kept as it came. Nothing is deleted, and later records are not held up."))
        self._detail.addWidget(title)
        self._detail.addSpacing(4)
        self._detail.addWidget(below)
        self._detail.addSpacing(14)
        for name, label, value in (
            ("device", tr("Terminal"), one.device_name),
            ("kind", tr("Record"), _what(one)),
            ("place", tr("Place in its log"), tr("lane {lane}, number {seq}", lane=one.lane, seq=number(one.seq))),
            ("received", tr("Received"), clock(one.received_at, seconds=True)),
            ("reason", tr("Code for support"), one.reason),
        ):
            self._detail.addWidget(Rule())
            line = row(gap=12, margins=(0, 8, 0, 8))
            what = Words(f"sync_health.detail.{name}.label", 15, 400, "ink2")
            what.say(label)
            what.setFixedWidth(150)
            text = Words(f"sync_health.detail.{name}", 15, 600, wrap=True)
            text.say(value)
            line.addWidget(what)
            line.addWidget(text, 1)
            self._detail.addLayout(line)
        raw = QPlainTextEdit(one.raw)
        raw.setObjectName("sync_health.detail.raw")
        raw.setAccessibleName(tr("The record as it came"))
        raw.setReadOnly(True)
        raw.setFont(theme.font(13.5, 400, mono=True))
        raw.hide()
        show = Button("sync_health.detail.show_raw", "quiet")
        show.say(tr("Show the record as it came"))
        show.setCheckable(True)
        show.toggled.connect(raw.setVisible)
        line = row(margins=(0, 12, 0, 8))
        line.addWidget(show)
        line.addStretch(1)
        self._detail.addLayout(line)
        self._detail.addWidget(raw, 1)
        self._detail.addStretch(1)

    def _pick(self, place: int) -> None:
        self._picked = place
        if self._screen is not None:
            self.show_screen(self._screen)


HEADS = {
    "terminal": lambda: tr("Terminal"),
    "state": lambda: tr("State"),
    "waiting": lambda: tr("Waiting"),
    "heard": lambda: tr("Heard"),
    "clock": lambda: tr("Clock"),
}


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(16, 0, 16, 0)
    grid.setHorizontalSpacing(8)
    for place, share in enumerate(COLUMNS):
        grid.setColumnStretch(place, share)
    return grid


def _state(one: TerminalLine) -> tuple[str, str, str, int]:
    """Icon, words, colour and weight of a terminal's state."""
    match one.state:
        case "offline":
            return "cloud_off", tr("Offline"), "off", 700
        case "needs_help":
            return "flag", tr("Needs help · {count}", count=one.needs_help), "warn", 700
        case "sending":
            return "cloud_up", tr("Sending {count}", count=number(one.waiting or 0)), "ink2", 400
        case "revoked":
            return "x", tr("Revoked"), "ink2", 400
        case _:
            return "cloud_ok", tr("All sent"), "ink2", 400


def _heard(one: TerminalLine, now: datetime) -> str:
    if one.heard_at is None:
        return tr("never")
    return tr("now") if (now - one.heard_at).total_seconds() < HUB_HEARD_S else clock(one.heard_at)


def _offset(one: TerminalLine) -> str:
    if one.clock_offset_s is None:
        return "–"
    decimals = 0 if abs(one.clock_offset_s) >= 100 else 1  # noqa: PLR2004 - a tenth of a second says nothing there
    shown = number(abs(round(one.clock_offset_s, decimals)), decimals)
    sign = (
        "+"
        if one.clock_offset_s > 0 and shown.strip("0.,")
        else "−"
        if one.clock_offset_s < 0 and shown.strip("0.,")
        else ""
    )
    return f"{sign}{shown} s"


def _what(one: QuarantineLine) -> str:
    return history_words.kind(one.kind) if one.kind else tr("unknown kind")
