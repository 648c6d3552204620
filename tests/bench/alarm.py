"""Alarms of a real kiosk acknowledged by a real server, idle and behind a backlog on the other lanes."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from pathlib import Path
from uuid import uuid4

import httpx

from foodflow_desktop.store import Options, Store, Terminal
from foodflow_desktop.store.status import SyncStatus
from foodflow_desktop.sync.engine import Engine
from foodflow_kernel.clock import SystemClock
from foodflow_kernel.wire.protocol import Lane
from tests.bench import hub
from tests.bench.figure import Figure, percentile
from tests.foodflow_desktop.store.terminals import hold, samples, weighing
from tests.server.sync.terminal import Device

WEIGHINGS, BLOCKS = 260_000, 40_000
GROUP = 1000
TIMES = 120
EVERY_S = 0.1
PATIENCE_S = 30.0
IDLE_MS, BEHIND_MS = 40.0, 250.0
DRAIN = 100_000 / 3
"""Re-push of 100 k after a restore in 3 s (sync.md)."""


def measure() -> list[Figure]:
    """Holds recorded one by one; from the touch to the server's durable acknowledgement kept on the terminal."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    async with hub.hub() as (_, device, client):
        ca_pem = (await client.get("/ca")).text
        return await asyncio.to_thread(_with_kiosk, device, client, ca_pem)


def _with_kiosk(device: Device, client: httpx.AsyncClient, ca_pem: str) -> list[Figure]:
    clock = SystemClock()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        store = Store.open(Path(name) / "kiosk", clock, device.key, Options(reserve_bytes=0, witness_s=None))
        address = f"https://127.0.0.1:{client.base_url.port}"
        store.pair(Terminal(device=device.device, hub=address, ca_pem=ca_pem, paired_at=clock.now()), device.key)
        engine = Engine(store, device.key)
        try:
            engine.start()
            idle = _alarms(store)
            engine.stop()
            for many, draft in ((WEIGHINGS, weighing()), (BLOCKS, samples(60))):
                for _ in range(many // GROUP):
                    store.record_all([draft] * GROUP)
            engine.start()
            begun, waiting = time.perf_counter(), _waiting(store)
            behind = _alarms(store)
            seconds, left = time.perf_counter() - begun, _waiting(store)
        finally:
            engine.stop()
            store.close()
    assert left > 0, "the backlog was gone before the last alarm"
    note = f"kiosk store, TLS, server, PostgreSQL with fsync; {TIMES} holds"
    behind_note = f"backlog {waiting:,} facts at the first alarm, {left:,} at the last; {EVERY_S * 1000:.0f} ms apart"
    drain_note = "weighings and telemetry blocks, each to its table; the same path as a re-push after a restore"
    return [
        Figure("alarm acknowledged, idle, p50", percentile(idle, 0.5), "ms", None, IDLE_MS, note=note),
        Figure("alarm acknowledged, idle, p99", percentile(idle, 0.99), "ms"),
        Figure("alarm acknowledged behind 300 k, p50", percentile(behind, 0.5), "ms", percentile(idle, 0.5)),
        Figure(
            "alarm acknowledged behind 300 k, p99",
            percentile(behind, 0.99),
            "ms",
            percentile(idle, 0.99),
            BEHIND_MS,
            note=f"{behind_note}; floor: idle",
        ),
        Figure(
            "backlog drained by one kiosk", (waiting - left) / seconds, "facts/s", None, DRAIN, more_is_better=True,
            note=drain_note,
        ),
    ]  # fmt: skip


def _waiting(store: Store) -> int:
    return sum(lane.unsent for lane in store.status().lanes if lane.lane != Lane.urgent)


def _alarms(store: Store) -> list[float]:
    acknowledged = threading.Event()

    def heard(status: SyncStatus) -> None:
        if all(lane.unsent == 0 for lane in status.lanes if lane.lane == Lane.urgent):
            acknowledged.set()

    store.on_status(heard)
    taken = []
    for number in range(TIMES + 1):
        draft = hold(lot=uuid4(), hold_id=uuid4())
        begun = time.perf_counter()
        store.record(draft)
        acknowledged.clear()
        heard(store.status())
        assert acknowledged.wait(PATIENCE_S)
        if number:  # the first pays for the connection
            taken.append((time.perf_counter() - begun) * 1000)
        time.sleep(EVERY_S)
    return taken
