"""The checks of a line: Now, Later and Done, late first; opens one for entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from foodflow_desktop.stations import deviation as deviations
from foodflow_desktop.stations import due, limits, records, running
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.due import CheckDue, Due
from foodflow_desktop.stations.limits import Last, Limit
from foodflow_desktop.store import Store
from foodflow_kernel.wire import bodies, master

DONE_SHOWN = 20
"""Rows of the Done list; the whole history is under More."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check to do."""

    version_id: UUID
    line_id: UUID
    name: str
    ccp_no: str
    place: str
    icon: str
    limit: Limit
    last: Last | None
    state: Due
    due_at: datetime | None
    minutes: int
    """Whole minutes late, or until due."""
    is_missed: bool
    is_recheck: bool


@dataclass(frozen=True, slots=True)
class DoneRow:
    """One check done."""

    name: str
    ccp_no: str
    icon: str
    at: datetime
    last: Last
    limit: Limit
    by: str
    is_on_time: bool
    is_attempt: bool


@dataclass(frozen=True, slots=True)
class OpenDeviation:
    """A deviation on this line nobody has contained yet."""

    deviation_id: UUID
    number: str


@dataclass(frozen=True, slots=True)
class ChecksScreen:
    """The picture of the Checks view."""

    line_name: str
    may_see_all: bool
    is_all: bool
    now: tuple[CheckRow, ...]
    later: tuple[CheckRow, ...]
    done: tuple[DoneRow, ...]
    done_count: int
    done_on_time: int
    deviations: tuple[OpenDeviation, ...]
    has_batch: bool
    shows_done: bool


def due_checks(store: Store, line_ids: Sequence[UUID], now: datetime, *, operators_only: bool) -> list[CheckDue]:
    """The checks of running batches on some lines, late first, then by time due."""
    found = []
    for line_id in line_ids:
        batch = running.current_batch(store, line_id)
        if batch is None:
            continue
        found += [
            due.due(store, ccp, batch, now)
            for ccp in due.applicable(store, batch)
            if ccp.for_operators or not operators_only
        ]
    far = datetime.max.replace(tzinfo=now.tzinfo)
    return sorted(found, key=lambda one: (one.state is Due.paused, one.due_at or far, one.ccp.ccp_no))


class ChecksStation:
    """Which checks are due, and which deviations still wait for an action."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._is_all = False
        self._shows_done = False
        self.on_changed: Callable[[], None] = lambda: None

    def show_all(self, is_all: bool) -> None:
        """Show all lines, or this terminal's only. QA and above may."""
        self._is_all = is_all and self._may_see_all
        self.on_changed()

    def show_done(self, shows: bool) -> None:
        """Open or close the list of checks done."""
        self._shows_done = shows
        self.on_changed()

    def badge(self) -> int:
        """The number on the rail: checks to do now, and deviations that wait for an action."""
        return sum(one.is_now for one in self._due()) + len(self._open_deviations())

    def screen(self) -> ChecksScreen:
        """The picture as of now."""
        rows = self._due()
        store, line_id = self._context.store, self._context.line_id
        done = self._done()
        line = store.master.lines.get(line_id) if line_id else None
        return ChecksScreen(
            line_name=self._context.named(line.names, line.name) if line else "",
            may_see_all=self._may_see_all,
            is_all=self._is_all,
            now=tuple(self._row(one) for one in rows if one.is_now),
            later=tuple(self._row(one) for one in rows if not one.is_now),
            done=tuple(done[:DONE_SHOWN]),
            done_count=sum(not row.is_attempt for row in done),
            done_on_time=sum(row.is_on_time for row in done if not row.is_attempt),
            deviations=tuple(self._open_deviations()),
            has_batch=bool(rows) or running.current_batch(store, line_id) is not None,
            shows_done=self._shows_done,
        )

    @property
    def _may_see_all(self) -> bool:
        user = self._context.session.user
        return user is not None and bool({"QT", "QM", "SV"} & set(user.roles))

    def _line_ids(self) -> list[UUID]:
        if self._is_all and self._may_see_all:
            return list(self._context.store.master.lines)
        return [self._context.line_id] if self._context.line_id else []

    def _due(self) -> list[CheckDue]:
        now = self._context.clock.now()
        return due_checks(self._context.store, self._line_ids(), now, operators_only=not self._may_see_all)

    def _row(self, one: CheckDue) -> CheckRow:
        ccp, now = one.ccp, self._context.clock.now()
        minutes = abs((now - one.due_at) // timedelta(minutes=1)) if one.due_at else 0
        return CheckRow(
            version_id=ccp.id,
            line_id=ccp.line_id,
            name=self._context.named(ccp.names),
            ccp_no=ccp.ccp_no,
            place=self._context.named(ccp.place),
            icon=ccp.icon,
            limit=limits.limit_of(ccp),
            last=limits.last_of(one.last) if one.last else None,
            state=one.state,
            due_at=one.due_at,
            minutes=minutes,
            is_missed=one.is_missed,
            is_recheck=one.recheck_of is not None,
        )

    def _done(self) -> list[DoneRow]:
        store, since = self._context.store, self._context.day_start()
        lines = set(self._line_ids())
        rows = []
        for record in records.taken(store, bodies.CcpReading, since=since):
            reading, entry = record.body, record.entry
            ccp = store.master.anything(reading.ccp_version_id)
            if not isinstance(ccp, master.Ccp) or ccp.line_id not in lines:
                continue
            user = store.master.users.get(entry.performed_by) if entry.performed_by else None
            grace = timedelta(minutes=ccp.grace_min)
            rows.append(
                DoneRow(
                    name=self._context.named(ccp.names),
                    ccp_no=ccp.ccp_no,
                    icon=ccp.icon,
                    at=entry.occurred_at,
                    last=limits.last_of(reading),
                    limit=limits.limit_of(ccp),
                    by=self._context.named(user.names, user.printed_name) if user else "",
                    is_on_time=reading.due_at is None or entry.occurred_at <= reading.due_at + grace,
                    is_attempt=reading.is_attempt,
                )
            )
        return rows[::-1]

    def _open_deviations(self) -> list[OpenDeviation]:
        store, lines = self._context.store, set(self._line_ids())
        found = []
        for record in records.taken(store, bodies.DeviationOpened):
            opened = record.body
            if record.entry.line_id not in lines or not deviations.waits_for_action(store, opened):
                continue
            known = store.master.deviations.get(opened.deviation_id)
            number = known.number if known and known.number else opened.local_no
            found.append(OpenDeviation(opened.deviation_id, number))
        return found
