from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from foodflow_desktop.hardware.readings import ProbeReading, Quality
from foodflow_desktop.stations import due, records, running
from foodflow_desktop.stations.ccp import Blocked, CcpStation, Judged, ProbeState
from foodflow_desktop.stations.context import Context
from foodflow_desktop.store import Draft
from foodflow_kernel.errors import Refused
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.units import Celsius
from foodflow_kernel.wire import bodies, master
from tests.foodflow_desktop.stations import plant


@pytest.fixture
def station(context: Context) -> CcpStation:
    plant.sign_in(context, "FFB-2003")
    station = CcpStation(context)
    station.open(plant.COOK)
    return station


def type_in(station: CcpStation, text: str) -> None:
    for key in text:
        station.point() if key == "." else station.digit(key)


def probe(context: Context, value: str, *, steady: bool = True) -> ProbeReading:
    return ProbeReading(context.clock.now(), "P-14", Celsius(Decimal(value)), steady, Quality.good)


def record(station: CcpStation, text: str) -> None:
    type_in(station, text)
    plant.run(station.save())


def test_a_value_in_limits_is_one_fact_with_its_margin(context: Context, station: CcpStation):
    type_in(station, "78.4")
    assert (station.screen().judged, station.screen().margin) == (Judged.ok, Decimal("4.4"))
    plant.run(station.save())
    assert plant.kinds(context) == ["ccp_reading"]
    reading = records.taken(context.store, bodies.CcpReading)[0].body
    assert (reading.value, reading.source, reading.verdict.value) == (Decimal("78.4"), "typed", "ok")
    assert reading.due_at == plant.STARTED + timedelta(minutes=30)
    assert reading.lot_id == plant.LOT


def test_a_value_equal_to_the_limit_passes(station: CcpStation):
    type_in(station, "74.0")
    assert station.screen().judged is Judged.ok


def test_the_probe_fills_the_value_and_typing_overrides_it(context: Context, station: CcpStation):
    station.on_probe(probe(context, "71.16"))
    screen = station.screen()
    assert (screen.text, screen.judged, screen.source) == ("71.2", Judged.too_low, "sensor")
    assert screen.probe is not None
    assert screen.probe.is_used
    type_in(station, "78")
    assert (station.screen().text, station.screen().source) == ("78", "typed")
    assert not station.screen().probe.is_used
    station.use_probe()
    assert station.screen().text == "71.2"


def test_a_moving_or_silent_probe_cannot_be_saved(context: Context, station: CcpStation):
    station.on_probe(probe(context, "75.0", steady=False))
    assert station.screen().judged is Judged.moving
    with pytest.raises(Refused, match="reading_not_ready"):
        station.save()
    station.on_probe(probe(context, "75.0"))
    context.clock.advance(4)
    assert station.screen().probe.state is ProbeState.silent
    assert station.screen().judged is Judged.empty


def test_another_probe_is_not_for_this_check(context: Context, station: CcpStation):
    station.on_probe(ProbeReading(context.clock.now(), "P-99", Celsius(Decimal(80)), True, Quality.good))
    assert station.screen().judged is Judged.empty


def test_outside_the_instruments_range_cannot_be_saved(station: CcpStation):
    type_in(station, "740")
    assert station.screen().judged is Judged.outside_range
    assert not station.screen().may_save


def test_a_jump_is_typed_twice(station: CcpStation):
    record(station, "78.4")
    type_in(station, "98.1")
    assert station.screen().judged is Judged.retype
    station.type_again()
    type_in(station, "98.2")
    assert station.screen().judged is Judged.differs
    station.type_again()
    type_in(station, "98.2")
    assert station.screen().judged is Judged.ok


def test_a_breach_is_reading_deviation_and_hold_in_one_transaction(context: Context, station: CcpStation):
    plant.count(context, 2225)
    context.clock.advance(1)
    record(station, "78.4")
    good_at = context.clock.now()
    context.clock.advance(1800)
    plant.count(context, 443)
    context.clock.advance(1)
    opened_ids = []
    station.on_saved = opened_ids.append
    type_in(station, "71.2")
    assert station.screen().hold_lot == "TBS-261123-02"
    assert station.screen().hold_vessel == "Kettle 2"
    plant.run(station.save())

    assert plant.kinds(context) == ["ccp_reading", "ccp_reading", "deviation_opened", "hold_placed"]
    reading = records.taken(context.store, bodies.CcpReading)[-1]
    opened = records.taken(context.store, bodies.DeviationOpened)[0].body
    held = records.taken(context.store, bodies.HoldPlaced)[0].body
    assert opened_ids == [opened.deviation_id]
    assert (opened.reading_id, opened.last_good_at, opened.lot_ids) == (reading.entry.id, good_at, (plant.LOT,))
    assert opened.local_no == "T-07-0001"
    assert held.qty is None
    assert held.marked_qty == bodies.Amount(value=Decimal(443), uom="H87")
    assert (held.vessel, held.marked_from, held.deviation_id) == ("Kettle 2", good_at, opened.deviation_id)
    assert context.store.is_held(plant.LOT)


