"""The one thread that writes a file: group commit, chain, signatures.

Everything waiting when the thread is free goes into one ``BEGIN IMMEDIATE`` transaction with one
fsync; nothing ever waits for more to come. Each commit signs the last chain hash of each lane it
touched, so that a batch can be cut there.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from foodflow_desktop.store import files, journal
from foodflow_desktop.store.drafts import Draft, Recorded
from foodflow_desktop.store.files import File
from foodflow_desktop.store.journal import LogState
from foodflow_desktop.store.stamp import Stamper, lane_of
from foodflow_kernel.errors import Damaged, FoodFlowError, Invalid, Refused
from foodflow_kernel.wire import chain, facts, signing
from foodflow_kernel.wire.protocol import MAX_LINE_BYTES, Lane

T = TypeVar("T")

_log = logging.getLogger(__name__)

GROUP_MAX_DRAFTS = 5000
SIGN_EVERY_ROWS = 500
"""A very long commit is signed in between too, so that a batch never has to exceed its limits."""
CHECKPOINT_BYTES = 4 << 20
CHECKPOINT_FORCED_BYTES = 64 << 20
IDLE_S = 0.25


@dataclass
class Submission:
    """Drafts that must be saved together, and who waits for them."""

    drafts: Sequence[Draft]
    done: Future[list[Recorded]] = field(default_factory=Future)


@dataclass
class Job:
    """Anything else that writes, in a transaction of its own."""

    work: Callable[[Connection], Any]
    done: Future[Any] = field(default_factory=Future)
    in_transaction: bool = True


@dataclass
class Hooks:
    """What the store wants to know or add; all called on the writer thread."""

    before_group: Callable[[], Sequence[Draft]] = tuple
    """Drafts of the device itself that are due (clock jump, witness)."""
    project: Callable[[Connection, int, Sequence[Recorded]], None] | None = None
    committed: Callable[[Sequence[Recorded]], None] | None = None
    failed: Callable[[FoodFlowError, Sequence[Draft]], bool] | None = None
    """Told of a failed commit; True asks for one more try."""
    idle: Callable[[], None] | None = None


class Writer:
    """Owner of one file's only writing connection. Every method may be called from any thread."""

    def __init__(
        self, file: File, lanes: Sequence[Lane], stamper: Stamper, key: Ed25519PrivateKey | None, hooks: Hooks
    ) -> None:
        self.file = file
        self.lanes = tuple(lanes)
        self.key = key
        self.logs: tuple[LogState, ...] = ()
        """All incarnations of this file; replaced as a whole, so it may be read anywhere."""
        self._stamper = stamper
        self._hooks = hooks
        self._queue: queue.Queue[Submission | Job | None] = queue.Queue()
        self.checkpoint_bytes = CHECKPOINT_BYTES
        """Fold the log at this size; the store lowers it while the disk is nearly full."""
        self._stopping = False
        self._is_closed = False
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._main, name=f"store-{file.path.stem}", daemon=True)

    @property
    def log(self) -> LogState | None:
        """The incarnation being written."""
        return self.logs[-1] if self.logs else None

    def start(self) -> None:
        """Open the connection and load the lanes."""
        self._thread.start()
        self._started.result()

    def record(self, drafts: Sequence[Draft]) -> list[Recorded]:
        """Save drafts together; returns after the commit.

        Raises:
            Refused: `not_paired`.
            Invalid: `kind_unknown`, `user_missing`, `fact_too_long`.
            DiskFull: `disk_full`. Damaged: `store_damaged`.
        """
        submission = Submission(drafts)
        self._put(submission)
        return submission.done.result()

    def run(self, work: Callable[[Connection], T], *, in_transaction: bool = True) -> T:
        """Run something on the writer's connection and wait for it."""
        job = Job(work, in_transaction=in_transaction)
        self._put(job)
        result: T = job.done.result()
        return result

    def close(self) -> None:
        """Finish what is queued, checkpoint and close."""
        self._is_closed = True
        self._queue.put(None)
        self._thread.join()

    def _put(self, item: Submission | Job) -> None:
        if self._is_closed:
            raise Refused("store_closed")
        self._queue.put(item)

    def put_log(self, log: LogState) -> None:
        """Replace a log's state, or add a new incarnation. Only inside work given to ``run``."""
        known = [old.id for old in self.logs]
        if log.id in known:
            self.logs = tuple(log if old.id == log.id else old for old in self.logs)
        else:
            self.logs = (*self.logs, log)

    def is_head_sound(self, db: Connection) -> bool:
        """Whether the last row of each lane is what its chain says: the next row would build on it."""
        log = self.log
        if log is None:
            return True
        for lane, state in log.lanes.items():
            for row in journal.read(db, log.id, lane, state.head - 1, 1) if state.head else []:
                if chain.link(journal.hash_at(db, log, lane, row.seq - 1) or b"", row.body) != row.hash:
                    return False
        return True

    def adopt(self, db: Connection, bodies: Sequence[tuple[int, bytes]]) -> list[Recorded]:
        """Append bytes of another log under the present incarnation, unchanged. Only inside work given to ``run``.

        Bytes that are no fact are left out.
        """
        log, key = self.log, self.key
        if log is None or key is None:
            raise Refused("not_paired")
        rows = []
        for lane, raw in bodies:
            try:
                fact = facts.decode(raw)
            except Invalid:
                continue
            state = log.lanes[lane]
            link = chain.link(state.hash, raw)
            rows.append(Recorded(fact, log.incarnation, Lane(lane), state.head + 1, link, raw))
            log = log.with_lane(replace(state, head=state.head + 1, hash=link, oldest_at=state.oldest_at or fact.at))
        if rows:
            journal.append(db, log.id, rows, _sign(key, rows))
            self.put_log(log)
        return rows

    # --- on the writer thread --------------------------------------------------------------

    def _main(self) -> None:
        engine = files.writer_engine(self.file)
        try:
            with files.named_errors(self.file.path.parent):
                connection = engine.connect()
                with connection.begin():
                    self.logs = journal.load(connection, self.lanes)
        except BaseException as error:  # noqa: BLE001  # handed to whoever called start
            self._started.set_exception(error)
            engine.dispose()
            return
        self._db = connection
        self._started.set_result(None)
        try:
            self._loop()
        finally:
            self._checkpoint("TRUNCATE")
            connection.close()
            engine.dispose()

    def _loop(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=IDLE_S)
            except queue.Empty:
                self._rest()
                continue
            self._stopping = item is None
            while item is not None:
                item = self._take(item)
            if self._stopping:
                return
            if self._queue.empty() or files.wal_bytes(self.file.path) > CHECKPOINT_FORCED_BYTES:
                self._rest()

    def _take(self, item: Submission | Job) -> Submission | Job | None:
        """Do an item, together with the recordings that wait right behind it; what comes next, if anything."""
        following: Submission | Job | None = None
        if isinstance(item, Job):
            self._do(item)
        else:
            group = [item]
            count = len(item.drafts)
            while count < GROUP_MAX_DRAFTS:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if not isinstance(more, Submission):
                    following = more
                    self._stopping = more is None
                    break
                group.append(more)
                count += len(more.drafts)
            self._save(group)
        return following

    def _do(self, job: Job) -> None:
        before = self.logs
        try:
            with files.named_errors(self.file.path.parent):
                if job.in_transaction:
                    with self._db.begin():
                        result = job.work(self._db)
                else:
                    result = job.work(self._db)
                    self._db.rollback()
        except BaseException as error:  # noqa: BLE001  # handed to whoever asked
            self.logs = before  # what did not commit did not happen
            job.done.set_exception(error)
        else:
            job.done.set_result(result)

    def _save(self, group: list[Submission]) -> None:
        if self.log is None:
            _refuse(group, Refused("not_paired"))
            return
        own = Submission(self._hooks.before_group())
        saved = self._try([own, *group], is_last=False) or self._try([own, *group], is_last=True)
        if saved is None:
            return
        for submission, rows in saved:
            submission.done.set_result(rows)
        if self._hooks.committed is not None:
            self._hooks.committed([row for _, rows in saved for row in rows])

    def _try(self, group: Sequence[Submission], *, is_last: bool) -> list[tuple[Submission, list[Recorded]]] | None:
        """Commit a group. On failure its callers are told, unless the store made room for another try: then None."""
        if any(submission.done.done() for submission in group):
            return None
        try:
            return self._commit(group)
        except Exception as error:  # noqa: BLE001  # the thread must live on, the callers must hear
            known = error if isinstance(error, FoodFlowError) else Damaged("store_damaged", why=str(error))
            drafts = [draft for submission in group for draft in submission.drafts]
            again = self._hooks.failed is not None and self._hooks.failed(known, drafts)
            if is_last or not again:
                _refuse(group, known)
            else:
                self._checkpoint("RESTART")
            return None

    def _commit(self, group: Sequence[Submission]) -> list[tuple[Submission, list[Recorded]]]:
        log, key = self.log, self.key
        if log is None or key is None:
            raise Refused("not_paired")
        built, log = self._link(log, group)
        rows = [row for _, rows in built for row in rows]
        if not rows:
            return built
        sigs = _sign(key, rows)
        self._db.rollback()  # whatever a failed job may have left open
        with files.named_errors(self.file.path.parent), self._db.begin():
            journal.append(self._db, log.id, rows, sigs)
            if self._hooks.project is not None:
                self._hooks.project(self._db, log.id, rows)
        self.logs = (*self.logs[:-1], log)
        return built

    def _link(
        self, log: LogState, group: Sequence[Submission]
    ) -> tuple[list[tuple[Submission, list[Recorded]]], LogState]:
        """Stamp and chain a group in memory; a submission that cannot be is answered at once and left out."""
        built = []
        for submission in group:
            before, rows = log, []
            try:
                for draft in submission.drafts:
                    state = log.lanes[int(lane_of(draft))]
                    fact = self._stamper.fact(draft)
                    raw = facts.encode(fact)
                    if len(raw) > MAX_LINE_BYTES:
                        raise Invalid("fact_too_long", kind=fact.kind, bytes=len(raw))  # noqa: TRY301
                    link = chain.link(state.hash, raw)
                    row = Recorded(fact, log.incarnation, Lane(state.lane), state.head + 1, link, raw)
                    oldest = state.oldest_at or fact.at
                    log = log.with_lane(replace(state, head=row.seq, hash=link, oldest_at=oldest))
                    rows.append(row)
            except Exception as error:  # noqa: BLE001  # one bad caller must not fail the others
                log = before
                submission.done.set_exception(error)
                continue
            built.append((submission, rows))
        return built, log

    def _rest(self) -> None:
        try:
            if self._hooks.idle is not None:
                self._hooks.idle()
        except OSError:
            _log.exception("the disk could not be looked at")
        own = self._hooks.before_group() if self.log is not None else ()
        if own:
            self._save([Submission(own)])
        if files.wal_bytes(self.file.path) > self.checkpoint_bytes:
            self._checkpoint("RESTART")

    def _checkpoint(self, mode: str) -> None:
        """Fold the log into the file between commits, so that no commit pays for it."""
        with contextlib.suppress(Exception):
            raw = self._db.connection.driver_connection
            if raw is not None:
                raw.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()


def _refuse(group: Sequence[Submission], error: FoodFlowError) -> None:
    for submission in group:
        if not submission.done.done():
            submission.done.set_exception(error)


def _sign(key: Ed25519PrivateKey, rows: Sequence[Recorded]) -> dict[tuple[int, int], bytes]:
    """Signatures for the last row of each lane, and for every so many rows of a long commit."""
    last = {row.lane: row for row in rows}
    due = [*last.values(), *rows[SIGN_EVERY_ROWS - 1 :: SIGN_EVERY_ROWS]]
    return {(int(row.lane), row.seq): signing.sign_row(key, row.lane, row.seq, row.hash) for row in due}
