"""Master data: dense pages, snapshots swapped whole, unknown rows kept, answers to commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from foodflow_desktop.store import Store, queries
from foodflow_desktop.store.tables import MASTER
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import master
from foodflow_kernel.wire.exchange import FeedCursor, FeedHeader, FeedRow
from tests.foodflow_desktop.store.terminals import LOT, hold, opened, weighing

ITEM = UUID(int=600)


def lot(seq: int, code: str = "TBS-261123-02", *, lot_id: UUID = LOT, held: bool = False, version: int = 1) -> FeedRow:
    data = {
        "id": str(lot_id),
        "lot_code": code,
        "item_id": str(ITEM),
        "kind": "finished",
        "status": "released",
        "is_held": held,
        "qty": "4800",
        "uom": "H87",
    }
    return FeedRow(seq=seq, entity="lot", id=lot_id, version=version, data=data)


def page(first: int, *rows: FeedRow, epoch: str = "e1") -> tuple[FeedHeader, list[FeedRow]]:
    return FeedHeader(epoch=epoch, first=first, last=first + len(rows) - 1, more=False), list(rows)


@pytest.fixture
def store(tmp_path: Path):
    store = opened(tmp_path)
    store.cache.begin_snapshot()
    store.cache.stage([lot(4)])
    store.cache.swap(FeedCursor(epoch="e1", seq=4))
    yield store
    store.close()


def test_a_page_is_applied_and_the_cursor_moves_with_it(store: Store) -> None:
    pictures: list[Any] = []
    store.on_master(pictures.append)
    before = store.master
    store.cache.apply(*page(5, lot(5, held=True, version=2)))
    assert store.is_held(LOT)
    assert (store.master.cursor, store.master.version(LOT)) == (FeedCursor(epoch="e1", seq=5), 2)
    assert not before.lots[LOT].is_held
    assert pictures == [store.master]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        page(6, lot(6)),
        page(4, lot(4)),
        (FeedHeader(epoch="e1", first=5, last=6, more=False), [lot(5)]),
        (FeedHeader(epoch="e1", first=5, last=6, more=False), [lot(5), lot(7)]),
    ],
)
def test_a_page_with_a_hole_is_not_applied(store: Store, header: FeedHeader, rows: list[FeedRow]) -> None:
    with pytest.raises(Invalid, match="feed_not_dense"):
        store.cache.apply(header, rows)
    assert store.master.cursor == FeedCursor(epoch="e1", seq=4)


def test_another_epoch_is_not_applied(store: Store) -> None:
    with pytest.raises(Invalid, match="feed_epoch_changed"):
        store.cache.apply(*page(5, lot(5), epoch="e2"))


def test_a_row_this_program_does_not_know_is_kept_raw_and_the_cursor_moves_on(store: Store) -> None:
    strange = FeedRow(seq=5, entity="robot", id=UUID(int=1), version=3, data={"arms": 2})
    store.cache.apply(*page(5, strange))
    assert (store.master.cursor.seq, store.master.unread) == (5, 1)
    with store.reading() as db:
        assert db.execute(select(MASTER.c.data).where(MASTER.c.entity == "robot")).scalar() == '{"arms":2}'


def test_t15_what_was_kept_raw_is_understood_after_an_upgrade_without_a_new_snapshot(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = FeedRow(seq=5, entity="robot", id=UUID(int=1), version=3, data={"id": str(UUID(int=1)), "arms": 2})
    store.cache.apply(*page(5, strange))
    store.cache.apply(*page(6, lot(6, version=2)))
    assert (store.master.cursor.seq, store.master.version(LOT), store.master.unread) == (6, 2, 1)

    class Robot(master.Entity):
        arms: int

    monkeypatch.setitem(master.ENTITIES, "robot", Robot)
    store.cache.load()
    assert store.master.rows["robot"] == {UUID(int=1): Robot(id=UUID(int=1), arms=2)}
    assert (store.master.cursor, store.master.unread) == (FeedCursor(epoch="e1", seq=6), 0)


def test_a_retired_row_is_not_usable_but_can_still_be_named(store: Store) -> None:
    store.cache.apply(*page(5, FeedRow(seq=5, entity="lot", id=LOT, version=2, retired=True)))
    assert LOT not in store.master.lots
    assert store.master.anything(LOT).lot_code == "TBS-261123-02"


def test_a_snapshot_replaces_everything_but_unsent_work(store: Store) -> None:
    store.record(weighing())
    store.cache.begin_snapshot()
    store.cache.stage([lot(9, "PP-261109-C", lot_id=UUID(int=77))])
    assert set(store.master.lots) == {LOT}
    store.cache.swap(FeedCursor(epoch="e2", seq=9))
    assert set(store.master.lots) == {UUID(int=77)}
    assert set(store.master.lots_by_code) == {"PP-261109-C"}
    assert store.status().waiting == 1


def test_the_picture_is_the_same_after_a_restart(store: Store) -> None:
    store.cache.apply(*page(5, lot(5, "B", lot_id=UUID(int=78))))
    before = store.master
    store.cache.load()
    assert (store.master.rows, store.master.cursor) == (before.rows, before.cursor)


def test_answers_to_commands_show_in_the_history_and_conflicts_need_help(store: Store) -> None:
    row = store.record(weighing())
    answer = {"fact_id": str(row.fact.id), "outcome": "conflict", "reason": "counted_twice"}
    store.cache.apply(*page(5, FeedRow(seq=5, entity="command", id=row.fact.id, version=0, data=answer)))
    with store.reading() as db:
        assert queries.entry(db, row.fact.id).answer == "conflict"
    assert store.status().needs_help == 1


def test_a_hold_placed_here_lasts_until_the_server_ends_it(store: Store) -> None:
    placed = store.record(hold()).fact.body["hold_id"]
    data = {"id": placed, "lot_id": str(LOT), "state": "open", "reason": "x", "placed_at": "2026-11-23T09:00:00Z"}
    store.cache.apply(*page(5, FeedRow(seq=5, entity="hold", id=UUID(placed), version=1, data=data)))
    assert store.is_held(LOT)
    ended = FeedRow(seq=6, entity="hold", id=UUID(placed), version=2, data={**data, "state": "released"})
    store.cache.apply(*page(6, ended))
    assert not store.is_held(LOT)
