"""Rows changed, cut and pages damaged: named by the verifier, survived by the program."""

from __future__ import annotations

from pathlib import Path

import pysqlite3.dbapi2 as sqlite
import pytest

from foodflow_desktop.store import Options, Store, queries
from foodflow_desktop.store.check import verify
from foodflow_desktop.store.outbox import Broken
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.wire import signing
from foodflow_kernel.wire.protocol import Lane
from tests.foodflow_desktop.store.terminals import KEY, hold, opened, weighing

PUBLIC = signing.public_bytes(KEY)


def change(folder: Path, statement: str, *values: object) -> None:
    with sqlite.connect(folder / "ops.db") as db:
        assert db.execute(statement, values).rowcount == 1
    db.close()


def flip(folder: Path, lane: int, seq: int, column: str = "body") -> None:
    with sqlite.connect(folder / "ops.db") as db:
        where = f"FROM journal WHERE lane = {lane} AND seq = {seq} ORDER BY log DESC LIMIT 1"
        raw = bytearray(db.execute(f"SELECT {column} {where}").fetchone()[0])
    db.close()
    raw[len(raw) // 2] ^= 1
    change(folder, f"UPDATE journal SET {column} = ? WHERE lane = ? AND seq = ?", bytes(raw), lane, seq)


def ten_rows(folder: Path) -> None:
    clock = FakeClock()
    store = opened(folder, clock, Options(reserve_bytes=0, witness_s=60))
    for n in range(10):
        store.record(weighing(n))
    store.record(hold())
    clock.advance(61)
    store.record(hold())
    store.close()


@pytest.mark.parametrize("column", ["body", "hash", "sig"])
def test_one_byte_changed_is_named(tmp_path: Path, column: str) -> None:
    ten_rows(tmp_path)
    assert verify(tmp_path, PUBLIC).faults == ()
    flip(tmp_path, 1, 4, column)
    faults = {(fault.lane, fault.seq) for fault in verify(tmp_path, PUBLIC).faults}
    assert faults == {(1, 4)}


def test_a_row_taken_out_is_named(tmp_path: Path) -> None:
    ten_rows(tmp_path)
    change(tmp_path, "DELETE FROM journal WHERE lane = 1 AND seq = 4")
    assert ("row_missing", 4) in {(fault.what, fault.seq) for fault in verify(tmp_path, PUBLIC).faults}


def test_a_tail_cut_off_contradicts_the_witness(tmp_path: Path) -> None:
    ten_rows(tmp_path)
    change(tmp_path, "DELETE FROM journal WHERE lane = 1 AND seq = 10")
    assert [(fault.what, fault.lane, fault.seq) for fault in verify(tmp_path, PUBLIC).faults] == [
        ("witness_saw_a_row_that_is_gone", 1, 10)
    ]


def test_another_devices_signature_is_named(tmp_path: Path) -> None:
    ten_rows(tmp_path)
    other = signing.public_bytes(signing.generate_key())
    assert {fault.what for fault in verify(tmp_path, other).faults} == {"signature_wrong"}


def drain(store: Store, lane: Lane) -> list[tuple[int, bytes]]:
    """Send everything of a lane as the engine does; (seq, body) as a server would get them."""
    got: list[tuple[int, bytes]] = []
    while pending := store.outbox.pending(lane):
        log = pending[0]
        batch = store.outbox.next_batch(log.incarnation, lane)
        if isinstance(batch, Broken):
            store.salvage_lane(log.incarnation, lane, batch.seq)
            continue
        got += [(row.seq, row.body) for row in batch.rows]
        store.outbox.acknowledge(log.incarnation, lane, batch.last.seq, batch.last.hash, at=store.clock.now())
    return got


def test_a_changed_unsent_row_stays_back_and_the_rest_goes(tmp_path: Path, caplog) -> None:
    store = opened(tmp_path)
    rows = [store.record(weighing(n)) for n in range(10)]
    store.close()
    flip(tmp_path, 1, 4)
    store = opened(tmp_path)
    got = drain(store, Lane.events)
    assert [body for _, body in got] == [row.raw for row in rows if row.seq != 4]
    assert [seq for seq, _ in got] == [1, 2, 3, 1, 2, 3, 4, 5, 6]
    status = store.status()
    assert (status.waiting, status.needs_help) == (1, 1)
    with store.reading() as db:
        sent = {entry.id: entry.is_sent for entry in queries.entries(db, kinds=["weighing"])}
    assert [sent[row.fact.id] for row in rows] == [n != 3 for n in range(10)]
    assert store.record(weighing()).seq == 7
    store.close()
    assert [(fault.what, fault.seq) for fault in verify(tmp_path, PUBLIC).faults] == [("row_changed", 4)]
    caplog.clear()


def test_a_changed_last_row_is_not_built_upon(tmp_path: Path, caplog) -> None:
    store = opened(tmp_path)
    first = store.record(weighing()).incarnation
    store.record(weighing())
    store.close()
    flip(tmp_path, 1, 2)
    store = opened(tmp_path)
    row = store.record(weighing())
    assert (row.seq, row.incarnation != first) == (1, True)
    store.close()
    caplog.clear()


@pytest.mark.parametrize("where", [0.2, 0.35, 0.5, 0.8])
def test_t9_a_damaged_page_is_found_set_aside_and_the_journal_carried_over(
    tmp_path: Path, caplog, where: float
) -> None:
    store = opened(tmp_path)
    first = store.status().incarnation
    rows = store.record_all([weighing(n) for n in range(200)])
    batch = store.outbox.next_batch(first, Lane.events)
    store.outbox.acknowledge(first, Lane.events, 1, rows[0].hash, at=store.clock.now())
    assert batch.last.seq == 200
    store.close()
    raw = bytearray((tmp_path / "ops.db").read_bytes())
    page = int(len(raw) // 4096 * where) * 4096
    raw[page : page + 4096] = b"\xff" * 4096
    (tmp_path / "ops.db").write_bytes(raw)
    store = opened(tmp_path)
    assert store.status().incarnation != first
    assert list(tmp_path.glob("ops-damaged-*.db"))
    salvage = store.status().salvage
    got = drain(store, Lane.events)
    bodies = [row.raw for row in rows]
    assert len({body for _, body in got}) == len(got)
    assert all(body in bodies for _, body in got)
    assert salvage["lost"] + len(got) + 1 == 200
    assert store.record(weighing()).incarnation == store.status().incarnation
    store.close()
    store = opened(tmp_path)
    assert store.status().salvage == salvage
    store.forget_salvage()
    assert store.status().salvage == {}
    store.close()
    caplog.clear()
