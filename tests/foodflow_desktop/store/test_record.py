from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from foodflow_desktop.store import Draft, Store, queries
from foodflow_desktop.store.files import refuse_old_sqlite
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.wire import bodies, chain, facts, signing
from foodflow_kernel.wire.protocol import Lane
from tests.foodflow_desktop.store.terminals import (
    BATCH,
    DEVICE,
    KEY,
    LINE,
    LOT,
    QUIET,
    hold,
    opened,
    samples,
    settled,
    weighing,
)


@pytest.fixture
def store(tmp_path: Path):
    store = opened(tmp_path)
    yield store
    store.close()


def test_recorded_facts_are_dense_chained_and_signed_at_each_commit(store: Store) -> None:
    rows = [store.record(weighing(n)) for n in range(1, 4)]
    rows += store.record_all([weighing(4), weighing(5)])
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    incarnation = store.status().incarnation
    assert [row.hash for row in rows] == chain.links(
        chain.genesis(DEVICE, incarnation, Lane.events), [r.raw for r in rows]
    )
    batch = store.outbox.next_batch(incarnation, Lane.events)
    signed = [row.seq for row in batch.rows if row.sig is not None]
    assert signed == [1, 2, 3, 5]
    public = signing.public_bytes(KEY)
    assert all(signing.verify_row(public, 1, row.seq, row.hash, row.sig) for row in batch.rows if row.sig)


def test_each_lane_counts_for_itself(store: Store) -> None:
    assert [store.record(draft()).seq for draft in (weighing, hold, weighing, samples)] == [1, 1, 2, 1]
    assert [lane.unsent for lane in settled(store).lanes] == [1, 2, 0, 1]
    assert store.status().waiting == 3


def test_journal_and_projection_say_the_same(store: Store) -> None:
    row = store.record(replace(weighing(), flags=("TYPED",)))
    with store.reading() as db:
        found = queries.entries(db, kinds=["weighing"], batch_id=BATCH, lot_id=LOT, line_id=LINE)
    assert [(e.id, e.lane, e.seq, e.flags, e.is_sent, e.answer) for e in found] == [
        (row.fact.id, 1, 1, ("TYPED",), False, None)
    ]
    assert found[0].body == weighing().body
    assert facts.decode(row.raw) == row.fact


def test_nothing_can_be_recorded_before_pairing(tmp_path: Path) -> None:
    store = Store.open(tmp_path, FakeClock(), KEY, QUIET)
    with pytest.raises(Refused) as error:
        store.record(weighing())
    assert error.value.code == "not_paired"
    assert "Pair it first" in error.value.sentence
    assert not store.status().is_paired
    store.close()


def test_a_fact_without_its_person_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="user_missing"):
        store.record(replace(weighing(), performed_by=None))


def test_a_fact_too_long_is_refused_and_leaves_no_gap(store: Store) -> None:
    with pytest.raises(Invalid, match="fact_too_long"):
        store.record_all([weighing(), weighing(note="x" * 70_000)])
    assert store.record(weighing()).seq == 1


def test_sensor_blocks_and_records_cannot_be_one_transaction(store: Store) -> None:
    with pytest.raises(Invalid, match="mixed_files"):
        store.record_all([weighing(), samples()])


def test_subscribers_hear_every_fact_once_and_cannot_break_recording(store: Store, caplog) -> None:
    heard: list[int] = []

    def broken(_row: object) -> None:
        raise RuntimeError("listener")

    store.subscribe(broken)
    store.subscribe(lambda row: heard.append(row.seq))
    store.record_all([weighing(), weighing()])
    store.record(weighing())
    store.pragmas()  # a job behind the last commit: its listeners are done
    assert heard == [1, 2, 3]
    assert "a subscriber failed" in caplog.text
    caplog.clear()


def test_eight_threads_together_leave_a_dense_chain(store: Store) -> None:
    saved: list[int] = []

    def work() -> None:
        saved.extend([store.record(weighing(n)).seq for n in range(25)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(saved) == list(range(1, 201))
    incarnation = store.status().incarnation
    batch = store.outbox.next_batch(incarnation, Lane.events)
    assert [row.seq for row in batch.rows] == list(range(1, 201))


def test_wal_and_synchronous_read_back_on_each_writers_own_connection(store: Store) -> None:
    found = {
        name: (p["journal_mode"], p["synchronous"], p["wal_autocheckpoint"]) for name, p in store.pragmas().items()
    }
    assert found == {"ops.db": ("WAL", "FULL", "0"), "telemetry.db": ("WAL", "NORMAL", "0")}


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2), sqlite3.sqlite_version_info])
def test_t10_a_sqlite_with_the_wal_reset_bug_is_refused(version: tuple[int, int, int]) -> None:
    if version >= (3, 51, 3):
        refuse_old_sqlite(version)
        return
    with pytest.raises(Refused) as error:
        refuse_old_sqlite(version)
    assert error.value.code == "sqlite_too_old"
    refuse_old_sqlite((3, 51, 3))


def test_a_second_program_on_the_same_folder_is_refused(store: Store) -> None:
    with pytest.raises(Refused, match="folder_in_use"):
        Store.open(store.folder, FakeClock(), KEY, QUIET)


def test_a_draft_may_bring_the_id_another_draft_names(store: Store) -> None:
    reading = store.record(weighing()).fact.id
    row = store.record(
        Draft(bodies.Voided(target_kind="weighing", reason="wrong cup"), hold().performed_by, LINE, corrects_id=reading)
    )
    with store.reading() as db:
        assert queries.entry(db, row.fact.id).corrects_id == reading
        assert queries.count(db, "weighing", batch_id=BATCH) == 1
        assert queries.waiting_by_kind(db) == {"weighing": 1, "voided": 1}


def test_what_was_recorded_is_there_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    first = opened(tmp_path, clock)
    rows = first.record_all([weighing(), hold()])
    incarnation = first.status().incarnation
    first.close()
    again = opened(tmp_path, clock)
    assert again.status().incarnation == incarnation
    assert again.status().waiting == 2
    later = again.record(weighing())
    assert later.seq == 2
    assert later.fact.hlc > max(row.fact.hlc for row in rows)
    again.close()


def test_a_hold_placed_here_holds_at_once(store: Store) -> None:
    assert not store.is_held(LOT)
    store.record(hold())
    assert store.is_held(LOT)
