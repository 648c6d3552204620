"""The dense feed of a tenant: every change that a terminal must hear of, numbered without a hole.

One counter row per tenant is taken by the *last* statement of each writing transaction and held
only for the commit, so feed order is commit order and a reader can prove that nothing was skipped
(sync.md, T1: a plain sequence cursor misses two rows in three under load). A row says *what*
changed; ``server/sync`` renders how it looks when somebody reads. Only answers to commands carry
their data.

A model opts in with ``__feed__ = "<entity of wire.master>"``; ``FeedSession`` collects what was
flushed, ``sessions`` calls ``write`` just before each commit.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    SmallInteger,
    Table,
    Text,
    Uuid,
    bindparam,
    delete,
    event,
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

from foodflow_kernel.wire.exchange import CommandAnswer, FeedState
from foodflow_kernel.wire.protocol import FEED_RETENTION_DAYS
from server.core import events
from server.core.db import given
from server.core.db.base import TenantBase
from server.core.db.together import Asked, Ready, ready

COMMAND = "command"
"""Entity name of an answer to a command fact."""

_CHANGES = "feed_changes"
_LISTENERS: list[Callable[[Session], None]] = []


class FeedCounter(TenantBase):
    """The one counter of a tenant's feed; rows (tail, n] can be read."""

    __tablename__ = "core_feed_counter"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    epoch: Mapped[str] = mapped_column(Text)
    n: Mapped[int] = mapped_column(BigInteger)
    tail: Mapped[int] = mapped_column(BigInteger)


class FeedRow(TenantBase):
    """One change, at its place. ``plant_id`` None: of interest to every plant."""

    __tablename__ = "core_feed_row"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entity: Mapped[str] = mapped_column(Text)
    row_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    version: Mapped[int] = mapped_column(BigInteger)
    retired: Mapped[bool] = mapped_column(Boolean)
    plant_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    data: Mapped[str | None] = mapped_column(Text)
    """JSON text of a command's answer; None for master rows, which are rendered when read."""


class Change(NamedTuple):
    """What the feed will say of one row."""

    version: int = 0
    retired: bool = False
    plant_id: uuid.UUID | None = None
    data: str | None = None


class FeedSession(Session):
    """A session that remembers which rows of the feed it has flushed."""


def _changes(session: Session) -> dict[tuple[str, uuid.UUID], Change]:
    changes: dict[tuple[str, uuid.UUID], Change] = session.info.setdefault(_CHANGES, {})
    return changes


@event.listens_for(FeedSession, "after_flush")
def _collect(session: Session, _context: Any) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        if row not in session.dirty or session.is_modified(row):
            collect(session, row, is_deleted=row in session.deleted)


def collect(session: Session, row: Any, *, is_deleted: bool = False) -> None:
    """Remember a row that was written, if terminals hear of its kind."""
    entity = getattr(type(row), "__feed__", None)
    if entity is None:
        return
    known = row.__dict__
    _changes(session)[entity, known["id"]] = Change(
        version=known.get("version") or 0,
        retired=known.get("retired_at") is not None or is_deleted,
        plant_id=known.get("plant_id"),
    )


@event.listens_for(FeedSession, "after_commit")
def _committed(session: Session) -> None:
    if session.info.pop("feed_written", False):
        for listener in _LISTENERS:
            listener(session)


def on_commit(listener: Callable[[Session], None]) -> Callable[[], None]:
    """Be told, in this process, of each commit that wrote to a feed (``session.info['tenant_id']``).

    Returns what ends it.
    """
    _LISTENERS.append(listener)
    return lambda: _LISTENERS.remove(listener)


def touch(db: AsyncSession, entity: str, row_id: uuid.UUID, *, plant_id: uuid.UUID | None = None) -> None:
    """Say that a row looks different now although the row itself was not written (a lot, when it is held)."""
    changes = _changes(db.sync_session)
    before = changes.get((entity, row_id))
    changes[entity, row_id] = before if before is not None else Change(plant_id=plant_id)


def answer(db: AsyncSession, decision: CommandAnswer, *, plant_id: uuid.UUID | None = None) -> None:
    """Tell the terminals what became of a command."""
    _changes(db.sync_session)[COMMAND, decision.fact_id] = Change(
        plant_id=plant_id, data=decision.model_dump_json(exclude_none=True)
    )


