"""What must always be on record (identity and core, section 5), and who may read it."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from server import serving
from server.app import JOBS
from server.core import audit, migrations
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from tests.server.conftest import PASSWORD, SignIn, a_plant, a_user
from tests.server.core.test_esign import a_hold, release, sign
from tests.server.core.trail import superuser, write_rows


async def on_record(database: Database, tenant: TenantRef) -> list[AuditRow]:
    async with database.tenant_session(tenant.id) as db:
        return list(await db.scalars(select(AuditRow).order_by(AuditRow.seq)))


Scene = Callable[[Database, TenantRef, SignIn, httpx.AsyncClient], Awaitable[object]]


async def _wrong_password(database: Database, tenant: TenantRef, _sign_in: SignIn, door: httpx.AsyncClient) -> None:
    badge = await a_user(database, tenant, "OP")
    for _ in range(6):
        await door.post("/auth/login", json={"tenant": tenant.slug, "login": badge, "password": "wrong"})


async def _used_token(database: Database, tenant: TenantRef, _sign_in: SignIn, door: httpx.AsyncClient) -> None:
    badge = await a_user(database, tenant, "OP")
    given = {"tenant": tenant.slug, "login": badge, "password": PASSWORD}
    token = (await door.post("/auth/login", json=given)).json()["refresh_token"]
    for _ in range(2):
        await door.post("/auth/refresh", json={"refresh_token": token})


async def _release(database: Database, tenant: TenantRef, sign_in: SignIn, _door: httpx.AsyncClient) -> None:
    client, hold = await sign_in(tenant, "QM"), await a_hold(database, tenant)
    await sign(client, hold, credentials={"password": "wrong"})
    given = (await sign(client, hold)).json()["esign_id"]
    assert (await release(client, hold, esign_id=given)).status_code == 200


async def _export(_database: Database, tenant: TenantRef, sign_in: SignIn, _door: httpx.AsyncClient) -> None:
    client = await sign_in(tenant, "QM")
    assert (await client.get("/audit", headers={"Accept": "text/csv"})).status_code == 200


async def _read(_database: Database, tenant: TenantRef, sign_in: SignIn, _door: httpx.AsyncClient) -> None:
    client = await sign_in(tenant, "AU")
    assert (await client.get("/audit")).status_code == 200
    assert (await client.get("/audit/verify")).status_code == 200


async def _line(database: Database, tenant: TenantRef, sign_in: SignIn, _door: httpx.AsyncClient) -> None:
    plant = await a_plant(database, tenant)
    client = await sign_in(tenant, "TA")
    new = {"plant_id": str(plant), "code": "L1", "name": "Line 1", "kind": "fill"}
    made = await client.post("/plant-ops/lines", json=new)
    assert made.status_code == 201, made.text
    where = f"/plant-ops/lines/{made.json()['id']}"
    assert (await client.patch(where, json={"area": "Hall 2"}, headers={"If-Match": '"1"'})).status_code == 200
    assert (await client.delete(where, headers={"If-Match": '"2"'})).status_code == 204


async def _disable(database: Database, tenant: TenantRef, sign_in: SignIn, _door: httpx.AsyncClient) -> None:
    client = await sign_in(tenant, "TA")
    await a_user(database, tenant, "OP")
    users = (await client.get("/users", params={"q": "OP"})).json()["items"]
    await client.post(f"/users/{users[0]['id']}:disable", json={"reason": "left the company"})


async def _migrate(database: Database, tenant: TenantRef, _sign_in: SignIn, _door: httpx.AsyncClient) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await migrations.note(db, "0004")


ALWAYS: dict[Scene, set[str]] = {
    _wrong_password: {"auth.login_failed", "auth.login_locked"},
    _used_token: {"auth.login", "auth.token_reused"},
    _release: {"esign.failed", "esign.signed", "fsq.hold.release"},
    _export: {"core.audit.export"},
    _read: {"core.audit.read", "core.audit.verify"},
    _line: {"plant_ops.line.create", "plant_ops.line.update", "plant_ops.line.retire"},
    _disable: {"identity.user.disable"},
    _migrate: {"core.schema.migrate"},
}
"""What happens, and what must then be on record. What terminals bring: tests/server/sync/test_audited.py."""


@pytest.mark.parametrize("scene", ALWAYS, ids=lambda each: each.__name__)
async def test_it_is_on_record(
    database: Database, tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient, scene: Scene
) -> None:
    await scene(database, tenant, sign_in, anonymous)
    assert {row.action for row in await on_record(database, tenant)} >= ALWAYS[scene]


async def test_a_change_of_master_data_says_before_after_who_where_and_from_where(
    database: Database, tenant: TenantRef, sign_in: SignIn, anonymous: httpx.AsyncClient
) -> None:
    await _line(database, tenant, sign_in, anonymous)
    made, changed, _retired = (row for row in await on_record(database, tenant) if row.entity == "plant_ops.line")
    assert made.diff["code"] == "L1"
    assert changed.diff == {"area": [made.diff["area"], "Hall 2"]}
    assert (changed.plant_id, changed.ip) == (uuid.UUID(made.diff["plant_id"]), "127.0.0.1")
    assert changed.request_id is not None
    assert changed.actor_type == "user"


async def test_the_command_line_puts_a_migration_on_record_once(database: Database, tenant: TenantRef) -> None:
    with superuser(database, tenant) as admin:
        (head,) = admin.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    done = await serving.bring_up(database)
    assert head in {each.before for each in done if each.schema == tenant.schema}
    assert "core.schema.migrate" not in {row.action for row in await on_record(database, tenant)}


# --- reading ------------------------------------------------------------------------------------


async def test_the_list_is_newest_first_and_pages_without_a_gap(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "TA")
    await write_rows(database, tenant, 5)
    seen: list[int] = []
    after: dict[str, str] = {}
    while True:
        page = (await client.get("/audit", params={"entity": "test.row", "limit": 2} | after)).json()
        seen += [item["seq"] for item in page["items"]]
        assert len(seen) <= 5
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 5


async def test_the_list_is_narrowed_by_each_of_its_filters(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    client = await sign_in(tenant, "TA")
    me = (await client.get("/me")).json()["id"]
    await write_rows(database, tenant, 2)
    now = database.clock.now().isoformat()

    async def found(**asked: str) -> list[str]:
        answer = await client.get("/audit", params=asked)
        assert answer.status_code == 200, answer.text
        return sorted({item["action"] for item in answer.json()["items"]})

    assert await found(entity="test.row") == ["test.row.write"]
    assert await found(action="auth.login") == ["auth.login"]
    assert "auth.login" in await found(actor=me)
    assert "test.row.write" not in await found(actor=me)
    assert await found(entity_id=me) == ["auth.login"]
    assert await found(to=now) == []
    assert "test.row.write" in await found(**{"from": now})


@pytest.mark.parametrize(
    "asked",
    [{"after": "x"}, {"after": "\u0663"}, {"after": "9" * 20}, {"actor": "me"}, {"from": "today"},
     {"from": "2026-11-28T00:00:00"}, {"entity": "\0"}, {"entity": "x" * 101}, {"limit": "0"}, {"limit": "201"},
     {"fields": "seq"}, {"filter[entity][eq]": "test.row"}],
)  # fmt: skip
async def test_a_question_that_cannot_be_answered_is_a_422(
    tenant: TenantRef, sign_in: SignIn, asked: dict[str, str]
) -> None:
    client = await sign_in(tenant, "TA")
    for form in ("application/json", "text/csv"):
        answer = await client.get("/audit", params=asked, headers={"Accept": form})
        assert answer.status_code == 422, answer.text


async def test_a_supervisor_reads_only_the_rows_of_their_plant(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    async with database.tenant_session(tenant.id) as db:
        for plant in (here, there, None):
            audit.write(db, system(tenant.id), "test.row", "test", None, plant_id=plant)
    client = await sign_in(tenant, "SV", here)
    items = (await client.get("/audit", params={"action": "test.row"})).json()["items"]
    assert [item["plant_id"] for item in items] == [str(here)]
    refused = await client.get("/audit/verify")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    assert (await client.get("/audit", headers={"Accept": "text/csv"})).status_code == 403


async def test_another_company_sees_nothing(
    database: Database, two_tenants: tuple[TenantRef, TenantRef], sign_in: SignIn
) -> None:
    mine, other = two_tenants
    await write_rows(database, mine, 1)
    client = await sign_in(other, "TA")
    assert (await client.get("/audit", params={"entity": "test.row"})).json()["items"] == []


async def test_who_has_no_right_reads_nothing(tenant: TenantRef, sign_in: SignIn) -> None:
    client = await sign_in(tenant, "OP")
    for path in ("/audit", "/audit/verify"):
        assert (await client.get(path)).status_code == 403


async def test_the_export_has_every_row_and_no_formula(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    client = await sign_in(tenant, "QM")
    async with database.tenant_session(tenant.id) as db:
        audit.write(db, system(tenant.id, "=1+1"), "test.row", "test", None, reason="@SUM(A1)")
    answer = await client.get("/audit", headers={"Accept": "text/csv"}, params={"action": "test.row"})
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["actor_name"], row["reason"]) == ("'=1+1", "'@SUM(A1)")
    assert len(row) == len(AuditRow.__table__.columns)


async def test_verify_names_the_first_bad_row(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    client = await sign_in(tenant, "AU")
    await write_rows(database, tenant, 4)
    good = (await client.get("/audit/verify")).json()
    assert (good["holds"], good["first_bad_seq"], good["detail"]) == (True, None, None)
    with superuser(database, tenant) as admin:
        admin.execute("UPDATE core_audit SET reason = 'x' WHERE seq >= 3")
    bad = (await client.get("/audit/verify")).json()
    assert (bad["holds"], bad["first_bad_seq"], bad["first_bad_seal"], bad["what"]) == (False, 3, None, "row_changed")


async def test_the_sealer_of_the_application_seals_and_makes_months(
    app: FastAPI, tenant: TenantRef, sign_in: SignIn, tmp_path: Path
) -> None:
    jobs, before = {job.name: job for job in JOBS}, app.state.settings
    assert jobs["core.audit.seal"].every_s == 60
    client = await sign_in(tenant, "AU")
    app.state.settings = before.model_copy(update={"data_folder": tmp_path})
    try:
        for name in ("core.audit.seal", "core.audit.months"):
            await jobs[name].work(app, tenant)
        good = (await client.get("/audit/verify")).json()
    finally:
        app.state.settings = before
    assert (good["holds"], good["seals"], good["anchors"]) == (True, 1, 1)
