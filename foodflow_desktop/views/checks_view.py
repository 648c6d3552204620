"""Checks (mockup 07): Now, Later, Done; late first."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QScrollArea, QWidget

from foodflow_desktop.stations.checks import CheckRow, ChecksScreen, ChecksStation, DoneRow
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.due import Due
from foodflow_desktop.views import kiosk_words, theme
from foodflow_desktop.views.i18n import clock, tr
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pill, Pressable, TouchButton
from foodflow_desktop.views.widgets.parts import Card, clear, column, row


class CheckCard(Card):
    """One check: what, limit, last, when, and the button that opens it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.setMinimumHeight(86)
        self._icon = Icon("clipboard", 40, "ink2", 1.8)
        self._name, self._place = Words(f"{name}.name", 21, 680), Words(f"{name}.place", 17, 450, "ink2")
        self._limit_label, self._limit = Words("", 16, 600, "ink3"), Words(f"{name}.limit", 20, 650, wrap=True)
        self._last_label, self._last = Words("", 16, 600, "ink3"), Words(f"{name}.last", 20, 500)
        self._due = Pill(f"{name}.due", height=42, px=17, weight=680)
        self.open = TouchButton(f"{name}.open", "primary", px=20, weight=680, height=72)
        self.open.setFixedWidth(150)
        box = row(gap=0, margins=(24, 6, 7, 6))
        box.addWidget(self._icon)
        box.addSpacing(20)
        for stretch, top, bottom in (
            (262, self._name, self._place),
            (280, self._limit_label, self._limit),
            (130, self._last_label, self._last),
        ):
            words = column(gap=3)
            words.addStretch(1)
            words.addWidget(top)
            words.addWidget(bottom)
            words.addStretch(1)
            box.addLayout(words, stretch)
        due = row()
        due.addStretch(1)
        due.addWidget(self._due)
        box.addLayout(due, 172)
        box.addSpacing(20)
        box.addWidget(self.open)
        self.setLayout(box)

    def show_row(self, one: CheckRow, *, is_now: bool) -> None:
        """Draw a check."""
        self._icon.show_icon(kiosk_words.icon(one.icon))
        self._name.say(tr("Re-check: {name}", name=one.name) if one.is_recheck else one.name)
        self._place.say(" · ".join(part for part in (one.ccp_no, one.place) if part))
        self._limit_label.say(tr("Limit"))
        self._limit.say(kiosk_words.limit(one.limit))
        self._last_label.say(tr("Last"))
        is_breach = one.last is not None and one.last.verdict.is_breach
        self._last.say(kiosk_words.reading(one.limit, one.last), "crit" if is_breach else "ink")
        self._show_due(one)
        self.open.set_kind("primary" if is_now else "quiet")
        self.open.say(tr("Check") if is_now else tr("Open"), f"{tr('Check') if is_now else tr('Open')} {one.name}")
        border, width = ("warn", 2) if one.state is Due.late else (("lineStrong", 2) if is_now else ("line", 1))
        self.set_border(border, width)

    def _show_due(self, one: CheckRow) -> None:
        if one.state is Due.late:
            words = tr("Missed, {n} min late", n=one.minutes) if one.is_missed else tr("Late {n} min", n=one.minutes)
            self._due.say(words, icon="warn", ink="onWarn", fill="warnFill", border="warnFill")
        elif one.state is Due.soon:
            self._due.say(tr("In {n} min", n=one.minutes), icon="clock")
        elif one.state is Due.paused:
            self._due.say(tr("Paused"), icon="pause")
        elif one.due_at is not None:
            self._due.say(clock(one.due_at), icon="clock")
        else:
            self._due.say(tr("Before the end"), icon="clock")


