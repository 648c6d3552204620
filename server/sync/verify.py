"""Recompute every chain from the stored bytes and name the first row that is not what was sent.

Three witnesses, none of which can be rewritten without the device's key: each row's hash follows
from the row before; each batch ended at a signed hash; each minute a ``witness`` fact in lane 0
names the heads of all lanes, so a tail cut from one lane contradicts another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import bodies, chain, facts, signing
from foodflow_kernel.wire.protocol import Lane
from server.sync.models import SyncHead, SyncLog, SyncPresence, SyncTelemetry, log_of, of_lane

_AT_ONCE = 5000
_WITNESS = b'"kind":"witness"'


@dataclass(frozen=True, slots=True)
class Finding:
    """The first bad row of a lane.

    Args:
        what: changed, missing, foreign, signature, unsigned, cut, head or witness.
    """

    device_id: UUID
    incarnation: UUID
    lane: int
    seq: int
    what: str

    @property
    def sentence(self) -> str:
        """What was found, for a person."""
        return f"{_SENTENCES[self.what]} (terminal {self.device_id}, lane {self.lane}, row {self.seq})"


_SENTENCES = {
    "changed": "The bytes of this row are not the ones its hash was made from.",
    "missing": "This row was removed.",
    "foreign": "This row was never pushed: it lies outside what its lane ever had.",
    "signature": "The terminal did not sign this hash: this row or one before it was rewritten.",
    "unsigned": "The lane ends in rows that no signature covers.",
    "cut": "Rows were cut from the end of the lane, from this row on.",
    "head": "The head of the lane does not name its last row's hash.",
    "witness": "A witness fact of lane 0 saw another hash at this row.",
}


@dataclass(slots=True)
class Verified:
    """The outcome for one or all devices."""

    rows: int = 0
    lanes: int = 0
    findings: list[Finding] = field(default_factory=list)
    waiting: int = 0
    """Rows that a witness names and that the terminal says it has not sent yet."""


@dataclass(slots=True)
class _Log:
    """What was read of one incarnation."""

    hashes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    witnessed: dict[tuple[int, int], bytes] = field(default_factory=dict)


async def verify(db: AsyncSession, keys: Mapping[UUID, bytes], device_id: UUID | None = None) -> Verified:
    """Check the logs of one device, or of all.

    Args:
        keys: public key of each device, as approved at pairing.
    """
    outcome = Verified()
    for device, incarnation in await _incarnations(db, device_id):
        heads = await _heads(db, device, incarnation)
        lanes = sorted({int(lane) for lane in Lane} | set(heads))
        log = _Log()
        # Lane 0 first: which places the witnesses name decides which hashes are worth keeping.
        for lane in lanes:
            head = heads.get(lane)
            rows, trouble = await _lane(db, keys.get(device, b""), (device, incarnation, lane), head, log)
            outcome.rows += rows
            outcome.lanes += bool(rows or head)
            if trouble is not None:
                outcome.findings.append(Finding(device, incarnation, lane, *trouble))
        await _compare(db, device, incarnation, log, outcome)
    return outcome


@dataclass(slots=True)
class _Walk:
    """One lane, row by row; stops at the first bad one, for every hash after it is bad as well."""

    key: bytes
    lane: int
    head: tuple[int, bytes]
    prev: bytes
    seq: int = 0
    signed: int = 0

    def step(self, row_seq: int, body: bytes, row_hash: bytes, sig: bytes | None) -> tuple[int, str] | None:
        """Take the next row; place and kind of the trouble, if it is one."""
        if not 1 <= row_seq <= self.head[0]:
            return row_seq, "foreign"
        if row_seq != self.seq + 1:
            return self.seq + 1, "missing"
        here = chain.link(self.prev, body)
        if here != row_hash:
            return row_seq, "changed"
        if sig is not None:
            if not signing.verify_row(self.key, self.lane, row_seq, here, sig):
                return row_seq, "signature"
            self.signed = row_seq
        self.seq, self.prev = row_seq, here
        return None

    def end(self) -> tuple[int, str] | None:
        """What is wrong with the end of the lane, if anything."""
        if self.seq < self.head[0]:
            return self.seq + 1, "cut"
        if self.prev != self.head[1]:
            return self.seq, "head"
        if self.signed < self.seq:
            return self.signed + 1, "unsigned"
        return None


async def _lane(
    db: AsyncSession, key: bytes, lane_of: tuple[UUID, UUID, int], head: tuple[int, bytes] | None, log: _Log
) -> tuple[int, tuple[int, str] | None]:
    """Walk one lane: how many rows were good, and the first trouble."""
    device, incarnation, lane = lane_of
    genesis = chain.genesis(device, incarnation, lane)
    walk = _Walk(key, lane, head or (0, genesis), genesis)
    async for row_seq, body, row_hash, sig in _rows(db, lane_of):
        trouble = walk.step(row_seq, body, row_hash, sig)
        if trouble is not None:
            return walk.seq, trouble
        if lane == Lane.urgent:
            log.hashes[lane, row_seq] = row_hash
            _remember(log, body)
        elif (lane, row_seq) in log.witnessed:
            log.hashes[lane, row_seq] = row_hash
    log.last[lane] = walk.seq
    return walk.seq, walk.end()


def _remember(log: _Log, body: bytes) -> None:
    """Note the heads that a witness fact names."""
    if _WITNESS not in body:
        return
    try:
        fact = facts.decode(body)
        witness = bodies.parse(fact) if fact.kind == "witness" and bodies.is_known(fact) else None
    except Invalid:
        return
    if witness is not None:
        for lane, head in witness.heads.items():
            if head.seq:
                log.witnessed[lane, head.seq] = bytes.fromhex(head.hash)


async def _compare(db: AsyncSession, device: UUID, incarnation: UUID, log: _Log, outcome: Verified) -> None:
    """Hold what the witnesses saw against what is there."""
    unsent = await _unsent(db, device, incarnation)
    bad = {finding.lane for finding in outcome.findings if finding.incarnation == incarnation}
    for (lane, seq), seen in sorted(log.witnessed.items()):
        if lane in bad:
            continue
        last = log.last.get(lane, 0)
        if seq > last:
            if unsent is not None and seq > last + unsent.get(str(lane), 0):
                outcome.findings.append(Finding(device, incarnation, lane, last + 1, "cut"))
                bad.add(lane)
            else:
                outcome.waiting += seq - last
        elif log.hashes.get((lane, seq)) != seen:
            outcome.findings.append(Finding(device, incarnation, lane, seq, "witness"))
            bad.add(lane)


async def _incarnations(db: AsyncSession, device_id: UUID | None) -> list[tuple[UUID, UUID]]:
    found: set[tuple[UUID, UUID]] = set()
    for table in (SyncHead, SyncLog, SyncTelemetry):
        question = select(table.device_id, table.incarnation).distinct()
        if device_id is not None:
            question = question.where(table.device_id == device_id)
        found.update((device, incarnation) for device, incarnation in await db.execute(question))
    return sorted(found)


async def _heads(db: AsyncSession, device: UUID, incarnation: UUID) -> dict[int, tuple[int, bytes]]:
    question = select(SyncHead.lane, SyncHead.seq, SyncHead.hash).where(
        SyncHead.device_id == device, SyncHead.incarnation == incarnation
    )
    return {lane: (seq, row_hash) for lane, seq, row_hash in await db.execute(question)}


async def _rows(
    db: AsyncSession, lane_of: tuple[UUID, UUID, int]
) -> AsyncIterator[tuple[int, bytes, bytes, bytes | None]]:
    """All rows of a lane in order, a few thousand at a time; the walk may stop anywhere."""
    table, after = log_of(lane_of[2]), -(1 << 63)
    columns = select(table.seq, table.body, table.hash, table.sig).where(*of_lane(table, *lane_of))
    while rows := (await db.execute(columns.where(table.seq > after).order_by(table.seq).limit(_AT_ONCE))).all():
        for row_seq, body, row_hash, sig in rows:
            yield row_seq, body, row_hash, sig
        after = rows[-1].seq


async def _unsent(db: AsyncSession, device: UUID, incarnation: UUID) -> dict[str, int] | None:
    """What the terminal last said it had not sent; None when this incarnation was never heard."""
    question = select(SyncPresence.unsent).where(
        SyncPresence.device_id == device, SyncPresence.incarnation == incarnation
    )
    unsent: dict[str, int] | None = await db.scalar(question)
    return unsent
