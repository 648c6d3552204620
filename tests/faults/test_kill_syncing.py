"""SIGKILL while recording and syncing with a real server: all that was called saved is there once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from foodflow_desktop import keys
from foodflow_desktop.store import Store, terminal
from foodflow_desktop.store.check import verify
from foodflow_desktop.sync.engine import Engine
from foodflow_kernel.clock import SystemClock
from foodflow_kernel.wire import signing
from server.core.db.postgres import Cluster
from tests.faults.kills import Forker, a_moment, record_until_killed
from tests.foodflow_desktop.store.terminals import QUIET
from tests.foodflow_desktop.sync.conftest import eventually
from tests.foodflow_desktop.sync.hub import Hub

# A server or cable cut in the middle leaves its sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.BACKEND_ENV, "sealed")


def kill_and_compare(folder: Path, hub: Hub, times: int) -> int:
    """Kill the terminal so many times, and the server now and then; how many facts were called saved."""
    key = keys.open_keys(folder).device_key()
    hub.start()
    paired = hub.admit(public_key=signing.public_bytes(key))
    terminal.save(folder, paired)
    said: list[str] = []
    try:
        with Forker("tests.faults.recorder") as recorders:
            for turn in range(times):
                if turn % 5 == 4:
                    hub.stop()
                said += record_until_killed(recorders, folder, 0.3 + a_moment(), "sync")
                if not hub.is_up:
                    hub.start()
        store = Store.open(folder, SystemClock(), key, QUIET)
        engine = Engine(store, key)
        engine.start()
        eventually(lambda: all(lane.unsent == 0 for lane in store.status().lanes), within_s=300)
        assert store.status().needs_help == hub.dead(paired.device)
        engine.stop()
        store.close()
        stored = [
            f"{incarnation} {lane} {seq} {hashlib.sha256(body).hexdigest()}"
            for incarnation, lane, seq, body in hub.stored(paired.device)
        ]
    finally:
        hub.stop()
    report = verify(folder, signing.public_bytes(key))
    assert report.faults == ()
    assert len(stored) == len(set(stored)) == report.rows
    assert set(said) <= set(stored)
    print(f"{times} kills while syncing: {len(said)} called saved, {len(stored)} on the server")  # noqa: T201
    return len(said)


def test_killed_while_recording_and_syncing_everything_saved_is_on_the_server_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    hub = Hub(cluster, SystemClock(), tmp_path / "hub")
    assert kill_and_compare(tmp_path / "kiosk", hub, 5) > 0


@pytest.mark.faults
def test_two_hundred_kills_while_recording_and_syncing(cluster: Cluster, tmp_path: Path) -> None:
    hub = Hub(cluster, SystemClock(), tmp_path / "hub")
    assert kill_and_compare(tmp_path / "kiosk", hub, 200) > 0
