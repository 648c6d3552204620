"""Deviation (mockup 09): what is held, what will be done, sign."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.deviation import ActionRow, DeviationScreen, DeviationStation
from foodflow_desktop.sync import status as sync_status
from foodflow_desktop.sync.status import PillState
from foodflow_desktop.views import kiosk_words, theme
from foodflow_desktop.views.i18n import clock, number, tr
from foodflow_desktop.views.sign_pad import SignCard
from foodflow_desktop.views.station_view import StationView
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.kiosk import Pill, Pressable, TouchButton
from foodflow_desktop.views.widgets.mixed import MixedWords
from foodflow_desktop.views.widgets.parts import Card, Rule, clear, column, row
from foodflow_kernel.rules.ccp import CcpVerdict

ACTION_H = 98
_ICONS = {"lock": "padlock", "other": "question"}
"""The plan names what an action is about; on a button it is drawn as an outline."""


class ActionButton(Pressable):
    """One action: icon, name, hint, and a circle that says whether it is chosen."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._row: ActionRow | None = None
        self._hint = ""
        self.setMinimumHeight(ACTION_H)

    def show_action(self, row_: ActionRow) -> None:
        """Draw an action."""
        self._row = row_
        self._hint = row_.hint
        if "{at}" in row_.hint:
            self._hint = row_.hint.format(at=clock(row_.recheck_at) if row_.recheck_at else "")
        elif not row_.hint and row_.recheck_at:
            self._hint = tr("Re-check task here at {at}", at=clock(row_.recheck_at))
        chosen = tr("chosen") if row_.is_chosen else ""
        self.say(row_.name, ". ".join(part for part in (row_.name, self._hint, chosen) if part))
        self.update()

    def sizeHint(self) -> QSize:
        """The column's width."""
        return QSize(374, ACTION_H)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the row."""
        one = self._row
        if one is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 3 if one.is_chosen else 2
        half = width / 2
        painter.setPen(QPen(theme.colour("accent" if one.is_chosen else "lineStrong"), width))
        painter.setBrush(theme.colour("accentSoft" if one.is_chosen or self.isDown() else "surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 13, 13)
        self.paint_focus(painter, 13)
        middle = self.height() / 2
        ink = "accentInk" if one.is_chosen else "ink2"
        icon = theme.pixmap(_ICONS.get(one.icon, one.icon) or "question", 34, ink, self.devicePixelRatioF())
        painter.drawPixmap(QPointF(20, middle - 16), icon)
        self._paint_words(painter, one, middle)
        self._paint_choice(painter, one, middle)

    def _paint_words(self, painter: QPainter, one: ActionRow, middle: float) -> None:
        room = self.width() - 71 - 52.0
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextWordWrap)
        name_font, hint_font = theme.font(20, 680), theme.font(16, 450)
        painter.setFont(name_font)
        name_h = painter.boundingRect(QRectF(0, 0, room, 200), flags, one.name).height()
        painter.setFont(hint_font)
        hint_h = painter.boundingRect(QRectF(0, 0, room, 200), flags, self._hint).height() if self._hint else 0
        top = middle - (name_h + hint_h + 4) / 2
        painter.setFont(name_font)
        painter.setPen(theme.colour("ink"))
        painter.drawText(QRectF(71, top, room, name_h), flags, one.name)
        painter.setFont(hint_font)
        painter.setPen(theme.colour("ink2"))
        painter.drawText(QRectF(71, top + name_h + 4, room, hint_h), flags, self._hint)

    def _paint_choice(self, painter: QPainter, one: ActionRow, middle: float) -> None:
        if one.is_chosen:
            pixmap = theme.pixmap("check", 28, "accent", self.devicePixelRatioF())
            painter.drawPixmap(QPointF(self.width() - 50, middle - 14), pixmap)
            return
        painter.setPen(QPen(theme.colour("lineStrong"), 2))
        painter.setBrush(theme.colour("surface"))
        painter.drawEllipse(QPointF(self.width() - 34, middle), 13, 13)


class Steps(QWidget):
    """Held, What will you do, Sign: done, present, to come."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        box = row(gap=16)
        self._marks = [StepMark(n) for n in (1, 2, 3)]
        self._words = [Words(f"{name}.{n}", 19, 680, wrap=wraps) for n, wraps in ((1, False), (2, True), (3, False))]
        for n, (mark, words) in enumerate(zip(self._marks, self._words, strict=True)):
            if n:
                box.addWidget(StepLine())
            pair = row(gap=14)
            pair.addWidget(mark)
            pair.addWidget(words)
            box.addLayout(pair)
        self.setLayout(box)

    def show_step(self, step: int) -> None:
        """The step a person is at; 4 is done."""
        for n, (mark, words) in enumerate(zip(self._marks, self._words, strict=True), 1):
            mark.show_state(is_done=n < step, is_here=n == step)
            words.say((tr("Held"), tr("What will you do?"), tr("Sign"))[n - 1], "ink" if n <= step else "ink3")


