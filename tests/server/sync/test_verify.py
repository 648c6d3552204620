"""T19: any byte changed, removed, inserted or cut in the database is named by the verifier."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from foodflow_kernel.wire import chain, signing
from server.sync import presence, verify
from server.sync.models import SyncPresence
from tests.server.sync.terminal import AT, Device, a_fact

COLUMNS = "device_id, incarnation, lane, seq, body, hash, sig, received_at"


@pytest.fixture
def tamper(cluster, tenant):
    """Runs SQL as the owner of the database, past triggers and grants: the attacker T19 means."""

    def run(sql: str, **values) -> int:
        engine = create_engine(cluster.owner, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(f"SET search_path = {tenant.schema}"))
            for table in ("sync_log", "sync_telemetry"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER never_changed"))
            count = connection.execute(text(sql), values).rowcount
            for table in ("sync_log", "sync_telemetry"):
                connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER never_changed"))
        engine.dispose()
        return count

    return run


async def a_shift(database, tenant) -> Device:
    """Twelve rows in lane 0 and 1, two in lane 3, pushed in signed batches, then a witness of them all."""
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(12)), lane=0)
    device.record(*(a_fact() for _ in range(12)), lane=1)
    device.record(a_fact(), a_fact(), lane=3)
    device.record(device.witness(), lane=0)
    for lane, cuts in ((0, (5, 8)), (1, (4, 8)), (3, (2,))):
        first = 1
        for count in cuts:
            await device.push(database, first, count, lane)
            first += count
    async with database.tenant_session(tenant.id) as db:
        db.add(
            SyncPresence(
                device_id=device.device,
                incarnation=device.incarnation,
                app="0.1.0",
                heard_at=AT + timedelta(minutes=1),
                clock_offset_ms=0,
                unsent={"0": 0, "1": 0, "3": 0},
                feed_seq=0,
            )
        )
    return device


async def verified(database, device: Device) -> verify.Verified:
    async with database.tenant_session(device.tenant.id) as db:
        return await verify.verify(db, {device.device: device.terminal_key})


async def named(database, device: Device) -> list[tuple[int, int, str]]:
    return [(one.lane, one.seq, one.what) for one in (await verified(database, device)).findings]


async def test_an_untouched_log_verifies(database, tenant):
    device = await a_shift(database, tenant)
    found = await verified(database, device)
    assert (found.rows, found.lanes, found.findings, found.waiting) == (27, 3, [], 0)


@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize("seq", [1, 4, 5, 7, 12])
async def test_t19_a_byte_changed_is_named(database, tenant, tamper, lane, seq):
    device = await a_shift(database, tenant)
    change = "UPDATE sync_log SET body = set_byte(body, 60, get_byte(body, 60) # 1) WHERE lane = :lane AND seq = :seq"
    assert tamper(change, lane=lane, seq=seq) == 1
    assert (lane, seq, "changed") in await named(database, device)


@pytest.mark.parametrize("seq", [1, 6, 11])
async def test_t19_a_row_removed_is_named(database, tenant, tamper, seq):
    device = await a_shift(database, tenant)
    assert tamper("DELETE FROM sync_log WHERE lane = 1 AND seq = :seq", seq=seq) == 1
    assert (1, seq, "missing") in await named(database, device)


async def test_t19_a_row_inserted_in_the_middle_is_named(database, tenant, tamper):
    device = await a_shift(database, tenant)
    tamper("UPDATE sync_log SET seq = -seq - 1 WHERE lane = 1 AND seq >= 6")
    tamper("UPDATE sync_log SET seq = -seq WHERE lane = 1 AND seq < 0")
    tamper(
        f"INSERT INTO sync_log ({COLUMNS}) SELECT device_id, incarnation, lane, 6, body, hash, NULL, received_at"
        " FROM sync_log WHERE lane = 1 AND seq = 5"
    )
    assert (1, 6, "changed") in await named(database, device)


async def test_t19_a_row_copied_behind_the_end_is_named(database, tenant, tamper):
    device = await a_shift(database, tenant)
    tamper(
        f"INSERT INTO sync_log ({COLUMNS}) SELECT device_id, incarnation, lane, 13, body, hash, sig, received_at"
        " FROM sync_log WHERE lane = 1 AND seq = 12"
    )
    assert (1, 13, "foreign") in await named(database, device)


async def test_t19_a_cut_tail_is_named_by_the_head(database, tenant, tamper):
    device = await a_shift(database, tenant)
    assert tamper("DELETE FROM sync_log WHERE lane = 1 AND seq > 9") == 3
    assert (1, 10, "cut") in await named(database, device)


async def test_t19_a_cut_tail_with_its_head_rewritten_is_contradicted_by_the_witness(database, tenant, tamper):
    device = await a_shift(database, tenant)
    tamper("DELETE FROM sync_log WHERE lane = 1 AND seq > 4")
    tamper("UPDATE sync_head SET seq = 4, hash = :hash WHERE lane = 1", hash=device.hashes(1)[4])
    assert await named(database, device) == [(1, 5, "cut")]


async def test_a_whole_lane_removed_is_contradicted_by_the_witness(database, tenant, tamper):
    device = await a_shift(database, tenant)
    tamper("DELETE FROM sync_telemetry")
    tamper("DELETE FROM sync_head WHERE lane = 3")
    assert await named(database, device) == [(3, 1, "cut")]


async def test_t19_a_lane_rewritten_with_a_fresh_chain_lacks_the_signature(database, tenant, tamper):
    device = await a_shift(database, tenant)
    forged = [*device.logs[1]]
    forged[6] = a_fact()
    hashes = [chain.genesis(device.device, device.incarnation, 1)]
    hashes += chain.links(hashes[0], forged)
    for seq in range(7, 13):
        tamper(
            "UPDATE sync_log SET body = :body, hash = :hash WHERE lane = 1 AND seq = :seq",
            body=forged[seq - 1],
            hash=hashes[seq],
            seq=seq,
        )
    tamper("UPDATE sync_head SET hash = :hash WHERE lane = 1", hash=hashes[12])
    assert (1, 12, "signature") in await named(database, device)


async def test_t19_a_lane_rewritten_by_a_thief_of_the_signatures_lacks_them(database, tenant, tamper):
    device = await a_shift(database, tenant)
    assert tamper("UPDATE sync_log SET sig = NULL WHERE lane = 1 AND seq = 12") == 1
    assert (1, 5, "unsigned") in await named(database, device)


async def test_a_forger_with_the_key_of_another_is_named(database, tenant):
    device = await a_shift(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        other = signing.public_bytes(signing.generate_key())
        found = await verify.verify(db, {device.device: other})
    assert {(one.lane, one.what) for one in found.findings} == {(0, "signature"), (1, "signature"), (3, "signature")}


async def test_rows_the_terminal_has_not_sent_yet_are_waiting_not_cut(database, tenant):
    device = Device(tenant)
    device.record(*(a_fact() for _ in range(5)), lane=1)
    await device.push(database, 1, 2, lane=1)
    device.record(device.witness(), lane=0)
    await device.push(database, lane=0)
    async with database.tenant_session(tenant.id) as db:
        await presence.heard(db, device.device, AT, {"1": 3})
    found = await verified(database, device)
    assert (found.findings, found.waiting) == ([], 3)


async def test_the_log_itself_refuses_updates_and_deletes_by_the_product(database, tenant):
    device = await a_shift(database, tenant)
    for sql in ("UPDATE sync_log SET seq = 99 WHERE seq = 12", "DELETE FROM sync_log", "TRUNCATE sync_telemetry"):
        with pytest.raises(Exception, match=r"permission denied|never changed"):
            async with database.tenant_session(tenant.id) as db:
                await db.execute(text(sql))
    assert (await verified(database, device)).findings == []
