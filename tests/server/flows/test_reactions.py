"""Event to notification, in the announcing transaction: whoever must know is told of what really happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from server.app import REACTIONS
from server.core import config, events
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.core.files.judging import FileInfected
from server.core.models import Notification, NotificationRecipient
from server.core.notes import PeopleMentioned
from server.fsq import deviation, hold
from server.fsq.events import DeviationOpened, HoldPlaced
from server.identity.models import User
from server.identity.sessions import TokenReused
from server.sync import batch, packing, push
from server.sync.reactions import FactsQuarantined
from tests.server.conftest import a_user
from tests.server.factories import Scene, a_scene
from tests.server.identity.people import a_guest, user_id
from tests.server.sync.terminal import AT, Device, a_fact


async def said(database: Database, tenant: TenantRef) -> Sequence[Notification]:
    async with database.tenant_session(tenant.id) as db:
        return (await db.scalars(select(Notification).order_by(Notification.dedupe_key))).all()


async def told(database: Database, tenant: TenantRef) -> set[str]:
    """Who has something in their inbox: printed names begin with the role."""
    async with database.tenant_session(tenant.id) as db:
        asked = select(User.printed_name).join(NotificationRecipient, NotificationRecipient.user_id == User.id)
        return {name.split()[0] for name in await db.scalars(asked)}


def new_deviation(scene: Scene, **over: Any) -> deviation.NewDeviation:
    given: dict[str, Any] = {
        "deviation_id": uuid4(), "plant_id": scene.plant.id, "severity": "critical", "source": "ccp",
        "detected_at": scene.database.clock.now(), "detected_by": None, "ccp_id": scene.cook.ccp_id,
        "batch_id": scene.batch.id, "summary": "CCP-1 cook temperature outside its limits",
    }  # fmt: skip
    return deviation.NewDeviation(**given | over)


async def test_every_event_that_is_announced_has_a_reaction() -> None:
    assert set(REACTIONS) == {
        TokenReused, DeviationOpened, HoldPlaced, FileInfected, FactsQuarantined, PeopleMentioned,
    }  # fmt: skip


async def test_a_copied_session_is_critical_for_its_person_and_the_admin(
    database: Database, tenant: TenantRef, anonymous: httpx.AsyncClient
) -> None:
    guest = await a_guest(database, tenant, anonymous, "OP")
    for role in ("TA", "QM"):
        await a_user(database, tenant, role)
    stolen = guest.refresh
    await guest.use()
    assert (await guest.use(stolen)).status_code == 401
    (row,) = await said(database, tenant)
    assert (row.category, row.severity, row.entity_id) == ("identity.token_reused", "critical", user_id(guest))
    assert stolen not in row.title + row.body
    assert await told(database, tenant) == {"OP", "TA"}


async def test_a_breach_is_told_once_however_many_terminals_saw_it(database: Database, tenant: TenantRef) -> None:
    scene = await a_scene(database, tenant)
    for role in ("OP", "QT", "SV", "QM", "TA"):
        await a_user(database, tenant, role)
    for _ in range(2):
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await deviation.open_(db, new_deviation(scene))
            await events.deliver(db, REACTIONS)
    (row,) = await said(database, tenant)
    assert (row.category, row.severity, row.count, row.escalate_after_min) == ("fsq.ccp_breach", "critical", 2, 5)
    assert row.title == "DV-0001: CCP-1 cook temperature outside its limits"
    assert (row.plant_id, await told(database, tenant)) == (scene.plant.id, {"QT", "SV", "QM"})


@pytest.mark.parametrize(("severity", "shown"), [("minor", None), ("major", "warn"), ("critical", "critical")])
async def test_how_bad_a_deviation_is_decides(
    database: Database, tenant: TenantRef, severity: str, shown: str | None
) -> None:
    scene = await a_scene(database, tenant)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await deviation.open_(db, new_deviation(scene, severity=severity, source="line", ccp_id=None))
        await events.deliver(db, REACTIONS)
    assert [row.severity for row in await said(database, tenant)] == ([shown] if shown else [])


async def test_a_hold_is_critical_and_says_which_lot(database: Database, tenant: TenantRef) -> None:
    scene = await a_scene(database, tenant)
    await a_user(database, tenant, "QM")
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        new = hold.NewHold(uuid4(), scene.lot.id, "metal found", "person", database.clock.now(), None, scene.plant.id)
        for _ in range(2):
            await hold.place(db, new)
        await events.deliver(db, REACTIONS)
        assert await config.effective(db, "hold.escalate_min", database.clock.now()) == 15
    (row,) = await said(database, tenant)
    assert (row.category, row.severity, row.escalate_after_min, row.count) == ("fsq.hold", "critical", 15, 1)
    assert row.title == "Lot TBS-261123-02 is on hold: metal found"
    assert await told(database, tenant) == {"QM"}


async def test_what_was_undone_is_told_to_nobody(database: Database, tenant: TenantRef) -> None:
    from server.core import feed  # noqa: PLC0415

    scene = await a_scene(database, tenant)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        with pytest.raises(RuntimeError):
            async with feed.savepoint(db):
                await deviation.open_(db, new_deviation(scene))
                raise RuntimeError
        await events.deliver(db, REACTIONS)
    assert await said(database, tenant) == []


async def test_records_in_quarantine_are_one_warning_for_each_terminal(database: Database, tenant: TenantRef) -> None:
    scene = await a_scene(database, tenant)
    for role in ("OP", "SV"):
        await a_user(database, tenant, role)
    device = Device(tenant, plant=scene.plant.id)
    for n in range(3):
        device.record(b"not json", b"nor this", a_fact())
        proven = batch.prove(packing.unpack(device.pack(3 * n + 1, None, 0), None), device.terminal.public_key)
        async with database.tenant_session(tenant.id, system(tenant.id)) as db:
            await push.accept(db, device.terminal, proven, AT)
            await events.deliver(db, REACTIONS)
    (row,) = await said(database, tenant)
    assert (row.category, row.severity, row.count, row.entity_id) == ("sync.quarantine", "warn", 3, device.device)
    assert await told(database, tenant) == {"SV"}
