"""Beside the board: open deviations and sync health, each a list that opens its screen."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import age, clock, named, number, tr
from foodflow_desktop.views.widgets.controls import Button, Icon, Words
from foodflow_desktop.views.widgets.parts import Card, Rule, clear, column, row
from foodflow_kernel.wire.reports import Board, DeviationLine


class DeviationRow(QAbstractButton):
    """One open deviation in a list; a click opens its detail."""

    def __init__(self, one: DeviationLine, now: datetime) -> None:
        super().__init__()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"{named(one.title_names, one.title)}, {named(one.detail_names, one.detail)}")
        self.setObjectName(f"board.deviation.{one.number}")
        box = row(gap=14, margins=(0, 12, 0, 14))
        is_critical = one.severity == "critical"
        icon = Icon("crit" if is_critical else "lock", 22, "crit" if is_critical else "hold")
        box.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        words = column(gap=4)
        title = Words(f"board.deviation.{one.number}.title", 15, 700, wrap=True, track=-0.1)
        title.say(named(one.title_names, one.title))
        detail = Words(f"board.deviation.{one.number}.detail", 14, 400, "ink2", wrap=True)
        detail.say(named(one.detail_names, one.detail))
        words.addWidget(title)
        words.addWidget(detail)
        box.addLayout(words, 1)
        open_for = Words(f"board.deviation.{one.number}.age", 14, 600, "ink2")
        open_for.say(age(now - one.detected_at))
        open_for.setAccessibleName(tr("open for {hours} hours", hours=open_for.text()))
        box.addWidget(open_for, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(box)
        for part in (title, detail, open_for, icon):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw where the keyboard is."""
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(theme.colour("focus"), 2))
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 8, 8)


class Tile(Card):
    """A figure with what it counts."""

    def __init__(self, name: str) -> None:
        super().__init__(name, fill="surface2", border="", width=0)
        self.radius = 10
        self._figure = Words(f"{name}.figure", 24, 700)
        self._of = Words(f"{name}.of", 15, 400, "ink2")
        self._what = Words(f"{name}.what", 13, 400, "ink2", wrap=True, track=0.1)
        top = row(gap=5)
        top.addWidget(self._figure, 0, Qt.AlignmentFlag.AlignBaseline)
        top.addWidget(self._of, 0, Qt.AlignmentFlag.AlignBaseline)
        top.addStretch(1)
        box = column(gap=3, margins=(12, 9, 12, 9))
        box.addLayout(top)
        box.addWidget(self._what)
        self.setLayout(box)

    def say(self, figure: str, of: str, what: str) -> None:
        """Show a figure."""
        self._figure.say(figure)
        self._of.say(of)
        self._what.say(what)


class BoardSide(QWidget):
    """Open deviations above, sync health below."""

    opened = Signal(str)
    """A screen was asked for: ``sync_health``."""
    deviation_opened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._count = Words("board.deviations.count", 14, 400, "ink2")
        self._title = Words("board.deviations.title", 16, 700)
        self._list = column()
        deviations = Card("board.deviations")
        head = row()
        head.addWidget(self._title, 1)
        head.addWidget(self._count)
        box = column(margins=(19, 16, 19, 7))
        box.addLayout(head)
        box.addSpacing(12)
        box.addLayout(self._list)
        deviations.setLayout(box)
        deviations.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

        self._sync_title = Words("board.sync.title", 16, 700)
        self._open = Button("board.sync.open", "link", "chevron", 14)
        self._open.clicked.connect(lambda: self.opened.emit("sync_health"))
        self._online = Tile("board.sync.online")
        self._waiting = Tile("board.sync.waiting")
        self._lines = column(gap=8)
        sync = Card("board.sync")
        head = row()
        head.addWidget(self._sync_title, 1)
        head.addWidget(self._open)
        tiles = row(gap=12)
        tiles.addWidget(self._online, 1)
        tiles.addWidget(self._waiting, 1)
        box = column(margins=(19, 13, 19, 16))
        box.addLayout(head)
        box.addSpacing(7)
        box.addLayout(tiles)
        box.addSpacing(14)
        box.addLayout(self._lines)
        box.addStretch(1)
        sync.setLayout(box)

        whole = column(gap=16, margins=(0, 1, 0, 0))
        whole.addWidget(deviations)
        whole.addWidget(sync, 1)
        self.setLayout(whole)

    def show_screen(self, board: Board, now: datetime) -> None:
        """Draw both lists."""
        self._title.say(tr("Open deviations"))
        self._count.say(number(len(board.deviations)))
        clear(self._list)
        for one in board.deviations:
            self._list.addWidget(Rule())
            line = DeviationRow(one, now)
            line.clicked.connect(lambda _=False, number=one.number: self.deviation_opened.emit(number))
            self._list.addWidget(line)
        if not board.deviations:
            nothing = Words("board.deviations.none", 15, 400, "ink2", wrap=True)
            nothing.say(tr("None. A reading outside its limit opens one by itself."))
            self._list.addWidget(nothing)
        self._sync_title.say(tr("Sync health"))
        self._open.say(tr("Open"), tr("Open sync health"))
        self._online.say(
            number(board.terminals_online), tr("of {count}", count=number(board.terminals)), tr("terminals online")
        )
        self._waiting.say(number(board.waiting), "", tr("records waiting"))
        clear(self._lines)
        for card in board.lines:
            if card.offline_since is not None:
                who = f"{card.terminal_name or ''} {named(card.names, card.name)}".strip()
                self._say(
                    "cloud_off",
                    "off",
                    who,
                    tr("last heard {time}", time=clock(card.offline_since)),
                    tr("Records saved there are not counted."),
                )
        if board.needs_decision:
            count = tr("{count} records", count=board.needs_decision) if board.needs_decision != 1 else tr("1 record")
            self._say(
                "flag",
                "warn",
                count,
                tr("need a decision") if board.needs_decision != 1 else tr("needs a decision"),
                "",
            )

    def _say(self, icon: str, colour: str, strong: str, rest: str, below: str) -> None:
        line = row(gap=9)
        line.addWidget(Icon(icon, 19, colour), 0, Qt.AlignmentFlag.AlignTop)
        words = column(gap=1)
        top = row(gap=5)
        bold = Words("board.sync.line", 14, 700, track=-0.2)
        bold.say(strong)
        plain = Words("board.sync.line_rest", 14, 400)
        plain.say(rest)
        top.addWidget(bold)
        top.addWidget(plain)
        top.addStretch(1)
        words.addLayout(top)
        if below:
            under = Words("board.sync.line_below", 14, 400, "ink2", wrap=True, track=-0.17)
            under.say(below)
            words.addWidget(under)
        line.addLayout(words, 1)
        holder = QWidget()
        holder.setLayout(line)
        self._lines.addWidget(holder)
