"""Facts pushed per second, durable and interpreted, beside bare HTTP + COPY of the same bytes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg

from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.push import PushAnswer
from server.core.db.sessions import Database
from tests.bench import hub
from tests.bench.figure import Figure
from tests.server.sync.terminal import AT, Device, a_fact

BATCH = 5000
BATCHES = 12
TARGET = 60_000


def measure() -> list[Figure]:
    """Push 60 k facts of each of two kinds in batches of 5,000, two lanes at a time."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    async with hub.hub() as (database, device, client):
        await hub.hello(client, device)
        plain = [a_fact(bodies.ClockJumped(wall_before=AT, wall_after=AT, jump_ms=0)) for _ in range(BATCH * BATCHES)]
        latest = uuid4()
        sensor = [a_fact(bodies.SensorLatest(sensor_id=latest, value=74.0)) for _ in range(BATCH * BATCHES)]
        floor = await _floor(database, hub.zipped(b"\n".join(plain[:BATCH])))
        figures = []
        for name, facts in (("journal facts", plain), ("latest sensor values", sensor)):
            rate = await _push(client, Device(device.tenant, device.device, uuid4(), device.plant, device.key), facts)
            note = f"{len(facts[0])} B each; TLS, signatures, chain, verbs and their tables, fsync"
            figures.append(Figure(f"push: {name}", rate, "facts/s", floor, TARGET, more_is_better=True, note=note))
        return figures


async def _push(client: httpx.AsyncClient, device: Device, facts: list[bytes]) -> float:
    half = BATCH * BATCHES // 2
    packed: dict[int, list[bytes]] = {}
    for lane in (1, 2):
        device.record(*facts[(lane - 1) * half : lane * half], lane=lane)
        packed[lane] = [hub.zipped(device.pack(1 + n * BATCH, BATCH, lane)) for n in range(BATCHES // 2)]
    await hub.hello(client, device)

    async def drain(lane: int) -> None:
        for raw in packed[lane]:
            answer = await client.post("/sync/push", content=raw, headers={"Content-Encoding": "zstd"})
            assert PushAnswer.model_validate_json(answer.content).dead == ()

    begun = time.perf_counter()
    await asyncio.gather(*(drain(lane) for lane in packed))
    return BATCH * BATCHES / (time.perf_counter() - begun)


async def _floor(database: Database, packed: bytes) -> float:
    url = database.cluster.owner.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE bare (seq bigserial PRIMARY KEY, body bytea)")
    with (
        tempfile.TemporaryDirectory() as folder,
        hub.served(["-m", "tests.bench.bare", "--url", url], Path(folder)) as address,
    ):
        async with httpx.AsyncClient(timeout=60) as client:

            async def drain() -> None:
                for _ in range(BATCHES // 2):
                    await client.post(address, content=packed)

            await client.post(address, content=packed)
            begun = time.perf_counter()
            await asyncio.gather(drain())
            return BATCH * (BATCHES // 2) / (time.perf_counter() - begun)
