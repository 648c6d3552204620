from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from foodflow_desktop.stations import records
from foodflow_desktop.stations.ccp import CcpStation
from foodflow_desktop.stations.checks import ChecksStation
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.deviation import DeviationStation
from foodflow_desktop.stations.due import Due
from foodflow_kernel.errors import NotFound, Refused
from foodflow_kernel.machines.fsq import DeviationState
from foodflow_kernel.wire import bodies, master
from tests.foodflow_desktop.stations import plant


def breach(context: Context, value: str = "71.2") -> DeviationStation:
    """A cook temperature under its limit, and the deviation it opened."""
    plant.sign_in(context, "FFB-2003")
    ccp, station, opened = CcpStation(context), DeviationStation(context), []
    ccp.on_saved = opened.append
    ccp.open(plant.COOK)
    for key in value:
        ccp.point() if key == "." else ccp.digit(key)
    plant.run(ccp.save())
    station.open(opened[0])
    return station


def sign(station: DeviationStation, pin: str = plant.QA_PIN) -> None:
    for digit in pin[:-1]:
        assert station.digit(digit) is None
    plant.run(station.digit(pin[-1]))


def test_what_is_held_is_shown(context: Context):
    plant.count(context, 2668)
    context.clock.advance(1)
    screen = breach(context).screen()
    held = screen.held
    assert held is not None
    assert (held.lot_code, held.whole, held.unit) == ("TBS-261123-02", Decimal(2668), "cups")
    assert (held.vessel, held.vessel_qty) == ("Kettle 2", Decimal(212))
    assert (screen.number, screen.ccp_no, screen.measured.value) == ("T-07-0001", "CCP-1", Decimal("71.2"))
    assert screen.step == 2
    assert screen.pad is None


def test_the_action_is_signed_as_performed_with_a_recheck(context: Context):
    station = breach(context)
    station.choose("cook_longer")
    assert station.screen().step == 3
    sign(station)
    assert plant.kinds(context)[-1] == "deviation_action"
    action = records.taken(context.store, bodies.DeviationAction)[0]
    assert action.body.signature.meaning == "performed"
    assert action.body.signature.printed_name == "QA 2003"
    assert action.body.signature.identified_by == "badge"
    assert action.body.recheck_due_at == context.clock.now() + timedelta(minutes=11)
    assert station.screen().is_signed
    row = next(row for row in ChecksStation(context).screen().later if row.ccp_no == "CCP-1")
    assert (row.is_recheck, row.minutes) == (True, 11)


def test_a_wrong_pin_signs_nothing_and_is_counted(context: Context):
    station = breach(context)
    station.choose("close_kettle")
    sign(station, "1111")
    assert station.screen().pad.tries_left == 4
    assert "deviation_action" not in plant.kinds(context)


def test_five_wrong_pins_make_it_wait(context: Context):
    station = breach(context)
    station.choose("close_kettle")
    for _ in range(5):
        sign(station, "1111")
    assert station.screen().pad.wait_s == 30
    assert station.digit("5") is None
    context.clock.advance(31)
    sign(station)
    assert station.screen().is_signed


def test_nothing_is_signed_before_an_action_is_chosen(context: Context):
    station = breach(context)
    for digit in plant.QA_PIN:
        assert station.digit(digit) is None
    assert "deviation_action" not in plant.kinds(context)


def test_other_needs_a_note(context: Context):
    station = breach(context)
    station.choose("other")
    assert station.screen().needs_note
    assert station.digit("5") is None
    station.set_note("Drained the kettle by hand")
    sign(station)
    assert records.taken(context.store, bodies.DeviationAction)[0].body.note == "Drained the kettle by hand"


def test_an_action_outside_the_plan_is_refused(context: Context):
    station = breach(context)
    with pytest.raises(Refused, match="action_not_in_plan"):
        station.choose("release_it")


def test_the_servers_number_replaces_the_local_one(context: Context):
    station = breach(context)
    numbered = master.Deviation(
        id=station.screen().deviation_id, number="DV-0093", state=DeviationState.open, severity="critical",
        ccp_id=None, batch_id=None, line_id=None, summary="", detected_at=context.clock.now(),
    )  # fmt: skip
    plant.change(context.store, "deviation", numbered)
    assert station.screen().number == "DV-0093"


def test_a_new_breach_asks_for_a_new_action(context: Context):
    station = breach(context)
    station.choose("cook_longer")
    sign(station)
    assert ChecksStation(context).screen().deviations == ()
    context.clock.advance(660)
    again = breach(context, "72.0")
    assert not again.screen().is_signed
    assert len(ChecksStation(context).screen().deviations) == 1
    assert again.screen().measured.value == Decimal("72.0")


def test_a_good_recheck_ends_the_task(context: Context):
    station = breach(context)
    station.choose("cook_longer")
    sign(station)
    context.clock.advance(660)
    ccp = CcpStation(context)
    ccp.open(plant.COOK)
    for key in "78":
        ccp.digit(key)
    plant.run(ccp.save())
    row = next(row for row in ChecksStation(context).screen().later if row.ccp_no == "CCP-1")
    assert (row.is_recheck, row.state) == (False, Due.later)
    assert context.store.is_held(plant.LOT)


def test_an_unknown_deviation_is_refused(context: Context):
    with pytest.raises(NotFound, match="deviation_unknown"):
        DeviationStation(context).open(plant.idof("nothing"))
