"""Parked rows are tried again when what they wait for has come, and given up after a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.protocol import PARKED_TTL_S
from server.core import feed
from server.sync import interpret, quarantine
from server.sync.models import PLACE, Place, SyncParked, at_place, log_of
from server.sync.stored import device_actor

_AT_ONCE = 500

Parked = Row[Any]
"""A row of ``sync_parked`` as a plain value: a rolled-back savepoint cannot expire it."""
_PARKED = select(*SyncParked.__table__.c)


async def wake(db: AsyncSession) -> int:
    """Try the rows that waited for something this transaction has written. Returns how many were tried.

    What one of them writes may be what another waits for, so it goes on until nothing new is.
    """
    tried = 0
    seen: set[UUID] = set()
    while fresh := {row_id for _, row_id in feed.pending(db)} - seen:
        seen |= fresh
        waiting = _PARKED.where(SyncParked.waits_id.in_(fresh)).limit(_AT_ONCE)
        tried += await _retry(db, (await db.execute(waiting)).all())
    return tried


async def tend(db: AsyncSession, now: datetime) -> int:
    """Try what this version can read now and what may have come another way; bury what waited a day.

    Run at the start of a new version and every half minute. Returns how many rows were tried.
    """
    known = tuple_(SyncParked.kind, SyncParked.ver).in_(list(bodies.BY_VERSION))
    is_due = or_(SyncParked.why == quarantine.UNRESOLVED, known)
    rows = (await db.execute(_PARKED.where(is_due).order_by(SyncParked.parked_at).limit(_AT_ONCE))).all()
    tried = await _retry(db, rows)
    late = [_key(row) for row in rows if now - row.parked_at >= timedelta(seconds=PARKED_TTL_S)]
    is_late = tuple_(*(getattr(SyncParked, name) for name in PLACE)).in_(late)
    given_up = (await db.execute(_PARKED.where(is_late, SyncParked.why == quarantine.UNRESOLVED))).all()
    for row in given_up:
        error = Refused("unresolved", entity=row.waits_entity, id=str(row.waits_id))
        await quarantine.bury(db, [quarantine.dead_row(quarantine.stored_again(row, b""), row.kind, error)])
        await _unpark(db, row)
    return tried


async def _retry(db: AsyncSession, rows: Sequence[Parked]) -> int:
    """Run parked rows again in log order; those that must still wait keep the time they were parked."""
    tried = 0
    for row in sorted(rows, key=lambda one: (one.parked_at, one.lane, one.seq)):
        log = log_of(row.lane)
        question = select(log.body, log.hash).where(*at_place(log, _key(row)))
        found = (await db.execute(question)).one_or_none()
        if found is None:
            continue
        body, row_hash = found
        await _unpark(db, row)
        device = device_actor(db.info["tenant_id"], row.device_id, row.plant_id)
        await interpret.apply(db, device, [(quarantine.stored_again(row, row_hash), body)], row.parked_at)
        tried += 1
    return tried


def _key(row: Parked) -> Place:
    return row.device_id, row.incarnation, row.lane, row.seq


async def _unpark(db: AsyncSession, row: Parked) -> None:
    statement = delete(SyncParked).where(*at_place(SyncParked, _key(row)))
    await db.execute(statement, execution_options={"synchronize_session": False})
