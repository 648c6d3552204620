"""Poison, unknown kinds, and facts that come before what they name (T5, T13, T15)."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.bodies import DeviationAction, Kind, LaneHead, Signature, Witness
from foodflow_kernel.wire.facts import Wire
from foodflow_kernel.wire.protocol import Lane
from server.plant_ops.models import TerminalEvent
from server.sync import batch, caretaker, interpret, packing, parking, push, verbs
from server.sync.models import SyncDead, SyncLog, SyncParked
from tests.server.races import until_waiting
from tests.server.sync.terminal import AT, Device, a_fact


async def applied(database, device: Device) -> list[int]:
    """Sequences of the facts whose verb ran, read from the table that the verb of these kinds writes."""
    async with database.tenant_session(device.tenant.id) as db:
        rows = select(TerminalEvent.seq).where(TerminalEvent.device_id == device.device)
        return sorted(await db.scalars(rows))


async def dead(database, device: Device) -> list[tuple[int, str, str | None]]:
    async with database.tenant_session(device.tenant.id) as db:
        rows = select(SyncDead.seq, SyncDead.reason, SyncDead.kind).where(SyncDead.device_id == device.device)
        return [tuple(row) for row in await db.execute(rows.order_by(SyncDead.seq))]


async def parked(database, device: Device) -> list[tuple[int, str, str]]:
    async with database.tenant_session(device.tenant.id) as db:
        rows = select(SyncParked.seq, SyncParked.why, SyncParked.kind).where(SyncParked.device_id == device.device)
        return [tuple(row) for row in await db.execute(rows.order_by(SyncParked.seq))]


async def test_t5_poison_is_set_aside_with_its_reason_and_the_rest_flows(database, tenant):
    device = Device(tenant)
    poison = {
        3: (b"not json at all", "fact_unreadable"),
        6: (b'{"kind":"witness"}', "fact_unreadable"),
        8: (a_fact({"jump_ms": "far"}, kind="clock_jumped", ver=1), "body_unreadable"),
        9: (a_fact(bodies.SessionStarted(user_id=uuid4(), identified_by="badge")), "fact_without_user"),
    }
    device.record(*(poison[seq][0] if seq in poison else a_fact() for seq in range(1, 13)))
    answer = await device.push(database)
    assert (answer.acked, answer.dead, answer.parked) == (12, (3, 6, 8, 9), 0)
    assert [(seq, reason) for seq, reason, _ in await dead(database, device)] == [
        (seq, reason) for seq, (_, reason) in poison.items()
    ]
    assert await applied(database, device) == [1, 2, 4, 5, 7, 10, 11, 12]
    async with database.tenant_session(tenant.id) as db:
        kept = await db.scalar(select(SyncLog.body).where(SyncLog.device_id == device.device, SyncLog.seq == 3))
    assert kept == b"not json at all"


@pytest.mark.parametrize("facts", [1, 20])
async def test_a_database_that_cannot_now_is_nobodys_fault(database, tenant, cluster, facts):
    """Few rows go by INSERT; many by COPY, whose errors come unwrapped and are halved down to an INSERT that says it."""
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(facts)))
    proven = batch.prove(packing.unpack(device.pack(1, None, 0), None), device.terminal.public_key)
    owner = create_engine(cluster.owner, poolclass=NullPool)
    with owner.begin() as holder:
        holder.execute(text(f'LOCK TABLE "{tenant.schema}".plant_ops_terminal_event IN SHARE MODE'))
        with pytest.raises(OperationalError):
            async with database.tenant_session(tenant.id) as db:
                await db.execute(text("SET LOCAL lock_timeout = '200ms'"))
                await push.accept(db, device.terminal, proven, AT)
    owner.dispose()
    assert await dead(database, device) == []
    answer = await device.push(database)
    assert (answer.acked, answer.dead, answer.parked) == (facts, (), 0)
    assert await applied(database, device) == list(range(1, facts + 1))


async def test_a_batch_sent_again_names_the_same_dead_rows(database, tenant):
    device = Device(tenant)
    device.record(a_fact(), b"{", a_fact())
    assert await device.push(database) == await device.push(database)


@pytest.mark.parametrize("bad", [{1}, {40}, {17, 18}, {5, 23, 31}, set(range(1, 41))])
async def test_t5_a_verb_that_fails_in_bulk_costs_only_its_own_rows(database, tenant, monkeypatch, caplog, bad):
    device = Device(tenant)
    witnesses = [a_fact(Witness(heads={0: LaneHead(seq=seq, hash="0" * 64)}, app="x")) for seq in range(1, 41)]
    device.record(*witnesses)
    honest = verbs.BULK["witness"]

    async def failing(db, actor, rows):
        await honest(db, actor, rows)
        for stored, _, _ in rows:
            if stored.seq in bad:
                raise ZeroDivisionError

    monkeypatch.setitem(verbs.BULK, "witness", failing)
    with caplog.at_level(logging.ERROR, logger=interpret.__name__):
        answer = await device.push(database)
    assert (answer.acked, set(answer.dead)) == (40, bad)
    assert {reason for _, reason, _ in await dead(database, device)} == {"bug"}
    assert await applied(database, device) == [seq for seq in range(1, 41) if seq not in bad]
    assert len(caplog.records) == len(bad)
    assert caplog.records[0].exc_info is not None


def fail_at(monkeypatch, places, fail):
    """The verb of a fact does its work, then fails at these places."""
    honest = verbs.VERBS["clock_jumped"]

    async def verb(db, actor, stored, fact, body):
        await honest(db, actor, stored, fact, body)
        if stored.seq in places:
            await fail(db)

    monkeypatch.delitem(verbs.BULK, "clock_jumped")
    monkeypatch.setitem(verbs.VERBS, "clock_jumped", verb)


async def test_a_value_the_database_never_takes_holds_nothing_else_up(database, tenant, monkeypatch):
    """A text too long for an index is an operational error to SQLAlchemy: it was tried again for ever."""
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(3)))

    async def too_long(db):
        await db.execute(text("SELECT repeat('x', 2000000000)"))

    fail_at(monkeypatch, {2}, too_long)
    answer = await device.push(database)
    assert (answer.acked, answer.dead) == (3, (2,))
    assert await applied(database, device) == [1, 3]


async def test_t5_refused_rows_between_good_ones_are_named_with_their_code(database, tenant, monkeypatch):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(30)))

    async def refuse(_db):
        raise Refused("lot_held", lot_code="L1", reason="metal")

    fail_at(monkeypatch, {7, 14, 21, 28}, refuse)
    answer = await device.push(database)
    assert answer.dead == (7, 14, 21, 28)
    assert {reason for _, reason, _ in await dead(database, device)} == {"lot_held"}
    assert await applied(database, device) == [seq for seq in range(1, 31) if seq % 7]


async def test_a_fact_id_used_twice_is_stored_twice_and_applied_once(database, tenant):
    device = Device(tenant)
    same = a_fact()
    device.record(same, a_fact(), same)
    answer = await device.push(database)
    assert answer.acked == 3
    async with database.tenant_session(tenant.id) as db:
        assert await db.scalar(select(func.count()).select_from(SyncLog).where(SyncLog.device_id == device.device)) == 3
    assert len(await applied(database, device)) == 2


async def test_t15_an_unknown_kind_or_version_is_parked_and_the_lane_flows(database, tenant):
    device = Device(tenant)
    device.record(a_fact(), a_fact({"x": 1}), a_fact(kind="clock_jumped", ver=9), a_fact())
    answer = await device.push(database)
    assert (answer.acked, answer.dead, answer.parked) == (4, (), 2)
    assert await parked(database, device) == [(2, "unknown", "unheard_of"), (3, "unknown", "clock_jumped")]
    assert await applied(database, device) == [1, 4]


async def test_t15_after_the_upgrade_parked_kinds_are_applied_from_the_stored_bytes(database, tenant, monkeypatch):
    device = Device(tenant)
    device.record(a_fact(), a_fact({"what": "new"}, kind="brand_new"), a_fact())
    await device.push(database)

    class BrandNew(Wire):
        what: str

    kind = Kind("brand_new", 1, Lane.urgent, BrandNew, needs_user=False)
    seen = []

    async def learn(_db, _actor, stored, _fact, body):
        seen.append((stored.seq, body.what))

    monkeypatch.setitem(bodies.BY_VERSION, ("brand_new", 1), kind)
    monkeypatch.setitem(bodies.BY_NAME, "brand_new", kind)
    monkeypatch.setitem(verbs.VERBS, "brand_new", learn)
    async with database.tenant_session(tenant.id) as db:
        assert await parking.tend(db, AT) == 1
    assert seen == [(2, "new")]
    assert await parked(database, device) == []
    async with database.tenant_session(tenant.id) as db:
        assert await parking.tend(db, AT) == 0


def an_action(deviation_id) -> bytes:
    signature = Signature(
        signer_id=uuid4(), printed_name="A. Ruiz", meaning="performed", identified_by="badge", signed_at=AT
    )
    body = DeviationAction(deviation_id=deviation_id, action_code="recook", signature=signature)
    return a_fact(body, performed_by=uuid4())


async def test_a_fact_that_names_a_missing_record_waits_and_dies_after_a_day(database, tenant):
    device = Device(tenant)
    missing = uuid4()
    device.record(an_action(missing), a_fact())
    answer = await device.push(database)
    assert (answer.acked, answer.dead, answer.parked) == (2, (), 1)
    for hours in (1, 23):
        async with database.tenant_session(tenant.id) as db:
            await parking.tend(db, AT + timedelta(hours=hours))
        assert await parked(database, device) == [(1, "unresolved", "deviation_action")]
    async with database.tenant_session(tenant.id) as db:
        await parking.tend(db, AT + timedelta(hours=24))
    assert await parked(database, device) == []
    assert await dead(database, device) == [(1, "unresolved", "deviation_action")]


async def test_t13_what_a_revoked_terminal_brings_is_kept_as_evidence_and_not_applied(database, tenant):
    device = Device(tenant)
    device.record(a_fact(), a_fact())
    await device.push(database)
    device.is_revoked = True
    device.record(a_fact(), b"garbage")
    answer = await device.push(database, 3)
    assert (answer.acked, answer.dead) == (4, (3, 4))
    assert [(seq, reason) for seq, reason, _ in await dead(database, device)] == [
        (3, "device_revoked"),
        (4, "device_revoked"),
    ]
    assert await applied(database, device) == [1, 2]


async def test_of_two_processes_one_looks_after_a_company_and_the_other_goes_on(database, tenant):
    async with database.tenant_session(tenant.id) as db:
        await db.execute(text("LOCK TABLE sync_nonce IN SHARE MODE"))  # what is dropped at the end of the round
        one = asyncio.ensure_future(caretaker.look_after(database, tenant, {}))
        await until_waiting(db, 1, one)
        other = asyncio.ensure_future(caretaker.look_after(database, tenant, {}))
        await until_waiting(db, 2, other)
        assert (one.done(), other.done()) == (False, True)
    assert (await one, await other) == (True, False)
