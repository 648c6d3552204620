"""The one door: rights at the record's own plant, signatures that count, and what stays on record."""

from __future__ import annotations

import uuid

import httpx
import pytest
from sqlalchemy import func, select

from foodflow_kernel.ids import new_id
from server import seed
from server.core import actions, audit
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.esign import ESignature, ESignatureUse
from server.fsq.models import LotHold
from server.identity import people
from server.identity.models import User, UserRole
from server.plant_ops.models import ProductionLine
from tests.server.conftest import PASSWORD, SignIn, a_plant

RIGHT, WRONG = "5836", "1604"


async def an_open_hold(client: httpx.AsyncClient) -> str:
    return str((await client.get("/fsq/holds", params={"filter[state][eq]": "open"})).json()["items"][0]["id"])


async def release(client: httpx.AsyncClient, hold: str, **component: str) -> httpx.Response:
    body = {"reason": "retested, in order", "signature": component | {"meaning": "released"}}
    return await client.post(f"/fsq/holds/{hold}:release", json=body)


async def begin_a_series(client: httpx.AsyncClient, hold: str) -> None:
    """The first signing of a session takes the password; after it the PIN is enough."""
    said = {"record_type": "fsq.hold", "id": hold, "version": 1, "meaning": "reviewed"}
    first = await client.post("/esign", json=said | {"credentials": {"password": PASSWORD}})
    assert first.status_code == 201, first.text


async def counted(database: Database, tenant: TenantRef, action: str) -> int:
    async with database.tenant_session(tenant.id) as db:
        return await db.scalar(select(func.count()).where(AuditRow.action == action)) or 0


async def test_a_signed_action_binds_the_signature_to_what_was_signed(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    await seed.plant(database, tenant)
    client = await sign_in(tenant, "QM")
    hold = await an_open_hold(client)
    unsigned = await client.post(f"/fsq/holds/{hold}:release", json={"reason": "retested"})
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "signature_needed")
    done = await release(client, hold, password=PASSWORD)
    assert done.status_code == 200, done.text
    async with database.tenant_session(tenant.id) as db:
        signed = (await db.scalars(select(ESignature).where(ESignature.record_id == uuid.UUID(hold)))).one()
        record = await db.get_one(LotHold, uuid.UUID(hold))
        used = await db.get_one(ESignatureUse, signed.id)
        assert used.sha256_after == audit.digest(actions.values(record)) != signed.record_sha256
    assert (signed.meaning, signed.record_version) == ("released", record.version - 1)
    assert await counted(database, tenant, "fsq.hold.release") == 1
    again = await release(client, hold, password=PASSWORD)
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")


async def test_five_wrong_pins_make_signing_wait_and_stay_on_record(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    await seed.plant(database, tenant)
    client = await sign_in(tenant, "QM")
    hold = await an_open_hold(client)
    await begin_a_series(client, hold)
    codes = [(await release(client, hold, pin=WRONG)).json()["code"] for _ in range(5)]
    assert codes == ["signature_failed"] * 5
    locked = await release(client, hold, pin=RIGHT)
    assert (locked.status_code, locked.json()["code"]) == (429, "pin_wait")
    assert await counted(database, tenant, "esign.failed") == 5
    assert await counted(database, tenant, "fsq.hold.release") == 0
    assert hold == await an_open_hold(client)


async def test_a_right_held_at_one_plant_is_none_at_another(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    lines = {}
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        for plant in (here, there):
            lines[plant] = new_id(database.clock.now())
            db.add(ProductionLine(id=lines[plant], plant_id=plant, code="L1", name="Line 1", kind="fill"))
    client = await sign_in(tenant, "OP", here)
    me = (await client.get("/me")).json()
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        user, roles = await db.get_one(User, uuid.UUID(me["id"])), await people.ensure_roles(db)
        now = database.clock.now()
        db.add(UserRole(id=new_id(now), user_id=user.id, role_id=roles["SV"].id, plant_id=there, valid_from=now))
    answers = {}
    for plant, line in lines.items():
        change = await client.patch(f"/plant-ops/lines/{line}", json={"area": "Hall 2"}, headers={"If-Match": '"1"'})
        answers[plant] = change.status_code
    assert answers == {here: 403, there: 200}
    assert {row["plant_id"] for row in (await client.get("/plant-ops/lines")).json()["items"]} == {
        str(here),
        str(there),
    }


@pytest.mark.parametrize("path", ["/plant-ops/lines", "/fsq/holds"])
async def test_another_plant_of_the_same_company_is_not_seen(
    database: Database, tenant: TenantRef, sign_in: SignIn, path: str
) -> None:
    await seed.plant(database, tenant)
    elsewhere = await sign_in(tenant, "SV", await a_plant(database, tenant, "P9"))
    everywhere = await sign_in(tenant, "SV")
    rows = (await everywhere.get(path)).json()["items"]
    assert rows
    assert (await elsewhere.get(path)).json()["items"] == []
    assert (await elsewhere.get(f"{path}/{rows[0]['id']}")).status_code == 404


async def test_an_audit_rows_hash_can_be_computed_again(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    await sign_in(tenant, "OP")
    async with database.tenant_session(tenant.id) as db:
        rows = (await db.scalars(select(AuditRow))).all()
    assert rows
    for row in rows:
        content = {k: v for k, v in actions.values(row).items() if k != "row_hash"}
        assert audit.digest(content) == row.row_hash


async def test_a_pin_that_somebody_else_set_signs_nothing(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    await seed.plant(database, tenant)
    client, admin = await sign_in(tenant, "QM"), await sign_in(tenant, "TA")
    hold = await an_open_hold(client)
    own = (await client.get("/me")).json()["id"]
    given = {"pin": RIGHT, "reason": "forgot the old one"}
    assert (await admin.post(f"/users/{own}:set-pin", json=given)).status_code == 200
    await begin_a_series(client, hold)
    refused = await release(client, hold, pin=RIGHT)
    assert (refused.status_code, refused.json()["code"]) == (403, "pin_change_needed")
