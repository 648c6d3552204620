"""Settings that people change: who may, from when, where it holds, and that the past stays as it was."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Invalid
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.content import ConfigState
from foodflow_kernel.machines.identity import DeviceState
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.config import changing, effective, keys
from server.core.config.model import SystemConfig
from server.core.db.sessions import Database, TenantRef
from server.identity.platform import DeviceRow
from server.plant_ops.models import ProductionLine
from tests.server.conftest import PASSWORD, SignIn, a_plant

PIN = {"password": PASSWORD, "meaning": "approved"}
WHY = "agreed in the meeting"


def a_value(key: str, value: Any, scope: str = "tenant", **more: Any) -> dict[str, Any]:
    return {"key": key, "scope": scope, "value": value, "reason": WHY} | more


async def put(client: httpx.AsyncClient, key: str, value: Any, scope: str = "tenant", **more: Any) -> dict[str, Any]:
    answer = await client.post("/config", json=a_value(key, value, scope, **more))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def ask(client: httpx.AsyncClient, key: str, **query: Any) -> Any:
    answer = await client.get("/config/effective", params={"key": key} | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int, code: str) -> bool:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return True


async def a_line(database: Database, tenant: TenantRef, plant_id: uuid.UUID) -> uuid.UUID:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        line = ProductionLine(id=uuid.uuid4(), plant_id=plant_id, code="L1", name="Line 1", kind="fill")
        db.add(line)
    return line.id


async def a_device(database: Database, tenant: TenantRef, plant_id: uuid.UUID, line_id: uuid.UUID) -> uuid.UUID:
    now = database.clock.now()
    row = DeviceRow(
        id=uuid.uuid4(), tenant_id=tenant.id, state=DeviceState.approved, commitment=b"c", server_nonce=b"n",
        expires_at=now, machine_name="m", app="1", plant_id=plant_id, line_id=line_id, pepper=b"p", created_at=now,
    )  # fmt: skip
    async with database.platform_session() as db:
        db.add(row)
    return row.id


async def a_row(database: Database, tenant: TenantRef, **over: Any) -> SystemConfig:
    now = database.clock.now()
    given: dict[str, Any] = {
        "id": new_id(now), "key": "notify.keep_h", "scope": keys.Scope.tenant, "value": 5, "valid_from": now,
        "state": ConfigState.effective, "reason": WHY,
    }  # fmt: skip
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        row = SystemConfig(**given | over)
        db.add(row)
    return row


async def test_the_narrowest_value_holds(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    admin, key = await sign_in(tenant, "TA"), "ccp.escalate_min"
    qm = await sign_in(tenant, "QM")
    plant = await a_plant(database, tenant)
    line = await a_line(database, tenant, plant)
    device = await a_device(database, tenant, plant, line)
    deep = {"scope": "device", "scope_id": str(device)}
    assert (await ask(admin, key, **deep))["value"] == 5
    for scope, scope_id, value in (("tenant", None, 9), ("plant", plant, 8), ("line", line, 7)):
        row = await put(admin, key, value, scope, scope_id=scope_id and str(scope_id))
        signed = await qm.post(f"/config/{row['id']}:sign", json={"reason": WHY, "signature": PIN})
        assert signed.status_code == 200, signed.text
        found = await ask(admin, key, **deep)
        assert (found["value"], found["scope"], found["config_id"]) == (value, scope, row["id"])
    assert (await ask(admin, key))["value"] == 9
    assert (await ask(admin, key, scope="plant", scope_id=str(plant)))["value"] == 8
    frozen.advance(1)
    row = await put(admin, key, None, "line", scope_id=str(line))
    await qm.post(f"/config/{row['id']}:sign", json={"reason": WHY, "signature": PIN})
    assert (await ask(admin, key, **deep))["value"] == 8, "null: nothing is set at the line any more"
    async with database.tenant_session(tenant.id) as db:
        now = frozen.now()
        assert await effective(db, key, now, plant_id=plant) == 8
        assert await effective(db, key, now) == 9
        assert await effective(db, "notify.keep_h", now, plant_id=plant) == 72


async def test_a_new_value_ends_the_one_before_and_the_past_can_still_be_read(
    database: Database, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    admin = await sign_in(tenant, "TA")
    start = frozen.now()
    first = await put(admin, "notify.keep_h", 10)
    frozen.advance(60)
    second = await put(admin, "notify.keep_h", 20)
    assert (first["state"], second["state"]) == ("effective", "effective")
    old = (await admin.get(f"/config/{first['id']}")).json()
    assert (old["state"], old["value"]) == ("superseded", 10)
    assert datetime.fromisoformat(old["valid_to"]) == datetime.fromisoformat(second["valid_from"])
    at = [-1, 0, 59, 60, 61]
    values = [
        (await ask(admin, "notify.keep_h", at=(start + timedelta(seconds=each)).isoformat()))["value"] for each in at
    ]
    assert values == [72, 10, 10, 20, 20]
    async with database.tenant_session(tenant.id) as db:
        audited = (
            await db.scalars(select(AuditRow).where(AuditRow.action == "core.config.create").order_by(AuditRow.seq))
        ).all()
    assert [(row.diff["value"], row.reason) for row in audited] == [(10, WHY), (20, WHY)]


async def test_a_scheduled_value_begins_by_itself_and_may_be_withdrawn_before(
    app: FastAPI, tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    admin = await sign_in(tenant, "TA")
    first = await put(admin, "notify.keep_h", 10)
    at = {minutes: (frozen.now() + timedelta(minutes=minutes)).isoformat() for minutes in (1, 2, 3)}
    late = await put(admin, "notify.keep_h", 30, valid_from=at[2])
    early = await put(admin, "notify.keep_h", 20, valid_from=at[1])
    assert (late["state"], early["valid_to"]) == ("scheduled", late["valid_from"])
    assert refused(
        await admin.post("/config", json=a_value("notify.keep_h", 9, valid_from=at[1])), 409, "config_start_taken"
    )
    assert [(await ask(admin, "notify.keep_h", at=each))["value"] for each in at.values()] == [20, 30, 30]
    assert (await admin.post(f"/config/{early['id']}:withdraw", json={"reason": WHY})).status_code == 200
    assert (await ask(admin, "notify.keep_h", at=at[1]))["value"] == 10
    frozen.advance(120)
    assert refused(await admin.post(f"/config/{late['id']}:withdraw", json={"reason": WHY}), 409, "config_in_force")
    for _ in range(2):
        await changing.turn(app, tenant)
        states = [(await admin.get(f"/config/{row['id']}")).json()["state"] for row in (first, early, late)]
        assert states == ["superseded", "withdrawn", "effective"]
    assert refused(await admin.post(f"/config/{late['id']}:withdraw", json={"reason": WHY}), 409, "illegal_move")


async def test_a_proposal_may_be_withdrawn(tenant: TenantRef, sign_in: SignIn) -> None:
    admin, qm = await sign_in(tenant, "TA"), await sign_in(tenant, "QM")
    row = await put(admin, "hold.escalate_min", 30)
    done = await admin.post(f"/config/{row['id']}:withdraw", json={"reason": WHY})
    assert (done.status_code, done.json()["state"]) == (200, "withdrawn"), done.text
    answer = await qm.post(f"/config/{row['id']}:sign", json={"reason": WHY, "signature": PIN})
    assert refused(answer, 409, "illegal_move")
    assert (await ask(admin, "hold.escalate_min"))["value"] == 15


async def test_food_safety_needs_a_qa_manager_who_did_not_propose_it(
    tenant: TenantRef, sign_in: SignIn, frozen: FakeClock
) -> None:
    admin, qm, both = await sign_in(tenant, "TA"), await sign_in(tenant, "QM"), await sign_in(tenant, "TA")
    row = await put(admin, "hold.escalate_min", 30)
    assert (row["state"], (await ask(admin, "hold.escalate_min"))["value"]) == ("proposed", 15)
    path, signed = f"/config/{row['id']}:sign", {"reason": WHY, "signature": PIN}
    assert refused(await both.post(path, json=signed), 403, "permission_missing")
    wrong = {"reason": WHY, "signature": {"password": "not the password"}}
    assert refused(await qm.post(path, json=wrong), 401, "signature_failed")
    frozen.advance(600)
    done = await qm.post(path, json=signed)
    assert (done.status_code, done.json()["state"]) == (200, "effective"), done.text
    assert datetime.fromisoformat(done.json()["valid_from"]) == frozen.now(), "never before it was signed"
    assert (await ask(admin, "hold.escalate_min"))["value"] == 30
    early = (frozen.now() - timedelta(seconds=1)).isoformat()
    assert (await ask(admin, "hold.escalate_min", at=early))["value"] == 15
    assert refused(await qm.post(path, json=signed), 409, "illegal_move")


async def test_nobody_signs_their_own_proposal(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    qm = await sign_in(tenant, "QM")
    me = uuid.UUID((await qm.get("/me")).json()["id"])
    row = await a_row(database, tenant, key="hold.escalate_min", state=ConfigState.proposed, proposed_by=me)
    answer = await qm.post(f"/config/{row.id}:sign", json={"reason": WHY, "signature": PIN})
    assert refused(answer, 409, "own_proposal")
    with pytest.raises(IntegrityError, match="proposer_is_not_signer"):
        await a_row(database, tenant, proposed_by=me, signed_by=me, signed_at=database.clock.now())


@pytest.mark.parametrize("key", ["hold.x", "ccp.x", "retention.x", "oee.x"])
async def test_the_database_lets_no_safety_value_into_force_unsigned(
    database: Database, tenant: TenantRef, key: str
) -> None:
    assert keys.needs_signature(key)
    with pytest.raises(IntegrityError, match="ck_core_system_config_signed"):
        await a_row(database, tenant, key=key)
    await a_row(database, tenant, key=key, state=ConfigState.proposed)


async def test_two_values_never_hold_at_once(database: Database, tenant: TenantRef) -> None:
    now = database.clock.now()
    await a_row(database, tenant)
    await a_row(database, tenant, state=ConfigState.proposed)
    with pytest.raises(IntegrityError, match="ex_core_system_config_valid"):
        await a_row(database, tenant, valid_from=now + timedelta(days=1))
    await a_row(database, tenant, scope=keys.Scope.plant, scope_id=uuid.uuid4(), plant_id=uuid.uuid4())


@pytest.mark.parametrize(
    ("over", "rule"),
    [
        ({"scope": "plant", "plant_id": uuid.UUID(int=1)}, "scope_id"),
        ({"plant_id": uuid.UUID(int=1)}, "plant_id"),
        ({"valid_to": datetime.fromisoformat("2000-01-01T00:00Z")}, "valid"),
        ({"reason": "why"}, "reason"),
        ({"signed_by": uuid.UUID(int=1)}, "signed_at"),
    ],
)
async def test_the_database_refuses_a_row_that_says_nothing_clear(
    database: Database, tenant: TenantRef, over: dict[str, Any], rule: str
) -> None:
    with pytest.raises(IntegrityError, match=f"ck_core_system_config_{rule}"):
        await a_row(database, tenant, **over)


@pytest.mark.parametrize(
    "change", [{"value": 6}, {"key": "notify.mail_from"}, {"reason": "another one"}, {"valid_from": datetime.fromisoformat("2000-01-01T00:00Z")}, {"scope_id": uuid.UUID(int=1)}]
)  # fmt: skip
async def test_a_value_is_never_changed_in_place(database: Database, tenant: TenantRef, change: dict[str, Any]) -> None:
    row = await a_row(database, tenant)
    with pytest.raises(DBAPIError, match="never changed"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(update(SystemConfig).where(SystemConfig.id == row.id).values(change))
    with pytest.raises(DBAPIError, match="never changed"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(delete(SystemConfig))


async def test_a_value_that_ended_ends_no_other_time(database: Database, tenant: TenantRef) -> None:
    now = database.clock.now()
    row = await a_row(database, tenant, state=ConfigState.superseded, valid_to=now + timedelta(hours=1))
    with pytest.raises(DBAPIError, match="never changed"):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await db.execute(update(SystemConfig).where(SystemConfig.id == row.id).values(valid_to=None))


async def test_of_two_at_the_same_moment_one_is_refused(tenant: TenantRef, sign_in: SignIn, frozen: FakeClock) -> None:
    admins = [await sign_in(tenant, "TA") for _ in range(4)]
    for value in range(1, 4):
        frozen.advance(1)
        answers = await asyncio.gather(*(each.post("/config", json=a_value("notify.keep_h", value)) for each in admins))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"config_start_taken"}


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("no.such", 1, "config_key_unknown"),
        ("smtp.password", "x", "config_secret"),
        ("mail.api_key", "x", "config_secret"),
        ("notify.keep_h", 0, "config_value_bad"),
        ("notify.keep_h", "5", "config_value_bad"),
        ("notify.keep_h", 5.5, "config_value_bad"),
        ("notify.keep_h", True, "config_value_bad"),
        ("notify.keep_h", [1], "config_value_bad"),
        ("retention.records_y", 2, "config_value_bad"),
        ("retention.sensor_months", 12, "config_value_bad"),
        ("notify.mail_from", {"password": "x"}, "config_secret"),
        ("notify.mail_from", "-----BEGIN RSA PRIVATE KEY-----", "config_secret"),
        ("notify.mail_from", "smtp://me:word@relay", "config_secret"),
        ("notify.mail_from", "\u0000", "config_value_bad"),
    ],
)  # fmt: skip
async def test_what_no_key_takes_is_refused(
    tenant: TenantRef, sign_in: SignIn, key: str, value: Any, code: str
) -> None:
    admin = await sign_in(tenant, "TA")
    answer = await admin.post("/config", json=a_value(key, value))
    assert refused(answer, 422, code)
    assert code != "config_secret" or "word" not in answer.text


async def test_where_and_when_are_checked(
    two_tenants: tuple[TenantRef, TenantRef], database: Database, sign_in: SignIn, frozen: FakeClock
) -> None:
    tenant, other = two_tenants
    admin = await sign_in(tenant, "TA")
    theirs = str(await a_plant(database, other))
    mine = await a_plant(database, tenant)
    line = str(await a_line(database, tenant, mine))
    key = "notify.keep_h"
    assert refused(await admin.post("/config", json=a_value(key, 5, "plant", scope_id=theirs)), 404, "record_unknown")
    assert refused(await admin.post("/config", json=a_value(key, 5, "device", scope_id=theirs)), 404, "record_unknown")
    assert refused(await admin.post("/config", json=a_value(key, 5, "plant")), 422, "config_place_bad")
    assert refused(await admin.post("/config", json=a_value(key, 5, scope_id=theirs)), 422, "config_place_bad")
    assert refused(await admin.post("/config", json=a_value(key, 5, "line", scope_id=line)), 422, "config_scope_bad")
    assert refused(await admin.post("/config", json=a_value(key, 5, "system")), 422, "config_scope_bad")
    far = "9999-12-31T23:59:59-14:00"
    assert refused(await admin.post("/config", json=a_value(key, 5, valid_from=far)), 422, "config_too_far")
    for at in (far, "0001-01-01T00:00:00+14:00"):
        assert (await admin.get("/config/effective", params={"key": key, "at": at})).status_code == 200
    past = (frozen.now() - timedelta(seconds=1)).isoformat()
    assert refused(await admin.post("/config", json=a_value(key, 5, valid_from=past)), 422, "config_in_past")
    assert refused(
        await admin.get("/config/effective", params={"key": key, "scope": "plant", "scope_id": theirs}),
        404,
        "record_unknown",
    )


async def test_a_right_at_one_plant_sets_nothing_elsewhere(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    admin = await sign_in(tenant, "TA", here)
    key = "notify.keep_h"
    assert refused(await admin.post("/config", json=a_value(key, 5)), 403, "permission_missing")
    assert refused(
        await admin.post("/config", json=a_value(key, 5, "plant", scope_id=str(there))), 404, "record_unknown"
    )
    assert (await put(admin, key, 5, "plant", scope_id=str(here)))["state"] == "effective"
    row = await a_row(database, tenant, state=ConfigState.proposed, key="hold.escalate_min")
    qm = await sign_in(tenant, "QM", here)
    answer = await qm.post(f"/config/{row.id}:sign", json={"reason": WHY, "signature": PIN})
    assert refused(answer, 403, "permission_missing")
    assert refused(await admin.post(f"/config/{row.id}:withdraw", json={"reason": WHY}), 403, "permission_missing")


async def test_the_keys_say_what_they_are(tenant: TenantRef, sign_in: SignIn) -> None:
    listed = (await (await sign_in(tenant, "QM")).get("/config/keys")).json()
    assert {each["key"] for each in listed} == set(keys.KEYS)
    for each in listed:
        assert keys.check(each["key"], each["default"]) == each["default"]
        assert each["needs_signature"] == each["key"].startswith(("hold.", "ccp.", "retention.", "oee.", "esign."))
        assert each["json_schema"]
        assert each["says"]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(keys.KEYS)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
)
def test_any_value_is_taken_as_it_is_or_refused(key: str, value: Any) -> None:
    read: Any = None
    with contextlib.suppress(Invalid):
        read = keys.check(key, value)
        assert (read, type(read)) == (value, type(value))
    assert read is None or keys.KEYS[key].type.validate_python(read) == value


async def test_a_stored_value_that_no_release_takes_any_more_falls_back(
    database: Database, tenant: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    await a_row(database, tenant, value="rubbish")
    async with database.tenant_session(tenant.id) as db:
        assert await effective(db, "notify.keep_h", database.clock.now()) == 72
    assert "does not fit" in caplog.text
