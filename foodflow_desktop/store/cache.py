"""Taking in what the server decided: feed pages densely, snapshots through shadow tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from foodflow_desktop.store import master as masters
from foodflow_desktop.store.master import Master, MasterRow
from foodflow_desktop.store.tables import ANSWER, MASTER, MASTER_SHADOW, NOTE
from foodflow_desktop.store.writer import Writer
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire.exchange import CommandAnswer, FeedCursor, FeedHeader, FeedRow

CURSOR_NOTE = "feed_cursor"
COMMAND = "command"
BAD_OUTCOMES = ("conflict", "rejected")


class Cache:
    """The cached master data: the file, and the picture in memory."""

    def __init__(self, writer: Writer, changed: Callable[[Master], None]) -> None:
        self._writer = writer
        self._changed = changed
        self.master = Master()
        self.conflicts = 0

    def load(self) -> None:
        """Read the picture from the file."""
        self.master, self.conflicts = self._writer.run(_load)

    def apply(self, header: FeedHeader, rows: Sequence[FeedRow]) -> None:
        """Take in one page: dense after the cursor, or not at all.

        Raises:
            Invalid: `feed_not_dense`, `feed_epoch_changed`.
        """
        cursor = self.master.cursor
        if cursor is None or cursor.epoch != header.epoch:
            raise Invalid("feed_epoch_changed", ours=cursor.epoch if cursor else None, theirs=header.epoch)
        _assert_dense(cursor.seq, header, rows)
        after = FeedCursor(epoch=header.epoch, seq=header.last)
        changed = [_master_row(row) for row in rows if row.entity != COMMAND]
        answers = [CommandAnswer.model_validate(row.data) for row in rows if row.entity == COMMAND and row.data]

        def work(db: Connection) -> int:
            for row in changed:
                _put(db, row)
            for answer in answers:
                _put_answer(db, answer)
            put_note(db, CURSOR_NOTE, after.model_dump(mode="json"))
            return _conflicts(db)

        self.conflicts = self._writer.run(work)
        self._replace(masters.changed(self.master, changed, after))

    def begin_snapshot(self) -> None:
        """Empty the shadow table."""
        self._writer.run(lambda db: db.execute(delete(MASTER_SHADOW)))

    def stage(self, rows: Sequence[FeedRow]) -> None:
        """Add a part of a snapshot to the shadow table."""
        staged = [masters.to_table(_master_row(row)) for row in rows if row.entity != COMMAND]
        if staged:
            self._writer.run(lambda db: db.execute(insert(MASTER_SHADOW).prefix_with("OR REPLACE"), staged))

    def swap(self, cursor: FeedCursor) -> None:
        """Make the staged snapshot the picture, in one transaction. Unsent work is not touched."""

        def work(db: Connection) -> tuple[Master, int]:
            db.execute(delete(MASTER))
            columns = [column.name for column in MASTER.columns]
            db.execute(insert(MASTER).from_select(columns, select(MASTER_SHADOW)))
            db.execute(delete(MASTER_SHADOW))
            put_note(db, CURSOR_NOTE, cursor.model_dump(mode="json"))
            return _load(db)

        master, self.conflicts = self._writer.run(work)
        self._replace(master)

    def _replace(self, master: Master) -> None:
        self.master = master
        self._changed(master)


def put_note(db: Connection, name: str, value: Any) -> None:
    """Keep a small thing."""
    row = {"name": name, "value": json.dumps(value)}
    db.execute(upsert(NOTE).values(row).on_conflict_do_update(index_elements=["name"], set_=row))


def note(db: Connection, name: str) -> Any:
    """A small thing that was kept, or None."""
    found = db.execute(select(NOTE.c.value).where(NOTE.c.name == name)).scalar()
    return None if found is None else json.loads(found)


def _load(db: Connection) -> tuple[Master, int]:
    kept = note(db, CURSOR_NOTE)
    cursor = FeedCursor.model_validate(kept) if kept else None
    master = masters.build((masters.from_table(row) for row in db.execute(select(MASTER))), cursor)
    return master, _conflicts(db)


def _conflicts(db: Connection) -> int:
    return db.execute(select(func.count()).where(ANSWER.c.outcome.in_(BAD_OUTCOMES))).scalar() or 0


def _assert_dense(after: int, header: FeedHeader, rows: Sequence[FeedRow]) -> None:
    count = header.last - header.first + 1
    seqs = [row.seq for row in rows]
    if header.first != after + 1 or len(rows) != count or seqs != list(range(header.first, header.last + 1)):
        raise Invalid("feed_not_dense", after=after, first=header.first, last=header.last, rows=len(rows))


def _master_row(row: FeedRow) -> MasterRow:
    return MasterRow(row.entity, row.id, row.version, row.retired, row.data)


def _put(db: Connection, row: MasterRow) -> None:
    values = masters.to_table(row)
    kept = dict(values)
    if row.data is None:  # retired, or moved out of our scope: the last picture stays readable
        kept.pop("data")
        kept["retired"] = 1
        values["retired"] = 1
    db.execute(upsert(MASTER).values(values).on_conflict_do_update(index_elements=["entity", "id"], set_=kept))


def _put_answer(db: Connection, answer: CommandAnswer) -> None:
    row = {"fact_id": str(answer.fact_id), "outcome": answer.outcome, "reason": answer.reason}
    db.execute(upsert(ANSWER).values(row).on_conflict_do_update(index_elements=["fact_id"], set_=row))


def answer_of(db: Connection, fact_id: UUID) -> CommandAnswer | None:
    """What the server decided about a command; None while it is pending."""
    found = db.execute(select(ANSWER).where(ANSWER.c.fact_id == str(fact_id))).first()
    return None if found is None else CommandAnswer(fact_id=fact_id, outcome=found.outcome, reason=found.reason)
