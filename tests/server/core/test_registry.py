"""What the platform knows of a tenant: its rules in the database, and that every process hears of a change."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import NotAllowed
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import TenantState
from server.core.db import registry
from server.core.db.registry import Tenant
from server.core.db.sessions import Database, TenantRef
from tests.conftest import as_superuser

BAD: list[tuple[str, dict[str, Any]]] = [
    ("slug", {"slug": "Acme", "schema_name": "t_Acme"}),
    ("reserved", {"slug": "platform", "schema_name": "t_platform"}),
    ("schema_name", {"schema_name": "t_of_another"}),
    ("legal_name", {"legal_name": " "}),
    ("legal_name", {"legal_name": "x" * 201}),
    ("gs1_company_prefix", {"gs1_company_prefix": "12345"}),
    ("regimes", {"regimes": ["fda_pchf", "house_rules"]}),
    ("country", {"country": "usa"}),
    ("currency", {"currency": "$"}),
]


def entry(database: Database, **over: Any) -> Tenant:
    slug = f"row_{secrets.token_hex(4)}"
    given: dict[str, Any] = {
        "id": new_id(database.clock.now()),
        "slug": slug,
        "schema_name": f"t_{slug}",
        "legal_name": "Row Foods",
        "gs1_company_prefix": "9501101",
        "default_tz": "UTC",
        "country": "US",
        "currency": "USD",
        "state": TenantState.provisioning,
        "created_at": database.clock.now(),
    }
    return Tenant(**given | over)


@pytest.mark.parametrize(("name", "wrong"), BAD)
async def test_the_database_refuses_an_entry_that_no_tenant_may_have(
    database: Database, name: str, wrong: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match=f"ck_tenant_{name}"):
        async with database.platform_session() as db:
            db.add(entry(database, **wrong))


@pytest.mark.parametrize("prefix", ["123456", "123456789012"])
async def test_a_company_prefix_of_6_to_12_digits_is_taken(database: Database, prefix: str) -> None:
    async with database.platform_session() as db:
        db.add(entry(database, gs1_company_prefix=prefix, regimes=["fsma204", "eu"]))


@pytest.mark.parametrize(
    ("kept", "other"), [("uq_tenant_slug", "uq_tenant_schema_name"), ("uq_tenant_schema_name", "uq_tenant_slug")]
)
async def test_each_name_of_a_tenant_is_its_own_without_the_other(
    database: Database, tenant: TenantRef, kept: str, other: str
) -> None:
    """One follows from the other, so that neither rule is missed while both are there."""
    again = """
        INSERT INTO platform.tenant
        SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).* FROM platform.tenant t WHERE id = %s
    """
    with as_superuser(database.cluster) as db, db.transaction(force_rollback=True):
        db.execute("SET LOCAL lock_timeout = '10s'")
        db.execute(f"ALTER TABLE platform.tenant DROP CONSTRAINT {other}".encode())
        with pytest.raises(psycopg.errors.UniqueViolation, match=kept):
            db.execute(again, (tenant.id,))


@pytest.mark.parametrize("column", ["id", "slug", "schema_name"])
async def test_what_a_tenant_is_known_by_never_changes(database: Database, tenant: TenantRef, column: str) -> None:
    other = entry(database)
    with pytest.raises(DBAPIError, match="never change"):
        async with database.platform_session() as db:
            await db.execute(update(Tenant).where(Tenant.id == tenant.id).values({column: getattr(other, column)}))


async def test_a_tenant_that_was_ever_active_is_never_deleted(database: Database, tenant: TenantRef) -> None:
    with pytest.raises(DBAPIError, match="never deleted"):
        async with database.platform_session() as db:
            await db.execute(delete(Tenant).where(Tenant.id == tenant.id))


@pytest_asyncio.fixture(loop_scope="session")
async def other_process(database: Database) -> AsyncIterator[Database]:
    """A second set of engines, which the first tells nothing by itself."""
    made = Database(database.cluster, FakeClock())
    yield made
    await made.close()


async def until(done: Callable[[], Awaitable[bool]], patience_s: float = 10.0) -> None:
    async with asyncio.timeout(patience_s):
        while not await done():  # noqa: ASYNC110  # another process would have no event either
            await asyncio.sleep(0.01)


async def listens(database: Database) -> bool:
    return database.registry.is_listening


async def is_open(database: Database, tenant: TenantRef) -> bool:
    return (await database.tenant(tenant.id)).is_open


async def negated(answer: Awaitable[bool]) -> bool:
    return not await answer


async def until_it_listens(database: Database) -> None:
    await until(lambda: listens(database))


async def move(database: Database, tenant: TenantRef, state: TenantState) -> None:
    async with database.platform_session() as db:
        (await db.get_one(Tenant, tenant.id)).state = state


async def test_another_process_hears_at_once_that_a_tenant_is_suspended(
    database: Database, other_process: Database, tenant: TenantRef
) -> None:
    await other_process.tenant(tenant.id)
    await until_it_listens(other_process)
    assert (await other_process.tenant(tenant.id)).is_open
    assert tenant.id in other_process.registry._known, "nothing was kept: this proves nothing"
    await move(database, tenant, TenantState.suspended)
    await until(lambda: negated(is_open(other_process, tenant)), 2)


async def test_nothing_is_kept_while_the_link_is_down(
    database: Database, other_process: Database, tenant: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "RETRY_S", 0.3)
    await other_process.tenant(tenant.id)
    await until_it_listens(other_process)
    await other_process.tenant(tenant.id)
    base = database.cluster.base
    with psycopg.connect(user="postgres", host=str(base.query["host"]), dbname=base.database, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_notify%' AND pid <> pg_backend_pid()"
        )
    await until(lambda: negated(listens(other_process)))
    assert (await other_process.tenant(tenant.id)).is_open
    await move(database, tenant, TenantState.suspended)
    assert not (await other_process.tenant(tenant.id)).is_open
    await until_it_listens(other_process)


async def test_a_reading_that_a_change_overtook_is_not_kept(database: Database, tenant: TenantRef) -> None:
    await database.tenant(tenant.id)
    await until_it_listens(database)
    database.registry.forget(tenant.id)
    reading = asyncio.create_task(database.registry.read(Tenant.id == tenant.id))
    await asyncio.sleep(0)
    database.registry.forget(tenant.id)
    await reading
    assert tenant.id not in database.registry._known


async def test_an_archived_tenant_has_no_session(database: Database, tenant: TenantRef) -> None:
    await move(database, tenant, TenantState.archived)
    database.registry.forget(tenant.id)  # as when it is heard, which takes its time
    with pytest.raises(NotAllowed, match="tenant_archived"):
        async with database.tenant_session(tenant.id):
            pass
