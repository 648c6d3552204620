"""The write path of a batch, in one transaction: lock the head, store the bytes, interpret, move the head.

Acceptance never fails for business or schema reasons. What can be refused is only what cannot be
the next rows of the log: a gap (``behind``), another version of known rows (``fork``, both kept), or
bytes whose chain or signature do not hold. The feed counter is taken by the session's commit, last.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.wire import chain
from foodflow_kernel.wire.push import PushAnswer, PushConflict
from server.sync import copying, interpret, quarantine
from server.sync.batch import Proven
from server.sync.models import SyncDead, SyncFork, SyncHead, SyncParked, log_of, of_lane
from server.sync.stored import Terminal


async def accept(db: AsyncSession, terminal: Terminal, batch: Proven, now: datetime) -> PushAnswer | PushConflict:
    """Store what is new of a batch and interpret it; the same batch again gives the same answer.

    A fork is an answer, not an exception: its evidence must be committed.
    """
    head = await _lock_head(db, batch, now)
    if batch.first > head.seq + 1:
        return PushConflict(reason="behind", have=head.seq, hash=head.hash.hex())
    if not await _continues(db, head, batch):
        await _keep_fork(db, batch, now)
        return PushConflict(reason="fork", have=head.seq, hash=head.hash.hex())
    fresh = batch.after(head.seq)
    have, have_hash = head.seq, head.hash
    fate = None
    if fresh.bodies:
        await copying.copy_in(db, log_of(batch.lane), fresh, now)
        rows = interpret.rows_of(terminal, fresh, now)
        if terminal.is_revoked:
            await quarantine.keep_evidence(db, rows)
        else:
            fate = await interpret.apply(db, terminal.actor, rows, now)
        have, have_hash = fresh.last, fresh.hashes[-1]
        await db.execute(
            update(SyncHead)
            .where(*of_lane(SyncHead, batch.device, batch.incarnation, batch.lane))
            .values(seq=have, hash=have_hash, received_at=now),
            execution_options={"synchronize_session": False},
        )
    if fate is None or fresh.first > batch.first:
        dead, parked = await _fate(db, batch)
    else:
        # All of it is new here: what became of it is known, and an alarm need not wait to be told again.
        dead, parked = sorted(row["seq"] for row in fate.dead), len(fate.parked)
    return PushAnswer(acked=have, hash=have_hash.hex(), dead=tuple(dead), parked=parked)


async def _lock_head(db: AsyncSession, batch: Proven, now: datetime) -> SyncHead:
    question = select(SyncHead).where(*of_lane(SyncHead, batch.device, batch.incarnation, batch.lane)).with_for_update()
    head = (await db.scalars(question, execution_options={"populate_existing": True})).one_or_none()
    if head is None:
        first = {
            "device_id": batch.device,
            "incarnation": batch.incarnation,
            "lane": int(batch.lane),
            "seq": 0,
            "hash": chain.genesis(batch.device, batch.incarnation, batch.lane),
            "received_at": now,
        }
        await db.execute(insert(SyncHead).values(first).on_conflict_do_nothing())
        head = (await db.scalars(question)).one()
    return head


async def _continues(db: AsyncSession, head: SyncHead, batch: Proven) -> bool:
    """Whether batch and log agree on the last row both have; the chain then covers all before it."""
    shared = min(head.seq, batch.last)
    if shared == head.seq:
        return batch.hash_at(shared) == head.hash
    log = log_of(batch.lane)
    question = select(log.hash).where(
        *of_lane(log, batch.device, batch.incarnation, batch.lane),
        log.seq == shared,
    )
    stored = await db.scalar(question)
    # A row that was deleted here cannot contradict; the verifier names the hole.
    return stored is None or stored == batch.hash_at(shared)


async def _keep_fork(db: AsyncSession, batch: Proven, now: datetime) -> None:
    """Keep the rows of the other version; those that agree with the log are not a fork and stay out."""
    log = log_of(batch.lane)
    question = select(log.seq, log.hash).where(
        *of_lane(log, batch.device, batch.incarnation, batch.lane),
        log.seq.between(batch.first, batch.last),
    )
    known = dict((await db.execute(question)).all())
    rows = [
        {
            "device_id": batch.device,
            "incarnation": batch.incarnation,
            "lane": int(batch.lane),
            "seq": seq,
            "hash": row_hash,
            "body": body,
            "sig": batch.sig if seq == batch.last else None,
            "received_at": now,
        }
        for seq, (body, row_hash) in enumerate(zip(batch.bodies, batch.hashes, strict=True), batch.first)
        if known.get(seq) != row_hash
    ]
    if rows:
        await db.execute(insert(SyncFork).on_conflict_do_nothing(), rows)


async def _fate(db: AsyncSession, batch: Proven) -> tuple[list[int], int]:
    """Which rows of a batch sent again lie in quarantine, and how many are parked."""
    ours = SyncDead.seq.between(batch.first, batch.last)
    question = (
        select(SyncDead.seq)
        .where(*of_lane(SyncDead, batch.device, batch.incarnation, batch.lane), ours)
        .order_by(SyncDead.seq)
    )
    dead = list(await db.scalars(question))
    waiting = select(SyncParked.seq).where(
        *of_lane(SyncParked, batch.device, batch.incarnation, batch.lane),
        SyncParked.seq.between(batch.first, batch.last),
    )
    return dead, len(list(await db.scalars(waiting)))
