from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from foodflow_desktop.stations.line import LineStation
from foodflow_desktop.stations.line_screen import LineWord, TaskState
from foodflow_desktop.store import Draft
from foodflow_kernel import ids
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.units import Uom
from foodflow_kernel.wire import bodies, master
from tests.foodflow_desktop.stations import plant

SPEC = master.WeightSpecRow(
    id=plant.idof("spec"),
    item_id=plant.SOUP,
    version=1,
    low_g=Decimal(591),
    target_g=Decimal(600),
    high_g=Decimal(615),
    tare_g=Decimal("12.0"),
    every_min=30,
)


def record(context, body):
    user = context.store.master.users_by_badge["FFB-1041"]
    return context.store.record(Draft(body, performed_by=user.id, line_id=plant.LINE_2))


def scrapped(context, pieces):
    amount = bodies.Amount(value=Decimal(pieces), uom=Uom.H87)
    return record(context, bodies.ScrapRecorded(batch_id=plant.BATCH, amount=amount, reason_code="spill"))


def stopped(context, minutes):
    stop_id, start = ids.new_id(context.clock.now()), context.clock.now()
    record(
        context,
        bodies.StopOpened(
            stop_id=stop_id,
            line_id=plant.LINE_2,
            batch_id=plant.BATCH,
            started_at=start,
            source=bodies.Source.signal,
        ),
    )
    context.clock.advance(minutes * 60)
    return bodies.StopClosed(stop_id=stop_id, ended_at=context.clock.now(), source=bodies.Source.signal)


def test_the_picture_grows_old_without_a_fact(context):
    """A rate and a stop change with time alone."""
    station = LineStation(context)
    first = station.screen()
    context.clock.advance(4)
    assert station.screen() is first
    context.clock.advance(2)
    assert station.screen() is not first


def test_count_rate_and_finish_come_from_the_counter(context):
    for _ in range(6):
        context.clock.advance(300)
        plant.count(context, 90)
    screen = LineStation(context).screen()
    assert (screen.made, screen.planned, screen.unit) == (540, 4800, "cups")
    assert screen.rate == 18.0
    assert screen.finishes_at is not None
    assert round((screen.finishes_at - context.clock.now()) / timedelta(minutes=1)) == round(4260 / 18)
    assert sum(bar.count for bar in screen.bars) == 540


def test_stop_is_left_out_of_the_rate_and_shown_in_its_bar(context):
    context.clock.advance(1200)
    plant.count(context, 360)
    closed = stopped(context, 5)
    record(context, closed)
    context.clock.advance(300)
    plant.count(context, 90)
    screen = LineStation(context).screen()
    assert screen.rate == 18.0
    assert screen.stop is not None
    assert screen.stop.minutes == 5
    assert any(bar.is_stop for bar in screen.bars)
    assert (screen.word, screen.minutes) == (LineWord.running, 5)


def test_open_stop_is_said(context):
    stopped(context, 3)
    screen = LineStation(context).screen()
    assert (screen.word, screen.minutes) == (LineWord.stopped, 3)


def test_scrap_taken_back_does_not_count(context):
    plant.count(context, 100)
    scrapped(context, 4)
    wrong = scrapped(context, 40)
    void = bodies.Voided(target_kind="scrap_recorded", reason="undo_10s")
    user = context.store.master.users_by_badge["FFB-1041"]
    context.store.record(Draft(void, user.id, plant.LINE_2, corrects_id=wrong.fact.id, correction_reason="undo_10s"))
    screen = LineStation(context).screen()
    assert (screen.good, screen.scrap) == (96, 4)


def test_next_for_you_is_late_first_and_at_most_three(context):
    plant.change(context.store, "weight_spec", SPEC)
    plant.sign_in(context, "FFB-2003")
    tasks = LineStation(context).screen().tasks
    assert len(tasks) == 3
    assert [task.state for task in tasks] == [TaskState.late] * 3
    assert tasks[-1].view in ("ccp", "weigh")


def test_no_batch_shows_the_next_orders_of_this_line(context):
    batch = context.store.master.batches[plant.BATCH]
    plant.change(context.store, "batch", batch.model_copy(update={"status": BatchState.released, "started_at": None}))
    screen = LineStation(context).screen()
    assert not screen.has_batch
    assert [order.wo_no for order in screen.orders] == ["WO-261123-02"]


def test_held_lot_is_said(context):
    lot = context.store.master.lots[plant.LOT]
    plant.change(context.store, "lot", lot.model_copy(update={"is_held": True}))
    assert LineStation(context).screen().is_held


def test_offline_strip_says_since_when_and_how_many(context):
    station = LineStation(context)
    assert station.screen().offline is None
    scrapped(context, 1)
    context.clock.advance(60)
    offline = station.screen().offline
    assert offline is not None
    assert (offline.since, offline.waiting) == (plant.AT, 1)
