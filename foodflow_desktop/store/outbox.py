"""The unsent tail of each lane, as sync sees it: batches that end at a signed row, and acknowledgements.

Nothing is ever dropped here. An acknowledgement counts only if the server's hash at that place is
this device's own; otherwise the two logs are not the same log (a clone, a restore): ``fork``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, update

from foodflow_desktop.store import journal
from foodflow_desktop.store.drafts import Row
from foodflow_desktop.store.journal import LaneState, LogState
from foodflow_desktop.store.tables import JOURNAL
from foodflow_desktop.store.writer import Writer
from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import chain, signing
from foodflow_kernel.wire.protocol import MAX_BATCH_LINES, Lane


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive rows of one lane, ready to send: ``rows[-1].sig`` is there."""

    device: UUID
    incarnation: UUID
    lane: Lane
    prev: bytes
    rows: tuple[Row, ...]

    @property
    def first(self) -> int:
        """Sequence of the first row."""
        return self.rows[0].seq

    @property
    def last(self) -> Row:
        """The signed row the batch ends at."""
        return self.rows[-1]


@dataclass(frozen=True, slots=True)
class Broken:
    """The lane's own chain does not hold: the row at ``seq`` is not what was recorded."""

    lane: Lane
    seq: int


class Outbox:
    """Reading and settling unsent rows. Blocking; call it off the UI thread."""

    def __init__(
        self,
        writers: Callable[[Lane], Writer],
        reading: Callable[[Lane], Connection],
        key: Callable[[], Ed25519PrivateKey | None],
        changed: Callable[[], None],
    ) -> None:
        self._writers = writers
        self._reading = reading
        self._key = key
        self._changed = changed

    def logs(self, lane: Lane) -> tuple[LogState, ...]:
        """The incarnations that hold this lane, oldest first; the last is the present one."""
        return self._writers(lane).logs

    def state(self, incarnation: UUID, lane: Lane) -> LaneState:
        """Where a lane stands."""
        return _find(self._writers(lane), incarnation).lanes[int(lane)]

    def pending(self, lane: Lane) -> tuple[LogState, ...]:
        """The incarnations with something to send on this lane and no problem, oldest first."""
        found = (log for log in self.logs(lane) if log.lanes[int(lane)].unsent > 0)
        return tuple(log for log in found if log.lanes[int(lane)].problem is None)

    def next_batch(
        self, incarnation: UUID, lane: Lane, *, max_rows: int = MAX_BATCH_LINES, max_bytes: int = 1 << 20
    ) -> Batch | Broken | None:
        """The next rows after the acknowledged one, cut at a signed row and checked against the chain.

        A commit longer than ``max_rows`` has no signature in the middle: then the cut row is
        signed now, which says the same thing ("this device committed this row and all before it").
        """
        writer = self._writers(lane)
        log = _find(writer, incarnation)
        state = log.lanes[int(lane)]
        if state.unsent <= 0:
            return None
        db = self._reading(lane)
        with db.begin():
            prev = journal.hash_at(db, log, int(lane), state.acked) or b""
            rows = journal.read(db, log.id, int(lane), state.acked, max_rows)
        rows = _fitting(rows, max_bytes)
        sound = _sound(prev, rows, state.acked)
        if not sound:
            return Broken(lane, state.acked + 1)
        signed = max((i for i, row in enumerate(sound) if row.sig is not None), default=None)
        if signed is None:
            return Batch(log.device, incarnation, lane, prev, (*sound[:-1], self._sign(writer, log, sound[-1])))
        return Batch(log.device, incarnation, lane, prev, tuple(sound[: signed + 1]))

    def acknowledge(
        self,
        incarnation: UUID,
        lane: Lane,
        seq: int,
        hash_: bytes,
        *,
        at: datetime,
        dead: Iterable[int] = (),
        parked: int = 0,
    ) -> bool:
        """Take the server's word for rows up to ``seq``, if its hash there is ours. False marks the lane forked."""
        writer = self._writers(lane)

        def settle(db: Connection) -> tuple[LogState, bool]:
            log = _find(writer, incarnation)
            state = log.lanes[int(lane)]
            own = journal.hash_at(db, log, int(lane), seq)
            if own != hash_:
                state = replace(state, problem="fork")
            elif seq >= state.acked:
                refused = tuple(sorted({*state.dead, *dead}))
                state = replace(
                    state,
                    acked=seq,
                    acked_at=at,
                    dead=refused,
                    parked=parked,
                    oldest_at=journal.recorded_at(db, log.id, int(lane), seq + 1),
                )
            journal.save_cursor(db, log.id, state)
            return log.with_lane(state), own == hash_

        return self._change(writer, settle)

    def rewind(self, incarnation: UUID, lane: Lane, seq: int, hash_: bytes) -> bool:
        """The server has less than it once acknowledged (restored): send from ``seq`` on again.

        False if its hash there is not ours, or it claims more than we have: then it is not our log.
        """
        writer = self._writers(lane)

        def settle(db: Connection) -> tuple[LogState, bool]:
            log = _find(writer, incarnation)
            state = log.lanes[int(lane)]
            if journal.hash_at(db, log, int(lane), seq) != hash_:
                return log.with_lane(replace(state, problem="fork")), False
            oldest = journal.recorded_at(db, log.id, int(lane), seq + 1)
            state = replace(state, acked=seq, oldest_at=oldest)
            journal.save_cursor(db, log.id, state)
            return log.with_lane(state), True

        return self._change(writer, settle)

    def mark(self, incarnation: UUID, lane: Lane, problem: str | None) -> None:
        """Stop a lane with a reason for a person, or let it go on (None)."""
        writer = self._writers(lane)

        def settle(db: Connection) -> tuple[LogState, bool]:
            log = _find(writer, incarnation)
            state = replace(log.lanes[int(lane)], problem=problem)
            journal.save_cursor(db, log.id, state)
            return log.with_lane(state), True

        self._change(writer, settle)

    def hash_at(self, incarnation: UUID, lane: Lane, seq: int) -> bytes | None:
        """This device's own chain hash at a place."""
        db = self._reading(lane)
        with db.begin():
            return journal.hash_at(db, _find(self._writers(lane), incarnation), int(lane), seq)

    def heads(self, incarnation: UUID, lanes: Sequence[Lane]) -> Mapping[int, LaneState]:
        """All lanes of one incarnation."""
        return {int(lane): self.state(incarnation, lane) for lane in lanes}

    def _change(self, writer: Writer, settle: Callable[[Connection], tuple[LogState, bool]]) -> bool:
        def work(db: Connection) -> bool:
            log, answer = settle(db)
            writer.put_log(log)
            return answer

        answer = writer.run(work)
        self._changed()
        return answer

    def _sign(self, writer: Writer, log: LogState, row: Row) -> Row:
        key = self._key()
        if key is None:
            raise Refused("not_paired")
        sig = signing.sign_row(key, row.lane, row.seq, row.hash)
        place = (JOURNAL.c.log == log.id) & (JOURNAL.c.lane == row.lane) & (JOURNAL.c.seq == row.seq)
        writer.run(lambda db: db.execute(update(JOURNAL).where(place), {"sig": sig}))
        return replace(row, sig=sig)


def _find(writer: Writer, incarnation: UUID) -> LogState:
    return next(log for log in writer.logs if log.incarnation == incarnation)


def _fitting(rows: list[Row], max_bytes: int) -> list[Row]:
    """As many rows as fit, at least one."""
    total = 0
    for index, row in enumerate(rows):
        total += len(row.body) + 1
        if total > max_bytes and index:
            return rows[:index]
    return rows


def _sound(prev: bytes, rows: Sequence[Row], after: int) -> list[Row]:
    """The rows up to the first whose bytes, hash or place do not fit the chain."""
    good: list[Row] = []
    for row in rows:
        prev = chain.link(prev, row.body)
        if row.hash != prev or row.seq != after + len(good) + 1:
            break
        good.append(row)
    return good
