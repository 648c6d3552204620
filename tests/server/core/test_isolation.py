"""No session of one company is ever handed to another: under load, after failures, from leaked contexts."""

from __future__ import annotations

import asyncio
import random
import secrets

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foodflow_kernel.clock import FakeClock
from server.core.actor import system
from server.core.db import postgres
from server.core.db.sessions import Database, TenantRef, current_tenant
from server.core.jobs import Periodic, round_of
from server.core.later import Later
from tests.conftest import a_tenant
from tests.server.conftest import SignIn, a_plant

WHOSE = text("SELECT current_user, session_user, current_setting('search_path'), current_schema()")


def own(tenant: TenantRef) -> tuple[str, ...]:
    return tenant.schema, tenant.schema, f"{tenant.schema}, public", tenant.schema


@pytest.mark.parametrize("seed", range(3))
async def test_under_load_each_session_is_of_its_own_tenant_while_engines_open_and_close(
    database: Database, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # a choice that can be repeated
    tenants = [await a_tenant(database, f"iso{number}") for number in range(4)]
    small = Database(database.cluster, FakeClock(), max_connections=3, max_engines=2)
    seen: dict[str, int] = {}

    async def visit(tenant: TenantRef, fault: str) -> None:
        # What the context says is of somebody else: the session must not care.
        current_tenant.set(chance.choice(tenants).id)
        async with small.tenant_session(tenant.id, system(tenant.id)) as db:
            assert tuple((await db.execute(WHOSE)).one()) == own(tenant)
            if fault == "sql":
                await db.execute(text("SELECT * FROM no_such_table"))
            if fault == "bug":
                raise RuntimeError("a bug in a request")
            if fault == "path":
                await db.execute(text("SELECT set_config('search_path', 'public', false)"))
                raise RuntimeError("after it changed its path")
            if fault == "cancel":
                await asyncio.sleep(60)
            await asyncio.sleep(0)
            assert tuple((await db.execute(WHOSE)).one()) == own(tenant)
            seen[tenant.slug] = seen.get(tenant.slug, 0) + 1

    async def worker() -> None:
        for _ in range(20):
            tenant, fault = chance.choice(tenants), chance.choice(["", "", "", "sql", "bug", "path", "cancel"])
            task = asyncio.create_task(visit(tenant, fault))
            if fault == "cancel":
                await asyncio.sleep(chance.random() / 50)
                task.cancel()
            if chance.random() < 0.1:
                await small.forget(chance.choice(tenants))
            (answer,) = await asyncio.gather(task, return_exceptions=True)
            assert answer is None or isinstance(answer, DBAPIError | RuntimeError | asyncio.CancelledError), answer

    try:
        await asyncio.gather(*(worker() for _ in range(6)))
        assert len(seen) == len(tenants)
        assert small.connections().busy == 0, "a connection was never given back"
    finally:
        await small.close()


async def test_work_after_an_answer_and_jobs_stay_with_their_tenant(
    app: FastAPI, database: Database, two_tenants: tuple[TenantRef, TenantRef]
) -> None:
    first, second = two_tenants
    whose: list[tuple[str, str]] = []

    async def look(_app: FastAPI, tenant: TenantRef) -> None:
        async with database.tenant_session() as db:
            whose.append((tenant.schema, str(await db.scalar(text("SELECT current_user")))))

    later = Later()
    for tenant in two_tenants:
        current_tenant.set(tenant.id)
        later.start(look(app, tenant))
    current_tenant.set(first.id)
    await round_of(app, Periodic("test.look", 60, look))
    assert current_tenant.get() == first.id, "the round left another tenant behind"
    current_tenant.set(None)
    await later.finish()
    assert {first.schema, second.schema} <= {tenant for tenant, _ in whose}
    assert [pair for pair in whose if pair[0] != pair[1]] == []


async def test_a_request_does_not_inherit_a_tenant(
    sign_in: SignIn, database: Database, two_tenants: tuple[TenantRef, TenantRef]
) -> None:
    first, second = two_tenants
    await a_plant(database, first, "A1")
    await a_plant(database, second, "B1")
    client = await sign_in(second, "TA")
    current_tenant.set(first.id)
    try:
        assert (await client.get("/me")).json()["tenant"] == second.slug
        assert [each["code"] for each in (await client.get("/plants")).json()["items"]] == ["B1"]
        client.headers.pop("Authorization")
        assert (await client.get("/plants")).status_code == 401
    finally:
        current_tenant.set(None)


async def test_who_was_given_nothing_reaches_nothing(database: Database) -> None:
    nobody = f"nobody_{secrets.token_hex(4)}"
    with postgres.connect(database.cluster.owner) as db:
        db.execute(f"CREATE ROLE {nobody}".encode())
        try:
            asked = "SELECT has_schema_privilege(%s, 'public', 'USAGE'), has_database_privilege(%s, current_database(), 'CONNECT')"
            assert db.execute(asked.encode(), (nobody, nobody)).fetchone() == (False, False)
        finally:
            db.execute(f"DROP ROLE {nobody}".encode())


async def test_sessions_within_sessions_never_wait_for_each_other(database: Database, tenant: TenantRef) -> None:
    """Each of many has one and asks for another: with as many as there are places nobody would go on."""
    small = Database(database.cluster, FakeClock(), max_connections=2)
    both_in = asyncio.Barrier(2)

    async def asks() -> None:
        async with small.tenant_session(tenant.id):
            async with asyncio.timeout(5):
                await both_in.wait()
            async with small.platform_session() as inner:
                await inner.execute(text("SELECT 1"))

    async with asyncio.timeout(30):
        await asyncio.gather(asks(), asks())
    assert small._cap._value == 2, "and each place is given back"
    await small.close()
