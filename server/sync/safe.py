"""What is safe: what a restored copy of the cluster was found to hold, lane by lane.

A terminal keeps its bodies until they are safe. So nothing is called safe that was not read from a
copy, with every hash recomputed from where the last proof ended; what was proved before is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import NotAllowed, NotFound, Refused
from foodflow_kernel.machines.identity import TenantState
from foodflow_kernel.wire import chain
from server.core.backup import proving, taking
from server.core.backup.folder import Backup, Place
from server.core.db.sessions import Database, TenantRef
from server.sync.models import SyncHead, SyncSafe, log_of, of_lane

_AT_ONCE = 5000
Lanes = dict[tuple[UUID, UUID, int], int]
"""Device, incarnation and lane to the last row that was found good."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a copy held.

    Args:
        lanes: of each tenant.
        rows: of all lanes together.
    """

    lanes: Mapping[UUID, Lanes]
    rows: int


def has_rows(tenant: TenantRef) -> bool:
    """Whether a company has a schema: not while it is made, nor after it was archived."""
    return tenant.state not in (TenantState.provisioning, TenantState.archived)


async def look(copy: Database) -> Found:
    """Check every lane of every company in a restored copy.

    Raises:
        Refused: `backup_failed` naming the company, terminal, lane and row that is not as it was pushed.
    """
    lanes, rows = {}, 0
    for tenant in await copy.tenants():
        if not has_rows(tenant):
            continue
        async with copy.tenant_session(tenant.id) as db:
            lanes[tenant.id] = await _lanes(db, tenant)
        rows += sum(lanes[tenant.id].values())
    return Found(lanes, rows)


async def _lanes(db: AsyncSession, tenant: TenantRef) -> Lanes:
    places = (SyncSafe.device_id, SyncSafe.incarnation, SyncSafe.lane)
    before = {(device, life, lane): seq for device, life, lane, seq in await db.execute(select(*places, SyncSafe.seq))}
    found: Lanes = {}
    for head in (await db.scalars(select(SyncHead))).all():
        place = (head.device_id, head.incarnation, head.lane)
        table = log_of(head.lane)
        counted = select(func.count(), func.coalesce(func.max(table.seq), 0)).where(*of_lane(table, *place))
        count, last = (await db.execute(counted)).one()
        if (count, last) != (head.seq, head.seq):
            raise _wrong(tenant, place, last, f"{count} rows, its head says {head.seq}")
        if await _hash_of(db, tenant, place, min(before.get(place, 0), head.seq)) != head.hash:
            raise _wrong(tenant, place, head.seq, "its head has another hash")
        found[place] = head.seq
    return found


async def _hash_of(db: AsyncSession, tenant: TenantRef, place: tuple[UUID, UUID, int], proved: int) -> bytes:
    """Recompute a lane's chain from the last proof to its end."""
    table = log_of(place[2])
    mine = of_lane(table, *place)
    here = chain.genesis(*place)
    if proved:
        there = await db.scalar(select(table.hash).where(*mine, table.seq == proved))
        if there is None:
            raise _wrong(tenant, place, proved, "the row is missing")
        here = there
    while True:
        wanted = select(table.seq, table.body, table.hash).where(*mine, table.seq > proved)
        rows = (await db.execute(wanted.order_by(table.seq).limit(_AT_ONCE))).all()
        for seq, body, stored in rows:
            here = chain.link(here, body)
            if here != stored:
                raise _wrong(tenant, place, seq, "its bytes are not what its hash was made from")
            proved = seq
        if not rows:
            return here


def _wrong(tenant: TenantRef, place: tuple[UUID, UUID, int], seq: int, what: str) -> Refused:
    device, _, lane = place
    return Refused("backup_failed", why=f"{tenant.slug}: terminal {device}, lane {lane}, row {seq}: {what}")


async def advance(database: Database, found: Found, backup: Backup) -> None:
    """Tell the live server what is safe now. It never goes back."""
    for tenant_id, lanes in found.lanes.items():
        if lanes and backup.verified_at is not None:
            await _advance(database, tenant_id, lanes, backup.name, backup.verified_at)


async def _advance(database: Database, tenant_id: UUID, lanes: Lanes, name: str, at: datetime) -> None:
    rows = [
        {"device_id": device, "incarnation": life, "lane": lane, "seq": seq, "backup": name, "verified_at": at}
        for (device, life, lane), seq in lanes.items()
    ]
    stored = insert(SyncSafe).values(rows)
    new = {key: stored.excluded[key] for key in ("seq", "backup", "verified_at")}
    newer = stored.on_conflict_do_update(
        index_elements=("device_id", "incarnation", "lane"), set_=new, where=SyncSafe.seq <= stored.excluded.seq
    )
    try:
        async with database.tenant_session(tenant_id) as db:
            await db.execute(newer)
    except (NotFound, NotAllowed):
        return  # it has left since: nobody will ask


async def verify(database: Database, place: Place, clock: Clock, backup: Backup) -> tuple[Backup, Found]:
    """Restore a backup beside the live server, look at all of it, and say what is safe.

    Only while the place is ``busy``.

    Raises:
        Refused: `backup_not_proved`; nothing is safe that was not safe before.
    """
    proved, found = await proving.prove(database.cluster, place, backup, clock, look)
    await advance(database, found, proved)
    return proved, found


async def take(database: Database, place: Place, clock: Clock, keep: int) -> tuple[Backup, Found]:
    """Take a backup, verify it, and remove what is too old."""
    made = await taking.take(database.cluster, place, clock)
    # Also if it proves bad: a disk that fills up with bad copies stops the plant.
    await taking.prune(place, keep)
    proved, found = await verify(database, place, clock, made)
    await taking.prune(place, keep)
    return proved, found
