"""Sync details: what waits, since when, and what still works without the hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from foodflow_desktop.stations.context import Context
from foodflow_desktop.sync.status import LaneStatus, Pill, SyncStatus, is_hub_heard, pill

WORKS_OFFLINE = ("recording", "checks", "holds")
NEEDS_HUB = ("other_lines", "master_data")
"""What the screen says works without the hub, and what does not; only what exists is named."""


@dataclass(frozen=True, slots=True)
class SyncDetailsScreen:
    """The picture of the Sync details view; every figure is read at one instant.

    Args:
        is_heard: whether the hub answered within 30 s.
        oldest_at: when the oldest waiting record was taken, telemetry left out.
        problem: ``revoked``, ``untrusted`` and so on; stable code of the newest error, None after a success.
    """

    pill: Pill
    now: datetime
    is_heard: bool
    heard_at: datetime | None
    waiting: int
    oldest_at: datetime | None
    lanes: tuple[LaneStatus, ...]
    needs_help: int
    conflicts: int
    problem: str | None
    hub: str
    terminal: str
    can_send: bool


def screen_of(status: SyncStatus, now: datetime, terminal: str) -> SyncDetailsScreen:
    """The picture of a status at an instant."""
    return SyncDetailsScreen(
        pill=pill(status, now),
        now=now,
        is_heard=is_hub_heard(status, now),
        heard_at=status.heard_at,
        waiting=status.waiting,
        oldest_at=status.oldest_at,
        lanes=status.lanes,
        needs_help=status.needs_help,
        conflicts=status.conflicts,
        problem="revoked" if status.is_revoked else status.last_error,
        hub=status.hub,
        terminal=terminal,
        can_send=status.is_paired,
    )


class SyncDetailsStation:
    """Shows the store's sync status and asks the engine to try now."""

    def __init__(self, context: Context, send_now: Callable[[], None]) -> None:
        self._context = context
        self._send_now = send_now
        self.on_changed: Callable[[], None] = lambda: None

    def send_now(self) -> None:
        """Try at once instead of at the next turn; returns without waiting for the answer."""
        self._send_now()

    def screen(self) -> SyncDetailsScreen:
        """The picture as of now."""
        terminals = self._context.store.master.terminals.values()
        name = next((terminal.name for terminal in terminals), "")
        return screen_of(self._context.store.status(), self._context.clock.now(), name)
