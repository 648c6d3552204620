"""Break-glass: in the company's sight, for hours, reading only, and over at once when somebody says so."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import TenantState
from server import seed
from server.core import access, audit_check
from server.core.db import postgres
from server.core.db.sessions import Database, TenantRef
from server.core.jobs import Periodic
from server.core.resource import sheets
from server.identity import break_glass, matrix, operators
from server.identity.operators import PlatformUser
from server.identity.platform import BreakGlass
from tests.every.test_routes import ANY_PERSON, ROUTES, codes
from tests.server.conftest import SignIn
from tests.server.core.trail import seal_now
from tests.server.identity.glass import WHY, Platform, a_platform, platform, told
from tests.server.identity.test_tenants import in_state, trail

__all__ = ["platform"]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def settle(app: FastAPI, tenant: TenantRef) -> None:
    (job,) = break_glass.JOBS
    assert isinstance(job, Periodic)
    await job.work(app, tenant)


async def test_who_runs_the_platform_reads_what_an_admin_reads_and_each_request_is_in_the_companys_trail(
    platform: Platform, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    await seed.plant(database, tenant, "P7")
    admin = await sign_in(tenant, "TA")
    opened = await platform.open(tenant, 2)
    assert (opened.status_code, opened.headers["cache-control"]) == (201, "no-store")
    said = opened.json()["access"]
    assert (said["reason"], said["operator_name"], said["ended_at"]) == (WHY, "Pat Admin", None)
    lots = await platform.inside.get("/fsq/lots?limit=3&sort=lot_code")
    assert lots.status_code == 200, lots.text
    assert lots.json()["items"] == (await admin.get("/fsq/lots?limit=3&sort=lot_code")).json()["items"] != []
    lot = lots.json()["items"][0]["id"]
    assert (await platform.inside.get(f"/fsq/lots/{lot}")).status_code == 200
    mine = set((await platform.inside.get("/me/permissions")).json()["permissions"])
    theirs = set((await admin.get("/me/permissions")).json()["permissions"])
    assert mine == {each for each in theirs if each.endswith(".read")}
    rows = await told(database, tenant)
    assert [row.action for row in rows] == ["break_glass.open", *["break_glass.read"] * 3]
    assert {(str(row.entity_id), row.reason, row.actor_type, row.actor_name) for row in rows} == {
        (said["id"], WHY, "platform", "Pat Admin")
    }
    (listed, single) = rows[1].diff, rows[2].diff
    assert (listed["path"], listed["query"]) == ("/api/v1/fsq/lots", "limit=3&sort=lot_code")
    assert (single["path"], single["record"]) == (f"/api/v1/fsq/lots/{lot}", {"record_id": lot})
    noted = await trail(database, tenant.id)
    assert [(row.action, row.reason, row.actor_name) for row in noted] == [
        ("platform.break_glass.open", WHY, "Pat Admin")
    ]


async def test_admins_and_qa_managers_are_told_at_once_and_nobody_else(
    platform: Platform, tenant: TenantRef, sign_in: SignIn
) -> None:
    people = {role: await sign_in(tenant, role) for role in ("TA", "QM", "SV", "OP")}
    opened = await platform.opened(tenant, 3)
    boxes = {role: (await client.get("/notifications")).json()["items"] for role, client in people.items()}
    assert boxes["SV"] == boxes["OP"] == []
    for role in ("TA", "QM"):
        (item,) = boxes[role]
        assert (item["severity"], item["entity_id"]) == ("critical", opened)
        assert "Pat Admin" in item["title"]
        assert "3 h" in item["title"]
        assert WHY in item["body"]


async def test_a_company_that_cannot_be_told_is_not_read(
    platform: Platform, database: Database, tenant: TenantRef
) -> None:
    """The trail of the company is in the way of the opening: then there is no opening."""
    with postgres.connect(database.cluster.owner) as db:
        db.execute(f"ALTER TABLE {tenant.schema}.core_audit_head ADD CONSTRAINT no CHECK (n < 1)".encode())
    assert (await platform.open(tenant)).is_error
    async with database.platform_session() as db:
        assert (await db.scalars(select(BreakGlass).where(BreakGlass.company_id == tenant.id))).all() == []


@pytest.mark.parametrize("hours", [0, 5, -1, 1.5, None])
async def test_it_is_asked_for_one_to_four_hours(platform: Platform, tenant: TenantRef, hours: Any) -> None:
    assert (await platform.open(tenant, hours)).status_code == 422


@pytest.mark.parametrize("reason", ["", "why", "x" * 501, "nul \0 in it"])
async def test_it_is_asked_for_with_a_reason(platform: Platform, tenant: TenantRef, reason: str) -> None:
    assert (await platform.open(tenant, 1, reason)).status_code == 422


async def test_it_ends_by_itself_and_its_tokens_before(
    platform: Platform, app: FastAPI, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    opened = await platform.opened(tenant, 1)
    frozen.at += timedelta(minutes=15)
    assert code(await platform.inside.get("/users")) == (401, "token_expired")
    await platform.enter()
    frozen.at += timedelta(minutes=36)
    await platform.enter()
    answer = await platform.renew(opened)
    assert (answer.status_code, answer.json()["expires_in_s"]) == (200, 9 * 60), "not beyond the hour"
    frozen.at += timedelta(minutes=8, seconds=59)
    assert (await platform.inside.get("/users")).status_code == 200
    frozen.at += timedelta(seconds=1)
    assert (await platform.inside.get("/users")).status_code == 401
    await platform.enter()
    assert code(await platform.renew(opened)) == (401, "break_glass_over")
    for _ in range(2):
        await settle(app, tenant)
    ended = await told(database, tenant, "break_glass.end")
    assert [(row.diff["ended_as"], row.actor_type) for row in ended] == [("time", "system")]
    assert [row.action for row in await trail(database, tenant.id)] == [
        "platform.break_glass.open", "platform.break_glass.end"
    ]  # fmt: skip


async def test_the_hours_are_asked_of_the_row_whatever_the_token_says(
    platform: Platform, app: FastAPI, database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    """A token that lived on after the hour opens nothing all the same."""
    opened = await platform.opened(tenant, 1)
    async with database.platform_session() as db:
        operator = (await db.scalars(select(PlatformUser).where(PlatformUser.email == platform.email))).one()
    frozen.at += timedelta(hours=1)
    request = Request({"type": "http", "app": app})
    claims = {"glass": opened, "epoch": operator.token_epoch}
    text = operators.tokens.issue(
        operators.key_of(request), break_glass.AUDIENCE, operator.id, frozen.now(), 900, **claims
    )
    platform.inside.headers["Authorization"] = f"Bearer {break_glass.MARK}{text}"
    assert code(await platform.inside.get("/users")) == (401, "break_glass_over")


async def test_an_admin_of_the_company_sees_it_and_ends_it_and_the_next_request_is_refused(
    platform: Platform, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    admin, quality, floor = [await sign_in(tenant, role) for role in ("TA", "QM", "OP")]
    opened = await platform.opened(tenant)
    for client in (admin, quality):
        (row,) = (await client.get("/break-glass")).json()
        assert (row["id"], row["operator_name"], row["reason"]) == (opened, "Pat Admin", WHY)
    assert (await floor.get("/break-glass")).status_code == 403
    assert (await platform.inside.get("/users")).status_code == 200
    assert code(await quality.post(f"/break-glass/{opened}:end")) == (403, "permission_missing")
    ended = await admin.post(f"/break-glass/{opened}:end")
    assert (ended.status_code, ended.json()["ended_as"]) == (200, "company")
    assert code(await platform.inside.get("/users")) == (401, "break_glass_over")
    assert code(await platform.renew(opened)) == (401, "break_glass_over")
    assert (await admin.get("/break-glass")).json() == []
    again = await admin.post(f"/break-glass/{opened}:end")
    assert again.json() == ended.json(), "what is over stays as it is"
    (row,) = await told(database, tenant, "break_glass.end")
    assert (row.actor_type, row.diff["ended_as"]) == ("user", "company")
    assert [each.action for each in await trail(database, tenant.id)][-1] == "platform.break_glass.end"


async def test_who_runs_the_platform_ends_it_too(
    platform: Platform, app: FastAPI, database: Database, tenant: TenantRef
) -> None:
    opened = await platform.opened(tenant)
    other = await a_platform(app, database)
    assert code(await other.renew(opened)) == (404, "record_unknown"), "another's is not gone on with"
    ended = await other.own.post(f"/platform/break-glass/{opened}:end")
    assert (ended.status_code, ended.json()["ended_as"]) == (200, "operator")
    assert code(await platform.inside.get("/users")) == (401, "break_glass_over")
    assert code(await platform.own.post(f"/platform/break-glass/{uuid.uuid4()}:end")) == (404, "record_unknown")
    (row,) = await told(database, tenant, "break_glass.end")
    assert (row.actor_type, row.diff["ended_as"]) == ("platform", "operator")
    assert opened in {each["id"] for each in (await platform.own.get("/platform/break-glass")).json()}


async def test_what_time_has_ended_is_ended_by_nobody_else(
    platform: Platform, database: Database, tenant: TenantRef, frozen: FakeClock, sign_in: SignIn
) -> None:
    opened = await platform.opened(tenant, 1)
    frozen.at += timedelta(hours=1, minutes=1)
    admin = await sign_in(tenant, "TA")
    ended = (await admin.post(f"/break-glass/{opened}:end")).json()
    assert (ended["ended_as"], ended["ended_at"]) == ("time", ended["ends_at"])
    async with database.platform_session() as db:
        assert (await db.get_one(BreakGlass, uuid.UUID(opened))).ended_by is None


async def test_one_is_open_at_a_time_and_the_next_after_it(
    platform: Platform, database: Database, two_tenants: tuple[TenantRef, TenantRef], frozen: FakeClock
) -> None:
    mine, other = two_tenants
    answers = await asyncio.gather(*(platform.open(mine) for _ in range(3)))
    assert sorted(map(code, answers)) == [(201, ""), (409, "break_glass_open"), (409, "break_glass_open")]
    assert len(await told(database, mine, "break_glass.open")) == 1
    await platform.opened(other)
    frozen.at += timedelta(hours=4)
    await platform.enter()
    await platform.opened(mine)
    said = [row.action for row in await told(database, mine)]
    assert said == ["break_glass.open", "break_glass.end", "break_glass.open"]


async def test_it_is_of_one_company(
    platform: Platform, database: Database, two_tenants: tuple[TenantRef, TenantRef], sign_in: SignIn
) -> None:
    mine, other = two_tenants
    await seed.plant(database, other, "P7")
    theirs = await sign_in(other, "TA")
    lot = (await theirs.get("/fsq/lots?limit=1")).json()["items"][0]["id"]
    opened = await platform.opened(mine)
    assert (await platform.inside.get("/fsq/lots")).json()["items"] == []
    assert (await platform.inside.get(f"/fsq/lots/{lot}")).status_code == 404
    assert (await platform.inside.get("/tenant")).json()["slug"] == mine.slug
    assert (await theirs.get("/break-glass")).json() == []
    assert code(await theirs.post(f"/break-glass/{opened}:end")) == (404, "record_unknown")
    assert (await platform.inside.get("/users")).status_code == 200
    assert await told(database, other) == []


async def test_a_token_of_the_platform_opens_no_data_and_one_of_break_glass_no_platform(
    platform: Platform, tenant: TenantRef
) -> None:
    await platform.opened(tenant)
    own = platform.own.headers["Authorization"].removeprefix("Bearer ")
    bare = platform.token.removeprefix(break_glass.MARK)
    for text in (own, break_glass.MARK + own, bare, break_glass.MARK):
        answer = await platform.inside.get("/users", headers={"Authorization": f"Bearer {text}"})
        assert code(answer) == (401, "token_bad"), text
    for text in (platform.token, bare):
        for path in ("/tenants", "/platform/break-glass"):
            answer = await platform.own.get(path, headers={"Authorization": f"Bearer {text}"})
            assert code(answer) == (401, "token_bad")


@pytest.mark.parametrize("change", ["disabled_at", "token_epoch"])
async def test_it_is_over_with_the_account(
    platform: Platform, database: Database, tenant: TenantRef, change: str
) -> None:
    await platform.opened(tenant)
    async with database.platform_session() as db:
        user = (await db.scalars(select(PlatformUser).where(PlatformUser.email == platform.email))).one()
        setattr(user, change, database.clock.now() if change == "disabled_at" else 7)
    assert code(await platform.inside.get("/users")) == (401, "token_bad")


@pytest.mark.parametrize("state", [each for each in TenantState if each is not TenantState.active])
async def test_of_a_company_that_is_not_active_nothing_is_read(
    platform: Platform, app: FastAPI, database: Database, tenant: TenantRef, state: TenantState
) -> None:
    opened = await platform.opened(tenant)
    await in_state(database, tenant, state)
    assert code(await platform.inside.get("/users")) == (401, "token_bad")
    other = await a_platform(app, database)
    assert code(await other.open(tenant)) == (409, "break_glass_closed")
    ended = await platform.own.post(f"/platform/break-glass/{opened}:end")
    assert ended.json()["ended_as"] == "operator"


async def test_what_an_admin_does_not_read_nobody_reads_for_them(
    platform: Platform, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    await seed.plant(database, tenant, "P7")
    quality = await sign_in(tenant, "QM")
    lot = (await quality.get("/fsq/lots?limit=1")).json()["items"][0]["id"]
    for visibility in ("plant", "qa_only"):
        note = {"entity": "fsq.lot", "entity_id": lot, "kind": "comment", "body": "Seen", "visibility": visibility}
        assert (await quality.post("/notes", json=note)).status_code == 201
    await platform.opened(tenant)
    seen = [{each["visibility"] for each in (await client.get("/notes")).json()["items"]}
            for client in (quality, platform.inside)]  # fmt: skip
    assert seen == [{"plant", "qa_only"}, {"plant"}]
    assert all("hash" not in name for name in (await platform.inside.get("/users")).json()["items"][0])


async def test_no_sheet_leaves_and_no_screen_opens(platform: Platform, database: Database, tenant: TenantRef) -> None:
    await seed.plant(database, tenant, "P7")
    await platform.opened(tenant)
    for path in ("/fsq/lots", "/fsq/trace-links", "/audit"):
        for form in (sheets.CSV, sheets.XLSX):
            answer = await platform.inside.get(path, headers={"Accept": form})
            assert code(answer) == (403, "permission_missing"), path
    assert code(await platform.inside.post("/ws/ticket")) == (403, "read_only")
    assert code(await platform.inside.get("/me")) == (403, "person_needed")


def asked(path: str) -> str:
    return "/".join(
        str(uuid.UUID(int=7)) + part.partition("}")[2] if part.startswith("{") else part
        for part in path.removeprefix("/api/v1").split("/")
    )


OF_A_COMPANY = sorted(
    (path, method, next(codes(route.dependant), ""))
    for path, route in ROUTES
    for method in route.methods or ()
    if path not in access.PUBLIC
    and path != "/api/v1/openapi.json"
    and (path in ANY_PERSON or any(not each.startswith("platform.") for each in codes(route.dependant)))
)


async def test_every_route_of_a_company_is_read_and_noted_or_refused(
    platform: Platform, database: Database, tenant: TenantRef
) -> None:
    """What writes is refused before it is looked at; what an admin may read is answered; both are in the trail."""
    await platform.opened(tenant)
    readable = {each for each in matrix.grants("TA", matrix.declared()) if each.endswith(".read")}
    wrong, expected = [], []
    for path, method, needed in OF_A_COMPANY:
        answer = await platform.inside.request(method, asked(path), json=None if method == "GET" else {})
        refused = answer.json()["code"] if answer.status_code == 403 else ""
        if method != "GET":
            wanted = refused == "read_only"
        elif not needed and path != "/api/v1/me/permissions":
            wanted = refused == "person_needed"
        elif needed in readable or not needed:
            wanted = answer.status_code in (200, 404, 422)
        else:
            wanted = refused == "permission_missing"
        if not wanted:
            wrong.append((method, path, answer.status_code, answer.text[:200]))
        expected.append((method, f"/api/v1{asked(path)}"))
    assert wrong == []
    rows = [row for row in await told(database, tenant) if row.action != "break_glass.open"]
    assert [(row.diff["method"], row.diff["path"]) for row in rows] == expected
    assert {row.action for row in rows if row.diff["method"] == "GET"} == {"break_glass.read"}
    assert {row.action for row in rows if row.diff["method"] != "GET"} == {"break_glass.refused"}
    assert len(expected) > 200


async def test_what_cannot_be_noted_is_not_read(platform: Platform, database: Database, tenant: TenantRef) -> None:
    await platform.opened(tenant)
    assert (await platform.inside.get("/users")).status_code == 200
    with postgres.connect(database.cluster.owner) as db:
        db.execute(f"ALTER TABLE {tenant.schema}.core_audit_head ADD CONSTRAINT no CHECK (n < 1) NOT VALID".encode())
    assert (await platform.inside.get("/users")).is_error


async def test_it_is_read_through_the_login_that_cannot_write(
    platform: Platform, app: FastAPI, database: Database, tenant: TenantRef
) -> None:
    await platform.opened(tenant)
    headers = [(b"authorization", platform.inside.headers["Authorization"].encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "app": app, "query_string": b"",
             "server": ("hub", 443), "scheme": "https"}  # fmt: skip
    actor = await break_glass.authenticate(Request(scope), platform.token)
    assert actor.reads_only
    assert (actor.tenant_id, actor.session_id, actor.device_id) == (tenant.id, None, None)
    async with database.tenant_session(tenant.id, actor) as db:
        login = await db.scalar(select(func.current_user()))
    assert login == postgres.reader(tenant.schema)


async def test_a_person_of_the_company_is_nobody_there(sign_in: SignIn, tenant: TenantRef) -> None:
    admin = await sign_in(tenant, "TA")
    body = {"tenant_id": str(tenant.id), "reason": WHY, "hours": 1}
    assert (await admin.post("/platform/break-glass", json=body)).status_code == 401
    assert (await admin.get("/platform/break-glass")).status_code == 401
    for verb in ("token", "end"):
        assert (await admin.post(f"/platform/break-glass/{uuid.uuid4()}:{verb}")).status_code == 401


async def a_row(platform: Platform, database: Database, tenant: TenantRef, **over: Any) -> dict[str, Any]:
    now = database.clock.now()
    async with database.platform_session() as db:
        operator = (await db.scalars(select(PlatformUser.id).where(PlatformUser.email == platform.email))).one()
    return {"id": new_id(now), "company_id": tenant.id, "operator_id": operator, "reason": WHY, "opened_at": now,
            "ends_at": now + timedelta(hours=4)} | over  # fmt: skip


@pytest.mark.parametrize(
    ("constraint", "over"),
    [
        ("four_hours", {"ends_at": timedelta(hours=4, microseconds=1)}),
        ("four_hours", {"ends_at": timedelta()}),
        ("reason", {"reason": "why"}),
        ("reason", {"reason": "x" * 501}),
        ("ended", {"ended_at": timedelta(hours=1)}),
        ("ended", {"ended_as": "time"}),
        ("ended", {"ended_at": timedelta(hours=5), "ended_as": "time"}),
        ("ended_as", {"ended_at": timedelta(hours=1), "ended_as": "nobody"}),
    ],
)
async def test_the_database_refuses_what_no_access_may_be(
    platform: Platform, database: Database, tenant: TenantRef, constraint: str, over: dict[str, Any]
) -> None:
    now = database.clock.now()
    given = {name: now + value if isinstance(value, timedelta) else value for name, value in over.items()}
    row = await a_row(platform, database, tenant, **given)
    with pytest.raises(IntegrityError, match=f'"ck_break_glass_{constraint}"'):
        async with database.platform_session() as db:
            db.add(BreakGlass(**row))


async def test_the_database_has_one_open_of_somebody_at_a_company(
    platform: Platform, database: Database, tenant: TenantRef
) -> None:
    await platform.opened(tenant)
    with pytest.raises(IntegrityError, match="uq_break_glass_open"):
        async with database.platform_session() as db:
            db.add(BreakGlass(**await a_row(platform, database, tenant)))


async def test_a_row_is_ended_once_and_neither_changed_nor_deleted(
    platform: Platform, database: Database, tenant: TenantRef
) -> None:
    opened = await platform.opened(tenant, 1)
    table = "platform.break_glass"
    changes = ("reason = 'another reason'", "ends_at = ends_at + interval '1 hour'", "operator_id = operator_id",
               "opened_at = opened_at - interval '1 hour'")  # fmt: skip
    end = "ended_at = ends_at, ended_as = 'time'"
    with postgres.connect(database.cluster.owner) as db:
        for change in (*changes, f"{end}, reason = 'another reason'", f"{end}, ends_at = ends_at + interval '1 hour'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ended"):
                db.execute(f"UPDATE {table} SET {change} WHERE id = '{opened}'".encode())
        db.execute(f"UPDATE {table} SET {end} WHERE id = '{opened}'".encode())
        for statement in (
            f"UPDATE {table} SET ended_as = 'company' WHERE id = '{opened}'",
            f"UPDATE {table} SET ended_at = NULL, ended_as = NULL WHERE id = '{opened}'",
            f"DELETE FROM {table} WHERE id = '{opened}'",
            f"TRUNCATE {table}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ended"):
                db.execute(statement.encode())


async def test_the_login_of_the_platform_may_not_delete_one(database: Database) -> None:
    """After each start: the rights on all tables are given anew, and these are taken again."""
    postgres.prepare(database.cluster.owner, database.cluster)
    with postgres.connect(database.cluster.url(postgres.PLATFORM)) as db:
        for statement in (b"DELETE FROM break_glass", b"TRUNCATE break_glass"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                db.execute(statement)


async def test_the_trail_stands_after_it(platform: Platform, database: Database, tenant: TenantRef) -> None:
    await platform.opened(tenant)
    await platform.inside.get("/users")
    await platform.inside.get("/audit")
    assert [row.action for row in await told(database, tenant, "core.audit.read")] == ["core.audit.read"]
    assert await seal_now(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        assert (await audit_check.verify(db, [])).finding is None