def test_when_the_store_refuses_nothing_of_a_breach_is_kept(context: Context, station: CcpStation, tmp_path: Path):
    type_in(station, "71.2")
    job = station.save()
    context.store.close()
    with pytest.raises(Refused):
        plant.run(job)
    again = plant.open_terminal(tmp_path)
    assert plant.kinds(again) == []
    assert not again.store.is_held(plant.LOT)
    context.store = again.store


def test_measure_again_keeps_the_attempt_and_is_given_once(context: Context, station: CcpStation):
    type_in(station, "71.2")
    assert station.screen().may_measure_again
    plant.run(station.measure_again())
    assert plant.kinds(context) == ["ccp_reading"]
    assert records.taken(context.store, bodies.CcpReading)[0].body.is_attempt
    assert not context.store.is_held(plant.LOT)
    station.open(plant.COOK)
    type_in(station, "72.0")
    assert not station.screen().may_measure_again
    with pytest.raises(Refused, match="no_second_attempt"):
        station.measure_again()
    plant.run(station.save())
    assert plant.kinds(context) == ["ccp_reading", "ccp_reading", "deviation_opened", "hold_placed"]


def test_a_second_breach_joins_the_open_deviation(context: Context, station: CcpStation):
    seen = []
    station.on_saved = seen.append
    record(station, "71.2")
    context.clock.advance(60)
    record(station, "72.0")
    assert plant.kinds(context).count("deviation_opened") == 1
    assert seen[0] == seen[1]


def test_an_instrument_past_its_calibration_blocks_the_entry(context: Context, station: CcpStation):
    probe_row = context.store.master.equipment_by_tag["P-14"]
    plant.change(
        context.store, "equipment", probe_row.model_copy(update={"calib_due_on": plant.AT.date() - timedelta(1)})
    )
    type_in(station, "78.4")
    assert station.screen().blocked is Blocked.calibration
    assert not station.screen().may_save


def test_every_test_piece_of_a_metal_detector_is_seen(context: Context):
    plant.sign_in(context, "FFB-2003")
    station = CcpStation(context)
    station.open(plant.METAL)
    assert station.screen().judged is Judged.empty
    station.piece(0, rejected=True)
    station.piece(1, rejected=True)
    assert not station.screen().may_save
    station.piece(2, rejected=False)
    assert station.screen().judged is Judged.not_rejected
    plant.run(station.save())
    assert plant.kinds(context) == ["ccp_reading", "deviation_opened", "hold_placed"]
    station.all_rejected()
    assert station.screen().judged is Judged.ok


def test_a_running_batch_keeps_the_version_it_started_with(context: Context):
    batch = context.store.master.batches[plant.BATCH]
    plant.change(context.store, "batch", batch.model_copy(update={"status": BatchState.released, "started_at": None}))
    moved = bodies.BatchMoved(batch_id=plant.BATCH, move="start", base_rev=2, ccp_version_ids=(plant.COOK,))
    context.store.record(Draft(moved, performed_by=plant.idof("FFB-1041"), line_id=plant.LINE_2))
    old = context.store.master.ccps[plant.COOK]
    new = old.model_copy(update={"id": plant.idof("cook v4"), "version": 4, "crit_min": Decimal("72.0")})
    plant.change(context.store, "ccp", new)
    plant.change(context.store, "ccp", old, retired=True)
    station, seen = CcpStation(context), running.current_batch(context.store, plant.LINE_2)
    bound = {ccp.ccp_no: ccp for ccp in due.applicable(context.store, seen)}
    assert isinstance(bound["CCP-1"], master.Ccp)
    assert bound["CCP-1"].id == plant.COOK
    station.open(bound["CCP-1"].id)
    type_in(station, "73.0")
    assert station.screen().judged is Judged.too_low
