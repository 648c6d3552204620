from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from foodflow_desktop.store import incarnation
from foodflow_desktop.store.check import verify
from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import signing
from foodflow_kernel.wire.protocol import Lane
from tests.foodflow_desktop.store.terminals import KEY, a_terminal, opened, settled, weighing

OTHER = a_terminal().model_copy(update={"device": incarnation.UUID(int=8)})


def recorded(folder: Path) -> incarnation.UUID:
    store = opened(folder)
    store.record_all([weighing(), weighing()])
    found = store.status().incarnation
    store.close()
    return found


@pytest.mark.parametrize("what", ["restored_copy", "no_side_file", "other_machine", "telemetry_replaced"])
def test_files_that_are_not_the_pair_written_last_begin_anew(tmp_path: Path, what: str, monkeypatch) -> None:
    old = recorded(tmp_path)
    match what:
        case "restored_copy":
            shutil.copy(tmp_path / "ops.db", tmp_path / "copy")
            (tmp_path / "ops.db").unlink()
            shutil.move(tmp_path / "copy", tmp_path / "ops.db")
            (tmp_path / "hole").touch()
        case "no_side_file":
            (tmp_path / incarnation.FILE_NAME).unlink()
        case "other_machine":
            monkeypatch.setattr(incarnation, "machine_id", lambda: "a clone")
        case "telemetry_replaced":
            (tmp_path / "telemetry.db").unlink()
    store = opened(tmp_path)
    assert store.status().incarnation != old
    assert store.record(weighing()).seq == 1
    assert settled(store).waiting == 3
    oldest = store.outbox.pending(Lane.events)[0]
    batch = store.outbox.next_batch(oldest.incarnation, Lane.events)
    assert (oldest.incarnation, len(batch.rows)) == (old, 2)
    store.close()
    assert verify(tmp_path, signing.public_bytes(KEY)).faults == ()


def test_the_same_files_go_on(tmp_path: Path) -> None:
    old = recorded(tmp_path)
    assert recorded(tmp_path) == old


def test_pairing_again_with_a_waiting_queue_is_refused(tmp_path: Path) -> None:
    store = opened(tmp_path)
    row = store.record(weighing())
    with pytest.raises(Refused) as error:
        store.pair(OTHER, KEY)
    assert error.value.code == "pair_unsent"
    store.outbox.acknowledge(row.incarnation, Lane.events, 1, row.hash, at=store.clock.now())
    store.pair(OTHER, KEY)
    assert store.record(weighing()).seq == 1
    store.close()


def test_an_answer_with_another_hash_is_a_fork_and_drops_nothing(tmp_path: Path) -> None:
    store = opened(tmp_path)
    row = store.record(weighing())
    assert not store.outbox.acknowledge(row.incarnation, Lane.events, 1, bytes(32), at=store.clock.now())
    status = store.status()
    assert (status.waiting, status.needs_help, status.lanes[1].problem) == (1, 1, "fork")
    assert store.outbox.pending(Lane.events) == ()
    store.close()


def test_a_server_that_was_restored_gets_its_rows_again(tmp_path: Path) -> None:
    store = opened(tmp_path)
    rows = store.record_all([weighing(n) for n in range(5)])
    incarnation_, outbox = rows[0].incarnation, store.outbox
    assert outbox.acknowledge(incarnation_, Lane.events, 5, rows[4].hash, at=store.clock.now())
    assert outbox.rewind(incarnation_, Lane.events, 2, rows[1].hash)
    assert [row.seq for row in outbox.next_batch(incarnation_, Lane.events).rows] == [3, 4, 5]
    assert not outbox.rewind(incarnation_, Lane.events, 9, rows[1].hash)
    store.close()
