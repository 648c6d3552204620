"""What must happen without anybody asking: parked rows tried again, old feed rows and nonces dropped."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import func, select

from foodflow_kernel.machines.identity import TenantState
from server.core import events, feed
from server.core.db.sessions import Database, TenantRef
from server.core.events import Reactions
from server.sync import parking, tokens

log = logging.getLogger(__name__)

EVERY_S = 30.0
"""Plant seconds between rounds; what a push brings is tried at once, this is for all else."""


async def run(database: Database, reactions: Reactions) -> None:
    """Go round all tenants for ever; a tenant that fails does not keep the others waiting."""
    while True:
        for tenant in await database.tenants():
            if tenant.state is not TenantState.active:
                continue
            try:
                await look_after(database, tenant, reactions)
            except Exception:
                log.exception("looking after tenant %s failed", tenant.slug)
        await asyncio.sleep(EVERY_S / database.clock.rate)


async def look_after(database: Database, tenant: TenantRef, reactions: Reactions) -> bool:
    """One round for one tenant; False when another process is at it."""
    async with database.tenant_session(tenant.id) as db:
        key = func.hashtextextended(f"foodflow-caretaker {tenant.schema}", 0)
        if not await db.scalar(select(func.pg_try_advisory_xact_lock(key))):
            return False
        now = database.clock.now()
        await parking.tend(db, now)
        await events.deliver(db, reactions)
        await feed.drop_old(db, now)
        await tokens.drop_old(db, now)
    return True
