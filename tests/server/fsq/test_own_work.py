"""Nobody ends the hold that they placed: the database says so too (identity_core, section 4, separation of duties)."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.machines.fsq import HoldState
from server.core.db.sessions import Database, TenantRef
from server.fsq.models import LotHold


async def a_hold(database: Database, tenant: TenantRef, placed_by: uuid.UUID | None, ended_by: uuid.UUID) -> None:
    now = database.clock.now()
    async with database.tenant_session(tenant.id) as db:
        db.add(
            LotHold(
                id=uuid.uuid4(), lot_id=uuid.uuid4(), state=HoldState.released, reason="too warm", source="person",
                placed_at=now, placed_by=placed_by, ended_at=now, ended_by=ended_by,
            )
        )  # fmt: skip


async def test_who_placed_a_hold_does_not_end_it(database: Database, tenant: TenantRef) -> None:
    one, other = uuid.uuid4(), uuid.uuid4()
    await a_hold(database, tenant, one, other)
    await a_hold(database, tenant, None, one)
    with pytest.raises(IntegrityError, match="ck_fsq_lot_hold_own_work"):
        await a_hold(database, tenant, one, one)
