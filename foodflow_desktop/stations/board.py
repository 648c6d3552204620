"""The line board of the laptop: which line needs help, at one look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from foodflow_desktop.stations.hub import Hub
from foodflow_desktop.stations.live_report import Answer, LiveReport
from foodflow_kernel.clock import Clock
from foodflow_kernel.wire.reports import Board, DeviationLine


@dataclass(frozen=True, slots=True)
class BoardScreen:
    """The picture of the Line board."""

    answer: Answer[Board]
    now: datetime


@dataclass(frozen=True, slots=True)
class DeviationsScreen:
    """The picture of the Deviations view: everything open, those that hold a lot first marked.

    Args:
        chosen: the deviation whose detail is shown; None when the list is empty.
    """

    answer: Answer[Board]
    now: datetime
    deviations: tuple[DeviationLine, ...]
    chosen: DeviationLine | None


class BoardStation:
    """Keeps the newest board; Line board and Deviations both draw it."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._report: LiveReport[Board] = LiveReport(hub.board, clock)
        self._clock = clock
        self._chosen: str | None = None
        self.on_changed: Callable[[], None] = lambda: None

    def refresh(self) -> None:
        """Ask the server. Blocks."""
        self._report.refresh()

    def forget(self) -> None:
        """Drop what was shown to the person before."""
        self._report.forget()
        self._chosen = None

    def choose(self, number: str) -> None:
        """Open the detail of a deviation."""
        self._chosen = number
        self.on_changed()

    def screen(self) -> BoardScreen:
        """The picture as of now."""
        return BoardScreen(self._report.answer(), self._clock.now())

    def deviations(self) -> DeviationsScreen:
        """The open deviations as of now."""
        answer = self._report.answer()
        found = answer.value.deviations if answer.value else ()
        chosen = next((one for one in found if one.number == self._chosen), found[0] if found else None)
        return DeviationsScreen(answer, self._clock.now(), found, chosen)
