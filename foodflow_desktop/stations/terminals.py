"""Terminals of the plant: let one in by its code and four words, or take its rights away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from foodflow_desktop.stations.hub import DeviceRow, Hub, LineChoice, Pending
from foodflow_desktop.stations.live_report import Answer, LiveReport
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError

CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class TerminalsScreen:
    """The picture of the Terminals view.

    Args:
        pending: the terminal found by its code; the words must be compared before approving.
        notice: what the last action did (``approved``, ``revoked``) for the named terminal.
        revoking: the terminal whose revocation waits for a second touch.
    """

    answer: Answer[tuple[DeviceRow, ...]]
    lines: tuple[LineChoice, ...]
    is_adding: bool
    pending: Pending | None
    notice: str | None
    notice_name: str
    error: FoodFlowError | None
    revoking: DeviceRow | None


class TerminalsStation:
    """The list, the terminal being added and the one being revoked."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._report: LiveReport[tuple[DeviceRow, ...]] = LiveReport(hub.devices, clock)
        self._lines: tuple[LineChoice, ...] = ()
        self._is_adding = False
        self._pending: Pending | None = None
        self._notice: tuple[str, str] | None = None
        self._error: FoodFlowError | None = None
        self._revoking: DeviceRow | None = None
        self.on_changed: Callable[[], None] = lambda: None

    def screen(self) -> TerminalsScreen:
        """The picture as of now."""
        notice, name = self._notice or (None, "")
        return TerminalsScreen(
            answer=self._report.answer(),
            lines=self._lines,
            is_adding=self._is_adding,
            pending=self._pending,
            notice=notice,
            notice_name=name,
            error=self._error,
            revoking=self._revoking,
        )

    def forget(self) -> None:
        """Drop what was shown to the person before."""
        self._report.forget()
        self._lines, self._is_adding, self._pending = (), False, None
        self._notice = self._error = self._revoking = None

    def refresh(self) -> None:
        """Ask for the list. Blocks."""
        self._report.refresh()

    def add(self, is_adding: bool = True) -> None:
        """Open or close the adding of a terminal."""
        self._is_adding, self._pending, self._error, self._notice = is_adding, None, None, None
        self.on_changed()

    def find(self, code: str) -> None:
        """Find the terminal that shows this code. Blocks."""
        self._error = self._notice = None
        try:
            self._lines = self._hub.lines()
            self._pending = self._hub.pending(spelled(code))
        except FoodFlowError as error:
            self._pending, self._error = None, error

    def approve(self, line_id: UUID, name: str) -> None:
        """Let the terminal in. Blocks."""
        pending = self._pending
        if pending is None:
            return
        try:
            self._hub.approve(pending.device_id, line_id, name.strip())
        except FoodFlowError as error:
            self._error = error
            return
        self._pending, self._is_adding, self._error = None, False, None
        self._notice = ("approved", name.strip())
        self._report.refresh()

    def ask_revoke(self, device: DeviceRow | None) -> None:
        """First touch of Revoke: show what it means; None closes it again."""
        self._revoking = device
        self._error = self._notice = None
        self.on_changed()

    def revoke(self, reason: str) -> None:
        """Take the rights of the terminal away; the reason goes into the audit trail. Blocks."""
        device = self._revoking
        if device is None:
            return
        try:
            self._hub.revoke(device.device_id, reason.strip())
        except FoodFlowError as error:
            self._error = error
            return
        self._revoking, self._notice = None, ("revoked", device.name)
        self._report.refresh()


def spelled(code: str) -> str:
    """A code as the server knows it, however it was typed.

    >>> spelled(" k7qx42mn ")
    'K7QX-42MN'
    """
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return f"{plain[:4]}-{plain[4:]}" if len(plain) == CODE_LENGTH else plain
