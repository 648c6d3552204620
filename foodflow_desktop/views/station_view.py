"""What every kiosk view has: its station's picture drawn, its jobs run, its way on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget

from foodflow_desktop.hardware.readings import Scan
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.views import jobs
from foodflow_desktop.views.i18n import sentence
from foodflow_kernel.errors import FoodFlowError


class StationView(QWidget):
    """Base of the kiosk's views. ``name`` is what the shell and the remote call it."""

    name = ""
    rail = ""
    """The rail entry that stays marked while this view is shown."""
    holds_front = False
    """Whether no other view may come up by itself over this one: entries half made, stop screens."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.go: Callable[..., None] = lambda *_: None
        """Set by the shell: show another view by name, with what it is about."""
        self.tell: Callable[[str, str], None] = lambda *_: None
        """Set by the shell: a message that goes by itself; kind ok, warn or crit."""
        self.setObjectName(self.name)

    def enter(self, about: Any = None) -> None:
        """The view comes to the front."""
        self.refresh()

    def leave(self) -> None:
        """Another view comes to the front."""

    def refresh(self) -> None:
        """Draw the station's picture again: something changed, time passed, the language switched."""

    def on_scan(self, scan: Scan) -> bool:
        """A code that is no badge was scanned; False if this view cannot use it."""
        return False

    def key(self, text: str) -> bool:
        """A key of a keyboard: a digit, a mark, ``enter``, ``back``, ``escape``; False if not used."""
        return False

    def do(self, gesture: Callable[[], Job | None]) -> None:
        """Run a gesture: its job off this thread, what it refuses as a message."""
        try:
            job = gesture()
        except FoodFlowError as error:
            self.tell(sentence(error), "warn")
            return
        if job is None:
            return
        failed = job.failed

        def on_failed(error: BaseException) -> None:
            if failed is not None:
                failed(error)
            self.tell(sentence(error), "crit")
            self.refresh()

        jobs.run(job.work, job.done, on_failed)