class DoneBar(Pressable):
    """What was done, in one line; opens the list."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._note, self._is_open = "", False
        self.setMinimumHeight(72)

    def show_state(self, text: str, note: str, *, is_open: bool) -> None:
        """Draw it."""
        self._note, self._is_open = note, is_open
        self.say(text, f"{text}: {note}")
        self.update()

    def sizeHint(self) -> QSize:
        """The list's width."""
        return QSize(600, 72)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("surface2"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 14, 14)
        self.paint_focus(painter, 14)
        middle = self.height() / 2
        painter.drawPixmap(QPointF(23, middle - 15), theme.pixmap("check_line", 30, "ink2", self.devicePixelRatioF()))
        left = 69.0
        for text, weight, ink in ((self.text(), 680, "ink"), (self._note, 450, "ink2")):
            painter.setFont(theme.font(19, weight))
            painter.setPen(theme.colour(ink))
            width = painter.fontMetrics().horizontalAdvance(text)
            painter.drawText(QRectF(left, 0, width + 4, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            left += width + 18
        icon = "tick" if self._is_open else "chevron"
        painter.drawPixmap(
            QPointF(self.width() - 48, middle - 14), theme.pixmap(icon, 28, "ink2", self.devicePixelRatioF())
        )


class ChecksView(StationView):
    """The checks of this line, or for QA of all lines."""

    name, rail = "checks", "checks"

    def __init__(self, context: Context, station: ChecksStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        self._title = Words("checks.title", 30, 720)
        self._mine = TouchButton("checks.this_line", "chosen", px=19, weight=680, side=24)
        self._all = TouchButton("checks.all_lines", "outline", px=19, weight=680, side=24)
        self._mine.clicked.connect(lambda: station.show_all(False))
        self._all.clicked.connect(lambda: station.show_all(True))
        self._deviations = Words("checks.deviations", 18, 600, "ink2")
        self._open_deviation = TouchButton("checks.open_deviation", "danger", "crit_out", px=19, weight=680, side=20)
        self._open_deviation.clicked.connect(self._on_deviation)
        head = row(gap=12)
        head.addWidget(self._title)
        head.addSpacing(16)
        head.addWidget(self._mine)
        head.addWidget(self._all)
        head.addStretch(1)
        head.addWidget(self._deviations)
        head.addWidget(self._open_deviation)
        self._now_label, self._later_label = (
            Words("checks.now", 17, 600, "ink3"),
            Words("checks.later", 17, 600, "ink3"),
        )
        self._empty = Words("checks.empty", 19, 500, "ink2", wrap=True)
        self._start = TouchButton("checks.start", "primary", "scan", px=20, height=88)
        self._start.clicked.connect(lambda: self.go("start_batch"))
        self._now, self._later, self._done_rows = column(gap=10), column(gap=10), column(gap=6)
        self._cards: dict[str, list[CheckCard]] = {"now": [], "later": []}
        self._shown_done: object = None
        self._done = DoneBar("checks.done")
        self._done.clicked.connect(lambda: station.show_done(not station.screen().shows_done))
        self._build(head)

    def _build(self, head: Any) -> None:
        inside = column()
        for words, rows in ((self._now_label, self._now), (self._later_label, self._later)):
            words.setContentsMargins(4, 6, 0, 5)
            inside.addWidget(words)
            inside.addLayout(rows)
        inside.addWidget(self._empty)
        inside.addSpacing(12)
        inside.addWidget(self._start, 0, Qt.AlignmentFlag.AlignLeft)
        inside.addWidget(self._done)
        inside.addLayout(self._done_rows)
        inside.addStretch(1)
        page = QWidget()
        page.setLayout(inside)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        whole = column(gap=0, margins=(24, 10, 24, 12))
        whole.addLayout(head)
        whole.addWidget(scroll, 1)
        self.setLayout(whole)

    def _on_deviation(self) -> None:
        found = self.station.screen().deviations
        if found:
            self.go("deviation", found[0].deviation_id)

    def refresh(self) -> None:
        """Draw the list."""
        screen = self.station.screen()
        self._title.say(tr("Checks"))
        self._mine.say(screen.line_name)
        self._all.say(tr("All lines"))
        self._mine.set_kind("outline" if screen.is_all else "chosen")
        self._all.set_kind("chosen" if screen.is_all else "outline")
        self._all.setVisible(screen.may_see_all)
        self._show_deviations(screen)
        self._now_label.say(tr("Now"))
        self._later_label.say(tr("Later"))
        self._now_label.setVisible(bool(screen.now))
        self._later_label.setVisible(bool(screen.later))
        self._show_rows("now", self._now, screen.now)
        self._show_rows("later", self._later, screen.later)
        self._empty.setVisible(not screen.now and not screen.later)
        self._empty.say(
            tr("Nothing to check now.")
            if screen.has_batch
            else tr("No batch on this line. Scan a work order to start.")
        )
        self._start.setVisible(not screen.has_batch)
        self._start.say(tr("Start a batch"))
        count = tr("{n} today, {k} of them on time", n=screen.done_count, k=screen.done_on_time)
        self._done.show_state(tr("Done"), count if screen.done_count else tr("none today"), is_open=screen.shows_done)
        self._show_done(screen)

    def _show_deviations(self, screen: ChecksScreen) -> None:
        count = len(screen.deviations)
        self._deviations.setVisible(not count)
        self._open_deviation.setVisible(bool(count))
        self._deviations.say(tr("No open deviations on {line}", line=screen.line_name))
        if count:
            self._open_deviation.say(tr("Deviation {n}: act now", n=screen.deviations[0].number))

    def _show_rows(self, part: str, box: Any, rows: tuple[CheckRow, ...]) -> None:
        cards = self._cards[part]
        while len(cards) < len(rows):
            card = CheckCard(f"checks.{part}.{len(cards)}")
            place = len(cards)
            card.open.clicked.connect(lambda _=False, p=part, n=place: self._on_open(p, n))
            cards.append(card)
            box.addWidget(card)
        for n, card in enumerate(cards):
            card.setVisible(n < len(rows))
            if n < len(rows):
                card.show_row(rows[n], is_now=part == "now")

    def _on_open(self, part: str, place: int) -> None:
        screen = self.station.screen()
        rows = screen.now if part == "now" else screen.later
        if place < len(rows):
            self.go("ccp", rows[place].version_id)

    def _show_done(self, screen: ChecksScreen) -> None:
        shown = (screen.done if screen.shows_done else (), theme.current(), theme.scale(), self.context.language)
        if shown == self._shown_done:
            return
        self._shown_done = shown
        clear(self._done_rows)
        for n, one in enumerate(shown[0]):
            self._done_rows.addWidget(_done_card(n, one))


def _done_card(n: int, one: DoneRow) -> Card:
    card = Card(f"checks.done.{n}")
    card.setMinimumHeight(56)
    box = row(gap=16, margins=(24, 8, 24, 8))
    value = kiosk_words.reading(one.limit, one.last)
    is_breach = one.last.verdict.is_breach
    for part, stretch in (
        (Words(f"checks.done.{n}.at", 18, 600, "ink2"), 0),
        (Words(f"checks.done.{n}.name", 18, 650), 3),
        (Words(f"checks.done.{n}.value", 18, 650, "crit" if is_breach else "ink"), 2),
        (Words(f"checks.done.{n}.by", 17, 450, "ink2"), 2),
        (Words(f"checks.done.{n}.state", 17, 600, "ink2" if one.is_on_time else "warn"), 0),
    ):
        box.addWidget(part, stretch)
        kind = part.objectName().rsplit(".", 1)[1]
        part.say(
            {
                "at": clock(one.at),
                "name": f"{one.ccp_no} · {one.name}",
                "value": value,
                "by": one.by,
                "state": tr("attempt") if one.is_attempt else (tr("on time") if one.is_on_time else tr("late")),
            }[kind]
        )
    card.setLayout(box)
    return card
