"""Reading and extending a lane: the Core statements of the hot path, and nothing of policy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from foodflow_desktop.store.drafts import Recorded, Row
from foodflow_desktop.store.tables import CURSOR, JOURNAL, LOG
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import chain, facts
from foodflow_kernel.wire.protocol import Lane


@dataclass(frozen=True, slots=True)
class LaneState:
    """Where one lane of one incarnation stands, kept in memory by the writer.

    Args:
        parked: rows of the newest answer that wait on the server for an upgrade or another terminal.
        dead: rows the server stored but could not apply: a person decides.
    """

    lane: int
    head: int
    hash: bytes
    acked: int = 0
    acked_at: datetime | None = None
    parked: int = 0
    dead: tuple[int, ...] = ()
    problem: str | None = None
    oldest_at: datetime | None = None

    @property
    def unsent(self) -> int:
        """Rows past the acknowledged one; of a broken lane the bad row, since those after it went on elsewhere."""
        if self.problem == "chain_broken":
            return 1
        return self.head - self.acked


@dataclass(frozen=True, slots=True)
class LogState:
    """One incarnation in one file, with its lanes."""

    id: int
    device: UUID
    incarnation: UUID
    lanes: Mapping[int, LaneState]

    def with_lane(self, state: LaneState) -> LogState:
        """The same log with one lane replaced."""
        return replace(self, lanes={**self.lanes, state.lane: state})


def load(db: Connection, lanes: Sequence[Lane]) -> tuple[LogState, ...]:
    """All logs of a file, oldest first; the last one is written."""
    logs = []
    for log in db.execute(select(LOG).order_by(LOG.c.id)):
        device, incarnation = UUID(log.device), UUID(log.incarnation)
        state = LogState(log.id, device, incarnation, {})
        for lane in lanes:
            state = state.with_lane(_lane_state(db, state, lane))
        logs.append(state)
    return tuple(logs)


def begin(
    db: Connection, device: UUID, incarnation: UUID, at: datetime, *, reason: str, lanes: Sequence[Lane]
) -> LogState:
    """Start a new incarnation: every lane from sequence 1."""
    row = {"device": str(device), "incarnation": str(incarnation), "started_at": at.isoformat(), "reason": reason}
    number: int = db.execute(insert(LOG).returning(LOG.c.id), row).scalar_one()
    states = {int(lane): LaneState(int(lane), 0, chain.genesis(device, incarnation, lane)) for lane in lanes}
    return LogState(number, device, incarnation, states)


def append(db: Connection, log: int, rows: Sequence[Recorded], sigs: Mapping[tuple[int, int], bytes]) -> None:
    """Insert rows that are already linked and signed."""
    db.execute(
        _APPEND,
        [
            {
                "log": log,
                "lane": int(row.lane),
                "seq": row.seq,
                "kind": row.fact.kind,
                "ver": row.fact.ver,
                "body": row.raw,
                "hash": row.hash,
                "sig": sigs.get((int(row.lane), row.seq)),
            }
            for row in rows
        ],
    )


def read(db: Connection, log: int, lane: int, after: int, limit: int) -> list[Row]:
    """Rows of a lane after a sequence, in order."""
    found = db.execute(_READ, {"log_": log, "lane_": lane, "after_": after, "limit_": limit})
    return [Row(lane, seq, kind, ver, raw(body), raw(hash_), sig) for lane, seq, kind, ver, body, hash_, sig in found]


def raw(value: bytes | str) -> bytes:
    """A cell's bytes; whoever changed a row by hand may have left text there."""
    return value.encode() if isinstance(value, str) else value


def walk(db: Connection, log: int, lane: int, after: int = 0, page: int = 2000) -> Iterator[Row]:
    """All rows of a lane after a sequence, page by page."""
    while rows := read(db, log, lane, after, page):
        yield from rows
        after = rows[-1].seq


def hash_at(db: Connection, log: LogState, lane: int, seq: int) -> bytes | None:
    """The chain hash at a place; the genesis hash at 0, None past the end."""
    if seq == 0:
        return chain.genesis(log.device, log.incarnation, lane)
    found: bytes | None = db.execute(
        select(JOURNAL.c.hash).where(JOURNAL.c.log == log.id, JOURNAL.c.lane == lane, JOURNAL.c.seq == seq)
    ).scalar()
    return found


def save_cursor(db: Connection, log: int, state: LaneState) -> None:
    """Keep how far the server is."""
    row = {
        "log": log,
        "lane": state.lane,
        "acked": state.acked,
        "acked_at": state.acked_at.isoformat() if state.acked_at else None,
        "parked": state.parked,
        "dead": json.dumps(state.dead),
        "problem": state.problem,
    }
    db.execute(upsert(CURSOR).values(row).on_conflict_do_update(index_elements=["log", "lane"], set_=row))


def recorded_at(db: Connection, log: int, lane: int, seq: int) -> datetime | None:
    """When a row was recorded, from its own bytes; None if there is no readable row."""
    raw = db.execute(
        select(JOURNAL.c.body).where(JOURNAL.c.log == log, JOURNAL.c.lane == lane, JOURNAL.c.seq == seq)
    ).scalar()
    if raw is None:
        return None
    try:
        return facts.decode(raw).at
    except Invalid:
        return None


def _lane_state(db: Connection, log: LogState, lane: Lane) -> LaneState:
    here = (JOURNAL.c.log == log.id) & (JOURNAL.c.lane == int(lane))
    head: int = db.execute(select(func.max(JOURNAL.c.seq)).where(here)).scalar() or 0
    head_hash = hash_at(db, log, lane, head) or b""
    state = LaneState(int(lane), head, head_hash)
    cursor: Any = db.execute(select(CURSOR).where(CURSOR.c.log == log.id, CURSOR.c.lane == int(lane))).first()
    if cursor is not None:
        state = replace(
            state,
            acked=cursor.acked,
            acked_at=datetime.fromisoformat(cursor.acked_at) if cursor.acked_at else None,
            parked=cursor.parked,
            dead=tuple(json.loads(cursor.dead)),
            problem=cursor.problem,
        )
    return replace(state, oldest_at=recorded_at(db, log.id, int(lane), state.acked + 1))


_APPEND = insert(JOURNAL)
_READ = (
    select(
        JOURNAL.c.lane,
        JOURNAL.c.seq,
        JOURNAL.c.kind,
        JOURNAL.c.ver,
        JOURNAL.c.body,
        JOURNAL.c.hash,
        JOURNAL.c.sig,
    )
    .where(
        JOURNAL.c.log == bindparam("log_"),
        JOURNAL.c.lane == bindparam("lane_"),
        JOURNAL.c.seq > bindparam("after_"),
    )
    .order_by(JOURNAL.c.seq)
    .limit(bindparam("limit_"))
)
