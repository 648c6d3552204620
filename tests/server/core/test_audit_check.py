"""What a superuser does to the trail is found, and named by the number of the row or seal."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import pytest
from sqlalchemy import select

from server.core import audit, audit_check, seals
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.core.seals import Anchor, AuditSeal
from tests.server.core.trail import forge, seal_now, superuser, write_rows

ROWS, SEALED = 9, 6
"""Two seals of three rows, three rows that are not sealed yet."""


async def a_sealed_trail(database: Database, tenant: TenantRef) -> list[Anchor]:
    for _ in range(2):
        await write_rows(database, tenant, SEALED // 2)
        assert await seal_now(database, tenant)
    await write_rows(database, tenant, ROWS - SEALED)
    async with database.tenant_session(tenant.id) as db:
        made = (await db.scalars(select(AuditSeal).order_by(AuditSeal.number))).all()
        return [Anchor(each.number, each.to_seq, each.root.hex(), each.at.isoformat()) for each in made]


async def found(database: Database, tenant: TenantRef, anchors: list[Anchor]) -> tuple[str, int] | None:
    async with database.tenant_session(tenant.id) as db:
        report = await audit_check.verify(db, anchors)
    return None if report.finding is None else (report.finding.what, report.finding.number)


COPY = (
    "INSERT INTO core_audit SELECT {seq}, at, actor_type, actor_id, actor_name, device_id, plant_id, action, entity,"
    " entity_id, diff, reason, request_id, ip, esign_id, row_hash FROM core_audit WHERE seq = 2"
)
SWAP = (
    "UPDATE core_audit a SET diff = b.diff, row_hash = b.row_hash FROM core_audit b"
    " WHERE (a.seq = 2 AND b.seq = 5) OR (a.seq = 5 AND b.seq = 2)"
)
TAMPERING = {
    "a row deleted": (["DELETE FROM core_audit WHERE seq = 2"], ("row_missing", 2)),
    "a row changed": (["UPDATE core_audit SET reason = 'never' WHERE seq = 3"], ("row_changed", 3)),
    "who did it changed": (["UPDATE core_audit SET actor_name = 'x' WHERE seq = 8"], ("row_changed", 8)),
    "a time changed": (["UPDATE core_audit SET at = at + interval '1 us' WHERE seq = 1"], ("row_changed", 1)),
    "two rows swapped": ([SWAP], ("row_changed", 2)),
    "two numbers swapped": (
        [f"UPDATE core_audit SET seq = {a} WHERE seq = {b}" for a, b in ((99, 2), (2, 3), (3, 99))],
        ("row_changed", 2),
    ),
    "a row put in": ([COPY.format(seq=3) + " ON CONFLICT DO NOTHING", COPY.format(seq="4").replace("at,", "at + interval '1 s',", 1)], ("row_twice", 4)),
    "a row put in behind": ([COPY.format(seq=ROWS + 1)], ("row_beyond", ROWS + 1)),
    "a row put in behind, counted": (
        [COPY.format(seq=ROWS + 1), f"UPDATE core_audit_head SET n = {ROWS + 1}"],
        ("row_changed", ROWS + 1),
    ),
    "the end cut off": ([f"DELETE FROM core_audit WHERE seq > {SEALED + 1}"], ("row_missing", SEALED + 2)),
    "the end cut off, below a seal": (
        ["DELETE FROM core_audit WHERE seq > 4", "UPDATE core_audit_head SET n = 4"],
        ("row_missing", 5),
    ),
    "everything deleted": (
        ["DELETE FROM core_audit", "DELETE FROM core_audit_seal", "UPDATE core_audit_head SET n = 0"],
        ("seal_missing", 1),
    ),
    "a seal changed": (["UPDATE core_audit_seal SET at = at - interval '1 day' WHERE number = 2"], ("seal_changed", 2)),
    "a seal's rows changed": (["UPDATE core_audit_seal SET to_seq = 7, count = 4 WHERE number = 2"], ("seal_changed", 2)),
    "a seal removed": (["DELETE FROM core_audit_seal WHERE number = 1"], ("seal_missing", 1)),
    "the last seal removed": (["DELETE FROM core_audit_seal WHERE number = 2"], ("seal_missing", 2)),
    "the seals numbered anew": (
        ["DELETE FROM core_audit_seal WHERE number = 1", "UPDATE core_audit_seal SET number = 1"],
        ("seal_changed", 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERING)
async def test_what_a_superuser_did_is_named_by_its_number(database: Database, tenant: TenantRef, what: str) -> None:
    anchors = await a_sealed_trail(database, tenant)
    assert await found(database, tenant, anchors) is None
    statements, named = TAMPERING[what]
    with superuser(database, tenant) as admin:
        for statement in statements:
            admin.execute(statement.encode())
    assert await found(database, tenant, anchors) == named


async def test_a_row_rewritten_with_its_hash_breaks_its_seal(database: Database, tenant: TenantRef) -> None:
    anchors = await a_sealed_trail(database, tenant)
    await forge(database, tenant, 5, "never happened")
    assert await found(database, tenant, anchors) == ("seal_rows", 2)


async def remake_seals(database: Database, tenant: TenantRef, first: int) -> None:
    """As one does who has the program and the superuser's password: seals from ``first`` on are made anew."""
    with superuser(database, tenant) as admin:
        admin.execute("DELETE FROM core_audit_seal WHERE number >= %s", [first])
    while await seal_now(database, tenant):
        pass


