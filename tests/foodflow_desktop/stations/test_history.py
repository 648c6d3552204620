"""History: newest first, saved here or sent, a signed reversal that keeps the first entry readable."""

from __future__ import annotations

import pytest

from foodflow_desktop.stations import records
from foodflow_desktop.stations.history import CORRECTABLE, PAGE, HistoryStation
from foodflow_desktop.stations.scrap import ScrapStation
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant


@pytest.fixture
def station(context):
    plant.sign_in(context, "FFB-1041")
    return HistoryStation(context)


def scrap(context, amount: str) -> None:
    one = ScrapStation(context)
    one.choose("bad_seal")
    for key in amount:
        one.key(key)
    plant.run(one.record())
    context.clock.advance(1)


def test_records_are_listed_newest_first_and_are_saved_here_until_the_hub_has_them(context, station):
    for amount in ("1", "2", "3"):
        scrap(context, amount)
    rows = station.screen().rows
    assert [row.parts["amount"]["value"] for row in rows] == ["3", "2", "1"]
    assert {row.is_sent for row in rows} == {False}
    assert {row.by for row in rows} == {"Operator 1041"}
    assert rows[0].parts["what"] == "Bad seal"


def test_taking_back_needs_a_reason_and_the_pin_and_keeps_both_entries(context, station):
    scrap(context, "7")
    row = station.screen().rows[0]
    station.choose(row.fact_id)
    for digit in plant.OPERATOR_PIN:
        assert station.digit(digit) is None, "no reason yet: the pad takes nothing"
    station.give_reason("twice")
    jobs = [station.digit(digit) for digit in plant.OPERATOR_PIN]
    plant.run(jobs[-1])
    void = records.taken(context.store, bodies.Voided)[0]
    assert (void.body.target_kind, void.body.reason, void.entry.corrects_id) == ("scrap_recorded", "twice", row.fact_id)
    assert void.body.signature.printed_name == "Operator 1041"
    assert void.body.signature.meaning == "corrected"
    back = next(one for one in station.screen().rows if one.fact_id == row.fact_id)
    assert (back.taken_back_by, back.taken_back_why, back.may_correct) == ("Operator 1041", "twice", False)
    assert back.parts["amount"]["value"] == "7"


def test_a_wrong_pin_takes_nothing_back(context, station):
    scrap(context, "7")
    station.choose(station.screen().rows[0].fact_id)
    station.give_reason("typed_wrong")
    jobs = [station.digit(digit) for digit in "9999"]
    plant.run(jobs[-1])
    assert station.screen().pad.tries_left == 4
    assert not records.taken(context.store, bodies.Voided)


def test_counts_of_the_line_are_shown_only_when_asked_and_pages_turn(context, station):
    for _ in range(PAGE + 3):
        plant.count(context, 5)
        context.clock.advance(1)
    scrap(context, "1")
    assert [row.kind for row in station.screen().rows] == ["scrap_recorded"]
    station.show_all(True)
    screen = station.screen()
    assert (screen.total, screen.pages, len(screen.rows)) == (PAGE + 4, 2, PAGE)
    station.turn(1)
    assert len(station.screen().rows) == 4
    station.turn(5)
    assert station.screen().page == 1


@pytest.mark.parametrize("kind", ["ccp_reading", "hold_placed", "deviation_action", "batch_moved", "voided"])
def test_food_safety_entries_cannot_be_taken_back_here(kind):
    assert kind not in CORRECTABLE
