"""Nobody ends the hold that they placed: the database says so too (identity_core, section 4, separation of duties)."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.machines.fsq import HoldState
from foodflow_kernel.wire import bodies
from server.core.db.sessions import Database, TenantRef
from server.fsq.models import LotHold
from tests.server.conftest import PASSWORD, SignIn
from tests.server.factories import a_scene


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


@pytest.mark.parametrize(
    ("placed", "measured", "status"), [(True, False, 409), (False, True, 409), (True, True, 409), (False, False, 200)]
)
async def test_who_placed_a_hold_or_took_the_failed_reading_does_not_release_it(
    database: Database, tenant: TenantRef, sign_in: SignIn, placed: bool, measured: bool, status: int
) -> None:
    scene, manager = await a_scene(database, tenant), await sign_in(tenant, "QM")
    own, other = uuid.UUID((await manager.get("/me")).json()["id"]), uuid.uuid4()
    reading = scene.fact(scene.cooked("71.2"), performed_by=own if measured else other)
    opened = bodies.DeviationOpened(
        deviation_id=uuid.uuid4(), local_no="T-07·1", reading_id=reading[1].id, ccp_id=scene.cook.ccp_id
    )
    held = bodies.HoldPlaced(
        hold_id=uuid.uuid4(), lot_id=scene.lot.id, reason="CCP-1", deviation_id=opened.deviation_id
    )
    await scene.push(reading, scene.fact(opened), scene.fact(held, performed_by=own if placed else other))
    order = {"reason": "Kettle re-checked", "signature": {"password": PASSWORD, "meaning": "released"}}
    answer = await manager.post(f"/fsq/holds/{held.hold_id}:release", json=order)
    assert (answer.status_code, answer.json().get("code")) == (status, "own_work" if status == 409 else None)
    async with database.tenant_session(tenant.id) as db:
        row = await db.get_one(LotHold, held.hold_id)
    assert row.state is (HoldState.open if status == 409 else HoldState.released)
