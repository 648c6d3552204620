from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from foodflow_desktop.stations import records, running
from foodflow_desktop.stations.batch import Field, FinishStation, Gate, StartStation
from foodflow_desktop.stations.context import Context
from foodflow_desktop.store import Draft
from foodflow_kernel.errors import Refused
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant


@pytest.fixture
def released(context: Context) -> Context:
    batch = context.store.master.batches[plant.BATCH]
    plant.change(context.store, "batch", batch.model_copy(update={"status": BatchState.released, "started_at": None}))
    plant.sign_in(context, "FFB-1041")
    return context


def closed(station: StartStation) -> set[Gate]:
    return {row.gate for row in station.screen().gates if not row.is_open}


def test_scan_clear_and_start(released: Context):
    station = StartStation(released)
    assert [row.wo_no for row in station.screen().planned] == ["WO-261123-02"]
    assert station.on_scan("FFW-WO-261123-02")
    assert closed(station) == {Gate.line_clearance}
    with pytest.raises(Refused, match="gate_closed"):
        station.start()
    station.confirm_clear()
    plant.run(station.start())
    moved = records.taken(released.store, bodies.BatchMoved)[0].body
    assert (moved.move, moved.base_rev) == ("start", 2)
    assert moved.gates["line_clearance"]
    assert set(moved.ccp_version_ids) == {plant.COOK, plant.METAL, plant.PH}
    seen = running.current_batch(released.store, plant.LINE_2)
    assert seen is not None
    assert (seen.state, seen.base_rev) == (BatchState.running, 3)


def test_an_unknown_code_starts_nothing(released: Context):
    station = StartStation(released)
    assert not station.on_scan("FFW-NOPE")
    assert station.screen().unknown_code == "FFW-NOPE"
    assert not station.screen().may_start


def test_a_busy_line_closes_its_gate(context: Context):
    plant.sign_in(context, "FFB-1041")
    station = StartStation(context)
    station.on_scan("WO-261123-02")
    assert {Gate.line_available, Gate.order_released} <= closed(station)


def test_a_release_older_than_a_day_closes_its_gate(released: Context):
    station = StartStation(released)
    station.on_scan("WO-261123-02")
    released.clock.advance(24 * 3600 + 1)
    assert Gate.release_fresh in closed(station)


def test_allergens_left_on_the_line_ask_for_a_changeover(released: Context):
    satay = released.store.master.batches[plant.BATCH].model_copy(
        update={
            "id": plant.idof("satay batch"), "item_id": plant.idof("satay"), "status": BatchState.closed,
            "started_at": plant.STARTED - timedelta(hours=8), "ended_at": plant.STARTED - timedelta(hours=1),
        }
    )  # fmt: skip
    plant.change(released.store, "batch", satay)
    station = StartStation(released)
    station.on_scan("WO-261123-02")
    gate = next(row for row in station.screen().gates if row.gate is Gate.allergen_changeover)
    assert (gate.is_open, gate.detail) == (False, "peanut")
    station.confirm_clear()
    plant.run(station.start())
    assert records.taken(released.store, bodies.BatchMoved)[0].body.gates["allergen_changeover"]


def test_finish_shows_the_difference_and_is_signed(context: Context):
    plant.sign_in(context, "FFB-1041")
    plant.count(context, 4790)
    scrap = bodies.ScrapRecorded(
        batch_id=plant.BATCH, amount=bodies.Amount(value=Decimal(24), uom="H87"), reason_code="spill"
    )
    context.store.record(Draft(scrap, performed_by=plant.idof("FFB-1041"), line_id=plant.LINE_2))
    station, ended = FinishStation(context), []
    station.on_finished = lambda: ended.append(True)
    station.open()
    assert (station.screen().good, station.screen().scrap, station.screen().difference) == ("4766", "24", 0)
    for key in "4760":
        station.digit(key)
    assert station.screen().difference == Decimal(-6)
    station.edit(Field.left_over)
    for key in "3.5":
        station.digit(key)
    station.go_sign()
    for key in "427":
        assert station.pin_digit(key) is None
    plant.run(station.pin_digit("1"))
    moved = records.taken(context.store, bodies.BatchMoved)[0].body
    assert (moved.move, moved.good, moved.scrap, moved.counter_total) == ("complete", 4760, 24, 4790)
    assert moved.left_over == bodies.Amount(value=Decimal("3.5"), uom="KGM")
    assert moved.signature is not None
    assert moved.signature.meaning == "performed"
    assert ended == [True]
    assert running.current_batch(context.store, plant.LINE_2) is None


def test_a_wrong_pin_does_not_finish(context: Context):
    plant.sign_in(context, "FFB-1041")
    station = FinishStation(context)
    station.open()
    station.go_sign()
    for key in "111":
        station.pin_digit(key)
    plant.run(station.pin_digit("1"))
    assert records.taken(context.store, bodies.BatchMoved) == []
    assert station.screen().pad.tries_left == 4
