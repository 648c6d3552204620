"""SIGKILL of a real recording process: what it had called saved is in the files once, and the chains hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest

from foodflow_desktop import keys
from foodflow_desktop.store import Store, terminal
from foodflow_desktop.store.check import verify
from foodflow_kernel.clock import SystemClock
from foodflow_kernel.wire import signing
from tests.faults.kills import Forker, a_moment, record_until_killed
from tests.foodflow_desktop.store.terminals import QUIET, a_terminal

pytestmark = pytest.mark.filterwarnings("default")


def in_the_files(folder: Path) -> list[str]:
    found = []
    for name in ("ops.db", "telemetry.db"):
        db = sqlite.connect(folder / name)
        for incarnation, lane, seq, body in db.execute(
            "SELECT incarnation, lane, seq, body FROM journal JOIN log ON log.id = journal.log"
        ):
            found.append(f"{incarnation} {lane} {seq} {hashlib.sha256(body).hexdigest()}")
        db.close()
    return found


def kill_and_look(folder: Path, times: int) -> int:
    key = keys.open_keys(folder).device_key()
    terminal.save(folder, a_terminal())
    said: list[str] = []
    with Forker("tests.faults.recorder") as recorders:
        for _ in range(times):
            said += record_until_killed(recorders, folder, a_moment())
            Store.open(folder, SystemClock(), key, QUIET).close()
    found = in_the_files(folder)
    report = verify(folder, signing.public_bytes(key))
    assert report.faults == ()
    assert len(found) == len(set(found)) == report.rows
    assert set(said) <= set(found)
    assert len(said) == len(set(said))
    assert len({line.split()[0] for line in found}) == 1
    print(f"{times} kills while recording: {len(said)} called saved, {len(found)} in the files")  # noqa: T201
    return len(said)


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.BACKEND_ENV, "sealed")


def test_ten_kills_lose_nothing_that_was_called_saved(tmp_path: Path) -> None:
    assert kill_and_look(tmp_path / "kiosk", 10) > 0


@pytest.mark.faults
def test_two_hundred_kills_lose_nothing_that_was_called_saved(tmp_path: Path) -> None:
    assert kill_and_look(tmp_path / "kiosk", 200) > 0
