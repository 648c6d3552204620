"""States and moves of settings, notifications and files (identity_core, section 2)."""

from __future__ import annotations

from enum import StrEnum

from foodflow_kernel.machines.machine import Machine


class ConfigState(StrEnum):
    """A value of a setting: proposed until it is accepted, then in force for its time."""

    proposed = "proposed"
    scheduled = "scheduled"
    effective = "effective"
    superseded = "superseded"
    withdrawn = "withdrawn"


_C = ConfigState
CONFIG: Machine[ConfigState] = Machine(
    "setting",
    start=_C.proposed,
    moves={
        (_C.proposed, "accept"): _C.scheduled,
        (_C.proposed, "withdraw"): _C.withdrawn,
        (_C.scheduled, "withdraw"): _C.withdrawn,
        (_C.scheduled, "begin"): _C.effective,
        (_C.effective, "supersede"): _C.superseded,
    },
)


class NotificationState(StrEnum):
    """What somebody must know, until a person says that they do, or its time is over."""

    pending = "pending"
    delivered = "delivered"
    read = "read"
    acked = "acked"
    expired = "expired"


_N = NotificationState
NOTIFICATION: Machine[NotificationState] = Machine(
    "notification",
    start=_N.pending,
    moves={
        (_N.pending, "deliver"): _N.delivered,
        (_N.delivered, "read"): _N.read,
        (_N.read, "ack"): _N.acked,
        (_N.pending, "expire"): _N.expired,
        (_N.delivered, "expire"): _N.expired,
        (_N.read, "expire"): _N.expired,
    },
)


class FileState(StrEnum):
    """An attachment: open while its bytes arrive, served only when found clean."""

    open = "open"
    pending = "pending"
    clean = "clean"
    infected = "infected"
    failed = "failed"


_F = FileState
FILE: Machine[FileState] = Machine(
    "file",
    start=_F.open,
    moves={
        (_F.open, "complete"): _F.pending,
        (_F.pending, "pass"): _F.clean,
        (_F.pending, "infect"): _F.infected,
        (_F.pending, "fail"): _F.failed,
        (_F.failed, "rescan"): _F.pending,
    },
)


class NoteState(StrEnum):
    """A note: what it says stands until its author says it anew."""

    posted = "posted"
    superseded = "superseded"


NOTE: Machine[NoteState] = Machine(
    "note", start=NoteState.posted, moves={(NoteState.posted, "supersede"): NoteState.superseded}
)


class TagState(StrEnum):
    """A word that records are marked with: no longer given once it was merged into another or retired."""

    active = "active"
    merged = "merged"
    retired = "retired"


_T = TagState
TAG: Machine[TagState] = Machine(
    "tag", start=_T.active, moves={(_T.active, "merge"): _T.merged, (_T.active, "retire"): _T.retired}
)
