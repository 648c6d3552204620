"""Scrap: three touches and digits, whole pieces, ten seconds to take it back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from foodflow_desktop.stations import records
from foodflow_desktop.stations.scrap import ScrapStation
from foodflow_kernel.errors import Refused
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant


@pytest.fixture
def station(context):
    plant.sign_in(context, "FFB-1041")
    return ScrapStation(context)


def test_reason_digits_and_one_touch_record(context, station):
    assert station.screen().problem == "no_reason"
    station.choose("bad_seal")
    assert station.screen().problem == "no_amount"
    for key in "12":
        station.key(key)
    screen = station.screen()
    assert (screen.problem, screen.amount, screen.unit) == (None, Decimal(12), "cups")
    plant.run(station.record())
    saved = [record.body for record in records.taken(context.store, bodies.ScrapRecorded)]
    assert [(one.amount.value, one.amount.uom, one.reason_code, one.batch_id) for one in saved] == [
        (Decimal(12), "H87", "bad_seal", plant.BATCH)
    ]
    screen = station.screen()
    assert screen.so_far == 12
    assert screen.saved.reason == "Bad seal"
    assert (screen.typed, screen.problem) == ("", "no_reason")


def test_undo_within_ten_seconds_adds_a_reversal_and_later_not(context, station):
    station.choose("spill")
    station.key("5")
    plant.run(station.record())
    context.clock.advance(9)
    plant.run(station.undo())
    voided = records.taken(context.store, bodies.Voided)
    first = records.taken(context.store, bodies.ScrapRecorded)[0]
    assert [record.entry.corrects_id for record in voided] == [first.entry.id]
    assert station.screen().so_far == 0
    assert station.screen().saved is None
    station.choose("spill")
    station.key("5")
    plant.run(station.record())
    context.clock.advance(10)
    assert station.screen().saved is None
    with pytest.raises(Refused, match="undo_over"):
        plant.run(station.undo())


def test_digits_are_whole_pieces_and_keys_correct_them(station):
    for key in ("0", "0", "7", ".", "5", "back", "1"):
        station.key(key)
    assert station.screen().typed == "71"
    assert not station.screen().is_decimal
    for _ in range(12):
        station.key("9")
    assert len(station.screen().typed) == 7
    station.key("clear")
    assert station.screen().amount is None


def test_nothing_is_recorded_without_a_batch_or_a_person(context, station):
    station.choose("spill")
    station.key("5")
    context.session.user = None
    with pytest.raises(Refused, match="nobody_signed_in"):
        plant.run(station.record())
    batch = plant.entities()["batch"][0]
    plant.change(context.store, "batch", batch.model_copy(update={"status": BatchState.completed}), version=9)
    assert station.screen().problem == "no_batch"
    assert not records.taken(context.store, bodies.ScrapRecorded)
