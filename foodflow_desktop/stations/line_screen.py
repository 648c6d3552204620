"""The picture of the Run view: what ``LineStation.screen`` answers and the view draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class LineWord(StrEnum):
    """What the line does, as one word."""

    running = "running"
    stopped = "stopped"
    paused = "paused"


class TaskState(StrEnum):
    """How a task lies in time."""

    late = "late"
    soon = "soon"
    """Due within minutes: said in minutes."""
    at = "at"
    """Said as a time of day."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do next.

    Args:
        name: as the plant calls it; empty for the weigh check, which the view names.
        view: where it is done, and ``about`` what.
    """

    name: str
    icon: str
    state: TaskState
    minutes: int
    at: datetime | None
    view: str
    about: Any = None


@dataclass(frozen=True, slots=True)
class HourBar:
    """Five minutes of the last hour."""

    from_at: datetime
    count: int
    is_stop: bool = False
    """The line stood in most of it, or a stop fell into it."""


@dataclass(frozen=True, slots=True)
class LastStop:
    """The newest stop of the last hour."""

    minutes: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """An order that may be started here."""

    wo_no: str
    batch_no: str
    product: str
    qty: int
    unit: str
    start_at: datetime


@dataclass(frozen=True, slots=True)
class Offline:
    """No hub: since when, and how many records are kept here."""

    since: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True)
class RunScreen:
    """The picture of the Run view; ``batch_no`` is empty while no batch runs.

    Args:
        minutes: since the line runs, stands or is paused.
        plan_now: where the plan stands now, in pieces.
        rate: pieces a minute while running, lately; None before there is one.
        per_bar: target pieces in five minutes.
        is_busy: the store cannot be asked yet; grey shapes instead of numbers.
    """

    batch_no: str = ""
    product: str = ""
    word: LineWord = LineWord.running
    minutes: int = 0
    is_held: bool = False
    made: int = 0
    planned: int = 0
    unit: str = ""
    plan_now: int | None = None
    rate: float | None = None
    target: float | None = None
    good: int = 0
    scrap: int = 0
    finishes_at: datetime | None = None
    bars: tuple[HourBar, ...] = ()
    per_bar: int | None = None
    to_at: datetime | None = None
    stop: LastStop | None = None
    tasks: tuple[Task, ...] = ()
    orders: tuple[Planned, ...] = ()
    offline: Offline | None = None

    @property
    def has_batch(self) -> bool:
        """Whether there is a batch to show."""
        return bool(self.batch_no)

    @property
    def scrap_share(self) -> float:
        """Scrap of all made, 0..1."""
        return self.scrap / self.made if self.made else 0.0
