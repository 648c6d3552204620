"""The registry over HTTP: only who runs the platform gets in, and each move is a row nobody changes."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Invalid, NotAllowed, Refused
from foodflow_kernel.machines import TENANT
from foodflow_kernel.machines.identity import TenantState
from server.core.db import parcel, postgres
from server.core.db.registry import Tenant
from server.core.db.sessions import Database, TenantRef
from server.identity import operators
from server.identity.operators import PlatformAudit, PlatformUser
from tests.server.conftest import SignIn

PASSWORD = "four grey herons wait"  # noqa: S105  # of accounts that live for one test


async def an_operator(database: Database) -> str:
    email = f"pa-{secrets.token_hex(4)}@example.org"
    async with database.platform_session() as db:
        await operators.add(db, database.clock, email, "Pat Admin", PASSWORD)
    return email


@pytest_asyncio.fixture(loop_scope="session")
async def operator(anonymous: httpx.AsyncClient, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """A client that an administrator of the platform is signed in at."""
    email = await an_operator(database)
    answer = await anonymous.post("/platform/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    anonymous.headers.update({"Authorization": f"Bearer {answer.json()['access_token']}", "From": email})
    yield anonymous
    del anonymous.headers["Authorization"]


async def trail(database: Database, tenant_id: uuid.UUID | str) -> list[PlatformAudit]:
    question = select(PlatformAudit).where(PlatformAudit.subject_id == tenant_id).order_by(PlatformAudit.seq)
    async with database.platform_session() as db:
        return list((await db.scalars(question)).all())


async def in_state(database: Database, tenant: TenantRef, state: TenantState) -> None:
    async with database.platform_session() as db:
        (await db.get_one(Tenant, tenant.id)).state = state
    database.registry.forget(tenant.id)


REASON = {"reason": "the bill is not paid"}


async def test_a_company_is_made_changed_and_listed_by_the_platform(
    operator: httpx.AsyncClient, database: Database
) -> None:
    slug = f"made_{secrets.token_hex(3)}"
    new = {"slug": slug, "legal_name": "Made Foods", "gs1_company_prefix": "950110", "default_tz": "Europe/Berlin",
           "country": "DE", "currency": "EUR", "regimes": ["eu", "fsma204"]}  # fmt: skip
    answer = await operator.post("/tenants", json=new)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["state"], made["regimes"]) == ("active", ["eu", "fsma204"])
    assert made["schema_revision"]
    assert (await operator.post("/tenants", json=new)).json()["code"] == "tenant_exists"
    path = f"/tenants/{made['id']}"
    assert (await operator.patch(path, json={"legal_name": "Other"})).status_code == 428
    assert (await operator.patch(path, json={"legal_name": "O"}, headers={"If-Match": '"9"'})).status_code == 412
    changed = await operator.patch(path, json={"legal_name": "Other Foods"}, headers={"If-Match": '"1"'})
    assert (changed.json()["legal_name"], changed.json()["version"]) == ("Other Foods", 2)
    for wrong, code in (({"default_tz": "Mars/Base"}, "time_zone_unknown"), ({"currency": None}, "field_missing")):
        assert (await operator.patch(path, json=wrong, headers={"If-Match": '"2"'})).json()["code"] == code
    assert (await operator.get(path)).json()["legal_name"] == "Other Foods"
    for never in ("slug", "schema_name", "state"):
        assert (await operator.patch(path, json={never: "t_x"}, headers={"If-Match": '"2"'})).status_code == 422
    found, after = [], ""
    while True:
        page = (await operator.get("/tenants", params={"after": after, "limit": 3})).json()
        found += [each["slug"] for each in page["items"]]
        if not (after := page["next"]):
            break
    assert found == sorted(found)
    assert slug in found
    rows = await trail(database, made["id"])
    assert [row.action for row in rows] == ["platform.tenant.create", "platform.tenant.update"]
    assert rows[1].diff == {"legal_name": ["Made Foods", "Other Foods"]}
    assert rows[1].actor_name == "Pat Admin"


@pytest.mark.parametrize("move", sorted({move for _, move in TENANT.moves}))
@pytest.mark.parametrize("state", TenantState)
async def test_a_move_is_made_and_noted_or_refused_and_not(  # fixtures
    operator: httpx.AsyncClient,
    app: FastAPI,
    database: Database,
    tenant: TenantRef,
    state: TenantState,
    move: str,
    tmp_path: Path,
) -> None:
    await in_state(database, tenant, state)
    settings = app.state.settings
    app.state.settings = settings.model_copy(update={"data_folder": tmp_path})
    try:
        answer = await operator.post(f"/tenants/{tenant.id}:{move}", json=REASON)
    finally:
        app.state.settings = settings
    rows = await trail(database, tenant.id)
    after = TENANT.moves.get((state, move))
    if after is None or (state, move) == (TenantState.provisioning, "activate"):
        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_move")
        assert rows == []
    else:
        assert (answer.status_code, answer.json()["state"]) == (200, after)
        assert (rows[0].action, rows[0].reason) == (f"platform.tenant.{move}", REASON["reason"])
        assert rows[0].diff == {"state": [state, after]}
    async with database.platform_session() as db:
        assert (await db.get_one(Tenant, tenant.id)).state is (after if answer.is_success else state)
    assert (await database.tenant(tenant.id)).state is (after if answer.is_success else state)


async def test_a_company_that_is_archived_is_in_a_file_and_its_role_is_locked_out(
    operator: httpx.AsyncClient, app: FastAPI, database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    await in_state(database, tenant, TenantState.offboarding)
    settings = app.state.settings
    broken = tmp_path / "a file"
    broken.write_text("")
    try:
        app.state.settings = settings.model_copy(update={"data_folder": broken})
        assert (await operator.post(f"/tenants/{tenant.id}:archive", json=REASON)).status_code == 500
        assert (await database.tenant(tenant.id)).state is TenantState.offboarding, "it left without its file"
        app.state.settings = settings.model_copy(update={"data_folder": tmp_path})
        assert (await operator.post(f"/tenants/{tenant.id}:archive", json=REASON)).status_code == 200
    finally:
        app.state.settings = settings
    with parcel.opened(tmp_path / "exports" / f"{tenant.slug}.export") as (_, manifest):
        assert manifest.tenant.slug == tenant.slug
    with postgres.connect(database.cluster.owner) as db:
        login = db.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (tenant.schema,)).fetchone()
    assert login == (False,)
    said = [row.action.rpartition(".")[2] for row in await trail(database, tenant.id)]
    assert said == ["archive", "archive_failed", "archive", "export"]


ROUTES = [("GET", "/tenants"), ("POST", "/tenants"), ("GET", "/tenants/{id}"), ("PATCH", "/tenants/{id}")] + [
    ("POST", f"/tenants/{{id}}:{move}") for move in ("suspend", "activate", "offboard", "archive")
]


async def test_an_administrator_of_the_platform_has_what_the_matrix_grants_and_no_more(
    operator: httpx.AsyncClient, app: FastAPI
) -> None:
    """Asked of the guard itself: no route of the platform asks for more than they have."""
    headers = [(b"authorization", operator.headers["Authorization"].encode())]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers, "app": app})
    await operators.Needs("platform.tenant.read")(request)
    for code in ("fsq.lot.release", "core.plant.read"):
        with pytest.raises(NotAllowed, match="permission_missing"):
            await operators.Needs(code)(request)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_companys_person_is_nobody_at_the_platform(
    sign_in: SignIn, anonymous: httpx.AsyncClient, tenant: TenantRef, method: str, path: str
) -> None:
    admin = await sign_in(tenant, "TA")
    for client in (admin, anonymous):
        answer = await client.request(method, path.format(id=tenant.id), json={})
        assert answer.status_code in {401, 422}, answer.text
        assert answer.status_code == 401 or answer.json()["code"] == "request_invalid"
    answer = await admin.request(method, path.format(id=tenant.id), json=REASON, headers={"If-Match": '"1"'})
    assert answer.status_code == 401 or path == "/tenants"


async def test_a_company_that_there_is_not_is_said_to_be_none(operator: httpx.AsyncClient) -> None:
    path = f"/tenants/{uuid.uuid4()}"
    for answer in (
        await operator.get(path),
        await operator.post(f"{path}:suspend", json=REASON),
        await operator.patch(path, json={"legal_name": "O"}, headers={"If-Match": '"1"'}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "tenant_unknown")


async def test_a_platform_administrator_is_nobody_in_a_company(operator: httpx.AsyncClient) -> None:
    for path in ("/me", "/users", "/tenant", "/fsq/lots"):
        assert (await operator.get(path)).status_code in {401, 404}, path


async def test_a_tenants_admin_reads_the_entry_of_the_own_company_only(sign_in: SignIn, tenant: TenantRef) -> None:
    admin, floor = await sign_in(tenant, "TA"), await sign_in(tenant, "OP")
    assert (await admin.get("/tenant")).json()["slug"] == tenant.slug
    assert (await floor.get("/tenant")).status_code == 403


async def test_five_wrong_passwords_lock_and_the_answer_never_says_why(
    anonymous: httpx.AsyncClient, database: Database, frozen: FakeClock
) -> None:
    email = await an_operator(database)

    async def tried(name: str, password: str) -> dict[str, Any]:
        answer = await anonymous.post("/platform/login", json={"email": name, "password": password})
        return {"status": answer.status_code} | {k: v for k, v in answer.json().items() if k in ("code", "detail")}

    wrong = await tried(email, "wrong")
    assert wrong["status"] == 401
    assert await tried("nobody@example.org", "wrong") == wrong
    assert await tried("nul\0@example.org", "wrong") == wrong
    for _ in range(4):
        await tried(email, "wrong")
    assert await tried(email, PASSWORD) == wrong
    frozen.at += timedelta(minutes=15, seconds=1)
    assert (await tried(email.upper(), PASSWORD))["status"] == 200
    async with database.platform_session() as db:
        user = (await db.scalars(select(PlatformUser).where(PlatformUser.email == email))).one()
    said = [row.action for row in await trail(database, user.id)]
    assert said.count("platform.auth.login_failed") == 6
    assert said[-1] == "platform.auth.login"


@pytest.mark.parametrize("change", ["disabled_at", "token_epoch"])
async def test_a_token_ends_with_the_account(operator: httpx.AsyncClient, database: Database, change: str) -> None:
    assert (await operator.get("/tenants")).status_code == 200
    async with database.platform_session() as db:
        user = (await db.scalars(select(PlatformUser).where(PlatformUser.email == operator.headers["From"]))).one()
        setattr(user, change, database.clock.now() if change == "disabled_at" else 7)
    assert (await operator.get("/tenants")).status_code == 401


async def test_a_token_is_good_for_a_quarter_of_an_hour(operator: httpx.AsyncClient, frozen: FakeClock) -> None:
    frozen.at += timedelta(minutes=15, seconds=1)
    assert (await operator.get("/tenants")).json()["code"] == "token_expired"


async def test_the_platforms_audit_is_never_changed(operator: httpx.AsyncClient, database: Database) -> None:
    assert operator.headers["Authorization"]
    for statement in (
        "UPDATE platform_audit SET action = 'x'",
        "DELETE FROM platform_audit",
        "TRUNCATE platform_audit",
    ):
        with pytest.raises(DBAPIError, match="denied"):
            async with database.platform_session() as db:
                await db.execute(text(statement))
        with postgres.connect(database.cluster.owner) as owner, pytest.raises(Exception, match="never changed"):
            owner.execute(statement.replace("platform_audit", "platform.platform_audit").encode())


async def test_an_administrator_needs_an_address_and_a_password_that_is_none_of_the_first(database: Database) -> None:
    email = await an_operator(database)
    for name, password, error in (
        (email.upper(), PASSWORD, Refused),
        ("nobody", PASSWORD, Invalid),
        ("a@example.org", "short", Invalid),
    ):
        with pytest.raises(error):
            async with database.platform_session() as db:
                await operators.add(db, database.clock, name, "Pat", password)
