"""Requests a second through the whole stack, beside bare FastAPI routes with the same queries; a million rows."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
from sqlalchemy import insert

from foodflow_kernel.clock import SystemClock
from foodflow_kernel.ids import new_id
from server.core.actor import system
from server.core.db import copying
from server.core.db.sessions import Database, TenantRef
from server.core.models import Plant
from server.core.stamp import server_born
from server.identity import people
from server.plant_ops.models import Equipment, LineCount
from server.plant_ops.resources import EQUIPMENT
from tests.bench import hub, load
from tests.bench.figure import Figure

CLIENTS = 8
SECONDS, TURNS = 2.0, 7
LEAST = 0.6
"""Of the bare route's rate."""
BULK = 100
MANY = 1_000_000
PASSWORD = "a password of the benchmark"  # noqa: S105  # of a server that lives for one run
API = "/api/v1"
REFERENCE = {"get by key": 260.0, "create": 160.0, f"bulk of {BULK}": 16_000.0}
"""What generic API servers do on comparable machines, at their best: requests or rows a second."""


def measure() -> list[Figure]:
    """Get by key, list of 100, create; then a million rows listed and exported."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    async with hub.whole(FOODFLOW_REQUESTS_PER_MINUTE="0") as made:
        plant, ids = await _fill(made.database, made.device.tenant)
        token = await _sign_in(made.database, made.device.tenant, made.client)
        figures = await _rates(made, token, plant, ids)
        figures += await _million(made, token, plant)
    cores = os.cpu_count() or 1
    async with hub.whole(FOODFLOW_REQUESTS_PER_MINUTE="0", FOODFLOW_PROCESSES=str(cores)) as made:
        plant, ids = await _fill(made.database, made.device.tenant)
        token = await _sign_in(made.database, made.device.tenant, made.client)
        return figures + await _whole_machine(made, token, plant, ids, cores)


async def _fill(database: Database, tenant: TenantRef) -> tuple[uuid.UUID, list[uuid.UUID]]:
    now = SystemClock().now()
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        plant = Plant(id=new_id(now), code="P1", name="Plant 1", tz="UTC")
        db.add(plant)
        await db.flush()
        ids = [new_id(now) for _ in range(5000)]
        rows = [
            {
                "id": each,
                "plant_id": plant.id,
                "tag": f"T{number}",
                "names": {"en": "Scale"},
                "equipment_class": "scale",
            }
            | {"version": 1, "created_at": now, "updated_at": now}
            for number, each in enumerate(ids)
        ]
        await db.execute(insert(Equipment), rows)
    return plant.id, ids


async def _sign_in(database: Database, tenant: TenantRef, client: httpx.AsyncClient) -> str:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        new = people.NewUser(
            login_code="B-1", short_no="4242", printed_name="Bench", password=PASSWORD, roles=("TA", "QM", "SV")
        )
        await people.add(db, new)
    given = {"tenant": tenant.slug, "login": "B-1", "password": PASSWORD}
    token: str = (await client.post("/auth/login", json=given)).json()["access_token"]
    return token


class Asks:
    """Requests without end, prepared: of the same rows in each run, and of new ones."""

    def __init__(self, plant: uuid.UUID, ids: list[uuid.UUID]) -> None:
        self._plant, self._ids = plant, ids
        self._choose = random.Random(7)  # noqa: S311  # no secret
        self._numbers = itertools.count(100_000)

    def get(self, prefix: str, signed: str) -> Iterator[bytes]:
        while True:
            yield load.request("GET", f"{prefix}/{self._choose.choice(self._ids)}", signed)

    def listed(self, path: str, signed: str) -> Iterator[bytes]:
        while True:
            yield load.request("GET", path, signed)

    def make(self, path: str, signed: str) -> Iterator[bytes]:
        while True:
            yield load.request("POST", path, signed, json.dumps(self._new()).encode())

    def many(self, path: str, signed: str) -> Iterator[bytes]:
        while True:
            body = {"rows": [self._new() for _ in range(BULK)]}
            yield load.request("POST", path, signed, json.dumps(body).encode())

    def _new(self) -> dict[str, object]:
        tag = f"N{next(self._numbers)}"
        return {"plant_id": str(self._plant), "tag": tag, "names": {"en": "Scale"}, "equipment_class": "scale"}


async def _rates(made: hub.Hub, token: str, plant: uuid.UUID, ids: list[uuid.UUID]) -> list[Figure]:
    tls, address = made.folder / "tls", made.running.address
    trust = ssl.create_default_context(cafile=str(tls / "ca.pem"))
    ask = Asks(plant, ids)
    path = f"{API}/{EQUIPMENT.path}"
    names = ("get by key", "list of 100", "create", f"bulk of {BULK}")
    ours = [
        lambda: ask.get(path, token),
        lambda: ask.listed(f"{path}?limit=100", token),
        lambda: ask.make(path, token),
        lambda: ask.many(f"{path}:bulk", token),
    ]
    bare = [
        lambda: ask.get("/one", ""),
        lambda: ask.listed("/list", ""),
        lambda: ask.make("/one", ""),
        lambda: ask.many("/many", ""),
    ]
    with tempfile.TemporaryDirectory() as name:
        url = made.database.cluster.url(made.device.tenant.schema).render_as_string(hide_password=False)
        command = ["-m", "tests.bench.bare_api", "--url", url]
        command += ["--columns", json.dumps(list(EQUIPMENT.shown)), "--table", Equipment.__tablename__]
        command += ["--certificate", str(tls / "server.pem"), "--key", str(tls / "server.key")]
        with hub.served(command, Path(name)) as floor:
            figures = []
            for title, mine, theirs in zip(names, ours, bare, strict=True):
                rates: list[tuple[float, float]] = []
                for _ in range(TURNS):  # by turns, so that both see the same machine
                    least = await load.rate(floor, trust, theirs, CLIENTS, SECONDS)
                    rates.append((await load.rate(address, trust, mine, CLIENTS, SECONDS), least))
                rows = BULK if title.startswith("bulk") else 1
                unit = "1/s" if rows == 1 else "rows/s"
                value, least = (statistics.median(each) * rows for each in zip(*rates, strict=True))
                note = f"{CLIENTS} clients, TLS, one process; floor: the same query in a bare FastAPI route"
                figures.append(
                    Figure(f"API: {title}", value, unit, least, LEAST * least, more_is_better=True, note=note)
                )
    return figures


async def _whole_machine(made: hub.Hub, token: str, plant: uuid.UUID, ids: list[uuid.UUID], cores: int) -> list[Figure]:
    trust = ssl.create_default_context(cafile=str(made.folder / "tls" / "ca.pem"))
    ask, path, figures = Asks(plant, ids), f"{API}/{EQUIPMENT.path}", []
    asked = {
        "get by key": lambda: ask.get(path, token),
        "create": lambda: ask.make(path, token),
        f"bulk of {BULK}": lambda: ask.many(f"{path}:bulk", token),
    }
    for title, mine in asked.items():
        rows, unit = (BULK, "rows/s") if title.startswith("bulk") else (1, "1/s")
        rates = [await load.rate(made.running.address, trust, mine, CLIENTS * cores, SECONDS) for _ in range(4)]
        note = f"{cores} processes, {CLIENTS * cores} clients, all on this machine; target: the best of the reference"
        figure = Figure(f"API, whole machine: {title}", sorted(rates[1:])[1] * rows, unit, None, REFERENCE[title])
        figures.append(replace(figure, more_is_better=True, note=note))
    return figures


async def _million(made: hub.Hub, token: str, plant: uuid.UUID) -> list[Figure]:
    client, pid, now = made.client, made.running.pid, SystemClock().now()
    for start in range(0, MANY, 20_000):
        rows = [
            server_born(now, None, plant).columns()
            | {
                "line_id": plant,
                "batch_id": None,
                "delta": 1,
                "total": number,
                "raw": number,
                "from_at": now,
                "was_reset": False,
            }
            for number in range(start, start + 20_000)
        ]
        async with made.database.tenant_session(made.device.tenant.id, system(made.device.tenant.id)) as db:
            await copying.insert_new(db, LineCount.__table__, rows)
    headers, path = {"Authorization": f"Bearer {token}"}, "/plant-ops/line-counts"
    before, begun, seen, after, slowest = memory_mb(pid), time.perf_counter(), 0, None, 0.0
    peak = before
    while True:
        query = {"limit": 200} | ({"after": after} if after else {})
        asked = time.perf_counter()
        page = (await client.get(path, params=query, headers=headers)).json()
        slowest = max(slowest, time.perf_counter() - asked)
        seen, after = seen + len(page["items"]), page["next"]
        if seen % 100_000 == 0:
            peak = max(peak, memory_mb(pid))
        if after is None:
            break
    assert seen == MANY, seen
    took_s = time.perf_counter() - begun
    figures = [
        Figure(
            "1 M rows listed to the last page",
            seen / took_s,
            "rows/s",
            more_is_better=True,
            note=f"pages of 200, slowest {slowest * 1000:.0f} ms; server {before:.0f} MB before, {peak:.0f} MB at most",
        ),
    ]
    begun, size, lines, peak = time.perf_counter(), 0, 0, memory_mb(pid)
    first = peak
    async with client.stream("GET", path, headers=headers | {"Accept": "text/csv"}) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for piece in answer.aiter_bytes():
            if size // 10_000_000 != (size + len(piece)) // 10_000_000:
                peak = max(peak, memory_mb(pid))
            size, lines = size + len(piece), lines + piece.count(b"\n")
    took_s = time.perf_counter() - begun
    assert lines == MANY + 1, lines
    note = f"{size / 1e6:.0f} MB; server {first:.0f} MB before, {peak:.0f} MB at most"
    return [*figures, Figure("1 M rows exported to CSV", MANY / took_s, "rows/s", more_is_better=True, note=note)]


def memory_mb(pid: int) -> float:
    """Resident memory of a process [MB]."""
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(said.stdout) / 1024


if __name__ == "__main__":
    sys.stdout.write("\n".join(map(str, measure())) + "\n")
