"""How long a company takes to be made and migrated, and whether the next one takes as long as the first."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from foodflow_kernel.clock import SystemClock
from server.core.db import fleet, migrate, postgres, provision
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database
from server.core.settings import Settings
from tests.bench.figure import Figure

COUNT = int(os.environ.get("BENCH_TENANTS", "200"))
FLOORS = 10


def measure() -> Iterator[Figure]:
    """Provision many companies, then ask whether all are at the newest revision."""
    with tempfile.TemporaryDirectory(prefix="foodflow-bench-") as folder:
        cluster = postgres.open_cluster(Settings(data_folder=Path(folder) / "data", fsync=False, backup=False))
        migrate.upgrade(cluster.owner, "platform", postgres.PLATFORM_SCHEMA)
        yield from asyncio.run(_measured(cluster))


async def _measured(cluster: Cluster) -> list[Figure]:
    database = Database(cluster, SystemClock())
    took = []
    try:
        for number in range(COUNT + 1):
            started = time.perf_counter()
            await provision.create_tenant(database, f"bench_{number:04}", "Bench Foods")
            took.append(time.perf_counter() - started)
        floor = statistics.median(_bare(cluster, number) for number in range(FLOORS))
        started = time.perf_counter()
        outcomes = await fleet.migrate_all(database)
        nothing_s = time.perf_counter() - started
    finally:
        await database.close()
    first, rest = took[0], took[1:]
    tenth = max(1, len(rest) // 10)
    early, late = statistics.median(rest[:tenth]), statistics.median(rest[-tenth:])
    note = "floor: role and schema, and the same statements in one message"
    return [
        Figure("the first company of a process, provisioned", first, "s", note="Alembic, revision by revision"),
        Figure("a further company, provisioned (median)", statistics.median(rest), "s", floor, note=note),
        Figure(f"company {COUNT} against the first ones", late / early, "times", target=1.5, note="flat is 1"),
        Figure(f"migrate, {len(outcomes)} schemas with nothing to do", nothing_s, "s", target=10),
    ]


def _bare(cluster: Cluster, number: int) -> float:
    """The same without the product's registry, locks and checks."""
    script = next(text for (tree, _), text in migrate._FRESH.items() if tree == "tenant")
    schema, started = f"t_floor_{number}", time.perf_counter()
    postgres.create_tenant_role(cluster.owner, cluster, schema)
    with postgres.connect(cluster.owner) as db:
        db.execute(f"SET search_path = {schema}, public".encode())
        db.execute(script.encode())
    return time.perf_counter() - started
