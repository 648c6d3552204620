"""The kiosk's truth: two SQLite files, one writer thread each, and the picture the screens read.

``record`` returns only after the commit; only then may a screen say "saved". Before pairing there
is no device id, so nothing can be recorded: ``record`` raises ``not_paired``. Demo and training
have a folder (and a pairing) of their own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, exists, select

from foodflow_desktop.store import files, journal, lock, migrate, projection, salvage, stamp, terminal
from foodflow_desktop.store.cache import Cache, note, put_note
from foodflow_desktop.store.drafts import Draft, Recorded
from foodflow_desktop.store.files import File
from foodflow_desktop.store.journal import LaneState, LogState
from foodflow_desktop.store.lives import SALVAGE_NOTE, Lives
from foodflow_desktop.store.master import Master
from foodflow_desktop.store.outbox import Outbox
from foodflow_desktop.store.reserve import DEFAULT_BYTES, Reserve
from foodflow_desktop.store.salvage import Salvaged
from foodflow_desktop.store.stamp import Look, Stamper
from foodflow_desktop.store.status import LaneStatus, SyncStatus
from foodflow_desktop.store.tables import ENTRY
from foodflow_desktop.store.terminal import Terminal
from foodflow_desktop.store.witness import DeviceFacts
from foodflow_desktop.store.writer import CHECKPOINT_BYTES, Hooks, Writer
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import Damaged, DiskFull, FoodFlowError, Invalid, Refused
from foodflow_kernel.wire import facts
from foodflow_kernel.wire.protocol import OPS_LANES, Lane

_log = logging.getLogger(__name__)

HEARD_NOTE = "heard_at"
KEEP_HEARD_S = 60.0

TIGHT_CHECKPOINT_BYTES = 256 << 10
"""A one-row commit writes ten pages to the log: with little room it is folded early, or it eats the reserve."""

COMPLIANCE = (Lane.urgent, Lane.events)
"""Lanes that may use the reserve."""


@dataclass(frozen=True, slots=True)
class Options:
    """What tests, small disks and the command line may set.

    Args:
        witness_s: plant seconds between witness facts; None for none.
        ops_max_pages, telemetry_max_pages: an upper bound on each file's size, in pages.
    """

    reserve_bytes: int = DEFAULT_BYTES
    witness_s: float | None = 60.0
    app: str = "0.1.0"
    ops_max_pages: int | None = None
    telemetry_max_pages: int | None = None


class Store:
    """Journal, projections and cached master data of one terminal. Safe from any thread."""

    def __init__(self, folder: Path, clock: Clock, key: Ed25519PrivateKey | None, options: Options) -> None:
        self.folder = folder
        self.clock = clock
        self.terminal: Terminal | None = terminal.load(folder)
        self._options = options
        self._callbacks: list[Callable[[Recorded], None]] = []
        self._master_callbacks: list[Callable[[Master], None]] = []
        self._status_callbacks: list[Callable[[SyncStatus], None]] = []
        self._status = SyncStatus(is_paired=False)
        self._status_lock = threading.Lock()
        self._readers: dict[str, Engine] = {}
        self._stamper = Stamper(clock)
        self._reserve = Reserve(folder, options.reserve_bytes)
        self._kept_heard_at: datetime | None = None
        self._device_facts: DeviceFacts | None = None
        self._held: IO[bytes] | None = None
        ops = File(folder / files.OPS_NAME, "FULL", options.ops_max_pages)
        telemetry = File(folder / files.TELEMETRY_NAME, "NORMAL", options.telemetry_max_pages)
        self._salvaged: dict[str, Salvaged] = {}
        for file in (ops, telemetry):
            if reasons := salvage.damage(file.path):
                self._salvaged[file.path.name] = salvage.set_aside(file, clock.now(), reasons)
            migrate.upgrade(file)
        self._ops = Writer(
            ops,
            OPS_LANES,
            self._stamper,
            key,
            Hooks(
                before_group=self._own_facts,
                project=projection.project,
                committed=self._on_committed,
                failed=self._on_failed,
                idle=self._on_idle,
            ),
        )
        self._telemetry = Writer(
            telemetry,
            (Lane.telemetry,),
            self._stamper,
            key,
            Hooks(committed=self._on_committed, failed=self._on_failed),
        )
        self._lives = Lives(folder, clock, self._ops, self._telemetry)
        self.cache = Cache(self._ops, self._on_master)
        self.outbox = Outbox(self._writer_of, self._reading_of, lambda: self._ops.key, self._refresh)

    @classmethod
    def open(cls, folder: Path, clock: Clock, key: Ed25519PrivateKey | None, options: Options | None = None) -> Store:
        """Open (or make) the store of a folder; starts the writer threads.

        Raises:
            Refused: `sqlite_too_old`, `folder_in_use`.
            Damaged: `store_layout_unknown`, `store_damaged`.
        """
        files.refuse_old_sqlite()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = lock.take(folder)
        try:
            store = cls(folder, clock, key, options or Options())
            store._held = held
            store._start()
        except BaseException:
            held.close()
            raise
        return store

    def _start(self) -> None:
        self._reserve.hold()
        self._ops.start()
        self._telemetry.start()
        if self.terminal is not None:
            self._lives.continue_or_begin(self.terminal.device)
            self._lives.take_over(self._salvaged)
        self._resume_stamps()
        self.cache.load()
        with self.reading() as db:
            salvaged, heard = note(db, SALVAGE_NOTE) or {}, note(db, HEARD_NOTE)
        self._kept_heard_at = datetime.fromisoformat(heard) if heard else None
        self._refresh(salvage=salvaged, heard_at=self._kept_heard_at)

    def close(self) -> None:
        """Finish what is queued and let go of the files: readers first, the writers checkpoint last."""
        for engine in self._readers.values():
            engine.dispose()
        self._ops.close()
        self._telemetry.close()
        if self._held is not None:
            self._held.close()

    # --- recording -------------------------------------------------------------------------

    def record(self, draft: Draft) -> Recorded:
        """Save one fact; see ``record_all``."""
        return self.record_all([draft])[0]

    def record_all(self, drafts: Sequence[Draft]) -> list[Recorded]:
        """Save facts together, all or none; returns once they are durable.

        Raises:
            Refused: `not_paired`, `store_closed`.
            Invalid: `kind_unknown`, `user_missing`, `fact_too_long`, `mixed_files`.
            DiskFull: `disk_full`; nothing of it was written.
            Damaged: `store_damaged`.
        """
        if not drafts:
            return []
        lanes = {stamp.lane_of(draft) for draft in drafts}
        if Lane.telemetry not in lanes:
            if Lane.bulk in lanes and not self._reserve.is_held:
                raise DiskFull("disk_full")
            return self._ops.record(drafts)
        if len(lanes) > 1:
            raise Invalid("mixed_files")
        mode = self._status.telemetry
        if mode == "stopped":
            raise DiskFull("disk_full")
        return self._telemetry.record([stamp.thinned(draft) for draft in drafts] if mode == "thinned" else drafts)

    def subscribe(self, callback: Callable[[Recorded], None]) -> None:
        """Be told of each fact after its commit, on a writer thread: hand over and return at once."""
        self._callbacks.append(callback)

    # --- reading ---------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read-only connection to ``ops.db``, one per thread, for ``queries``."""
        with self._reading_of(Lane.urgent) as db, db.begin():
            yield db

    @property
    def master(self) -> Master:
        """The cached master data as it stands."""
        return self.cache.master

    def on_master(self, callback: Callable[[Master], None]) -> None:
        """Be told of each new picture, on the thread that brought it."""
        self._master_callbacks.append(callback)

    def is_held(self, lot_id: UUID) -> bool:
        """Whether a lot may not be used: held on the server, or by a hold placed here that the server may not know.

        A hold placed here counts until the server's own row of that hold says it ended.
        """
        lot = self.master.lots.get(lot_id)
        if lot is not None and lot.is_held:
            return True
        with self.reading() as db:
            placed = db.execute(
                select(ENTRY.c.ref_id).where(ENTRY.c.kind == "hold_placed", ENTRY.c.lot_id == str(lot_id))
            ).scalars()
            local = [UUID(hold) for hold in placed if hold]
        return any(self._is_open(hold) for hold in local)

    def _is_open(self, hold_id: UUID) -> bool:
        if hold_id in self.master.retired:
            return False
        known = self.master.holds.get(hold_id)
        return known is None or known.state == "open"

    def has_fact(self, fact_id: UUID) -> bool:
        """Whether a fact is in the store."""
        with self.reading() as db:
            return bool(db.execute(select(exists().where(ENTRY.c.id == str(fact_id)))).scalar())

    def recorded_after(self, after: Mapping[int, int]) -> list[Recorded]:
        """All facts of the present incarnation past a sequence of each lane, oldest first; off the UI thread."""
        found: list[Recorded] = []
        for lane in Lane:
            log = self._writer_of(lane).log
            if log is None:
                continue
            with self._reading_of(lane) as db:
                found += [
                    Recorded(facts.decode(row.body), log.incarnation, lane, row.seq, row.hash, row.body)
                    for row in journal.walk(db, log.id, int(lane), after.get(int(lane), 0))
                ]
        return found

    def pragmas(self) -> Mapping[str, Mapping[str, str]]:
        """Journal mode and synchronous level as each writer's own connection reports them."""
        return {
            writer.file.path.name: writer.run(files.pragmas, in_transaction=False)
            for writer in (self._ops, self._telemetry)
        }

    # --- status ----------------------------------------------------------------------------

    def status(self) -> SyncStatus:
        """How much is on the server, from memory."""
        return self._status

    def on_status(self, callback: Callable[[SyncStatus], None]) -> None:
        """Be told of each new status, on whatever thread changed it."""
        self._status_callbacks.append(callback)

    def heard(self, at: datetime) -> None:
        """The hub answered. Kept in the file once a minute, so that its age is known after a restart."""
        self._refresh(heard_at=at, last_error=None)
        kept = self._kept_heard_at
        if kept is None or abs((at - kept).total_seconds()) >= KEEP_HEARD_S:
            self._kept_heard_at = at
            self._ops.run(lambda db: put_note(db, HEARD_NOTE, at.isoformat()))

    def sync_failed(self, code: str) -> None:
        """The newest attempt to reach the hub failed."""
        self._refresh(last_error=code)

    def set_revoked(self, *, is_revoked: bool) -> None:
        """The server said whether it still takes orders from this terminal."""
        self._refresh(is_revoked=is_revoked)

    # --- pairing and incarnations ----------------------------------------------------------

    def pair(self, paired: Terminal, key: Ed25519PrivateKey) -> None:
        """Keep the result of pairing and begin the first incarnation under it.

        Raises:
            Refused: `pair_unsent` while anything recorded under another pairing is not acknowledged.
        """
        before = self.terminal
        self._refresh()  # a fact is answered before the status is
        if before is not None and before.device != paired.device and self._status.waiting:
            raise Refused("pair_unsent", waiting=self._status.waiting)
        self._ops.key = self._telemetry.key = key
        terminal.save(self.folder, paired)
        self.terminal = paired
        self._lives.continue_or_begin(paired.device)
        self._resume_stamps()
        self._refresh()

    def begin_incarnation(self, reason: str) -> UUID:
        """Start every lane anew from 1; the log so far is only read and its unsent tail still sent.

        Raises:
            Refused: `not_paired`.
        """
        if self.terminal is None:
            raise Refused("not_paired")
        fresh = self._lives.begin(self.terminal.device, reason)
        self._refresh()
        return fresh

    def salvage_lane(self, incarnation_: UUID, lane: Lane, bad: int) -> int:
        """A row of the unsent tail was changed on this terminal: leave it for a person, send the rest.

        What was before it is sent under its own log. The sound rows after it go on under a new
        incarnation with their bytes unchanged, in one transaction with the mark on the old lane.
        """
        if self._status.incarnation == incarnation_:
            self.begin_incarnation("chain_broken")
        moved = self._lives.leave_row(self._writer_of(lane), incarnation_, lane, bad)
        self._refresh()
        return moved

    def rebuild(self) -> int:
        """Make ``entry`` anew from the journal; how many rows it has."""
        return self._ops.run(projection.rebuild)

    def forget_salvage(self) -> None:
        """A person has seen what was salvaged and lost."""
        self._ops.run(lambda db: put_note(db, SALVAGE_NOTE, {}))
        self._refresh(salvage={})

    @property
    def boot_id(self) -> str:
        """The period within which monotonic times compare."""
        return self._stamper.boot_id

    def _resume_stamps(self) -> None:
        """Continue the hybrid clock and the watch over the wall clock from the newest rows."""
        newest: list[facts.Fact] = []
        for writer in (self._ops, self._telemetry):
            for log in writer.logs[-2:]:
                newest += writer.run(lambda db, log=log: _last_facts(db, log), in_transaction=False)  # type: ignore[misc]
        for fact in newest:
            self._stamper.seen(fact.hlc)
        here = [fact for fact in newest if fact.boot_id == self._stamper.boot_id]
        last = max(here, key=lambda fact: fact.mono_ns, default=None)
        self._device_facts = DeviceFacts(
            self.clock,
            self._stamper.boot_id,
            every_s=self._options.witness_s,
            app=self._options.app,
            heads=self._heads,
            last=Look(last.at, last.mono_ns, last.boot_id) if last else None,
        )

    # --- called by the writers -------------------------------------------------------------

    def _own_facts(self) -> Sequence[Draft]:
        return self._device_facts.due() if self._device_facts is not None else ()

    def _heads(self) -> Mapping[int, LaneState]:
        return {lane: state for log in (self._ops.log, self._telemetry.log) if log for lane, state in log.lanes.items()}

    def _on_committed(self, rows: Sequence[Recorded]) -> None:
        is_ops = any(row.lane in OPS_LANES for row in rows)
        self._refresh(cannot_save=None) if is_ops else self._refresh()
        for row in rows:
            for callback in self._callbacks:
                try:
                    callback(row)
                except Exception:  # noqa: BLE001  # the fact is saved whatever a listener does
                    _log.exception("a subscriber failed", extra={"kind": row.fact.kind})

    def _on_failed(self, error: FoodFlowError, drafts: Sequence[Draft]) -> bool:
        lanes = {stamp.lane_of(draft) for draft in drafts}
        if isinstance(error, DiskFull):
            if lanes.intersection(COMPLIANCE) and self._reserve.release():
                self._ops.checkpoint_bytes = TIGHT_CHECKPOINT_BYTES
                _log.error("disk full: the reserve is used for food-safety records")
                self._refresh(telemetry="stopped")
                return True
            if Lane.telemetry in lanes:
                self._refresh(telemetry="stopped")
            else:
                self._refresh(cannot_save="disk_full")
        elif isinstance(error, Damaged) and Lane.telemetry not in lanes:
            self._refresh(cannot_save="damaged")
        return False

    def _on_idle(self) -> None:
        self._reserve.hold()
        mode = self._reserve.telemetry_mode()
        self._ops.checkpoint_bytes = CHECKPOINT_BYTES if mode == "kept" else TIGHT_CHECKPOINT_BYTES
        if mode != self._status.telemetry:
            self._refresh(telemetry=mode)

    def _on_master(self, master: Master) -> None:
        self._refresh()
        for callback in self._master_callbacks:
            callback(master)

    def _refresh(self, **live: object) -> None:
        with self._status_lock:
            before = self._status
            log = self._ops.log
            self._status = replace(
                before,
                is_paired=self.terminal is not None,
                device=self.terminal.device if self.terminal else None,
                hub=self.terminal.hub if self.terminal else "",
                incarnation=log.incarnation if log else None,
                lanes=tuple(_lane_status(lane, self._writer_of(lane).logs) for lane in Lane),
                conflicts=self.cache.conflicts if hasattr(self, "cache") else 0,
                **live,  # type: ignore[arg-type]
            )
            status = self._status
        for callback in self._status_callbacks:
            callback(status)

    def _writer_of(self, lane: Lane) -> Writer:
        return self._telemetry if lane is Lane.telemetry else self._ops

    def _reading_of(self, lane: Lane) -> Connection:
        path = self._writer_of(lane).file.path
        engine = self._readers.get(path.name)
        if engine is None:
            engine = self._readers[path.name] = files.reader_engine(path)
        return engine.connect()


def _lane_status(lane: Lane, logs: Sequence[LogState]) -> LaneStatus:
    states = [log.lanes[int(lane)] for log in logs]
    if not states:
        return LaneStatus(int(lane))
    now = states[-1]
    return LaneStatus(
        int(lane),
        head=now.head,
        acked=now.acked,
        unsent=sum(state.unsent for state in states),
        oldest_at=min((state.oldest_at for state in states if state.unsent and state.oldest_at), default=None),
        acked_at=max((state.acked_at for state in states if state.acked_at), default=None),
        parked=sum(state.parked for state in states),
        dead=sum(len(state.dead) for state in states),
        problem=next((state.problem for state in states if state.problem), None),
    )


def _last_facts(db: Connection, log: LogState) -> list[facts.Fact]:
    found = []
    for lane, state in log.lanes.items():
        for row in journal.read(db, log.id, lane, max(0, state.head - 1), 1):
            try:
                found.append(facts.decode(row.body))
            except Invalid:
                continue
    return found
