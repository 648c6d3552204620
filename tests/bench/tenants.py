"""How long a company takes to be made and migrated, and whether the next one takes as long as the first."""

from __future__ import annotations

import asyncio
import os
import shutil
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
PAIRS = 20
_ROOM_BYTES = 6 << 30


def measure() -> Iterator[Figure]:
    """Provision many companies, then some more by turns with a server that has few; is all at the newest revision?"""
    where = _in_memory()
    with tempfile.TemporaryDirectory(dir=where) as many, tempfile.TemporaryDirectory(dir=where) as few:
        yield from asyncio.run(_measured(_cluster(many), _cluster(few)))


def _in_memory() -> str | None:
    """Where no disk is. Two clusters are 80,000 files, and ext4 without a journal seeks for minutes among the inodes
    that the bench before this one gave back: a company took 0.2 to 0.8 s by that alone, whichever cluster it was in."""
    memory = Path("/dev/shm")  # noqa: S108  # folders with random names and no rights for others are made in it
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM_BYTES else None


def _cluster(folder: str) -> Cluster:
    cluster = postgres.open_cluster(Settings(data_folder=Path(folder) / "data", fsync=False, backup=False))
    migrate.upgrade(cluster.owner, "platform", postgres.PLATFORM_SCHEMA)
    return cluster


async def _measured(cluster: Cluster, other: Cluster) -> list[Figure]:
    database, few = Database(cluster, SystemClock()), Database(other, SystemClock())
    try:
        first = await _provision(database, 0)
        rest = [await _provision(database, number) for number in range(1, COUNT + 1)]
        await _provision(few, 0)
        # By turns: the machine's own ups and downs are larger than what is asked.
        pairs = [
            (await _provision(few, number), await _provision(database, COUNT + number))
            for number in range(1, PAIRS + 1)
        ]
        floor = statistics.median(_bare(cluster, number) for number in range(FLOORS))
        started = time.perf_counter()
        outcomes = await fleet.migrate_all(database)
        nothing_s = time.perf_counter() - started
    finally:
        await database.close()
        await few.close()
    tenth = max(1, len(rest) // 10)
    in_a_row = statistics.median(rest[-tenth:]) / statistics.median(rest[:tenth])
    early, late = (statistics.median(side) for side in zip(*pairs, strict=True))
    note = "floor: role and schema, and the same statements in one message"
    return [
        Figure("the first company of a process, provisioned", first, "s", note="Alembic, revision by revision"),
        Figure("a further company, provisioned (median)", statistics.median(rest), "s", floor, note=note),
        Figure(
            f"a company beside {COUNT} others against one beside few", late / early, "times", target=1.4,
            note=f"flat is 1; medians of {PAIRS}, by turns in two servers; in a row the last against the first {in_a_row:.2f}",
        ),
        Figure(f"migrate, {len(outcomes)} schemas with nothing to do", nothing_s, "s", target=10),
    ]  # fmt: skip


async def _provision(database: Database, number: int) -> float:
    started = time.perf_counter()
    await provision.create_tenant(database, f"bench_{number:04}", "Bench Foods")
    return time.perf_counter() - started


def _bare(cluster: Cluster, number: int) -> float:
    """The same without the product's registry, locks and checks."""
    script = next(text for (tree, _), text in migrate._FRESH.items() if tree == "tenant")
    schema, started = f"t_floor_{number}", time.perf_counter()
    postgres.create_tenant_role(cluster.owner, cluster, schema)
    with postgres.connect(cluster.owner) as db:
        db.execute(f"SET search_path = {schema}, public".encode())
        db.execute(script.encode())
    return time.perf_counter() - started
