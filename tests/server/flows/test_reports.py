"""The reports of the demo plant: board, OEE and trace say what its history adds up to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.units import Uom
from foodflow_kernel.wire.reports import Board, SyncHealth, TerminalLine, Trace
from server import seed
from server.core.db.sessions import Database, TenantRef
from server.core.models import Plant
from server.flows import board, trace
from server.fsq.models import Lot
from server.plant_ops import reports
from server.plant_ops.frames import Span
from server.plant_ops.models import ProductionLine
from tests.conftest import a_tenant
from tests.server.conftest import SignIn

D = Decimal


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(database: Database) -> TenantRef:
    tenant = await a_tenant(database, "demo")
    await seed.plant(database, tenant)
    return tenant


async def the_plant(db: AsyncSession) -> Plant:
    plant = await db.scalar(select(Plant))
    assert plant is not None
    return plant


async def the_board(database: Database, demo: TenantRef, health: SyncHealth | None = None) -> Board:
    async with database.tenant_session(demo.id) as db:
        return await board.report(db, await the_plant(db), database.clock.now(), health)


async def traced(database: Database, demo: TenantRef, code: str, direction: str) -> Trace:
    async with database.tenant_session(demo.id) as db:
        lot = await db.scalar(select(Lot).where(Lot.lot_code == code))
        assert lot is not None
        return await trace.report(db, lot, direction, database.clock.now())


async def test_the_board_shows_the_shift_that_now_lies_in(database: Database, demo: TenantRef) -> None:
    shown = await the_board(database, demo)
    assert shown.shift_name == "A"
    assert shown.shift_from <= shown.at < shown.shift_to
    assert [(card.name, card.state) for card in shown.lines] == [
        ("Line 1", "running"),
        ("Line 2", "planned"),
        ("Line 3", "stopped"),
        ("Line 4", "changeover"),
    ]
    one, two, three, four = shown.lines
    assert one.oee is not None
    assert 0.75 < one.oee < 0.85
    assert one.availability is not None
    assert round(one.availability, 2) == 0.98
    assert (two.oee, two.availability, two.batch_no, two.made) == (None, None, "B-2611-0418", 0)
    assert (three.stop_reason, three.stop_detail) == ("Breakdown", "filler head 4")
    assert three.state_since == shown.at - timedelta(minutes=14)
    assert four.state_since == shown.at - timedelta(minutes=9)
    assert one.next_check_at == shown.at + timedelta(minutes=13)
    assert one.plan_now is not None
    assert one.made > one.plan_now > 0
    for card in shown.lines:
        assert [part.from_at for part in card.strip[1:]] == [part.to_at for part in card.strip[:-1]]
        assert (card.strip[0].from_at, card.strip[-1].to_at) == (shown.shift_from, shown.at)
    (deviation,) = shown.deviations
    assert (deviation.number, deviation.is_held, deviation.lot_codes) == ("DV-0092", True, ("PSS-261122-01",))
    assert deviation.detail_names["en"].endswith("Line 3")
    assert deviation.detail_names["es"].endswith("Línea 3")


async def test_a_silent_terminal_shows_its_line_as_of_when_it_was_heard(database: Database, demo: TenantRef) -> None:
    now = database.clock.now()
    heard = now - timedelta(minutes=11)
    terminal = TerminalLine(
        device_id=uuid4(), name="T-07", line_name="Line 1", state="offline", waiting=None, heard_at=heard
    )
    health = SyncHealth(at=now, terminals=(terminal,), received_today=0, quarantine=())
    shown = await the_board(database, demo, health)
    card = shown.lines[0]
    assert (card.state, card.as_of, card.offline_since, card.terminal_name) == ("not_heard", heard, heard, "T-07")
    assert (card.strip[-1].state, card.strip[-1].from_at, card.strip[-1].to_at) == ("not_heard", heard, now)
    assert (shown.terminals_online, shown.terminals) == (0, 1)


async def test_the_losses_of_every_line_add_up_to_its_busy_time(database: Database, demo: TenantRef) -> None:
    async with database.tenant_session(demo.id) as db:
        plant, now = await the_plant(db), database.clock.now()
        lines = (await db.scalars(select(ProductionLine).order_by(ProductionLine.code))).all()
        window = Span(now - timedelta(hours=6), now)
        by = {
            group: await reports.oee(db, plant, lines, window, group=group, now=now, heard={})
            for group in reports.Group
        }
    for report in by.values():
        for figures in (*report.buckets, report.total):
            assert figures.pbt_s == figures.apt_s + figures.aust_s + figures.adot_s + figures.adet_s
            assert figures.pot_s == figures.pbt_s + figures.pdt_s
            if figures.missing is None:
                split = (figures.availability_loss_s, figures.speed_loss_s, figures.quality_loss_s)
                assert sum(part or D(0) for part in split) + (figures.productive_s or D(0)) == figures.pbt_s
    assert len(by[reports.Group.hour].buckets) > len(by[reports.Group.shift].buckets) > len(lines) - 1
    # Before the shift nothing was said of any line: down, flagged, and never running.
    assert "NO_DATA" in by[reports.Group.whole].total.flags
    assert by[reports.Group.hour].total.pq == by[reports.Group.whole].total.pq


@pytest.mark.parametrize(
    ("to", "group", "code"),
    [
        (timedelta(0), "whole", "window_empty"),
        (timedelta(hours=-1), "whole", "window_empty"),
        (timedelta(hours=100), "hour", None),
        (timedelta(hours=101), "hour", "too_many_buckets"),
        (timedelta(days=101), "day", "too_many_buckets"),
        (timedelta(days=40_000), "hour", "too_many_buckets"),
    ],
)
async def test_a_window_has_an_inside_and_at_most_four_hundred_buckets_of_all_lines(
    demo: TenantRef, sign_in: SignIn, to: timedelta, group: str, code: str | None
) -> None:
    start = datetime(2026, 11, 1, 6, tzinfo=UTC)
    client = await sign_in(demo, "SV")
    window = {"from": start.isoformat(), "to": (start + to).isoformat(), "group": group}
    answer = await client.get("/plant-ops/oee", params=window)
    assert (answer.status_code, answer.json().get("code")) == (422 if code else 200, code), answer.text


async def test_a_silent_terminal_is_no_data_from_then_on(database: Database, demo: TenantRef) -> None:
    async with database.tenant_session(demo.id) as db:
        plant, now = await the_plant(db), database.clock.now()
        line = await db.scalar(select(ProductionLine).where(ProductionLine.code == "L1"))
        assert line is not None
        window = Span(now - timedelta(hours=1), now)
        heard = {line.id: now - timedelta(minutes=20)}
        report = await reports.oee(db, plant, [line], window, group=reports.Group.whole, now=now, heard=heard)
    assert report.total.adot_s == 20 * 60
    assert "NO_DATA" in report.total.flags


async def test_basil_goes_to_batches_pallets_and_customers(database: Database, demo: TenantRef) -> None:
    found = await traced(database, demo, "BP-261117-A", "forward")
    shown = {(node.column, node.title, node.code, node.detail) for node in found.nodes}
    assert {
        (0, "Supplier lot", "S-88213", "480 kg"),
        (1, "Basil purée", "BP-261117-A", "480 kg"),
        (2, "Tomato Basil Soup 600 g", "B-2611-0415", "180 kg used"),
        (2, "Chicken Pot Pie 400 g", "B-2611-0411", "60 kg used"),
        (3, "4 pallets", "PAL-5501…04", "Shipped"),
        (3, "1 pallet", "PAL-5505", "In warehouse"),
        (3, "1 pallet", "PAL-5506", "In warehouse"),
        (3, "2 pallets", "PAL-5490…91", "Shipped"),
        (4, "Depot East", "131", "96 cases"),
        (4, "Depot North", "114", "96 cases"),
        (4, "Depot North", "114", "120 cases"),
    } == shown
    assert found.balance is not None
    assert (found.balance.received, found.balance.used) == (480, 240)
    assert (found.balance.in_store, found.balance.waste, found.balance.not_found) == (234, D("4.8"), D("1.2"))
    assert found.balance.uom is Uom.KGM
    assert not found.is_truncated


async def test_every_edge_joins_two_nodes_from_left_to_right(database: Database, demo: TenantRef) -> None:
    found = await traced(database, demo, "TBS-261120-01", "both")
    column = {node.id: node.column for node in found.nodes}
    assert found.edges
    assert all(column[edge.source] < column[edge.target] for edge in found.edges)
    assert [node.column for node in found.nodes] == sorted(column.values())
    assert not any(left == right for left, right in pairwise(node.id for node in found.nodes))


async def test_a_finished_lot_comes_from_every_ingredient_and_its_supplier(database: Database, demo: TenantRef) -> None:
    found = await traced(database, demo, "TBS-261120-01", "backward")
    codes = {node.code for node in found.nodes if node.column == 1}
    assert codes == {"TB-261122-B", "SA-261001-D", "BP-261117-A", "OO-261105-F", "CU-261102-C", "LF-261110-E"}
    assert {node.code for node in found.nodes if node.column == 0} >= {"S-88213"}
    assert not [node for node in found.nodes if node.column == 4]
