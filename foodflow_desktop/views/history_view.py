"""History: what was recorded here today, what the hub has, and taking a record back."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.history import PAGE, REASONS, HistoryRow, HistoryScreen, HistoryStation
from foodflow_desktop.views import history_words, jobs
from foodflow_desktop.views.i18n import clock, number, tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Dots, PinKeys, TouchButton
from foodflow_desktop.views.widgets.parts import Card, Rule, column, row

ROW_H = 78
"""A row as high as its button needs."""


class HistoryLine(QWidget):
    """One record: saved here or sent, when, what, who; Correct where it may be."""

    def __init__(self, place: int) -> None:
        super().__init__()
        name = f"history.row.{place}"
        self.setObjectName(name)
        self.row: HistoryRow | None = None
        self._sent = Icon("ring", 24, "ink2")
        self._at = Words(f"{name}.at", 18, 600, "ink2")
        self._icon = Icon("list", 26, "ink2")
        self._what = Words(f"{name}.what", 19, 650)
        self._said = Words(f"{name}.said", 17, 500, "ink2", wrap=True)
        self._by = Words(f"{name}.by", 16, 500, "ink2")
        self.correct = TouchButton(f"history.correct.{place}", "outline", "pencil", px=17, icon_px=22, side=14)
        words = column(gap=0)
        words.addWidget(self._what)
        words.addWidget(self._said)
        box = row(gap=14, margins=(20, 3, 14, 3))
        box.addWidget(self._sent)
        box.addWidget(self._at)
        box.addWidget(self._icon)
        box.addLayout(words, 1)
        box.addWidget(self._by)
        box.addWidget(self.correct)
        self.setLayout(box)
        self._said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._what.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_row(self, shown: HistoryRow) -> None:
        """Draw a record; one that was taken back says by whom and why."""
        self.row = shown
        is_back = shown.taken_back_by is not None
        self._sent.show_icon("tick" if shown.is_sent else "ring", "ok" if shown.is_sent else "ink2")
        state = tr("sent") if shown.is_sent else tr("saved here")
        self._sent.setAccessibleName(state)
        self._sent.setToolTip(state)
        self._at.say(clock(shown.at, seconds=True))
        self._icon.show_icon(history_words.ICONS.get(shown.kind, "list"), "ink3" if is_back else "ink2")
        self._what.say(history_words.kind(shown.kind), "ink3" if is_back else "ink")
        said = history_words.said(shown)
        if is_back:
            why = history_words.why(shown.taken_back_why or "")
            said += " · " + tr("taken back by {name}: {why}", name=shown.taken_back_by, why=why)
        self._said.say(said)
        self._said.setToolTip(said)
        self._by.say(shown.by)
        self.correct.say(tr("Correct"))
        self.correct.setVisible(shown.may_correct)
        self.setAccessibleName(f"{state}, {self._at.text()}, {self._what.text()}, {said}")


class HistoryView(StationView):
    """A page of records; the correction beside it."""

    name = "history"
    rail = "more"

    def __init__(self, context: Context, station: HistoryStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = lambda: jobs.on_ui(self.refresh)
        self._title = Words("history.title", 26, 720)
        self._count = Words("history.count", 17, 500, "ink2")
        self.all = TouchButton("history.all", "outline", px=17, side=16)
        self.lines = [HistoryLine(place) for place in range(1, PAGE + 1)]
        self._none = Words("history.none", 19, 500, "ink2", wrap=True)
        self.newer = TouchButton("history.newer", "outline", px=18)
        self.older = TouchButton("history.older", "outline", px=18)
        self._page = Words("history.page", 17, 600, "ink2")
        self._panel = self._build_panel()
        self._shows_all = False
        self._build()

    def _build(self) -> None:
        head = row(gap=14, margins=(20, 0, 14, 8))
        head.addWidget(self._title)
        head.addWidget(self._count, 1)
        head.addWidget(self.all)
        foot = row(gap=14, margins=(20, 8, 14, 0))
        foot.addWidget(self._page, 1)
        foot.addWidget(self.newer)
        foot.addWidget(self.older)
        card = Card("history.card")
        inside = column(margins=(0, 12, 0, 12))
        inside.addLayout(head)
        none = row(margins=(20, 8, 20, 8))
        none.addWidget(self._none)
        inside.addLayout(none)
        for line in self.lines:
            inside.addWidget(Rule())
            inside.addWidget(line)
            line.setMinimumHeight(ROW_H)
            line.correct.clicked.connect(lambda _=False, line=line: self._choose(line))
        inside.addStretch(1)
        inside.addWidget(Rule())
        inside.addLayout(foot)
        card.setLayout(inside)
        whole = row(gap=20, margins=(24, 20, 24, 25))
        whole.addWidget(card, 1)
        whole.addWidget(self._panel)
        self.setLayout(whole)
        self.newer.clicked.connect(lambda: self.station.turn(-1))
        self.older.clicked.connect(lambda: self.station.turn(1))
        self.all.clicked.connect(lambda: self.station.show_all(not self._shows_all))

    def _build_panel(self) -> Card:
        self._panel_title = Words("history.correct.title", 21, 700, wrap=True)
        self._panel_about = Words("history.correct.about", 17, 500, "ink2", wrap=True)
        self.reasons = [TouchButton(f"history.reason.{code}", "outline", px=18, side=10) for code in REASONS]
        self._pin_title = Words("history.pin.title", 18, 650, wrap=True)
        self._dots = Dots("history.dots")
        self.pin = PinKeys("history.pin", self._digit, self.station.signer.backspace, self.station.signer.clear)
        self.close_panel = TouchButton("history.correct.close", "quiet", px=18)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(10)
        for place, button in enumerate(self.reasons):
            grid.addWidget(button, place, 0)
            button.clicked.connect(lambda _=False, code=REASONS[place]: self.station.give_reason(code))
        panel = Card("history.panel")
        panel.setFixedWidth(376)
        inside = column(gap=8, margins=(20, 14, 20, 14))
        inside.addWidget(self._panel_title)
        inside.addWidget(self._panel_about)
        inside.addLayout(grid)
        inside.addWidget(self._pin_title)
        inside.addWidget(self._dots)
        inside.addWidget(self.pin)
        inside.addStretch(1)
        inside.addWidget(self.close_panel)
        panel.setLayout(inside)
        self.close_panel.clicked.connect(lambda: self.station.choose(None))
        return panel

    def enter(self, about: Any = None) -> None:
        """Start at the newest page."""
        self.station.choose(None)
        super().enter(about)

    def refresh(self) -> None:
        """Draw the station's picture again."""
        self.show_screen(self.station.screen())

    def key(self, text: str) -> bool:
        """Digits of the PIN; Escape closes the correction."""
        if text == "escape":
            self.station.choose(None)
            return True
        if text.isdigit() and self._panel.isVisible():
            self._digit(text)
            return True
        return False

    def show_screen(self, screen: HistoryScreen) -> None:
        """Draw one picture."""
        self._shows_all = screen.shows_all
        self._title.say(tr("History"))
        self._count.say(tr("{n} records today", n=number(screen.total)))
        self.all.say(tr("People only") if screen.shows_all else tr("Show all"))
        self._none.say(tr("Nothing recorded here today."))
        self._none.setVisible(not screen.rows)
        for place, line in enumerate(self.lines):
            line.setVisible(place < len(screen.rows))
            if place < len(screen.rows):
                line.show_row(screen.rows[place])
                line.correct.setEnabled(screen.has_user)
        self._page.say(tr("Page {page} of {pages}", page=screen.page + 1, pages=screen.pages))
        self.newer.say(tr("Newer"))
        self.older.say(tr("Older"))
        self.newer.setEnabled(screen.page > 0)
        self.older.setEnabled(screen.page + 1 < screen.pages)
        self._show_panel(screen)

    def _show_panel(self, screen: HistoryScreen) -> None:
        self._panel.setVisible(screen.chosen is not None)
        if screen.chosen is None:
            return
        self._panel_title.say(tr("Take back {what}", what=history_words.said(screen.chosen)))
        self._panel_about.say(tr("The first entry stays readable. Say why, then sign with your PIN."))
        for button, code in zip(self.reasons, REASONS, strict=True):
            button.say(history_words.why(code))
            button.setVisible(screen.reason is None)
        for part in (self._pin_title, self._dots, self.pin):
            part.setVisible(screen.reason is not None)
        if screen.reason is not None:
            self._panel_about.say(f"{history_words.why(screen.reason)}. {tr('Sign with your PIN.')}")
        pad = screen.pad
        if pad.wait_s:
            self._pin_title.say(tr("Wait {n} s before the next PIN.", n=pad.wait_s))
        elif pad.tries_left is not None:
            self._pin_title.say(tr("Not the right PIN. {n} tries left.", n=pad.tries_left))
        else:
            self._pin_title.say(tr("PIN of {name}", name=pad.name))
        self._dots.show_dots(pad.filled, pad.digits)
        self.pin.clear.say(tr("Clear"))
        self.pin.back.say("", tr("Delete the last digit"))
        self.close_panel.say(tr("Leave it as it is"))

    def _choose(self, line: HistoryLine) -> None:
        if line.row is not None:
            self.station.choose(line.row.fact_id)

    def _digit(self, digit: str) -> None:
        self.do(lambda: self.station.digit(digit))
