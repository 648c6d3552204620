"""Downtime: why did the line stop? One touch answers.

The screen comes up by itself when the line signal has found a stop (``wants_attention``). A touch
on a reason explains the open stop; with no stop open it records one that began when the signal
last saw the line stand, or now. A stop that ended without a reason stays here until it has one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from foodflow_desktop.stations import running
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.line_recording import LineRecording
from foodflow_desktop.stations.stops import Stop
from foodflow_desktop.store import Draft
from foodflow_kernel import ids
from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import master
from foodflow_kernel.wire.bodies import Source, StopClosed, StopExplained, StopOpened

TILES = 12
PLANNED_ROW = 4
"""The bottom row keeps the planned reasons and Other, so that they never move."""


@dataclass(frozen=True, slots=True)
class ReasonTile:
    """One reason that can be touched.

    Args:
        used_today: stops it explained since the plant's day began.
        is_chosen: the reason of the stop shown.
    """

    code: str
    name: str
    icon: str
    used_today: int = 0
    is_planned: bool = False
    is_other: bool = False
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class DowntimeScreen:
    """The picture of the Downtime view.

    Args:
        stop: the open stop, or the newest one of today that ended without a reason.
        reason: name of the reason of that stop, None while nobody gave one.
        standing_since: the signal sees the line stand, not yet long enough for a stop.
        is_signal_heard: whether a line signal closes stops by itself here.
    """

    line_name: str
    now: datetime
    stop: Stop | None
    reason: str | None
    standing_since: datetime | None
    is_signal_heard: bool
    has_user: bool
    reasons: tuple[ReasonTile, ...]

    @property
    def elapsed_s(self) -> int:
        """Length of the stop shown [s], to now or to its end."""
        if self.stop is None:
            return 0
        return max(0, int(((self.stop.ended_at or self.now) - self.stop.started_at).total_seconds()))


def tiles(
    reasons: tuple[master.Reason, ...], used: dict[str, int], chosen: str | None, named: Callable[[master.Names], str]
) -> tuple[ReasonTile, ...]:
    """The twelve tiles: most used today first, planned ones and Other in the bottom row."""
    ordered = sorted(reasons, key=lambda reason: (-used.get(reason.code, 0), reason.sort, reason.code))
    upper = [reason for reason in ordered if not reason.is_planned and not _is_other(reason)]
    planned = sorted((reason for reason in reasons if reason.is_planned), key=lambda reason: reason.sort)
    others = [reason for reason in reasons if _is_other(reason)]
    bottom = [*planned[: PLANNED_ROW - len(others[:1])], *others[:1]]
    return tuple(
        ReasonTile(
            code=reason.code,
            name=named(reason.names),
            icon=reason.icon,
            used_today=used.get(reason.code, 0),
            is_planned=reason.is_planned,
            is_other=_is_other(reason),
            is_chosen=reason.code == chosen,
        )
        for reason in [*upper[: TILES - len(bottom)], *bottom]
    )


def _is_other(reason: master.Reason) -> bool:
    return reason.category is None and not reason.is_planned


class DowntimeStation:
    """The stop of this line and the reasons for it."""

    def __init__(self, context: Context, recording: LineRecording) -> None:
        self._context = context
        self._recording = recording
        self.on_changed: Callable[[], None] = lambda: None
        recording.on_changed(self._changed)

    def _changed(self) -> None:
        self.on_changed()

    @property
    def wants_attention(self) -> UUID | None:
        """An open stop without a reason: the shell brings this screen up once for each."""
        stops = self._recording.stops
        stop = stops.open if stops else None
        return stop.stop_id if stop and stop.reason_code is None else None

    def badge(self) -> bool:
        """Whether the rail shows an exclamation mark."""
        return self._shown() is not None and self._is_unexplained(self._shown())

    def screen(self) -> DowntimeScreen:
        """The picture as of now."""
        context, stops = self._context, self._recording.stops
        stop = self._shown()
        reasons = context.store.master.reasons_by_tree.get("downtime", ())
        used = stops.used_since(context.day_start()) if stops else {}
        chosen = stop.reason_code if stop else None
        shown = tiles(reasons, used, chosen, context.named)
        line = context.store.master.lines.get(context.line_id) if context.line_id else None
        signal = self._recording.signal.screen() if self._recording.signal else None
        stands = signal is not None and signal.is_running is False and stop is None
        reason = next((context.named(r.names) for r in reasons if r.code == chosen), None)
        return DowntimeScreen(
            line_name=context.named(line.names, line.name) if line else "",
            now=context.clock.now(),
            stop=stop,
            reason=reason,
            standing_since=signal.since if signal and stands else None,
            is_signal_heard=signal is not None and signal.heard_at is not None,
            has_user=context.session.user is not None,
            reasons=shown,
        )

    def explain(self, code: str) -> Job:
        """Save a reason for the stop shown, opening one first if none is.

        Raises (in the job):
            Refused: `no_line` before the terminal has a line, `nobody_signed_in`.
            StoreError: nothing was saved.
        """
        return Job(lambda: self._explain(code), lambda _: self.on_changed())

    def running_again(self) -> Job:
        """End the open stop by hand.

        Raises (in the job):
            Refused: `no_open_stop`, `nobody_signed_in`.
        """
        return Job(self._close, lambda _: self.on_changed())

    def _explain(self, code: str) -> None:
        user, line_id, stops = self._user(), self._context.line_id, self._recording.stops
        if line_id is None or stops is None:
            raise Refused("no_line")
        reason = next(r for r in self._context.store.master.reasons.values() if r.tree == "downtime" and r.code == code)
        stop, now = self._shown(), self._context.clock.now()
        drafts = []
        if stop is None and stops.claim():
            opened = self._opened(line_id, now)
            stop_id = opened.stop_id
            drafts.append(Draft(opened, user, line_id, occurred_at=opened.started_at))
        else:
            stop = stop or stops.open
            if stop is None:  # the signal is opening one this very moment
                raise Refused("stop_just_opened")
            stop_id = stop.stop_id
        explained = StopExplained(stop_id=stop_id, reason_code=code, category=reason.category)
        corrects = stop.explained_fact if stop else None
        why = "reason_changed" if corrects else None
        drafts.append(Draft(explained, user, line_id, corrects_id=corrects, correction_reason=why))
        try:
            self._context.store.record_all(drafts)
        except BaseException:
            stops.release()
            raise

    def _close(self) -> None:
        user, now = self._user(), self._context.clock.now()
        stop = self._recording.stops.open if self._recording.stops else None
        if stop is None:
            raise Refused("no_open_stop")
        closed = StopClosed(stop_id=stop.stop_id, ended_at=now, source=Source.manual)
        self._context.store.record(Draft(closed, user, stop.line_id))

    def _opened(self, line_id: UUID, now: datetime) -> StopOpened:
        """A stop told by a person: since the signal saw the line stand, else from now."""
        signal = self._recording.signal.screen() if self._recording.signal else None
        stands_since = signal.since if signal and signal.is_running is False else None
        batch = running.current_batch(self._context.store, line_id)
        return StopOpened(
            stop_id=ids.new_id(now),
            line_id=line_id,
            batch_id=batch.batch.id if batch else None,
            started_at=stands_since or now,
            source=Source.signal if stands_since else Source.manual,
        )

    def _user(self) -> UUID:
        user = self._context.session.user
        if user is None:
            raise Refused("nobody_signed_in")
        return user.id

    def _shown(self) -> Stop | None:
        stops = self._recording.stops
        if stops is None:
            return None
        if stops.open is not None:
            return stops.open
        since = self._context.day_start()
        asked = [stop for stop in stops.all if self._is_unexplained(stop) and stop.started_at >= since]
        return asked[-1] if asked else None

    @staticmethod
    def _is_unexplained(stop: Stop | None) -> bool:
        return stop is not None and stop.reason_code is None
