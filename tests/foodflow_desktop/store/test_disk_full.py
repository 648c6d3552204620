"""A full disk: nothing half-written, a plain sentence, room for food safety, telemetry gives way first."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from foodflow_desktop.store import Draft, Options, Store, queries
from foodflow_desktop.store.check import verify
from foodflow_desktop.store.stamp import thinned
from foodflow_desktop.sync.status import PillState, pill
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import DiskFull
from foodflow_kernel.wire import signing
from tests.foodflow_desktop.store.terminals import KEY, hold, opened, samples, settled, weighing

PUBLIC = signing.public_bytes(KEY)


def fill(store: Store, draft: Draft, limit: int = 20_000) -> int:
    """Record until the disk is full; how many facts were saved."""
    saved: list[int] = []
    with pytest.raises(DiskFull) as error:
        saved.extend(store.record(draft).seq for _ in range(limit))
    assert error.value.code == "disk_full"
    assert "nothing was saved" in error.value.sentence
    return len(saved)


def test_a_full_file_refuses_whole_facts_and_says_so(tmp_path: Path) -> None:
    store = opened(tmp_path, options=Options(reserve_bytes=0, witness_s=None, ops_max_pages=60))
    saved = fill(store, weighing())
    with pytest.raises(DiskFull):
        store.record_all([weighing()] * 100)
    assert pill(store.status(), store.clock.now()).state is PillState.cannot_save
    assert settled(store).waiting == saved
    with store.reading() as db:
        assert queries.count(db, "weighing") == saved
    store.close()
    report = verify(tmp_path, PUBLIC)
    assert (report.rows, report.faults) == (saved, ())
    store = opened(tmp_path)
    assert store.record(weighing()).seq == saved + 1
    assert settled(store).cannot_save is None
    store.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to mount a small tmpfs")
def test_bad_input_t8_on_a_full_real_disk_food_safety_outlives_telemetry(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], check=False)
    if made.returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        store = opened(disk / "data", FakeClock(), Options(reserve_bytes=4 << 20, witness_s=None))
        assert (disk / "data" / "reserve.bin").stat().st_size == 4 << 20
        blocks = fill(store, samples(6000))
        assert blocks > 100
        assert settled(store).telemetry == "stopped"
        assert store.status().cannot_save is None
        (disk / "ballast").touch()
        with (disk / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                pass
        saved = fill(store, hold())
        assert saved > 500
        assert not (disk / "data" / "reserve.bin").exists()
        assert pill(store.status(), store.clock.now()).state is PillState.cannot_save
        (disk / "ballast").unlink()
        assert store.record(hold()).seq == saved + 1
        assert settled(store).cannot_save is None
        store.close()
        report = verify(disk / "data", PUBLIC)
        assert report.faults == ()
        assert report.rows == blocks + saved + 1
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_thinned_block_keeps_every_tenth_value() -> None:
    block = samples(101).body
    values = [block.first]
    for delta in block.deltas:
        values.append(values[-1] + delta)
    thin = thinned(samples(101))
    kept = [thin.body.first]
    for delta in thin.body.deltas:
        kept.append(kept[-1] + delta)
    assert kept == values[::10]
    assert (thin.body.period_ms, thin.flags) == (1000, ("THINNED",))