async def test_who_recomputes_everything_in_the_database_is_found_by_the_anchors(
    database: Database, tenant: TenantRef
) -> None:
    anchors = await a_sealed_trail(database, tenant)
    await forge(database, tenant, 2, "never happened")
    await remake_seals(database, tenant, 1)
    assert await found(database, tenant, []) is None
    assert await found(database, tenant, anchors) == ("anchor_differs", 1)


async def test_a_seal_remade_alone_does_not_follow(database: Database, tenant: TenantRef) -> None:
    anchors = await a_sealed_trail(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        seal = (await db.scalars(select(AuditSeal).where(AuditSeal.number == 2))).one()
        db.expunge(seal)
    seal.prev_root = bytes(31) + b"\1"
    with superuser(database, tenant) as admin:
        admin.execute(
            "UPDATE core_audit_seal SET prev_root = %s, root = %s WHERE number = 2",
            [seal.prev_root, seals.root_of(seal)],
        )
    assert await found(database, tenant, anchors) == ("seal_chain", 2)


async def test_verifying_needs_the_same_memory_for_a_long_trail(database: Database, tenant: TenantRef) -> None:
    peaks = []
    for more in (1_500, 8_500):
        async with database.tenant_session(tenant.id) as db:
            for index in range(more):
                audit.write(db, system(tenant.id), "test.row.write", "test.row", None, {"index": index, "t": "x" * 200})
        while await seal_now(database, tenant):
            pass
        seen = []
        for _ in range(2):  # what else goes on in the process is in one of them at most
            # Behind thousands of other tests the collector waits for a quarter of all that lives.
            gc.collect()
            gc.freeze()
            gc.collect()
            async with database.tenant_session(tenant.id) as db:
                tracemalloc.start()
                report = await audit_check.verify(db)
                seen.append(tracemalloc.get_traced_memory()[1])
                tracemalloc.stop()
            gc.unfreeze()
        peaks.append(min(seen))
        assert report.finding is None
    assert report.rows == 10_000
    # All rows at once would be nearly seven times; some chunks wait for the collector.
    assert peaks[1] < 4 * peaks[0]


async def test_anchors_are_appended_and_a_line_cut_off_by_a_crash_is_written_again(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    path = seals.anchor_file(tmp_path, tenant)
    await write_rows(database, tenant, 2)
    assert await seals.seal(database, tenant, tmp_path) == 1
    await write_rows(database, tenant, 2)
    assert await seals.seal(database, tenant, tmp_path) == 1
    whole = path.read_text()
    assert [each.to_seq for each in seals.read_anchors(path)] == [2, 4]
    path.write_text(whole[:-9])
    assert [each.number for each in seals.read_anchors(path)] == [1]
    assert await seals.seal(database, tenant, tmp_path) == 0
    assert path.read_text() == whole
    assert path.stat().st_mode & 0o777 == 0o600
    assert await found(database, tenant, seals.read_anchors(path)) is None
