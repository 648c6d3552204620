from __future__ import annotations

import pytest

from foodflow_desktop.stations import records
from foodflow_desktop.stations.sign_in import SignInStation
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant

OPERATOR = plant.idof("FFB-1041")


@pytest.fixture
def station(context):
    return SignInStation(context)


def typed(station, pin):
    job = None
    for digit in pin:
        job = station.digit(digit)
    if job is not None:
        plant.run(job)
    return station.screen()


def sessions(context):
    started = [(one.at, "start", one.body.user_id) for one in records.taken(context.store, bodies.SessionStarted)]
    ended = [(one.at, one.body.cause, one.body.user_id) for one in records.taken(context.store, bodies.SessionEnded)]
    return [entry[1:] for entry in sorted(started + ended, key=lambda one: one[0])]


def test_badge_signs_in_without_a_touch(context, station):
    plant.run(station.on_badge("FFB-1041"))
    assert context.session.user.id == OPERATOR
    assert context.session.identified_by == "badge"
    assert sessions(context) == [("start", OPERATOR)]


def test_unknown_badge_signs_nobody_in_and_says_so(context, station):
    assert station.on_badge("FFB-9999") is None
    assert station.screen().unknown_badge == "FFB-9999"
    assert context.session.user is None


def test_tile_and_pin_sign_in_with_the_last_digit(context, station):
    station.choose(OPERATOR)
    assert typed(station, plant.OPERATOR_PIN[:3]).filled == 3
    typed(station, plant.OPERATOR_PIN[3])
    assert context.session.user.id == OPERATOR
    assert context.session.identified_by == "tile"


def test_five_wrong_pins_wait_thirty_seconds_and_doubling(context, station):
    station.choose(OPERATOR)
    left = [typed(station, "1112").tries_left for _ in range(4)]
    assert left == [4, 3, 2, 1]
    assert typed(station, "1112").wait_s == 30
    assert station.digit("4") is None  # nothing is taken while it waits
    context.clock.advance(30)
    assert station.screen().wait_s == 0
    assert typed(station, "1112").wait_s == 60
    context.clock.advance(60)
    assert typed(station, "1112").wait_s == 120
    context.clock.advance(120)
    typed(station, plant.OPERATOR_PIN)
    assert context.session.user.id == OPERATOR


def test_badge_of_somebody_else_switches_and_is_recorded(context, station):
    plant.run(station.on_badge("FFB-1041"))
    context.clock.advance(60)
    plant.run(station.on_badge("FFB-2003"))
    qa = plant.idof("FFB-2003")
    assert context.session.user.id == qa
    assert ("switched", OPERATOR) in sessions(context)
    assert ("start", qa) in sessions(context)


def test_lock_ends_the_session_with_its_cause(context, station):
    plant.run(station.on_badge("FFB-1041"))
    context.clock.advance(120)
    plant.run(station.lock("idle"))
    assert context.session.user is None
    assert sessions(context)[-1] == ("idle", OPERATOR)


def test_person_is_found_by_number(station):
    station.find()
    typed(station, "2003")
    assert station.screen().chosen == "QA 2003"