class StepMark(QWidget):
    """A step's number in a circle, or a check."""

    def __init__(self, number_: int) -> None:
        super().__init__()
        self._number, self._is_done, self._is_here = number_, False, False
        self.setFixedSize(32, 32)

    def show_state(self, *, is_done: bool, is_here: bool) -> None:
        """Done, present or to come."""
        self._is_done, self._is_here = is_done, is_here
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._is_done:
            painter.drawPixmap(QPointF(3, 1), theme.pixmap("check", 29, "ok", self.devicePixelRatioF()))
            return
        painter.setPen(Qt.PenStyle.NoPen if self._is_here else QPen(theme.colour("lineStrong"), 2))
        painter.setBrush(theme.colour("accent" if self._is_here else "surface"))
        painter.drawEllipse(QRectF(0, 0, 32, 32))
        painter.setFont(theme.font(17 / theme.scale(), 680))
        painter.setPen(theme.colour("onAccent" if self._is_here else "ink2"))
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, f"{self._number}")


class StepLine(QWidget):
    """The line between two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(16)
        self.setMaximumWidth(56)
        self.setFixedHeight(3)

    def sizeHint(self) -> QSize:
        """As long as in the picture."""
        return QSize(56, 3)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        QPainter(self).fillRect(self.rect(), theme.colour("neutral"))


class DeviationView(StationView):
    """One deviation, from the hold to the signature."""

    name, rail = "deviation", "checks"
    holds_front = True

    def __init__(self, context: Context, station: DeviationStation) -> None:
        super().__init__(context)
        self.station = station
        station.on_changed = self.refresh
        station.on_signed = lambda: self.tell(tr("Signed and saved"), "ok")
        self._title = Words("deviation.title", 30, 720)
        self._chip = Pill("deviation.what", height=40, px=17.4, weight=680, icon_px=25)
        self._steps = Steps("deviation.steps")
        head = row(gap=20)
        head.addWidget(self._title)
        head.addWidget(self._chip)
        head.addStretch(1)
        head.addWidget(self._steps)
        body = row(gap=20)
        body.addLayout(self._left(), 330)
        body.addWidget(self._actions_card(), 420)
        self.sign = SignCard("deviation", self._on_digit, station.backspace, station.clear)
        self.sign.done.clicked.connect(lambda: self.go("checks"))
        body.addWidget(self.sign, 330)
        whole = column(gap=23, margins=(24, 21, 24, 20))
        whole.addLayout(head)
        whole.addLayout(body, 1)
        self.setLayout(whole)

    def _left(self) -> Any:
        held = Card("deviation.held", fill="holdSoft", border="hold", width=3)
        self._held_title = Words("deviation.held_title", 23, 680, "hold")
        self._lot = Words("deviation.lot", 19, 500, mono=True)
        self._held_rows = column(gap=10)
        top = row(gap=12)
        top.addWidget(Icon("lock", 34, "hold"))
        top.addWidget(self._held_title)
        top.addStretch(1)
        inside = column(margins=(25, 24, 25, 20))
        inside.addLayout(top)
        inside.addSpacing(12)
        inside.addWidget(self._lot)
        inside.addSpacing(8)
        inside.addLayout(self._held_rows)
        inside.addStretch(1)
        held.setLayout(inside)

        what = Card("deviation.happened")
        self._what_title = Words("deviation.happened_title", 21, 680)
        self._what_rows = column(gap=14)
        self._info = MixedWords("deviation.info", 17, 450, leading=1.3)
        note = row(gap=12)
        icon = column()
        icon.addWidget(Icon("info", 26, "ink2"))
        icon.addStretch(1)
        note.addLayout(icon)
        note.addWidget(self._info, 1)
        inside = column(margins=(23, 20, 23, 18))
        inside.addWidget(self._what_title)
        inside.addSpacing(13)
        inside.addLayout(self._what_rows)
        inside.addSpacing(19)
        inside.addWidget(Rule())
        inside.addSpacing(16)
        inside.addLayout(note)
        inside.addStretch(1)
        what.setLayout(inside)
        box = column(gap=16)
        box.addWidget(held, 250)
        box.addWidget(what, 358)
        return box

    def _actions_card(self) -> Card:
        card = Card("deviation.actions")
        self._ask = Words("deviation.ask", 21, 680)
        self._actions = [ActionButton(f"deviation.action.{n}") for n in range(4)]
        self._note_button = TouchButton("deviation.add_note", "quiet", "pencil", px=20, weight=680)
        self._note_button.clicked.connect(self._open_note)
        self._note = QPlainTextEdit()
        self._note.setObjectName("deviation.note")
        self._note.textChanged.connect(lambda: self.station.set_note(self._note.toPlainText()))
        self._note.hide()
        inside = column(margins=(23, 20, 23, 21))
        inside.addWidget(self._ask)
        inside.addSpacing(15)
        for n, button in enumerate(self._actions):
            button.clicked.connect(lambda _=False, n=n: self._choose(n))
            inside.addWidget(button)
            inside.addSpacing(12)
        inside.addStretch(1)
        inside.addWidget(self._note)
        inside.addWidget(self._note_button)
        card.setLayout(inside)
        return card

    # --- gestures ------------------------------------------------------------------------

    def enter(self, about: Any = None) -> None:
        """Open a deviation by id; without one, back to the list."""
        if about is not None:
            self._note.hide()
            self._note.clear()
            self.do(lambda: self.station.open(about))
        if not self.station.is_open:
            self.go("checks")
            return
        self.refresh()

    def key(self, text: str) -> bool:
        """Digits are the PIN."""
        if text.isdigit():
            self._on_digit(text)
        elif text == "back":
            self.station.backspace()
        elif text == "escape":
            self.go("checks")
        else:
            return False
        return True

    def _on_digit(self, digit: str) -> None:
        self.do(lambda: self.station.digit(digit))

    def _choose(self, place: int) -> None:
        screen = self.station.screen()
        if not screen.is_signed and place < len(screen.actions):
            self.station.choose(screen.actions[place].code)
            if screen.actions[place].needs_note:
                self._open_note()

    def _open_note(self) -> None:
        self._note.setVisible(True)
        self._note.setMaximumHeight(110)
        self._note.setFocus()

    # --- drawing -------------------------------------------------------------------------

    def refresh(self) -> None:
        """Draw the deviation."""
        if not self.station.is_open:
            return
        screen = self.station.screen()
        self._title.say(tr("Deviation {n}", n=screen.number))
        self._chip.say(_what(screen), icon="crit_out", ink="onState", fill="crit", border="crit")
        self._steps.show_step(screen.step)
        self._show_held(screen)
        self._show_happened(screen)
        self._ask.say(tr("What will you do?"))
        for n, button in enumerate(self._actions):
            button.setVisible(n < len(screen.actions))
            if n < len(screen.actions):
                button.show_action(screen.actions[n])
                button.setEnabled(not screen.is_signed)
        self._note_button.say(tr("Add a note"))
        self._note_button.setVisible(not screen.is_signed and not self._note.isVisible())
        self._note.setFont(theme.font(18, 450))
        self._note.setPlaceholderText(tr("What did you see and do?"))
        self._note.setReadOnly(screen.is_signed)
        state = sync_status.pill(self.context.store.status(), self.context.clock.now())
        sent = tr("all sent") if state.state is PillState.all_sent else tr("saved here")
        self.sign.show_state(screen, f"{clock(self.context.clock.now())} · {sent}.")

    def _show_held(self, screen: DeviationScreen) -> None:
        held = screen.held
        self._held_title.say(tr("On hold"))
        self._lot.say(held.lot_code if held else "")
        rows: list[tuple[str, str]] = []
        if held is not None:
            if held.whole is not None:
                rows.append((tr("Whole lot"), f"{number(held.whole)} {held.unit}"))
            if held.marked is not None and held.marked_from is not None:
                rows.append(
                    (tr("Since {at}, marked", at=clock(held.marked_from)), f"{number(held.marked)} {held.unit}")
                )
            if held.vessel and held.vessel_qty is not None and held.vessel_uom is not None:
                rows.append(
                    (
                        tr("In {vessel}", vessel=_lower(held.vessel)),
                        kiosk_words.amount(held.vessel_qty, held.vessel_uom),
                    )
                )
            rows.append((tr("Labels & shipping"), tr("blocked")))
        _fill(self._held_rows, "deviation.held_row", rows, strong=True)

    def _show_happened(self, screen: DeviationScreen) -> None:
        self._what_title.say(tr("What happened"))
        rows: list[tuple[str, str]] = []
        if screen.measured is not None and screen.limit is not None:
            rows.append((tr("Measured"), kiosk_words.reading(screen.limit, screen.measured)))
            rows.append((tr("Limit"), kiosk_words.limit(screen.limit)))
        rows.append((tr("When"), clock(screen.at, seconds=True)))
        by = " · ".join(
            part for part in (screen.by, tr("probe {tag}", tag=screen.instrument) if screen.instrument else "") if part
        )
        rows.append((tr("By"), by))
        rows.append(
            (tr("Last good check"), clock(screen.last_good_at) if screen.last_good_at else tr("none in this batch"))
        )
        _fill(self._what_rows, "deviation.row", rows, crit=tr("Measured"), bold=(tr("Limit"),))
        self._info.say(tr("The hold is active now. It also works offline.") if screen.measured else screen.summary)


def _fill(
    box: Any,
    name: str,
    rows: list[tuple[str, str]],
    *,
    strong: bool = False,
    crit: str = "",
    bold: tuple[str, ...] = (),
) -> None:
    """Rows of a label and its value; redrawn only when they changed."""
    if getattr(box, "shown", None) == (rows, theme.current(), theme.scale()):
        return
    box.shown = (rows, theme.current(), theme.scale())
    clear(box)
    for n, (label, value) in enumerate(rows):
        is_strong = strong or label == crit or label in bold
        left = Words(f"{name}.{n}.label", 18, 450, "ink2", wrap=True)
        right = Words(f"{name}.{n}", 18, 680 if is_strong else 500, "crit" if label == crit else "ink")
        left.say(label)
        right.say(value)
        line = row(gap=12)
        line.addWidget(left, 1)
        line.addWidget(right)
        box.addLayout(line)


def _lower(text: str) -> str:
    """A place within a sentence: Kettle 2 becomes kettle 2."""
    return text[:1].lower() + text[1:]


def _what(screen: DeviationScreen) -> str:
    match screen.verdict:
        case CcpVerdict.too_low:
            return tr("{ccp} below limit", ccp=screen.ccp_no)
        case CcpVerdict.too_high:
            return tr("{ccp} above limit", ccp=screen.ccp_no)
        case CcpVerdict.not_rejected:
            return tr("{ccp} piece not rejected", ccp=screen.ccp_no)
    return tr("Wrong material went in")
