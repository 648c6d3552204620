"""One line on the board: state, OEE with its three parts, the shift strip, made against plan."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout

from foodflow_desktop.views import theme
from foodflow_desktop.views.i18n import clock, length, named, number, percent, tr
from foodflow_desktop.views.widgets.controls import Chip, Icon, Words
from foodflow_desktop.views.widgets.parts import Bar, Card, PlanBar, Rule, Strip, column, row
from foodflow_kernel.wire.reports import Board, LineCard

PARTS = ("availability", "effectiveness", "quality")
PART_WORDS = {
    "availability": lambda: tr("Availability"),
    "effectiveness": lambda: tr("Performance"),
    "quality": lambda: tr("Quality"),
}
TICKS = 5
BAR_W = 66


class LineCardView(Card):
    """Draws one ``LineCard``."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._title = Words(f"{name}.name", 18, 700, track=-0.4)
        self._product = Words(f"{name}.product", 14, 400, "ink2", wrap=True)
        self._chip = Chip(f"{name}.state")
        self._oee_title = Words(f"{name}.oee_title", 14, 600, "ink3", track=-0.2)
        self._oee = Words(f"{name}.oee", 46, 700)
        self._oee_unit = Words("", 18, 600, "ink2")
        self._target = Words(f"{name}.target", 13, 400, "ink2", track=0.1)
        self._parts = {
            part: (
                Words(f"{name}.{part}_title", 14, 400, "ink2", track=-0.1),
                Bar(f"{name}.{part}_bar"),
                Words(f"{name}.{part}", 14, 650, track=-0.4),
            )
            for part in PARTS
        }
        self._strip = Strip(f"{name}.strip")
        self._ticks = [Words(f"{name}.tick.{place}", 13, 400, "ink3", track=-0.2) for place in range(TICKS)]
        self._made = Words(f"{name}.made", 16, 700, track=0.2)
        self._of = Words(f"{name}.planned", 14, 400, "ink2", wrap=True, track=0.15)
        self._plan_now = Words(f"{name}.plan_now", 14, 400, "ink2", track=0.2)
        self._plan = PlanBar(f"{name}.plan")
        self._note_icon = Icon("lock", 20, "hold")
        self._note = Words(f"{name}.note", 15, 700, track=-0.15)
        self._note_detail = Words(f"{name}.note_detail", 14, 400, "ink2")
        self._check_icon = Icon("clock", 18, "ink2")
        self._check = Words(f"{name}.check", 14, 400, wrap=True, track=0.1)
        self._sync_icon = Icon("cloud_ok", 16, "ink2")
        self._sync = Words(f"{name}.sync", 14, 400, "ink2", track=-0.1)
        self._build()
        self.retheme()

    def retheme(self) -> None:
        """Figure and unit share one baseline: a line box as high as its digits."""
        self._oee.setFixedHeight(theme.px(42))
        for _, _, value in self._parts.values():
            value.setMinimumWidth(theme.px(44))
        self._oee_unit.setFixedHeight(theme.px(43))
        self._oee_unit.setAlignment(Qt.AlignmentFlag.AlignBottom)

    def _build(self) -> None:
        head = row(gap=8)
        names = column(gap=3)
        names.addWidget(self._title)
        names.addWidget(self._product)
        head.addLayout(names, 1)
        head.addWidget(self._chip, 0, Qt.AlignmentFlag.AlignVCenter)

        oee = column(gap=0)
        figure = row(gap=0)
        figure.addWidget(self._oee, 0, Qt.AlignmentFlag.AlignTop)
        figure.addWidget(self._oee_unit, 0, Qt.AlignmentFlag.AlignTop)
        figure.addStretch(1)
        oee.addWidget(self._oee_title)
        oee.addSpacing(5)
        oee.addLayout(figure)
        oee.addSpacing(3)
        oee.addWidget(self._target)
        parts = QGridLayout()
        parts.setContentsMargins(0, 2, 0, 0)
        parts.setHorizontalSpacing(8)
        parts.setVerticalSpacing(9)
        parts.setColumnMinimumWidth(0, 88)
        for line, (title, bar, value) in enumerate(self._parts.values()):
            bar.setFixedWidth(BAR_W)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            parts.addWidget(title, line, 0)
            parts.addWidget(bar, line, 1, Qt.AlignmentFlag.AlignVCenter)
            parts.addWidget(value, line, 2)
        figures = row()
        figures.addLayout(oee, 1)
        beside = column()
        beside.addSpacing(6)
        beside.addLayout(parts)
        beside.addStretch(1)
        figures.addLayout(beside)

        ticks = row()
        for place, tick in enumerate(self._ticks):
            ticks.addWidget(tick)
            if place < TICKS - 1:
                ticks.addStretch(1)
        made = row(gap=3)
        made.addWidget(self._made, 0, Qt.AlignmentFlag.AlignBaseline)
        made.addWidget(self._of, 1, Qt.AlignmentFlag.AlignBaseline)
        made.addWidget(self._plan_now, 0, Qt.AlignmentFlag.AlignBaseline)
        note = row(gap=8)
        note.addWidget(self._note_icon)
        note.addWidget(self._note)
        note.addWidget(self._note_detail)
        note.addStretch(1)
        foot = row(gap=11)
        foot.addWidget(self._check_icon)
        foot.addWidget(self._check, 1)
        foot.addWidget(self._sync_icon)
        foot.addSpacing(-6)
        foot.addWidget(self._sync)

        whole = column(margins=(21, 18, 21, 15))
        whole.addLayout(head)
        whole.addSpacing(14)
        whole.addLayout(figures)
        whole.addSpacing(21)
        whole.addWidget(self._strip)
        whole.addSpacing(3)
        whole.addLayout(ticks)
        whole.addSpacing(19)
        whole.addLayout(made)
        whole.addSpacing(3)
        whole.addWidget(self._plan)
        whole.addSpacing(13)
        whole.addLayout(note)
        whole.addSpacing(8)
        whole.addStretch(1)
        whole.addWidget(Rule())
        whole.addSpacing(12)
        whole.addLayout(foot)
        self.setLayout(whole)

    def show_card(self, card: LineCard, board: Board, now: datetime, *, is_stale: bool) -> None:
        """Draw one line; a stale board dims its figures and says as of when."""
        as_of = card.as_of or (board.at if is_stale else None)
        figures = "ink" if as_of is None else "ink2"
        self._title.say(named(card.names, card.name))
        self._product.say(named(card.product_names, card.product or "") or tr("No batch on this line"))
        self._show_state(card, now, as_of)
        self._oee_title.say(tr("OEE as of {time}", time=clock(as_of)) if as_of else tr("OEE this shift"))
        self._oee.say("–" if card.oee is None else str(round(card.oee * 100)), figures)
        self._oee_unit.say("" if card.oee is None else "%")
        self._target.say(tr("target {share}", share=percent(card.oee_target, 0)))
        for part, (title, bar, value) in self._parts.items():
            share: float | None = getattr(card, part)
            is_low = part == "availability" and share is not None and share < card.oee_target
            title.say(PART_WORDS[part]())
            bar.show_share(share, "ink2" if is_low else "neutral")
            value.say("–" if share is None else percent(share))
            bar.setAccessibleName(f"{title.text()} {value.text()}")
        self._strip.show_parts(card.strip, board.shift_from, board.shift_to)
        self._strip.setAccessibleName(tr("Shift strip of {line}", line=self._title.text()))
        for place, tick in enumerate(self._ticks):
            tick.say(clock(board.shift_from + (board.shift_to - board.shift_from) * place / (TICKS - 1)))
        self._show_plan(card, as_of, figures)
        self._show_note(card)
        self._show_foot(card)
        if card.held_since is not None:
            self.set_border("crit", 2)
        elif card.state == "stopped" and as_of is None:
            self.set_border("ink", 2)
        else:
            self.set_border("line", 1)

    def _show_state(self, card: LineCard, now: datetime, as_of: datetime | None) -> None:
        if as_of is not None:
            self._chip.say(
                tr("As of {time}", time=clock(as_of)), icon="cloud_off", ink="off", fill="offSoft", border=""
            )
            return
        lasts = length(now - card.state_since) if card.state_since else ""
        words = {
            "running": tr("Running"),
            "stopped": tr("Stopped"),
            "changeover": tr("Changeover"),
            "planned": tr("Planned stop"),
            "idle": tr("No batch"),
            "not_heard": tr("Not heard"),
        }.get(card.state, card.state)
        text = f"{words} · {lasts}" if lasts else words
        match card.state:
            case "running":
                self._chip.say(text, dot="ok")
            case "stopped":
                self._chip.say(text, icon="pause", ink="surface", fill="ink", border="ink")
            case "changeover":
                self._chip.say(text, icon="swap", ink="ink2")
            case "not_heard":
                self._chip.say(text, icon="cloud_off", ink="off", fill="offSoft", border="")
            case _:
                self._chip.say(text, icon="clock", ink="ink2")

    def _show_plan(self, card: LineCard, as_of: datetime | None, figures: str) -> None:
        self._made.say(number(card.made), figures)
        of = "" if card.planned is None else tr("of {planned}", planned=number(card.planned))
        if as_of is not None:
            of = f"{of} {tr('as of {time}', time=clock(as_of))}".strip()
        self._of.say(of)
        self._plan_now.say("" if card.plan_now is None else tr("plan now {count}", count=number(card.plan_now)))
        planned = card.planned or 0
        self._plan.show_shares(
            card.made / planned if planned else None,
            card.plan_now / planned if planned and card.plan_now is not None else None,
        )
        self._plan.setAccessibleName(f"{self._made.text()} {self._of.text()}, {self._plan_now.text()}")

    def _show_note(self, card: LineCard) -> None:
        """Hold before stop reason: one line, the worse one."""
        is_held, reason = card.held_since is not None, named(card.stop_reason_names, card.stop_reason or "")
        for part in (self._note_icon, self._note, self._note_detail):
            part.setVisible(is_held or (bool(reason) and card.state in ("stopped", "changeover", "planned")))
        if card.held_since is not None:
            self._note_icon.show_icon("lock", "hold")
            self._note.say(tr("Lot on hold since {time}", time=clock(card.held_since)), "hold")
            self._note_detail.say(card.held_deviation or "")
        elif reason:
            self._note_icon.show_icon("wrench", "ink")
            self._note.say(reason, "ink")
            self._note_detail.say(card.stop_detail or "")

    def _show_foot(self, card: LineCard) -> None:
        name = named(card.next_check_names)
        if card.is_check_late:
            text = tr("{check} not seen", check=name) if card.as_of else tr("{check} late", check=name)
            self._check_icon.show_icon("warn", "warn")
            self._check.say(text, "warn")
        else:
            self._check_icon.show_icon("clock", "ink2")
            if card.next_check_at is not None:
                self._check.say(tr("Next check {time}", time=clock(card.next_check_at)), "ink")
            else:
                self._check.say(tr("{check} next", check=name) if name else tr("No check due"), "ink")
        self._check.set_weight(650 if card.is_check_late else 400)
        if card.needs_help:
            self._say_sync("flag", tr("Needs help · {count}", count=card.needs_help), "warn", 650)
        elif card.offline_since is not None:
            self._say_sync("cloud_off", tr("Offline since {time}", time=clock(card.offline_since)), "off", 650)
        elif card.waiting:
            self._say_sync("cloud_up", tr("Sending {count}", count=card.waiting), "ink2", 400)
        elif card.terminal_name is None:
            self._say_sync("monitor", tr("No terminal"), "ink2", 400)
        else:
            self._say_sync("cloud_ok", tr("All sent"), "ink2", 400)

    def _say_sync(self, icon: str, text: str, colour: str, weight: int) -> None:
        self._sync_icon.show_icon(icon, colour)
        self._sync.say(text, colour)
        self._sync.set_weight(weight)
