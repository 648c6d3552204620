"""The words of the sync pill (ux.md, section 6), as a pure function of the store's status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from foodflow_desktop.store.status import LaneStatus, SyncStatus
from foodflow_kernel.wire.protocol import HUB_HEARD_S

__all__ = ["LaneStatus", "Pill", "PillState", "SyncStatus", "is_hub_heard", "pill"]


class PillState(StrEnum):
    """The six states, best first; the worst that is true wins."""

    all_sent = "all_sent"
    sending = "sending"
    offline = "offline"
    needs_help = "needs_help"
    not_paired = "not_paired"
    cannot_save = "cannot_save"


@dataclass(frozen=True, slots=True)
class Pill:
    """What the pill shows. Views translate ``text``'s pattern by state; English is here for logs and tests.

    Args:
        count: waiting records (lanes 0-2); for ``needs_help`` the number of things to help with.
        waiting: always the waiting records, shown beside any state when not zero.
    """

    state: PillState
    count: int
    waiting: int

    @property
    def text(self) -> str:
        """The English words."""
        match self.state:
            case PillState.all_sent:
                return "All sent · just now"
            case PillState.sending:
                return f"Sending {self.count}"
            case PillState.offline:
                return f"Offline · {self.count} saved here" if self.count else "Offline"
            case PillState.needs_help:
                return f"Needs help · {self.count}"
            case PillState.not_paired:
                return "Not paired"
            case PillState.cannot_save:
                return "Cannot save"


def is_hub_heard(status: SyncStatus, now: datetime) -> bool:
    """Whether the hub answered within 30 s. An answer "from the future" (clock set back) does not count."""
    if status.heard_at is None:
        return False
    return -1.0 <= (now - status.heard_at).total_seconds() < HUB_HEARD_S


def pill(status: SyncStatus, now: datetime) -> Pill:
    """The worst state that is true.

    "All sent" only with an empty queue, every record acknowledged and the hub heard within 30 s.
    """
    waiting = status.waiting
    if status.cannot_save:
        return Pill(PillState.cannot_save, waiting, waiting)
    if not status.is_paired:
        return Pill(PillState.not_paired, waiting, waiting)
    if status.needs_help or status.is_revoked:
        return Pill(PillState.needs_help, status.needs_help or 1, waiting)
    if not is_hub_heard(status, now):
        return Pill(PillState.offline, waiting, waiting)
    if waiting:
        return Pill(PillState.sending, waiting, waiting)
    return Pill(PillState.all_sent, 0, 0)
