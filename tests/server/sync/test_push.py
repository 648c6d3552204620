"""The write path: each row once, in order, whatever the network does (T3, T4, T6, T12)."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire.bodies import ClockJumped
from foodflow_kernel.wire.push import PushAnswer, PushConflict
from server.core import feed
from server.sync import batch, packing, push
from server.sync.models import SyncFork, SyncHead, SyncLog, SyncTelemetry
from tests.server.sync.terminal import AT, Device, a_fact


async def stored(database: Any, device: Device, lane: int = 0) -> list[tuple[int, bytes, bytes]]:
    table = SyncTelemetry if lane == 3 else SyncLog
    async with database.tenant_session(device.tenant.id) as db:
        question = select(table.seq, table.body, table.hash).where(
            table.device_id == device.device, table.incarnation == device.incarnation, table.lane == lane
        )
        return [tuple(row) for row in await db.execute(question.order_by(table.seq))]


def log_of(device: Device, lane: int = 0) -> list[tuple[int, bytes, bytes]]:
    return [
        (seq, body, row_hash)
        for seq, (body, row_hash) in enumerate(zip(device.logs[lane], device.hashes(lane)[1:], strict=True), 1)
    ]


async def test_a_batch_is_stored_byte_for_byte_with_its_hashes(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(7)))
    answer = await device.push(database)
    assert answer == PushAnswer(acked=7, hash=device.hashes()[-1].hex())
    assert await stored(database, device) == log_of(device)


async def test_lanes_and_incarnations_are_logs_of_their_own(database, tenant):
    device = Device(tenant)
    device.record(a_fact(), a_fact())
    device.record(a_fact(), lane=1)
    device.record(a_fact(), lane=3)
    for lane in (3, 0, 1):
        assert (await device.push(database, lane=lane)).acked == len(device.logs[lane])
    again = Device(tenant, device=device.device, key=device.key)
    again.record(a_fact())
    assert (await again.push(database)).acked == 1
    assert [len(await stored(database, device, lane)) for lane in (0, 1, 3)] == [2, 1, 1]


async def test_only_the_last_row_of_a_batch_carries_the_signature(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(4)))
    await device.push(database, 1, 2)
    await device.push(database, 3, 2)
    async with database.tenant_session(tenant.id) as db:
        question = select(SyncLog.seq).where(SyncLog.device_id == device.device, SyncLog.sig.is_not(None))
        assert sorted(await db.scalars(question)) == [2, 4]


async def test_t4_every_batch_sent_up_to_five_times_is_stored_once_with_the_same_ack(database, tenant):
    chance = random.Random(4)  # noqa: S311
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(60)))
    answers: dict[int, list[PushAnswer]] = {}
    first = 1
    while first <= 60:
        count = min(chance.randint(1, 9), 61 - first)
        for _ in range(chance.randint(1, 5)):  # the acknowledgement was dropped
            answers.setdefault(first, []).append(await device.push(database, first, count))
        first += count
    assert all(len({answer.model_dump_json() for answer in same}) == 1 for same in answers.values())
    assert await stored(database, device) == log_of(device)


async def test_t4_the_same_batch_at_the_same_time_is_stored_once(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(20)))
    answers = await asyncio.gather(*(device.push(database) for _ in range(5)))
    assert {answer.acked for answer in answers} == {20}
    assert await stored(database, device) == log_of(device)


async def test_t4_two_pushes_of_one_lane_at_once_never_move_its_head_back(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(20)))
    await device.push(database, 1, 10)
    longer = batch.prove(packing.unpack(device.pack(11, 10), None), device.terminal_key)
    async with database.tenant_session(tenant.id) as db:
        assert (await push.accept(db, device.terminal, longer, AT)).acked == 20
        shorter = asyncio.create_task(device.push(database, 11, 5))
        while not await db.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):  # noqa: ASYNC110  # the database says when
            await asyncio.sleep(0.01)
    assert (await shorter).acked == 20
    async with database.tenant_session(tenant.id) as db:
        assert list(await db.scalars(select(SyncHead.seq).where(SyncHead.device_id == device.device))) == [20]
    assert await stored(database, device) == log_of(device)


async def test_a_batch_cut_anew_over_known_rows_adds_only_what_is_new(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(10)))
    await device.push(database, 1, 6)
    assert (await device.push(database, 3, 8)).acked == 10
    assert (await device.push(database, 2, 3)).acked == 10
    assert await stored(database, device) == log_of(device)


async def test_a_gap_is_answered_with_what_the_server_has(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(6)))
    await device.push(database, 1, 2)
    answer = await device.push(database, 4, 3)
    assert answer == PushConflict(reason="behind", have=2, hash=device.hashes()[2].hex())
    assert len(await stored(database, device)) == 2


async def test_t12_a_clone_forks_and_both_versions_are_kept(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(3)))
    await device.push(database)
    clone = Device(tenant, device=device.device, incarnation=device.incarnation, key=device.key)
    clone.record(*device.logs[0])
    device.record(a_fact(), a_fact())
    clone.record(a_fact(), a_fact(), a_fact())
    await device.push(database, 4)
    answer = await clone.push(database, 3)
    assert answer == PushConflict(reason="fork", have=5, hash=device.hashes()[5].hex())
    assert await clone.push(database, 3) == answer
    assert await stored(database, device) == log_of(device)
    async with database.tenant_session(tenant.id) as db:
        kept = list(await db.execute(select(SyncFork.seq, SyncFork.body).order_by(SyncFork.seq)))
    assert [tuple(row) for row in kept] == [(4, clone.logs[0][3]), (5, clone.logs[0][4]), (6, clone.logs[0][5])]


async def test_a_fork_hidden_behind_the_head_is_found(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(6)))
    await device.push(database)
    clone = Device(tenant, device=device.device, incarnation=device.incarnation, key=device.key)
    clone.record(*device.logs[0][:3], a_fact())
    assert (await clone.push(database)).reason == "fork"


async def test_t6_a_batch_cut_at_any_line_or_byte_stores_nothing(database, tenant):
    device = Device(tenant)
    device.record(a_fact(), a_fact(), a_fact())
    raw = device.pack()
    for length in range(0, len(raw), 3):
        with pytest.raises(Invalid):
            await device.send(database, raw[:length])
    assert await stored(database, device) == []
    async with database.tenant_session(tenant.id) as db:
        heads = select(func.count()).where(SyncHead.device_id == device.device)
        assert await db.scalar(heads) == 0
    assert (await device.send(database, raw)).acked == 3


async def test_a_failure_in_the_middle_of_the_transaction_stores_nothing(database, tenant, monkeypatch):
    device = Device(tenant)
    device.record(a_fact(), a_fact())

    def lost(_session: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(feed, "write", lost)
        with pytest.raises(ConnectionError):
            await device.push(database)
    assert await stored(database, device) == []
    assert (await device.push(database)).acked == 2


async def test_t3_a_clock_that_jumps_loses_and_reorders_nothing(database, tenant):
    device = Device(tenant)
    for days in (0, -1, 365, -1, 0):
        at = AT + timedelta(days=days)
        device.record(a_fact(at=at, occurred_at=at))
        device.record(a_fact(ClockJumped(wall_before=AT, wall_after=at, jump_ms=days * 86_400_000), at=at))
    assert (await device.push(database)).dead == ()
    assert await stored(database, device) == log_of(device)
