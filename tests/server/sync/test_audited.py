"""What terminals do that must be on record: rejects, clocks that are off, holds, stops, signatures out of place."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from foodflow_kernel.rules import part11
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.bodies import Source
from server.core.audit import AuditRow
from server.core.db.sessions import Database
from server.sync.models import SyncDead
from tests.server.sync.terminal import AT, Device, a_fact
from tests.server.sync.test_routes import hello


async def on_record(database: Database, device: Device) -> list[AuditRow]:
    async with database.tenant_session(device.tenant.id) as db:
        return list(await db.scalars(select(AuditRow).order_by(AuditRow.seq)))


async def test_what_is_set_aside_is_on_record_once(database, device):
    device.record(a_fact(), b"no json", b"{}")
    for _ in range(2):
        await device.push(database)
    (row,) = await on_record(database, device)
    assert (row.action, row.actor_type, row.plant_id) == ("sync.inbox.reject", "device", device.plant)
    assert row.diff["count"] == 2
    assert [(each["seq"], each["reason"]) for each in row.diff["rows"]] == [(2, "fact_unreadable"), (3, "fact_unreadable")]  # fmt: skip


@pytest.mark.parametrize(("off_s", "rows"), [(120, 0), (-120, 0), (121, 1), (-121, 1)])
async def test_a_clock_that_is_off_by_more_than_two_minutes_is_on_record(http, database, device, off_s, rows):
    answer = await hello(http, device, database.clock, now=database.clock.now() + timedelta(seconds=off_s))
    assert answer.status_code == 200
    found = await on_record(database, device)
    assert [(row.action, row.diff) for row in found] == [("sync.clock_skew", {"offset_ms": off_s * 1000})] * rows


async def test_holds_and_stops_of_a_terminal_are_on_record(database, device):
    who, stop, line = uuid4(), uuid4(), uuid4()
    device.record(
        a_fact(bodies.HoldPlaced(hold_id=uuid4(), lot_id=uuid4(), reason="metal found"), performed_by=who),
        a_fact(bodies.StopOpened(stop_id=stop, line_id=line, started_at=AT, source=Source.manual), performed_by=who),
        a_fact(bodies.StopExplained(stop_id=stop, reason_code="JAM"), performed_by=who),
        a_fact(bodies.StopClosed(stop_id=stop, ended_at=AT, source=Source.manual), performed_by=who),
    )
    await device.push(database)
    found = [(row.action, row.plant_id) for row in await on_record(database, device)]
    actions = ("fsq.hold.place", "plant_ops.downtime.open", "plant_ops.downtime.explain", "plant_ops.downtime.close")
    assert found == [(action, device.plant) for action in actions]


@pytest.mark.parametrize("meaning", sorted(part11.NEED_SERVER))
async def test_a_terminal_signs_nothing_that_needs_the_server(database, device, meaning):
    signature = bodies.Signature(
        signer_id=uuid4(), printed_name="A. Ruiz", meaning=meaning, identified_by="badge", signed_at=AT
    )
    body = bodies.DeviationAction(deviation_id=uuid4(), action_code="cook_longer", signature=signature)
    device.record(a_fact(body, performed_by=uuid4()))
    await device.push(database)
    async with database.tenant_session(device.tenant.id) as db:
        assert list(await db.scalars(select(SyncDead.reason))) == ["signature_needs_server"]
