"""The dense feed: numbers in commit order, none missing, whoever writes (T1, T2, T20)."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from foodflow_kernel.wire.exchange import CommandAnswer, FeedHeader, FeedRow, FeedState
from server.core import feed
from server.core.db import together
from server.core.models import Plant
from server.sync import pages
from tests.server.sync.terminal import Device


async def numbered(db) -> None:
    """What the commit does as its last statement, here without the commit."""
    await db.run_sync(lambda session: together.send(session, feed.write(session)))


async def a_page(database, device: Device, after: int = 0, limit: int = 1000) -> tuple[FeedHeader, list[FeedRow]]:
    async with database.tenant_session(device.tenant.id) as db:
        state = await feed.bounds(db)
        raw = await pages.page(db, device.terminal, state, after, limit)
    head, *rows = raw.decode().splitlines()
    return FeedHeader.model_validate_json(head), [FeedRow.model_validate_json(row) for row in rows]


async def a_plant(database, device: Device, **over) -> None:
    async with database.tenant_session(device.tenant.id) as db:
        db.add(Plant(**({"id": device.plant, "code": "P1", "name": "Plant 1", "tz": "UTC"} | over)))


async def test_t1_six_writers_that_commit_in_any_order_and_a_reader_that_misses_nothing(database, tenant):
    chance = random.Random(1)  # noqa: S311
    device, written, read = Device(tenant), set(), []
    is_done = False

    async def write(writer: int) -> None:
        for _ in range(25):
            row_id = UUID(int=chance.getrandbits(128))
            async with database.tenant_session(tenant.id) as db:
                feed.touch(db, f"entity_{writer}", row_id)
                await asyncio.sleep(chance.random() / 100)
                if chance.random() < 0.1:
                    await db.rollback()
                    feed.touch(db, f"entity_{writer}", row_id)
                await numbered(db)
                await asyncio.sleep(chance.random() / 100)  # between the number and the commit
            written.add(row_id)

    async def follow() -> None:
        after = 0
        while True:
            finished = is_done
            header, rows = await a_page(database, device, after)
            assert header.first == after + 1
            assert [row.seq for row in rows] == list(range(after + 1, header.last + 1))
            read.extend(row.id for row in rows)
            after = header.last
            if finished and not rows:
                return
            await asyncio.sleep(0)

    reader = asyncio.create_task(follow())
    await asyncio.gather(*(write(n) for n in range(6)))
    is_done = True
    await reader
    assert len(read) == len(written) == 150
    assert set(read) == written


async def test_t2_an_open_write_elsewhere_does_not_hold_back_the_feed(database, two_tenants):
    ours, other = two_tenants
    device = Device(ours)
    async with database.tenant_session(other.id) as idle, database.tenant_session(ours.id) as also_idle:
        feed.touch(idle, "lot", uuid4())
        await numbered(idle)
        also_idle.add(Plant(id=uuid4(), code="P9", name="Idle", tz="UTC"))
        await also_idle.flush()
        async with database.tenant_session(ours.id) as db:
            feed.touch(db, "lot", uuid4())
        _, rows = await a_page(database, device)
        assert [row.seq for row in rows] == [1]


async def test_a_transaction_that_rolls_back_leaves_no_number_behind(database, tenant):
    device = Device(tenant)
    for should_fail in (False, True, False):
        try:
            async with database.tenant_session(tenant.id) as db:
                feed.touch(db, "lot", uuid4())
                await numbered(db)
                if should_fail:
                    raise KeyError  # noqa: TRY301
        except KeyError:
            continue
    _, rows = await a_page(database, device)
    assert [row.seq for row in rows] == [1, 2]


async def test_a_savepoint_that_rolls_back_takes_its_changes_with_it(database, tenant):
    device = Device(tenant)
    kept, lost = uuid4(), uuid4()
    async with database.tenant_session(tenant.id) as db:
        feed.touch(db, "lot", kept)
        with pytest.raises(KeyError):
            async with feed.savepoint(db):
                feed.touch(db, "lot", lost)
                db.add(Plant(id=lost, code="LOST", name="Lost", tz="UTC"))
                await db.flush()
                raise KeyError
    _, rows = await a_page(database, device)
    assert [row.id for row in rows] == [kept]


async def test_a_changed_row_is_in_the_feed_as_it_looks_now_with_its_version(database, tenant):
    device = Device(tenant)
    await a_plant(database, device)
    async with database.tenant_session(tenant.id) as db:
        (await db.get_one(Plant, device.plant)).name = "Plant One"
    _, rows = await a_page(database, device)
    assert [(row.seq, row.entity, row.version, row.data and row.data["name"]) for row in rows] == [
        (1, "plant", 1, None),
        (2, "plant", 2, "Plant One"),
    ]


async def test_a_row_that_was_loaded_and_not_changed_is_not_in_the_feed(database, tenant):
    device = Device(tenant)
    await a_plant(database, device)
    async with database.tenant_session(tenant.id) as db:
        plant = await db.get_one(Plant, device.plant)
        plant.name = str(plant.name)
    _, rows = await a_page(database, device)
    assert len(rows) == 1


async def test_rows_of_another_plant_have_a_number_and_no_data(database, tenant):
    device = Device(tenant)
    await a_plant(database, device, id=uuid4(), code="P2", name="Elsewhere")
    async with database.tenant_session(tenant.id) as db:
        feed.answer(db, CommandAnswer(fact_id=uuid4(), outcome="applied"), plant_id=uuid4())
        feed.answer(db, CommandAnswer(fact_id=device.plant, outcome="applied"), plant_id=device.plant)
    _, rows = await a_page(database, device)
    assert [row.data for row in rows] == [None, None, {"fact_id": str(device.plant), "outcome": "applied"}]


async def test_pages_follow_one_another_without_a_hole(database, tenant):
    device = Device(tenant)
    async with database.tenant_session(tenant.id) as db:
        for _ in range(7):
            feed.touch(db, "lot", uuid4())
    seen = []
    for after in (0, 3, 6):
        header, rows = await a_page(database, device, after, 3)
        seen.append((header.first, header.last, header.more, [row.seq for row in rows]))
    assert seen == [(1, 3, True, [1, 2, 3]), (4, 6, True, [4, 5, 6]), (7, 7, False, [7])]
    header, rows = await a_page(database, device, 7)
    assert (header.first, header.last, header.more, rows) == (8, 7, False, [])


@pytest.mark.parametrize(("epoch", "after"), [("other", 5), ("now", 3), ("now", 11)])
def test_t20_a_reader_outside_the_feed_is_sent_to_a_snapshot(epoch, after):
    state = FeedState(epoch="now", tail=4, head=10)
    with pytest.raises(pages.Gone) as gone:
        pages.check(state, epoch, after)
    assert gone.value.code == "feed_gone"
    assert gone.value.data["snapshot"] == "/api/v1/sync/snapshot"


@pytest.mark.parametrize("after", [4, 7, 10])
def test_a_reader_inside_the_feed_goes_on(after):
    pages.check(FeedState(epoch="now", tail=4, head=10), "now", after)


async def test_t20_old_rows_are_dropped_and_the_tail_says_so(database, tenant):
    device = Device(tenant)
    async with database.tenant_session(tenant.id) as db:
        for _ in range(10):
            feed.touch(db, "lot", uuid4())
    async with database.tenant_session(tenant.id) as db:
        old = update(feed.FeedRow).where(feed.FeedRow.seq <= 6).values(at=text("at - interval '36 days'"))
        await db.execute(old, execution_options={"synchronize_session": False})
    async with database.tenant_session(tenant.id) as db:
        assert await feed.drop_old(db, database.clock.now()) == 6
    async with database.tenant_session(tenant.id) as db:
        state = await feed.bounds(db)
        assert (state.tail, state.head) == (6, 10)
        assert list(await db.scalars(select(feed.FeedRow.seq).order_by(feed.FeedRow.seq))) == [7, 8, 9, 10]
    _, rows = await a_page(database, device, 6)
    assert [row.seq for row in rows] == [7, 8, 9, 10]


@pytest.mark.parametrize("place", [1, 2])
async def test_what_is_written_while_old_rows_are_dropped_stays(database, tenant, place):
    asked = 0

    class Interrupted:
        """A session; somebody else writes before one of its statements."""

        def __getattr__(self, name):
            async def run(*given, **named):
                nonlocal asked
                asked += 1
                if asked == place:
                    async with database.tenant_session(tenant.id) as other:
                        feed.touch(other, "lot", uuid4())
                return await getattr(db, name)(*given, **named)

            return run

    async with database.tenant_session(tenant.id) as db:
        await feed.bounds(db)
    async with database.tenant_session(tenant.id) as db:
        assert await feed.drop_old(Interrupted(), database.clock.now()) == 0
    async with database.tenant_session(tenant.id) as db:
        assert list(await db.scalars(select(feed.FeedRow.seq))) == [1]
