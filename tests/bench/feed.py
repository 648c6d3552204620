"""Feed rows pulled per second over HTTP, beside bare HTTP + SELECT of the same bytes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import httpx
import psycopg
import zstandard

from foodflow_kernel.clock import SystemClock
from foodflow_kernel.ids import new_id
from foodflow_kernel.wire.exchange import CommandAnswer, FeedHeader
from server.core import feed
from server.core.db.sessions import Database
from tests.bench import hub
from tests.bench.figure import Figure
from tests.server.sync.terminal import Device

ROWS = 60_000
TARGET = 100_000


def measure() -> list[Figure]:
    """Pull 60 k decisions in pages of 1,000."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    async with hub.hub() as (database, device, client):
        now = SystemClock().now()
        for _ in range(ROWS // 5000):
            async with database.tenant_session(device.tenant.id) as db:
                for _ in range(5000):
                    feed.answer(db, CommandAnswer(fact_id=new_id(now), outcome="applied"))
        floor = await _floor(database)
        rate = await _pull(client, device)
        note = "answers to commands; dense pages of 1,000, zstd, TLS"
        return [Figure("pull: feed rows", rate, "rows/s", floor, TARGET, more_is_better=True, note=note)]


async def _pull(client: httpx.AsyncClient, device: Device) -> float:
    known = await hub.hello(client, device)
    after, begun = 0, time.perf_counter()
    while after < known.feed.head:
        params = {"epoch": known.feed.epoch, "after": after}
        answer = await client.get("/sync/feed", params=params, headers={"Accept-Encoding": "zstd"})
        lines = answer.content.split(b"\n")
        header = FeedHeader.model_validate_json(lines[0])
        assert header.first == after + 1
        assert len(lines) - 2 == header.last - after
        after = header.last
    return after / (time.perf_counter() - begun)


async def _floor(database: Database) -> float:
    url = database.cluster.owner.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE bare (seq bigserial PRIMARY KEY, body bytea)")
        body = CommandAnswer(fact_id=new_id(SystemClock().now()), outcome="applied").model_dump_json().encode()
        db.execute("INSERT INTO bare (body) SELECT %s FROM generate_series(1, %s)", (body, ROWS))
    with (
        tempfile.TemporaryDirectory() as folder,
        hub.served(["-m", "tests.bench.bare", "--url", url], Path(folder)) as address,
    ):
        async with httpx.AsyncClient(timeout=60) as client:
            begun = time.perf_counter()
            for after in range(0, ROWS, 1000):
                answer = await client.get(address, params={"after": after})
                zstandard.ZstdDecompressor().decompress(answer.content, max_output_size=16 << 20).split(b"\n")
            return ROWS / (time.perf_counter() - begun)
