"""Recording: how long until a fact is durable, beside what this machine's disk takes for one fsync."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from foodflow_desktop.store import Options, Store
from foodflow_kernel.clock import SystemClock
from tests.bench.figure import Figure, percentile
from tests.foodflow_desktop.store.terminals import KEY, a_terminal, hold, weighing

TIMES = 400
GROUP = 1000
BUDGET_MS = 25.0
"""A CCP commit, p99, on a disk that takes 8 ms for an fsync (sync.md)."""


def measure() -> list[Figure]:
    """One fact at a time, and a thousand together; the floor is a 4 KiB append and fsync in the same run."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        floor = _times(fsync(folder / "floor"))
        store = Store.open(folder / "data", SystemClock(), KEY, Options(reserve_bytes=0, witness_s=None))
        store.pair(a_terminal(), KEY)
        try:
            single = _times(lambda: store.record(hold()))
            started = time.perf_counter()
            for _ in range(10):
                store.record_all([weighing()] * GROUP)
            rate = 10 * GROUP / (time.perf_counter() - started)
        finally:
            store.close()
    here = f"fsync of 4 KiB here: p50 {percentile(floor, 0.5):.2f} ms, p99 {percentile(floor, 0.99):.2f} ms"
    return [
        Figure("fact recorded, durable, p50", percentile(single, 0.5), "ms", percentile(floor, 0.5), note=here),
        Figure("fact recorded, durable, p99", percentile(single, 0.99), "ms", percentile(floor, 0.99), BUDGET_MS),
        Figure("facts recorded, 1,000 in a commit", rate, "facts/s", more_is_better=True),
    ]


def _times(what: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(TIMES):
        started = time.perf_counter()
        what()
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def fsync(path: Path) -> Callable[[], None]:
    """What writes a block and waits for the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    block = bytes(4096)

    def once() -> None:
        os.write(descriptor, block)
        os.fsync(descriptor)

    return once
