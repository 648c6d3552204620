"""A pushed batch of every kind goes through the whole write path and ends in the right tables."""

from uuid import uuid4

from sqlalchemy import func, select

from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.push import PushAnswer
from server.core.db.sessions import Database, TenantRef
from server.fsq.models import Deviation, DeviationStep
from tests.server.factories import NOW, OPERATOR, Scene, a_scene
from tests.server.sync.terminal import Device, a_fact
from tests.server.sync.test_verbs import every_kind, signature


async def pushed(database: Database, device: Device, lane: int, *raw: bytes) -> PushAnswer:
    last = device.record(*raw, lane=lane)
    answer = await device.push(database, first=last - len(raw) + 1, lane=lane, now=NOW)
    assert isinstance(answer, PushAnswer)
    return answer


def the_device(scene: Scene) -> Device:
    return Device(scene.tenant, plant=scene.plant.id)


def raw_of(scene: Scene, body: object, **over: object) -> bytes:
    return a_fact(body, performed_by=OPERATOR, line_id=scene.line.id, at=NOW, occurred_at=NOW, **over)


async def test_a_pushed_batch_of_every_kind_ends_in_its_table(database: Database, tenant: TenantRef) -> None:
    scene = await a_scene(database, tenant)
    device, cases = the_device(scene), every_kind(scene)
    by_lane: dict[int, list[bytes]] = {}
    for kind, (body, _) in cases.items():
        over = {"corrects_id": uuid4()} if kind == "voided" else {}
        by_lane.setdefault(int(bodies.BY_NAME[kind].lane), []).append(raw_of(scene, body, **over))
    for lane, rows in sorted(by_lane.items()):
        answer = await pushed(database, device, lane, *rows)
        assert (answer.acked, answer.dead, answer.parked) == (len(rows), (), 0)
    async with database.tenant_session(tenant.id) as db:
        for kind, (_, table) in cases.items():
            assert await db.scalar(select(func.count()).select_from(table)), kind


async def test_an_action_that_overtakes_its_deviation_waits_and_is_applied(
    database: Database, tenant: TenantRef
) -> None:
    scene = await a_scene(database, tenant)
    first, second, deviation = the_device(scene), the_device(scene), uuid4()
    action = bodies.DeviationAction(deviation_id=deviation, action_code="cook_longer", signature=signature())
    assert (await pushed(database, second, 0, raw_of(scene, action))).parked == 1
    opened = bodies.DeviationOpened(deviation_id=deviation, local_no="T-07·1", batch_id=scene.batch.id)
    await pushed(database, first, 0, raw_of(scene, opened))
    async with database.tenant_session(tenant.id) as db:
        row = await db.get_one(Deviation, deviation)
        assert row.state.value == "contained"
        assert await db.scalar(select(func.count()).select_from(DeviationStep)) == 1
