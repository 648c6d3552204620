"""Downtime: one touch explains, most used first, planned at the bottom, the signal and hand close it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foodflow_desktop.hardware.readings import SignalReading
from foodflow_desktop.stations import records
from foodflow_desktop.stations.downtime import DowntimeStation
from foodflow_desktop.stations.line_recording import LineRecording
from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant


@pytest.fixture
def recording(context):
    found = LineRecording(context)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def station(context, recording):
    plant.sign_in(context, "FFB-1041")
    return DowntimeStation(context, recording)


def signal(context, recording, seconds: int, *, is_running: bool) -> None:
    """The signal for some seconds, read every ten, and what it brings written."""
    for _ in range(seconds // 10):
        context.clock.advance(10)
        recording.signal.on_reading(SignalReading(context.clock.now(), is_running, 500, context.clock.mono_ns()))
    recording.settle()


def bodies_of(context, kind):
    return [record.body for record in records.taken(context.store, kind)]


def test_the_signal_brings_the_screen_up_and_one_touch_explains(context, recording, station):
    signal(context, recording, 60, is_running=True)
    assert station.wants_attention is None
    signal(context, recording, 130, is_running=False)
    stop_id = station.wants_attention
    screen = station.screen()
    assert screen.stop.stop_id == stop_id
    assert screen.elapsed_s == 120
    assert station.badge()
    plant.run(station.explain("jam"))
    assert station.wants_attention is None
    assert not station.badge()
    assert station.screen().reason == "Product jam"
    explained = bodies_of(context, bodies.StopExplained)
    assert [(one.stop_id, one.reason_code, one.category) for one in explained] == [(stop_id, "jam", "breakdown")]
    signal(context, recording, 10, is_running=True)
    assert station.screen().stop is None


def test_a_stop_by_hand_is_two_facts_and_ends_by_hand(context, station):
    plant.run(station.explain("no_material"))
    assert station.screen().stop.source == "manual"
    context.clock.advance(60)
    assert station.screen().elapsed_s == 60
    plant.run(station.running_again())
    assert station.screen().stop is None
    kinds = [kind for kind in plant.kinds(context) if kind.startswith("stop")]
    assert kinds == ["stop_opened", "stop_explained", "stop_closed"]
    with pytest.raises(Refused, match="no_open_stop"):
        plant.run(station.running_again())


def test_another_reason_is_another_entry_that_names_the_first(context, station):
    plant.run(station.explain("jam"))
    first = station.screen().stop.explained_fact
    plant.run(station.explain("breakdown"))
    found = records.taken(context.store, bodies.StopExplained)
    assert [record.entry.corrects_id for record in found] == [None, first]
    assert station.screen().reason == "Breakdown"
    assert len(bodies_of(context, bodies.StopOpened)) == 1


def test_a_stop_that_ended_without_a_reason_is_still_asked(context, recording, station):
    signal(context, recording, 10, is_running=True)
    signal(context, recording, 140, is_running=False)
    signal(context, recording, 20, is_running=True)
    screen = station.screen()
    assert screen.stop is not None
    assert not screen.stop.is_open
    assert screen.elapsed_s == 140
    plant.run(station.explain("film_change"))
    assert station.screen().stop is None
    assert len(bodies_of(context, bodies.StopOpened)) == 1


def test_most_used_first_planned_and_other_stay_in_the_bottom_row(context, station):
    for code in ("detector", "detector", "upstream", "break"):
        plant.run(station.explain(code))
        plant.run(station.running_again())
    codes = [tile.code for tile in station.screen().reasons]
    assert codes[:3] == ["detector", "upstream", "jam"]
    assert codes[8:] == ["break", "cleaning", "changeover", "other"]
    assert [tile.used_today for tile in station.screen().reasons][:2] == [2, 1]
    context.clock.advance(timedelta(days=1).total_seconds())
    assert [tile.code for tile in station.screen().reasons][:2] == ["jam", "film_change"]


def test_nobody_signed_in_records_nothing(context, station):
    context.session.user = None
    with pytest.raises(Refused, match="nobody_signed_in"):
        plant.run(station.explain("jam"))
    assert not bodies_of(context, bodies.StopOpened)
    assert not station.screen().has_user


def test_stops_and_counts_go_on_after_a_restart(context, recording):
    signal(context, recording, 10, is_running=True)
    signal(context, recording, 130, is_running=False)
    recording.stop()
    again = LineRecording(context)
    again.start()
    try:
        assert again.stops.open is not None
        signal(context, again, 30, is_running=True)
        assert again.stops.open is None
        assert len(bodies_of(context, bodies.StopOpened)) == 1
        assert len(bodies_of(context, bodies.StopClosed)) == 1
    finally:
        again.stop()
        recording.start()
