"""The line board (mockup 20): one card a line, and what is open beside them.

Order of the cards is fixed; a problem line gets a border, never another place. The view holds
no rule: what is late, held or not heard was decided by the server and comes in the report.
"""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QWidget

from foodflow_desktop.stations.board import BoardScreen
from foodflow_desktop.views.i18n import clock, tr
from foodflow_desktop.views.laptop.board_side import BoardSide
from foodflow_desktop.views.laptop.line_card import LineCardView
from foodflow_desktop.views.laptop.notices import Notice
from foodflow_desktop.views.laptop.sidebar import shift_words
from foodflow_desktop.views.widgets.controls import Words
from foodflow_desktop.views.widgets.parts import Swatch, column, row
from foodflow_kernel.wire.reports import Board

SIDE_W = 340
GAP = 16


class BoardView(QWidget):
    """Line cards in two columns; open deviations and sync health on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("board")
        self._cards: list[LineCardView] = []
        self._shift = Words("board.shift", 15, 700, track=-0.1)
        self._span = Words("board.shift_span", 15, 400, "ink2")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        for column_ in (0, 1):
            self._grid.setColumnStretch(column_, 1)
            self._grid.setColumnMinimumWidth(column_, 1)
        self.notice = Notice("board.notice")
        self.side = BoardSide()
        self.side.setFixedWidth(SIDE_W)

        head = row(gap=6)
        head.addWidget(self._shift)
        head.addWidget(self._span)
        head.addStretch(1)
        self._legend = [(Swatch(kind), Words(f"board.legend.{kind}", 13, 500, "ink2", track=0.1)) for kind in LEGEND]
        for swatch, words in self._legend:
            head.addWidget(swatch)
            head.addWidget(words)
            if swatch.kind != LEGEND[-1]:
                head.addSpacing(12)
        left = column(gap=0)
        left.addLayout(head)
        left.addSpacing(15)
        left.addWidget(self.notice)
        left.addLayout(self._grid, 1)
        whole = row(gap=18, margins=(24, 19, 24, 20))
        whole.addLayout(left, 1)
        whole.addWidget(self.side)
        self.setLayout(whole)

    def show_screen(self, screen: BoardScreen) -> None:
        """Draw the board as of the screen's instant."""
        board = screen.answer.value
        self.notice.show_answer(screen.answer, has_value=board is not None)
        self.side.setVisible(board is not None)
        for swatch, words in self._legend:
            words.say(LEGEND_WORDS[swatch.kind]())
        if board is None:
            return
        self._shift.say(shift_words(board.shift_name))
        self._span.say(f"{clock(board.shift_from)}–{clock(board.shift_to)}")
        self._show_cards(board, screen)
        self.side.show_screen(board, screen.now)

    def _show_cards(self, board: Board, screen: BoardScreen) -> None:
        while len(self._cards) < len(board.lines):
            card = LineCardView(f"board.line.{len(self._cards) + 1}")
            self._grid.addWidget(card, len(self._cards) // 2, len(self._cards) % 2)
            self._cards.append(card)
        for index, card in enumerate(self._cards):
            card.setVisible(index < len(board.lines))
            if index < len(board.lines):
                card.show_card(board.lines[index], board, screen.now, is_stale=screen.answer.is_stale)


LEGEND = ("running", "stopped", "planned", "not_heard")
LEGEND_WORDS = {
    "running": lambda: tr("Running"),
    "stopped": lambda: tr("Stopped"),
    "planned": lambda: tr("Planned"),
    "not_heard": lambda: tr("Not heard"),
}
