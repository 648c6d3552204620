"""Two terminals at once: who comes second waits, and is judged by what the first has left."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Executable, update

from foodflow_kernel.machines.fsq import DeviationState, LotState
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.exchange import CommandAnswer
from foodflow_kernel.wire.facts import Wire
from server.core.db.sessions import Database, TenantRef
from server.fsq.models import Deviation, Lot
from server.plant_ops import downtime
from server.plant_ops.models import ProductionBatch
from tests.server.factories import NOW, Scene, a_scene
from tests.server.races import behind, in_turn, until_waiting
from tests.server.sync.test_verbs import signature


async def pushed_behind(scene: Scene, change: Executable, body: Wire) -> CommandAnswer | None:
    first = scene.database.tenant_session(scene.tenant.id)
    (answer,) = await behind(first, change, scene.push(scene.fact(body)))
    return answer


def of(row: Any, **values: Any) -> Executable:
    return update(type(row)).where(type(row).id == row.id).values(values)


async def test_a_batch_that_is_just_being_aborted_does_not_start(database: Database, tenant: TenantRef) -> None:
    scene = await a_scene(database, tenant)
    aborted = of(scene.batch, status=BatchState.aborted, version=scene.batch.version + 1)
    answer = await pushed_behind(scene, aborted, scene.moved("start", scene.batch.version))
    assert answer is not None
    assert (answer.outcome, answer.reason) == ("conflict", "illegal_move")
    async with database.tenant_session(tenant.id) as db:
        assert (await db.get_one(ProductionBatch, scene.batch.id)).status is BatchState.aborted


async def test_of_two_batches_that_start_at_once_on_a_line_the_second_finds_it_busy(
    database: Database, tenant: TenantRef
) -> None:
    scene = await a_scene(database, tenant)
    other = {column.key: getattr(scene.batch, column.key) for column in ProductionBatch.__table__.columns}
    other |= {"id": uuid4(), "batch_no": "B-2", "output_lot_id": None}
    async with database.tenant_session(tenant.id) as db:
        db.add(ProductionBatch(**other))
    first, second = scene.moved("start", 1), bodies.BatchMoved(batch_id=other["id"], move="start", base_rev=1)
    starts = (scene.push(scene.fact(each)) for each in (first, second))
    (applied,), (refused,) = await in_turn(database.tenant_session(tenant.id), *starts)
    assert applied is not None
    assert refused is not None
    assert (applied.outcome, refused.outcome, refused.reason) == ("applied", "conflict", "line_busy")


async def test_a_lot_that_was_just_made_keeps_when_it_was_made(database: Database, tenant: TenantRef) -> None:
    scene = await a_scene(database, tenant)
    made_at = NOW - timedelta(minutes=5)
    made = of(scene.lot, status=LotState.quarantine, made_at=made_at)
    await pushed_behind(scene, made, scene.moved("start", scene.batch.version))
    async with database.tenant_session(tenant.id) as db:
        assert (await db.get_one(Lot, scene.lot.id)).made_at == made_at


async def test_an_action_on_a_deviation_that_is_just_being_closed_is_a_conflict(
    database: Database, tenant: TenantRef
) -> None:
    scene, deviation_id = await a_scene(database, tenant), uuid4()
    await scene.push(scene.fact(bodies.DeviationOpened(deviation_id=deviation_id, local_no="T-07·1")))
    closed = update(Deviation).where(Deviation.id == deviation_id).values(state=DeviationState.closed)
    action = bodies.DeviationAction(deviation_id=deviation_id, action_code="cook_longer", signature=signature())
    answer = await pushed_behind(scene, closed, action)
    assert answer is not None
    assert (answer.outcome, answer.reason) == ("conflict", "illegal_move")
    async with database.tenant_session(tenant.id) as db:
        assert (await db.get_one(Deviation, deviation_id)).state is DeviationState.closed


async def test_the_facts_of_one_stop_are_counted_one_after_the_other(database: Database, tenant: TenantRef) -> None:
    """Else two that come at once would each make the row without the other's fact."""
    stop_id = uuid4()

    async def count() -> None:
        async with database.tenant_session(tenant.id) as db:
            await downtime.reduce(db, stop_id, None)

    async with database.tenant_session(tenant.id) as db:
        await downtime.reduce(db, stop_id, None)
        second = asyncio.ensure_future(count())
        await until_waiting(db, 1, second)
        assert not second.done()
    await second
