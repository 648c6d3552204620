"""What the screens ask of ``entry``. Each takes a reading connection (``with store.reading() as db``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, select

from foodflow_desktop.store.tables import ANSWER, CURSOR, ENTRY
from foodflow_kernel.wire.bodies import BY_NAME
from foodflow_kernel.wire.facts import Wire


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded fact as a screen shows it.

    Args:
        is_sent: acknowledged by the server: a check mark; else a hollow dot, "saved here".
        answer: the server's decision about a command (applied, merged, conflict, rejected), None while pending.
    """

    id: UUID
    kind: str
    lane: int
    seq: int
    batch_id: UUID | None
    lot_id: UUID | None
    line_id: UUID | None
    ref_id: UUID | None
    recorded_at: datetime
    occurred_at: datetime
    performed_by: UUID | None
    corrects_id: UUID | None
    flags: tuple[str, ...]
    data: dict[str, Any]
    is_sent: bool
    answer: str | None

    @property
    def body(self) -> Wire:
        """The typed body."""
        return BY_NAME[self.kind].body.model_validate(self.data)


def entries(
    db: Connection,
    *,
    kinds: Sequence[str] = (),
    batch_id: UUID | None = None,
    lot_id: UUID | None = None,
    line_id: UUID | None = None,
    ref_id: UUID | None = None,
    since: datetime | None = None,
    limit: int = 200,
) -> list[Entry]:
    """Entries that match all that is given, newest first."""
    query = _entries().order_by(ENTRY.c.recorded_at.desc(), ENTRY.c.lane, ENTRY.c.seq.desc()).limit(limit)
    conditions: list[ColumnElement[bool]] = []
    if kinds:
        conditions.append(ENTRY.c.kind.in_(kinds))
    for column, value in (
        (ENTRY.c.batch_id, batch_id),
        (ENTRY.c.lot_id, lot_id),
        (ENTRY.c.line_id, line_id),
        (ENTRY.c.ref_id, ref_id),
    ):
        if value is not None:
            conditions.append(column == str(value))
    if since is not None:
        conditions.append(ENTRY.c.recorded_at >= since.isoformat())
    return [_entry(row) for row in db.execute(query.where(*conditions))]


def entry(db: Connection, fact_id: UUID) -> Entry | None:
    """One entry by its fact's id."""
    row = db.execute(_entries().where(ENTRY.c.id == str(fact_id))).first()
    return None if row is None else _entry(row)


def count(db: Connection, kind: str, *, batch_id: UUID | None = None) -> int:
    """How many facts of a kind there are (of a batch)."""
    query = select(func.count()).select_from(ENTRY).where(ENTRY.c.kind == kind)
    if batch_id is not None:
        query = query.where(ENTRY.c.batch_id == str(batch_id))
    return db.execute(query).scalar() or 0


def counted(db: Connection, batch_id: UUID, since: datetime | None = None) -> int:
    """Pieces the line counter saw in a batch, from an instant on."""
    delta = func.json_extract(ENTRY.c.body, "$.delta")
    query = select(func.sum(delta)).where(ENTRY.c.kind == "line_count", ENTRY.c.batch_id == str(batch_id))
    if since is not None:
        query = query.where(ENTRY.c.occurred_at > since.isoformat())
    return int(db.execute(query).scalar() or 0)


def counts_since(db: Connection, batch_id: UUID, since: datetime) -> list[tuple[datetime, int]]:
    """When and how many pieces the line counter saw in a batch from an instant on, oldest first."""
    delta = func.json_extract(ENTRY.c.body, "$.delta")
    query = select(ENTRY.c.occurred_at, delta).where(ENTRY.c.kind == "line_count", ENTRY.c.batch_id == str(batch_id))
    query = query.where(ENTRY.c.occurred_at > since.isoformat()).order_by(ENTRY.c.occurred_at)
    return [(datetime.fromisoformat(at), int(count)) for at, count in db.execute(query)]


def waiting_by_kind(db: Connection) -> dict[str, int]:
    """Unacknowledged facts of lanes 0-2 by kind, for the sync details."""
    query = _joined(select(ENTRY.c.kind, func.count())).where(ENTRY.c.seq > _ACKED).group_by(ENTRY.c.kind)
    return {kind: number for kind, number in db.execute(query)}  # noqa: C416  # dict() of rows has no type


_ACKED = func.coalesce(CURSOR.c.acked, 0)


def _joined(query: Select[Any]) -> Select[Any]:
    same = (CURSOR.c.log == ENTRY.c.log) & (CURSOR.c.lane == ENTRY.c.lane)
    return query.select_from(ENTRY.outerjoin(CURSOR, same).outerjoin(ANSWER, ANSWER.c.fact_id == ENTRY.c.id))


def _entries() -> Select[Any]:
    return _joined(select(ENTRY, (ENTRY.c.seq <= _ACKED).label("is_sent"), ANSWER.c.outcome))


def _entry(row: Any) -> Entry:
    return Entry(
        id=UUID(row.id),
        kind=row.kind,
        lane=row.lane,
        seq=row.seq,
        batch_id=_uuid(row.batch_id),
        lot_id=_uuid(row.lot_id),
        line_id=_uuid(row.line_id),
        ref_id=_uuid(row.ref_id),
        recorded_at=datetime.fromisoformat(row.recorded_at),
        occurred_at=datetime.fromisoformat(row.occurred_at),
        performed_by=_uuid(row.performed_by),
        corrects_id=_uuid(row.corrects_id),
        flags=tuple(json.loads(row.flags)),
        data=json.loads(row.body),
        is_sent=bool(row.is_sent),
        answer=row.outcome,
    )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
