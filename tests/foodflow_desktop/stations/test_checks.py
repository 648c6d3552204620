from __future__ import annotations

from decimal import Decimal

from foodflow_desktop.stations.ccp import CcpStation
from foodflow_desktop.stations.checks import ChecksStation
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.due import Due
from foodflow_desktop.store import Draft
from foodflow_kernel.wire import bodies
from tests.foodflow_desktop.stations import plant


def move(context: Context, name: str, base_rev: int) -> None:
    body = bodies.BatchMoved(batch_id=plant.BATCH, move=name, base_rev=base_rev)
    context.store.record(Draft(body, performed_by=plant.idof("FFB-1041"), line_id=plant.LINE_2))


def check(context: Context, version_id: object, text: str = "") -> None:
    station = CcpStation(context)
    station.open(version_id)
    for key in text:
        station.digit(key)
    if not text:
        station.all_rejected()
    plant.run(station.save())


def test_late_comes_first_then_what_is_due_next(context: Context):
    plant.sign_in(context, "FFB-2003")
    context.clock.at = plant.STARTED
    context.clock.advance(14 * 60)
    check(context, plant.COOK, "78")
    context.clock.advance(-7 * 60)
    check(context, plant.METAL)
    context.clock.at = plant.STARTED
    context.clock.advance(40 * 60)
    screen = ChecksStation(context).screen()
    assert [(row.ccp_no, row.state, row.minutes) for row in screen.now] == [
        ("CCP-2", Due.late, 3),
        ("CCP-1", Due.soon, 4),
    ]
    assert [row.ccp_no for row in screen.later] == ["CP-4"]
    assert screen.now[0].last.all_found
    assert screen.now[1].last.value == Decimal(78)
    assert ChecksStation(context).badge() == 2


def test_operators_see_only_checks_marked_for_them(context: Context):
    plant.sign_in(context, "FFB-1041")
    screen = ChecksStation(context).screen()
    assert [row.ccp_no for row in (*screen.now, *screen.later)] == ["CCP-2"]
    assert not screen.may_see_all


def test_done_counts_what_was_on_time(context: Context):
    plant.sign_in(context, "FFB-2003")
    context.clock.at = plant.STARTED
    context.clock.advance(35 * 60)
    check(context, plant.COOK, "78")
    context.clock.advance(36 * 60)
    check(context, plant.COOK, "79")
    screen = ChecksStation(context).screen()
    assert (screen.done_count, screen.done_on_time) == (2, 1)
    assert [row.last.value for row in screen.done] == [Decimal(79), Decimal(78)]


def test_paused_time_does_not_count_and_a_resume_restarts_the_clock(context: Context):
    plant.sign_in(context, "FFB-2003")
    context.clock.at = plant.STARTED
    context.clock.advance(20 * 60)
    move(context, "pause", 1)
    context.clock.advance(3600)
    assert all(row.state is Due.paused for row in ChecksStation(context).screen().later)
    move(context, "resume", 2)
    screen = ChecksStation(context).screen()
    assert screen.now == ()
    cook = next(row for row in screen.later if row.ccp_no == "CCP-1")
    assert cook.minutes == 30


def test_a_check_past_its_grace_is_missed(context: Context):
    plant.sign_in(context, "FFB-2003")
    context.clock.at = plant.STARTED
    context.clock.advance(36 * 60)
    rows = {row.ccp_no: row for row in ChecksStation(context).screen().now}
    assert rows["CCP-1"].is_missed
    assert rows["CCP-1"].minutes == 6


def test_without_a_batch_there_is_nothing_to_check(context: Context):
    plant.sign_in(context, "FFB-2003")
    move(context, "complete", 1)
    screen = ChecksStation(context).screen()
    assert (screen.now, screen.later, screen.has_batch) == ((), (), False)
