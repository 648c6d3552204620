"""The stops of one line, folded from this terminal's own entries.

Two write about stops, the line signal on a device thread and a person at the screen; both ask
this log first, so that a line never has two open stops. Nothing is overwritten: a second reason
is a second entry, and the newest one counts.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from foodflow_kernel.wire.bodies import Source, StopClosed, StopExplained, StopOpened


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop as the entries so far tell it; ``ended_at`` None means the line still stands."""

    stop_id: UUID
    line_id: UUID
    batch_id: UUID | None
    started_at: datetime
    source: Source
    reason_code: str | None = None
    category: str | None = None
    explained_fact: UUID | None = None
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the line still stands."""
        return self.ended_at is None


StopBody = StopOpened | StopExplained | StopClosed


class StopLog:
    """Folds stop entries as they are saved; safe from any thread."""

    def __init__(self, line_id: UUID) -> None:
        self.line_id = line_id
        self._lock = threading.Lock()
        self._stops: dict[UUID, Stop] = {}
        self._reasons: list[tuple[datetime, UUID, str]] = []
        self._claimed = False
        self._listeners: list[Callable[[], None]] = []

    def on_changed(self, callback: Callable[[], None]) -> None:
        """Call back after each change, on the thread that made it."""
        self._listeners.append(callback)

    def load(self, entries: Iterable[tuple[UUID, datetime, StopBody]]) -> None:
        """Fold saved entries (fact id, when it happened, body), oldest first."""
        for fact_id, at, body in entries:
            self._fold(fact_id, at, body)

    def saved(self, fact_id: UUID, at: datetime, body: StopBody) -> None:
        """Fold one entry that was just saved."""
        self._fold(fact_id, at, body)
        for listener in self._listeners:
            listener()

    def claim(self) -> bool:
        """Reserve the right to open a stop; False when one is open or being opened."""
        with self._lock:
            if self._claimed or self._open() is not None:
                return False
            self._claimed = True
            return True

    def release(self) -> None:
        """Give the right back: the stop could not be saved."""
        with self._lock:
            self._claimed = False

    @property
    def open(self) -> Stop | None:
        """The stop that the line is in."""
        with self._lock:
            return self._open()

    @property
    def all(self) -> tuple[Stop, ...]:
        """Every stop known here, oldest first."""
        with self._lock:
            return tuple(sorted(self._stops.values(), key=lambda stop: stop.started_at))

    def used_since(self, since: datetime) -> dict[str, int]:
        """How many stops since an instant were given each reason; the last reason of a stop counts."""
        with self._lock:
            newest = {stop_id: code for at, stop_id, code in self._reasons if at >= since}
        return dict(Counter(newest.values()))

    def _open(self) -> Stop | None:
        found = [stop for stop in self._stops.values() if stop.is_open]
        return max(found, key=lambda stop: stop.started_at, default=None)

    def _fold(self, fact_id: UUID, at: datetime, body: StopBody) -> None:
        with self._lock:
            if isinstance(body, StopOpened):
                if body.line_id == self.line_id:
                    self._claimed = False
                    self._stops[body.stop_id] = Stop(
                        body.stop_id, body.line_id, body.batch_id, body.started_at, body.source
                    )
                return
            stop = self._stops.get(body.stop_id)
            if stop is None:
                return
            if isinstance(body, StopClosed):
                self._stops[stop.stop_id] = replace(stop, ended_at=body.ended_at)
            else:
                self._reasons.append((at, stop.stop_id, body.reason_code))
                self._stops[stop.stop_id] = replace(
                    stop, reason_code=body.reason_code, category=body.category, explained_fact=fact_id
                )
