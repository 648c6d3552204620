"""Open deviations and what they hold: a list on the left, the chosen one on the right."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from foodflow_desktop.stations.board import DeviationsScreen
from foodflow_desktop.views.i18n import age, clock, day, named, tr
from foodflow_desktop.views.laptop.notices import Notice
from foodflow_desktop.views.laptop.rows import PickRow, scrolled
from foodflow_desktop.views.widgets.controls import Button, Chip, Words
from foodflow_desktop.views.widgets.parts import Card, Rule, clear, column, row
from foodflow_kernel.wire.reports import DeviationLine

STATES = {
    "open": lambda: tr("Open"),
    "contained": lambda: tr("Contained"),
    "investigating": lambda: tr("Being investigated"),
    "disposition": lambda: tr("Waits for a decision about the product"),
    "capa": lambda: tr("Corrective action"),
    "verified": lambda: tr("Verified"),
}


class DeviationsView(QWidget):
    """Everything open, oldest duty first as the server sorts it."""

    chosen = Signal(str)
    trace_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("deviations")
        self.notice = Notice("deviations.notice")
        self._rows = column(gap=6)
        self._none = Words("deviations.none", 15, 400, "ink2", wrap=True)
        self._detail = column(gap=0, margins=(24, 20, 24, 20))
        self._shown: tuple[object, ...] = ()
        left, right = Card("deviations.list"), Card("deviations.detail")
        inside = column(gap=0, margins=(12, 12, 12, 12))
        inside.addWidget(self._none)
        inside.addWidget(scrolled(self._rows), 1)
        left.setLayout(inside)
        right.setLayout(self._detail)
        self._right = right
        both = row(gap=16)
        both.addWidget(left, 5)
        both.addWidget(right, 6)
        whole = column(gap=14, margins=(24, 18, 24, 21))
        whole.addWidget(self.notice)
        whole.addLayout(both, 1)
        self.setLayout(whole)

    def show_screen(self, screen: DeviationsScreen) -> None:
        """Draw list and detail; rebuilt only when something changed, so that focus stays."""
        self.notice.show_answer(screen.answer, has_value=screen.answer.value is not None)
        self._none.say(tr("Nothing is open. A reading outside its limit opens a deviation by itself."))
        self._none.setVisible(screen.answer.value is not None and not screen.deviations)
        self._right.setVisible(screen.chosen is not None)
        minute = int(screen.now.timestamp() // 60)
        key = (screen.deviations, screen.chosen, minute, tr("Open"))
        if key == self._shown:
            return
        self._shown = key
        clear(self._rows)
        for one in screen.deviations:
            self._rows.addWidget(self._row(one, screen.now, one is screen.chosen))
        self._rows.addStretch(1)
        clear(self._detail)
        if screen.chosen is not None:
            self._show_detail(screen.chosen, screen.now)

    def _row(self, one: DeviationLine, now: datetime, is_chosen: bool) -> PickRow:
        is_critical = one.severity == "critical"
        picked = PickRow(
            f"deviations.{one.number}", "crit" if is_critical else "lock", "crit" if is_critical else "hold"
        )
        picked.say(
            named(one.title_names, one.title),
            f"{one.number} · {named(one.detail_names, one.detail)}",
            age(now - one.detected_at),
        )
        picked.set_chosen(is_chosen)
        picked.clicked.connect(lambda: self.chosen.emit(one.number))
        return picked

    def _show_detail(self, one: DeviationLine, now: datetime) -> None:
        box = self._detail
        head = row(gap=12)
        title = Words("deviations.title", 18, 700, wrap=True)
        title.say(named(one.title_names, one.title))
        head.addWidget(title, 1)
        if one.is_held:
            chip = Chip("deviations.held")
            chip.say(tr("On hold"), icon="lock", ink="hold", fill="holdSoft", border="")
            head.addWidget(chip, 0, Qt.AlignmentFlag.AlignTop)
        box.addLayout(head)
        below = Words("deviations.subtitle", 15, 400, "ink2", wrap=True)
        below.say(named(one.detail_names, one.detail))
        box.addWidget(below)
        box.addSpacing(14)
        since = f"{day(one.detected_at)} {clock(one.detected_at)}"
        facts = (
            ("number", tr("Number"), one.number),
            ("state", tr("State"), STATES.get(one.state, lambda: one.state)()),
            ("since", tr("Since"), tr("{time} · {age} h", time=since, age=age(now - one.detected_at))),
            ("line", tr("Line"), one.line_name or "–"),
            ("actions", tr("Done so far"), ", ".join(one.actions) or tr("No action signed yet")),
        )
        for name, label, value in facts:
            box.addWidget(Rule())
            line = row(gap=12, margins=(0, 9, 0, 9))
            what = Words(f"deviations.{name}.label", 15, 400, "ink2")
            what.say(label)
            what.setFixedWidth(150)
            words = Words(f"deviations.{name}", 15, 600, wrap=True)
            words.say(value)
            line.addWidget(what, 0, Qt.AlignmentFlag.AlignTop)
            line.addWidget(words, 1)
            box.addLayout(line)
        box.addWidget(Rule())
        box.addSpacing(12)
        if one.lot_codes:
            lots_label = Words("deviations.lots.label", 15, 600, "ink2")
            lots_label.say(tr("Lots concerned"))
            box.addWidget(lots_label)
            box.addSpacing(8)
            lots = row(gap=8)
            for code in one.lot_codes:
                button = Button(f"deviations.lot.{code}", "secondary", "share")
                button.say(code, tr("Trace {lot}", lot=code))
                button.clicked.connect(lambda _=False, code=code: self.trace_asked.emit(code))
                lots.addWidget(button)
            lots.addStretch(1)
            box.addLayout(lots)
        box.addStretch(1)
        note = Words("deviations.note", 14, 400, "ink2", wrap=True)
        note.say(tr("A hold stays until a QA manager decides about the product."))
        box.addWidget(note)
