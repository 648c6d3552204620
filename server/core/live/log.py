"""The log: one number for each thing that changed, in the order of the commits, kept for an hour.

Numbered as the feed is (``core.feed``): the counter row is taken by one of the last statements of
the transaction, so who has read up to n has missed nothing below n. PostgreSQL hands the
notification over when, and only if, the transaction commits.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.core.db.base import TenantBase
from server.core.db.together import Asked, ready

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.core.db.sessions import Database, TenantRef

KEPT = timedelta(hours=1)
"""Who was away for longer reads everything anew."""

SESSION, TENANT = "session", "tenant"
"""Topics that every screen wakes for: a session ended, the company was suspended."""

_TOLD = "live"


class LiveCounter(TenantBase):
    """The one counter of a tenant's log; rows (tail, n] can be read."""

    __tablename__ = "core_live_counter"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(BigInteger)
    tail: Mapped[int] = mapped_column(BigInteger)


class LiveRow(TenantBase):
    """Something changed: which, of what topic. Never how."""

    __tablename__ = "core_live_row"
    __table_args__ = (Index("ix_core_live_row_at", "at", postgresql_using="brin"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    topic: Mapped[str]
    row_id: Mapped[uuid.UUID]
    at: Mapped[datetime]


def tell(db: AsyncSession, topic: str, row_id: uuid.UUID) -> None:
    """Let open screens know, once this transaction commits, that a row looks different."""
    told: dict[tuple[str, uuid.UUID], None] = db.info.setdefault(_TOLD, {})
    told[topic, row_id] = None


def write(session: Session) -> Asked | None:
    """What numbers what was told and wakes who listens: just before the commit."""
    told = session.info.pop(_TOLD, None)
    if not told:
        return None
    return _WRITE, {
        "k": len(told),
        "topics": [topic for topic, _ in told],
        "ids": [row_id for _, row_id in told],
        "at": session.info["clock"].now(),
        "channel": session.info["channel"](),
        "payload": ",".join(sorted({topic for topic, _ in told})),
    }


def _statement() -> Any:
    """One statement: take k numbers, insert k rows under them, notify; the first opens the log."""
    row, table = LiveCounter.__table__.c, cast("Table", LiveCounter.__table__)
    k = bindparam("k", type_=BigInteger)
    opened = upsert(table).values({"id": literal_column("1"), "n": k, "tail": literal_column("0")})
    counter = opened.on_conflict_do_update(index_elements=["id"], set_={"n": row.n + k}).returning(row.n).cte("counter")
    told = (
        func.unnest(bindparam("topics", type_=ARRAY(Text)), bindparam("ids", type_=ARRAY(Uuid)))
        .table_valued("topic", "row_id", with_ordinality="place", name="told")
        .render_derived()
    )
    numbers = select(
        counter.c.n - k + told.c.place, told.c.topic, told.c.row_id, bindparam("at", type_=DateTime(timezone=True))
    ).select_from(counter.join(told, true()))
    log = insert(cast("Table", LiveRow.__table__)).from_select(["seq", "topic", "row_id", "at"], numbers).cte("log")
    notify = func.pg_notify(bindparam("channel", type_=Text), bindparam("payload", type_=Text))
    return select(notify).select_from(counter).add_cte(log)


_WRITE = ready(_statement())


async def bounds(db: AsyncSession) -> tuple[int, int]:
    """Tail and head: what is numbered above the tail, up to the head, can be read."""
    found = (await db.execute(select(LiveCounter.tail, LiveCounter.n).where(LiveCounter.id == 1))).one_or_none()
    return (found.tail, found.n) if found else (0, 0)


async def changed(db: AsyncSession, topic: str, after: int, head: int) -> set[uuid.UUID]:
    """What changed of a topic after one number, up to another; a row that changed twice is there once."""
    asked = select(LiveRow.row_id).where(LiveRow.seq > after, LiveRow.seq <= head, LiveRow.topic == topic)
    return set((await db.scalars(asked)).all())


async def prune(app: FastAPI, tenant: TenantRef) -> None:
    """Forget what is older than an hour; only a prefix goes, so what is left stays dense."""
    database: Database = app.state.database
    async with database.tenant_session(tenant.id) as db:
        oldest = database.clock.now() - KEPT
        last = await db.scalar(select(func.max(LiveRow.seq)).where(LiveRow.at < oldest))
        if last is None:
            return
        await db.execute(
            update(LiveCounter).values(tail=func.greatest(LiveCounter.tail, last)),
            execution_options={"synchronize_session": False},
        )
        gone = delete(LiveRow).where(LiveRow.seq <= last)
        await db.execute(gone, execution_options={"synchronize_session": False})
