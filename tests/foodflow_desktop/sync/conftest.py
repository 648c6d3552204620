from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foodflow_desktop.store import Options, Store
from foodflow_desktop.sync.engine import Engine
from foodflow_kernel.clock import SystemClock
from server.core.db.postgres import Cluster
from tests.foodflow_desktop.store.terminals import KEY
from tests.foodflow_desktop.sync.hub import Hub


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(cluster, SystemClock(), tmp_path_factory.mktemp("hub"))
    yield hub
    hub.stop()


@pytest.fixture
def hub(server: Hub) -> Hub:
    if not server.is_up:
        server.start()
    return server


class Desk:
    """A terminal with its engine, paired with the hub."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.folder, self.hub = folder, hub
        self.terminal = hub.admit()
        self.store = self._open()
        self.store.pair(self.terminal, KEY)
        self.engine = Engine(self.store, KEY)

    def _open(self) -> Store:
        return Store.open(self.folder, SystemClock(), KEY, Options(reserve_bytes=0, witness_s=None))

    def restart(self) -> None:
        self.close()
        self.store = self._open()
        self.engine = Engine(self.store, KEY)

    def close(self) -> None:
        self.engine.stop()
        self.store.close()

    def bodies_on_server(self, lane: int) -> list[bytes]:
        return [body for _, its_lane, _, body in self.hub.stored(self.terminal.device) if its_lane == lane]


@pytest.fixture
def desk(tmp_path: Path, hub: Hub) -> Iterator[Desk]:
    desk = Desk(tmp_path / "kiosk", hub)
    yield desk
    desk.close()


def eventually(what: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait for another thread or process to bring something about."""
    until = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