def pending(db: AsyncSession) -> list[tuple[str, uuid.UUID]]:
    """What this transaction has flushed or touched so far: entity and id."""
    return list(_changes(db.sync_session))


@asynccontextmanager
async def savepoint(db: AsyncSession) -> AsyncIterator[None]:
    """A savepoint that also forgets what was collected and announced inside when it rolls back."""
    await db.flush()
    before, said = dict(_changes(db.sync_session)), events.count(db)
    try:
        async with db.begin_nested():
            yield
    except BaseException:
        db.sync_session.info[_CHANGES] = before
        events.forget(db, said)
        raise


def write(session: Session) -> Asked | None:
    """What numbers what was collected: the last statement before the commit.

    It waits for the counter row, so a writer in front has either committed (its numbers stand) or
    rolled back (its numbers never were). Nothing may be written after this in the transaction.
    """
    changes = session.info.pop(_CHANGES, None)
    if not changes:
        return None
    session.info["feed_written"] = True
    entities, ids = zip(*changes, strict=True)
    columns = {"place": range(1, len(changes) + 1), "entity": entities, "row_id": ids}
    columns |= zip(Change._fields, zip(*changes.values(), strict=True), strict=True)
    shared, parameters = given.texts(columns)
    now = session.info["clock"].now()
    return _number(shared), {"k": len(changes), "epoch": uuid.uuid4().hex, "at": now, **parameters}


@functools.cache
def _number(shared: tuple[str, ...]) -> Ready:
    """One statement: take k numbers, insert k rows under them in the order collected; the first opens the feed."""
    names = ("entity", "row_id", *Change._fields)
    row, table = FeedCounter.__table__.c, cast("Table", FeedCounter.__table__)
    types = {"place": BigInteger(), **{name: FeedRow.__table__.c[name].type for name in names}}
    k, epoch = bindparam("k", type_=BigInteger), bindparam("epoch", type_=Text)
    opened = upsert(table).values({"id": literal_column("1"), "epoch": epoch, "n": k, "tail": literal_column("0")})
    counter = opened.on_conflict_do_update(index_elements=["id"], set_={"n": row.n + k}).returning(row.n).cte("counter")
    source, said = given.source(types, shared)
    numbers = select(
        counter.c.n - k + said["place"],
        *(said[name] for name in names),
        bindparam("at", type_=DateTime(timezone=True)),
    ).select_from(source.join(counter, true()))
    return ready(insert(cast("Table", FeedRow.__table__)).from_select(["seq", *names, "at"], numbers))


async def bounds(db: AsyncSession) -> FeedState:
    """Epoch, tail and head of this tenant's feed; opens the feed if nothing was ever written."""
    question = select(FeedCounter.epoch, FeedCounter.tail, FeedCounter.n).where(FeedCounter.id == 1)
    row = (await db.execute(question)).one_or_none()
    if row is None:
        opened = {"id": 1, "epoch": uuid.uuid4().hex, "n": 0, "tail": 0}
        await db.execute(upsert(FeedCounter).values(opened).on_conflict_do_nothing())
        row = (await db.execute(question)).one()
    return FeedState(epoch=row.epoch, tail=row.tail, head=row.n)


async def drop_old(db: AsyncSession, now: datetime) -> int:
    """Forget rows older than the retention; readers behind them take a snapshot. Returns how many.

    Only a prefix goes, so what is left stays dense.
    """
    oldest_kept = select(func.min(FeedRow.seq)).where(FeedRow.at >= now - timedelta(days=FEED_RETENTION_DAYS))
    # The head first: what is committed between the two questions is above it, and stays.
    state = await bounds(db)
    first = await db.scalar(oldest_kept)
    tail = state.head if first is None else first - 1
    if tail <= state.tail:
        return 0
    await db.execute(update(FeedCounter).values(tail=tail), execution_options={"synchronize_session": False})
    await db.execute(delete(FeedRow).where(FeedRow.seq <= tail), execution_options={"synchronize_session": False})
    return tail - state.tail
