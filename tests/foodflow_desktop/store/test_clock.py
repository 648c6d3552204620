"""T3: the wall clock jumps; nothing is lost, re-ordered or given the same id, and the jump is a fact."""

from __future__ import annotations

from pathlib import Path

import pytest

from foodflow_desktop.store import Options, queries
from foodflow_desktop.store.check import verify
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.wire import signing
from tests.foodflow_desktop.store.terminals import KEY, opened, weighing

DAY = 86_400


@pytest.mark.parametrize("jump_s", [-DAY, 365 * DAY])
def test_bad_input_t3_a_clock_set_back_or_ahead_mid_run(tmp_path: Path, jump_s: int) -> None:
    clock = FakeClock()
    store = opened(tmp_path, clock)
    rows = [store.record(weighing(n)) for n in range(3)]
    clock.jump(jump_s)
    rows += [store.record(weighing(n)) for n in range(3)]
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5, 6]
    assert len({row.fact.id for row in rows}) == 6
    assert [row.fact.hlc for row in rows] == sorted({row.fact.hlc for row in rows})
    with store.reading() as db:
        jumps = queries.entries(db, kinds=["clock_jumped"])
    assert [entry.data["jump_ms"] for entry in jumps] == [jump_s * 1000]
    store.close()
    assert verify(tmp_path, signing.public_bytes(KEY)).faults == ()


def test_a_clock_set_back_while_the_program_was_off_is_seen_at_the_next_fact(tmp_path: Path) -> None:
    clock = FakeClock()
    store = opened(tmp_path, clock)
    before = store.record(weighing())
    store.close()
    clock.advance(600)
    clock.jump(-DAY)
    store = opened(tmp_path, clock)
    after = store.record(weighing())
    assert after.fact.hlc > before.fact.hlc
    with store.reading() as db:
        assert [entry.data["jump_ms"] for entry in queries.entries(db, kinds=["clock_jumped"])] == [-DAY * 1000]
    store.close()


def test_time_that_passes_is_no_jump(tmp_path: Path) -> None:
    clock = FakeClock()
    store = opened(tmp_path, clock)
    for _ in range(3):
        store.record(weighing())
        clock.advance(7200)
    with store.reading() as db:
        assert queries.count(db, "clock_jumped") == 0
    store.close()


def test_each_minute_a_witness_carries_all_heads(tmp_path: Path) -> None:
    clock = FakeClock()
    store = opened(tmp_path, clock, Options(reserve_bytes=0, witness_s=60))
    seen = []
    store.subscribe(seen.append)
    row = store.record(weighing())
    clock.advance(61)
    store.record(weighing())
    store.pragmas()
    witness = next(each for each in seen if each.fact.kind == "witness")
    assert (witness.lane, witness.seq) == (0, 1)
    assert witness.fact.body["heads"]["1"] == {"seq": 1, "hash": row.hash.hex()}
    assert set(witness.fact.body["heads"]) == {"0", "1", "2", "3"}
    store.close()
