"""The strip above a screen that says what went wrong, what was kept and what to do."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QSizePolicy

from foodflow_desktop.stations.live_report import Answer
from foodflow_desktop.views.i18n import clock, sentence, tr
from foodflow_desktop.views.widgets.controls import Icon, Words
from foodflow_desktop.views.widgets.parts import Card, row
from foodflow_kernel.errors import FoodFlowError

LOOKS = {
    "off": ("cloud_off", "offSoft", "off"),
    "bad": ("crit", "critSoft", "crit"),
    "good": ("check", "okSoft", "ok"),
    "note": ("info", "surface2", "ink2"),
}


class Notice(Card):
    """One sentence with a shape; hidden when there is nothing to say."""

    def __init__(self, name: str) -> None:
        super().__init__(name, fill="offSoft", border="", width=0)
        self.radius = 10
        self._icon = Icon("info", 20)
        self._words = Words(f"{name}.text", 15, 500, wrap=True)
        box = row(gap=12, margins=(14, 10, 14, 10))
        box.addWidget(self._icon)
        box.addWidget(self._words, 1)
        self.setLayout(box)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    def say(self, kind: str, text: str) -> None:
        """Show a sentence; an empty one hides the strip."""
        icon, fill, ink = LOOKS[kind]
        self._icon.show_icon(icon, ink)
        self.set_fill(fill)
        self._words.say(text, "ink")
        self.setAccessibleName(text)
        self.setVisible(bool(text))

    def show_error(self, error: FoodFlowError | None) -> None:
        """Show an error's own sentence; None hides the strip."""
        self.say("bad", sentence(error) if error else "")

    def show_answer(self, answer: Answer[Any], *, has_value: bool) -> None:
        """Show why there is no newer answer, and as of when the shown one is."""
        if answer.error is None and not answer.is_stale:
            self.say("off", "")
            return
        why = sentence(answer.error) if answer.error else tr("The hub has not answered.")
        if has_value and answer.got_at is not None:
            why += " " + tr("What you see is as of {time}.", time=clock(answer.got_at))
        self.say("off", why)
