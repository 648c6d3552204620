"""Stored bytes become verbs, once. A fact that cannot is set aside; the lane flows on.

Rows run in groups, each group under one savepoint. When a row says no, the group is rolled back,
what stood before it runs again as a group, the row runs alone under its own savepoint, and the rest
goes on: two runs for what came before, no matter how large the batch. Rows that run in bulk, and
groups that fail only when their changes reach the database, are halved until one is left (log n runs).

Failures of the database itself (deadlock, shutdown, disk) are nobody's fault and abort the batch;
the device sends it again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import FoodFlowError, Invalid
from foodflow_kernel.rules import part11
from foodflow_kernel.wire import bodies, facts
from foodflow_kernel.wire.exchange import CommandAnswer
from server.core import feed
from server.core.actor import Actor
from server.core.db.postgres import is_unavailable
from server.sync import operators, quarantine, verbs
from server.sync.batch import Proven
from server.sync.stored import StoredFact, Terminal

log = logging.getLogger(__name__)

_GROUP = 200
"""Steps under one savepoint: large enough that savepoints cost nothing, small enough to run twice."""
_NEEDS_USER = frozenset(kind.name for kind in bodies.KINDS if kind.needs_user)


@dataclass(frozen=True, slots=True)
class Entry:
    """A readable fact of a known kind with a verb, and where it is stored."""

    stored: StoredFact
    fact: facts.Fact
    body: Any


@dataclass(slots=True)
class Fate:
    """What became of the rows that were not applied."""

    parked_at: datetime
    dead: list[dict[str, Any]] = field(default_factory=list)
    parked: list[dict[str, Any]] = field(default_factory=list)

    def bury(self, stored: StoredFact, kind: str | None, error: Exception) -> None:
        """Into quarantine; a failure nobody meant is logged with its trace."""
        if not isinstance(error, FoodFlowError):
            log.error("verb failed on %s %s/%s", kind, stored.lane, stored.seq, exc_info=error)
        self.dead.append(quarantine.dead_row(stored, kind, error))

    def park(self, stored: StoredFact, fact: facts.Fact, waits: tuple[str, UUID] | None = None) -> None:
        """To wait without a person."""
        self.parked.append(quarantine.parked_row(stored, fact, self.parked_at, waits))


def rows_of(terminal: Terminal, batch: Proven, now: datetime) -> Iterator[tuple[StoredFact, bytes]]:
    """The rows of a batch as verbs see them, with their bytes."""
    device, incarnation, lane = terminal.device_id, batch.incarnation, int(batch.lane)
    plant, line, skew_ms, flags = terminal.plant_id, terminal.line_id, terminal.clock_skew_ms, terminal.flags
    # By position: this runs for every fact of the plant, and keywords cost as much as the record.
    return (
        (StoredFact(device, incarnation, lane, seq, row_hash, now, plant, line, skew_ms, flags), raw)
        for seq, (raw, row_hash) in enumerate(zip(batch.bodies, batch.hashes, strict=True), batch.first)
    )


async def apply(db: AsyncSession, device: Actor, rows: Iterable[tuple[StoredFact, bytes]], parked_at: datetime) -> Fate:
    """Read and run rows in order; unreadable, refused, unknown and unresolved ones are set aside.

    Args:
        device: the terminal as an actor, for what nobody signed.
        parked_at: now, or when rows that are tried again were parked first.
    """
    fate = Fate(parked_at)
    people = operators.People(db, device)
    entries = list(_readable(rows, fate))
    if entries:
        await people.meet(entry.fact.performed_by for entry in entries)
        steps = list(_steps(entries))
        for start in range(0, len(steps), _GROUP):
            await _run(db, people, steps[start : start + _GROUP], fate)
        await verbs.settle(db, device, entries[0].stored.device_id)
    await quarantine.bury(db, fate.dead)
    await quarantine.park(db, fate.parked)
    return fate


def _readable(rows: Iterable[tuple[StoredFact, bytes]], fate: Fate) -> Iterator[Entry]:
    for stored, raw in rows:
        kind = None
        try:
            fact = facts.decode(raw)
            kind = fact.kind[:64]
            if not bodies.is_known(fact):
                fate.park(stored, fact)
                continue
            body = bodies.parse(fact)
        except Invalid as error:
            fate.bury(stored, kind, error)
            continue
        signed = getattr(body, "signature", None) or getattr(body, "override_signature", None)
        if signed is not None and signed.meaning in part11.NEED_SERVER:
            fate.bury(stored, kind, Invalid("signature_needs_server", meaning=signed.meaning))
        elif fact.performed_by is None and kind in _NEEDS_USER:
            fate.bury(stored, kind, Invalid("fact_without_user", kind=kind))
        elif kind in verbs.VERBS:
            yield Entry(stored, fact, body)


def _steps(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """What runs together: rows of a kind that only become rows, in bulk; anything else alone, in its place."""
    waiting: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.fact.kind in verbs.BULK:
            waiting.setdefault(entry.fact.kind, []).append(entry)
            continue
        yield from waiting.values()
        waiting = {}
        yield [entry]
    yield from waiting.values()


async def _run(db: AsyncSession, people: operators.People, steps: Sequence[list[Entry]], fate: Fate) -> None:
    """Apply steps under one savepoint; when that fails, find the row and set it aside."""
    while steps:
        progress = _Progress()
        try:
            async with feed.savepoint(db):
                await _apply(db, people, steps, progress)
        except Exception as error:
            if is_unavailable(error):
                raise
            if len(steps) == 1 and len(steps[0]) == 1:
                _set_aside(steps[0][0], error, fate)
                return
            # Only a failure while changes are written out names no step; then the middle is as good as any.
            at = len(steps) // 2 if progress.at is None else progress.at
            await _run(db, people, steps[:at], fate)
            await _run(db, people, _halves(steps[at]), fate)
            steps = steps[at + 1 :]
        else:
            return


def _halves(step: list[Entry]) -> list[list[Entry]]:
    middle = len(step) // 2
    return [half for half in (step[:middle], step[middle:]) if half]


@dataclass(slots=True)
class _Progress:
    """Which step a group was working on when it failed; None while its changes are written out."""

    at: int | None = None


async def _apply(db: AsyncSession, people: operators.People, steps: Sequence[list[Entry]], progress: _Progress) -> None:
    for at, step in enumerate(steps):
        progress.at = at
        kind, performed_by = step[0].fact.kind, step[0].fact.performed_by
        if kind in verbs.BULK:
            rows = [(people.flagged(row.stored, row.fact), row.fact, row.body) for row in step]
            _announce(db, await verbs.BULK[kind](db, people.device, rows))
        else:
            (row,) = step
            stored = people.flagged(row.stored, row.fact)
            _announce(db, [await verbs.VERBS[kind](db, people.actor(performed_by), stored, row.fact, row.body)])
    progress.at = None
    await db.flush()


def _announce(db: AsyncSession, outcomes: Iterable[object] | None) -> None:
    for outcome in outcomes or ():
        if isinstance(outcome, CommandAnswer):
            feed.answer(db, outcome)


def _set_aside(entry: Entry, error: Exception, fate: Fate) -> None:
    if isinstance(error, verbs.Unresolved):
        fate.park(entry.stored, entry.fact, (error.entity, error.id))
    else:
        fate.bury(entry.stored, entry.fact.kind, error)
