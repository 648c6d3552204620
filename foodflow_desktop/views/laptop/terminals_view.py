"""Terminals: the list, letting one in by code and four words, and taking rights away."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from foodflow_desktop.stations.hub import DeviceRow, LineChoice, Pending
from foodflow_desktop.stations.terminals import TerminalsScreen
from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import clock, day, named, tr
from foodflow_desktop.views.laptop.notices import Notice
from foodflow_desktop.views.laptop.rows import scrolled
from foodflow_desktop.views.widgets.controls import Button, Chip, Field, Icon, Words
from foodflow_desktop.views.widgets.parts import Card, Rule, clear, column, row

STATES = {
    "approved": lambda: tr("Approved"),
    "pending": lambda: tr("Waits for approval"),
    "revoked": lambda: tr("Revoked"),
}

REASON_MIN = 5
"""The hub asks for a reason of at least so many characters."""


class TerminalsView(QWidget):
    """The list on the left; adding or revoking on the right."""

    add_asked = Signal(bool)
    code_typed = Signal(str)
    approved = Signal(object, str)
    revoke_asked = Signal(object)
    revoked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("terminals")
        self._choices: tuple[LineChoice, ...] = ()
        self.notice = Notice("terminals.notice")
        self._title = Words("terminals.title", 17, 700)
        self.add = Button("terminals.add", "primary", "plus")
        self._list = column()
        self._none = Words("terminals.none", 15, 400, "ink2", wrap=True)
        head = row(gap=12)
        head.addWidget(self._title, 1)
        head.addWidget(self.add)
        left = Card("terminals.list")
        inside = column(gap=10, margins=(20, 16, 20, 16))
        inside.addLayout(head)
        inside.addWidget(self._none)
        inside.addWidget(scrolled(self._list), 1)
        left.setLayout(inside)
        self._adding, self._revoking = self._build_adding(), self._build_revoking()
        right = column(gap=16)
        right.addWidget(self._adding)
        right.addWidget(self._revoking)
        right.addStretch(1)
        both = row(gap=16)
        both.addWidget(left, 1)
        self._right = QWidget()
        self._right.setLayout(right)
        self._right.setFixedWidth(460)
        both.addWidget(self._right)
        whole = column(gap=14, margins=(24, 20, 24, 21))
        whole.addWidget(self.notice)
        whole.addLayout(both, 1)
        self.setLayout(whole)
        self._shown: tuple[object, ...] = ()
        self.add.clicked.connect(lambda: self.add_asked.emit(True))

    def _build_adding(self) -> Card:
        self._add_title = Words("terminals.add_title", 18, 700)
        self._add_about = Words("terminals.add_about", 15, 400, "ink2", wrap=True)
        self.code = Field("terminals.code", mono=True)
        self.find_button = Button("terminals.find", "secondary", "search")
        self._error = Notice("terminals.error")
        self._words_title = Words("terminals.words_title", 15, 650, wrap=True)
        self._words = [Chip(f"terminals.word.{place}", 40) for place in range(1, 5)]
        self._line_label = Words("terminals.line.label", 14, 600, "ink2")
        self.lines: list[Button] = []
        self._line_grid = QGridLayout()
        self._line_grid.setContentsMargins(0, 0, 0, 0)
        self._line_grid.setSpacing(8)
        self._name_label = Words("terminals.name.label", 14, 600, "ink2")
        self.name = Field("terminals.name")
        self.approve = Button("terminals.approve", "primary", "tick")
        self.cancel = Button("terminals.cancel", "secondary")
        typed = row(gap=8)
        typed.addWidget(self.code, 1)
        typed.addWidget(self.find_button)
        words = row(gap=8)
        for chip in self._words:
            words.addWidget(chip)
        words.addStretch(1)
        self._pending = QWidget()
        pending = column(gap=6)
        pending.addWidget(self._words_title)
        pending.addLayout(words)
        pending.addSpacing(8)
        pending.addWidget(self._line_label)
        pending.addLayout(self._line_grid)
        pending.addSpacing(4)
        pending.addWidget(self._name_label)
        pending.addWidget(self.name)
        self._pending.setLayout(pending)
        buttons = row(gap=8)
        buttons.addWidget(self.cancel)
        buttons.addStretch(1)
        buttons.addWidget(self.approve)
        card = Card("terminals.adding")
        box = column(gap=10, margins=(24, 20, 24, 20))
        for part in (self._add_title, self._add_about):
            box.addWidget(part)
        box.addLayout(typed)
        box.addWidget(self._error)
        box.addWidget(self._pending)
        box.addLayout(buttons)
        card.setLayout(box)
        self.code.returnPressed.connect(self._find)
        self.find_button.clicked.connect(self._find)
        self.cancel.clicked.connect(lambda: self.add_asked.emit(False))
        self.approve.clicked.connect(self._approve)
        self.name.textChanged.connect(lambda _: self._allow())
        return card

    def _build_revoking(self) -> Card:
        self._revoke_title = Words("terminals.revoke_title", 18, 700, wrap=True)
        self._revoke_about = Words("terminals.revoke_about", 15, 400, "ink2", wrap=True)
        self._revoke_error = Notice("terminals.revoke_error")
        self._reason_label = Words("terminals.revoke_reason.label", 14, 600, "ink2")
        self.reason = Field("terminals.revoke_reason")
        self.confirm = Button("terminals.revoke_confirm", "danger")
        self.keep = Button("terminals.revoke_cancel", "secondary")
        buttons = row(gap=8)
        buttons.addWidget(self.keep)
        buttons.addStretch(1)
        buttons.addWidget(self.confirm)
        card = Card("terminals.revoking")
        box = column(gap=12, margins=(24, 20, 24, 20))
        for part in (self._revoke_title, self._revoke_about, self._reason_label, self.reason, self._revoke_error):
            box.addWidget(part)
        box.addLayout(buttons)
        card.setLayout(box)
        self.keep.clicked.connect(lambda: self.revoke_asked.emit(None))
        self.confirm.clicked.connect(lambda: self.revoked.emit(self.reason.text()))
        self.reason.textChanged.connect(lambda _: self._allow_revoke())
        return card

    def show_screen(self, screen: TerminalsScreen) -> None:
        """Draw list and panel; what is being typed stays."""
        self._title.say(tr("Terminals of this plant"))
        self.add.say(tr("Add a terminal"))
        self.add.setEnabled(not screen.is_adding)
        self._show_notice(screen)
        self._show_adding(screen)
        self._show_revoking(screen)
        self._right.setVisible(screen.is_adding or screen.revoking is not None)
        devices = screen.answer.value or ()
        self._none.say(tr("No terminal yet. Start one at the line, then add it here by its code."))
        self._none.setVisible(screen.answer.value is not None and not devices)
        key = (devices, tr("Revoke"), theme.current())
        if key == self._shown:
            return
        self._shown = key
        clear(self._list)
        for device in devices:
            self._list.addWidget(Rule())
            self._list.addWidget(self._row(device))
        self._list.addStretch(1)

    def _row(self, device: DeviceRow) -> QWidget:
        name = f"terminals.row.{device.name}"
        holder = QWidget()
        holder.setObjectName(name)
        line = row(gap=14, margins=(2, 9, 2, 9))
        line.addWidget(Icon("monitor", 22, "ink2"))
        words = column(gap=1)
        title = Words(f"{name}.name", 15.5, 700)
        title.say(device.name or tr("New terminal"))
        below = Words(f"{name}.detail", 14.5, 400, "ink2")
        since = (
            tr("approved {time}", time=f"{day(device.approved_at)} {clock(device.approved_at)}")
            if device.approved_at
            else ""
        )
        below.say(
            " · ".join(part for part in (device.line, STATES.get(device.state, lambda: device.state)(), since) if part)
        )
        words.addWidget(title)
        words.addWidget(below)
        line.addLayout(words, 1)
        if device.state == "approved":
            revoke = Button(f"terminals.revoke.{device.name}", "secondary")
            revoke.say(tr("Revoke"), tr("Revoke {name}", name=device.name))
            revoke.clicked.connect(lambda: self.revoke_asked.emit(device))
            line.addWidget(revoke)
        holder.setLayout(line)
        return holder

    def _show_notice(self, screen: TerminalsScreen) -> None:
        if screen.notice == "approved":
            self.notice.say("good", tr("{name} is approved and will load its data now.", name=screen.notice_name))
        elif screen.notice == "revoked":
            self.notice.say(
                "good", tr("{name} is revoked. What it still sends is kept and flagged.", name=screen.notice_name)
            )
        else:
            self.notice.show_answer(screen.answer, has_value=screen.answer.value is not None)

    def _show_adding(self, screen: TerminalsScreen) -> None:
        if screen.is_adding and self._adding.isHidden():
            QTimer.singleShot(0, self.code.setFocus)  # a scanner types where the keyboard is
            self.code.clear()
            self.name.clear()
        self._adding.setVisible(screen.is_adding)
        self._add_title.say(tr("Add a terminal"))
        self._add_about.say(tr("Type the code that the new terminal shows, or scan its picture."))
        self.code.setPlaceholderText("K7QX-42MN")
        self.code.setAccessibleName(tr("Code of the terminal"))
        self.find_button.say(tr("Find"))
        self.cancel.say(tr("Cancel"))
        self._error.show_error(screen.error if screen.is_adding else None)
        pending: Pending | None = screen.pending
        self._pending.setVisible(pending is not None)
        self.approve.setVisible(pending is not None)
        self._words_title.say(tr("Both screens must show the same four words"))
        self._line_label.say(tr("Line"))
        self._name_label.say(tr("Name of the terminal"))
        self.name.setAccessibleName(tr("Name of the terminal"))
        self.name.setPlaceholderText("T-07")
        self.approve.say(tr("The words match: approve"))
        if pending is not None:
            for chip, word in zip(self._words, pending.words, strict=False):
                chip.say(word)
            self._show_lines(screen.lines)
        self._allow()

    def _show_revoking(self, screen: TerminalsScreen) -> None:
        if screen.revoking is not None and self._revoking.isHidden():
            self.reason.clear()
        self._revoking.setVisible(screen.revoking is not None)
        if screen.revoking is None:
            return
        self._reason_label.say(tr("Reason, for the record"))
        self.reason.setAccessibleName(tr("Reason, for the record"))
        self._allow_revoke()
        name = screen.revoking.name
        self._revoke_title.say(tr("Revoke {name}?", name=name))
        self._revoke_about.say(
            tr("It gets no more data and can sign nobody in. Records it still holds are taken in and flagged.")
        )
        self._revoke_error.show_error(screen.error)
        self.confirm.say(tr("Revoke {name}", name=name))
        self.keep.say(tr("Keep it"))

    def _show_lines(self, choices: tuple[LineChoice, ...]) -> None:
        """One button a line; the first one of a plant with one line only is chosen."""
        if self._choices != choices:
            self._choices = choices
            clear(self._line_grid)
            self.lines = []
            for place in range(len(choices)):
                button = Button(f"terminals.line.{place + 1}", "segment")
                button.setCheckable(True)
                button.setAutoExclusive(True)
                button.setChecked(len(choices) == 1)
                button.clicked.connect(self._allow)
                self._line_grid.addWidget(button, place // 3, place % 3)
                self.lines.append(button)
        for button, choice in zip(self.lines, choices, strict=True):
            button.say(named(choice.names, choice.name))

    def _line_id(self) -> UUID | None:
        for button, choice in zip(self.lines, self._choices, strict=True):
            if button.isChecked():
                return choice.line_id
        return None

    def _find(self) -> None:
        self.code_typed.emit(self.code.text())

    def _allow(self) -> None:
        self.approve.setEnabled(bool(self.name.text().strip()) and self._line_id() is not None)

    def _allow_revoke(self) -> None:
        self.confirm.setEnabled(len(self.reason.text().strip()) >= REASON_MIN)

    def _approve(self) -> None:
        self.approved.emit(self._line_id(), self.name.text())
