"""Rows of the trail: numbered in the order of commits, in their month, free of secrets, never changed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from foodflow_kernel.clock import FakeClock
from server import serving
from server.core import audit, audit_check, feed, seals
from server.core.actor import Actor, ActorKind, system
from server.core.audit import AuditRow
from server.core.db import models, partitions, together
from server.core.db.sessions import Database, TenantRef
from server.core.seals import AuditSeal
from tests.server.core.trail import numbers, seal_now, superuser, write_rows


async def test_rows_are_numbered_in_the_order_of_commits_without_a_hole(database: Database, tenant: TenantRef) -> None:
    async def refuse() -> None:
        async with database.tenant_session(tenant.id) as db:
            audit.write(db, system(tenant.id), "test.refused", "test", None)
            raise ValueError

    async def two() -> None:
        async with database.tenant_session(tenant.id) as db:
            for _ in range(2):
                audit.write(db, system(tenant.id), "test.two", "test", None)
                await asyncio.sleep(0)

    await asyncio.gather(*(each() for _ in range(10) for each in (refuse, two)), return_exceptions=True)
    assert await numbers(database, tenant) == list(range(1, 21))


async def test_a_row_goes_with_its_savepoint(database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id) as db:
        audit.write(db, system(tenant.id), "test.kept", "test", None)
        for outcome in ("undone", "done"):
            with contextlib.suppress(ZeroDivisionError):
                async with feed.savepoint(db):
                    audit.write(db, system(tenant.id), f"test.{outcome}", "test", None)
                    async with db.begin_nested():
                        audit.write(db, system(tenant.id), f"test.{outcome}_within", "test", None)
                    _ = 1 / (outcome == "done")
    async with database.tenant_session(tenant.id) as db:
        actions = list(await db.scalars(select(AuditRow.action).order_by(AuditRow.seq)))
    assert actions == ["test.kept", "test.done", "test.done_within"]


async def test_a_transaction_held_open_across_a_seal_is_sealed_by_the_next(
    database: Database, tenant: TenantRef
) -> None:
    """A number given before the commit would lie below the seal, and never be sealed."""
    async with database.tenant_session(tenant.id) as held:
        audit.write(held, system(tenant.id), "test.held", "test", None)
        await held.flush()
        await write_rows(database, tenant, 3)
        assert await seal_now(database, tenant)
    assert await seal_now(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        made = (await db.scalars(select(AuditSeal).order_by(AuditSeal.number))).all()
        last = await db.scalar(select(AuditRow.action).order_by(AuditRow.seq.desc()).limit(1))
        assert (await audit_check.verify(db)).finding is None
    assert [(each.from_seq, each.to_seq) for each in made] == [(1, 3), (4, 4)]
    assert last == "test.held"


async def test_what_one_act_did_to_many_records_is_a_row_each(database: Database, tenant: TenantRef) -> None:
    """What they share is put into words once; each hashes as if it had been written alone."""
    actor = Actor(ActorKind.device, tenant.id, uuid.uuid4(), 'Kiosk "7" \u00e9', device_id=uuid.uuid4())
    entries = [
        (uuid.uuid4(), uuid.uuid4(), {"n": 1}),
        (None, None, {}),
        (uuid.uuid4(), None, {"pin": 1, "b": [None], "a": "\n"}),
    ]
    async with database.tenant_session(tenant.id) as db:
        many = [(entity_id, plant_id, audit.said(diff)) for entity_id, plant_id, diff in entries]
        audit.write_many(db, actor, "test.many", "test", many, "for a reason", esign_id=uuid.uuid4())
    async with database.tenant_session(tenant.id) as db:
        rows = (await db.scalars(select(AuditRow).order_by(AuditRow.seq))).all()
        assert (await audit_check.verify(db)).finding is None
    told = [(each.entity_id, each.plant_id, each.diff) for each in rows]
    assert told == [entries[0], (None, None, {}), (entries[2][0], None, {"a": "\n", "b": [None]})]
    shared = {
        (each.actor_id, each.actor_name, each.device_id, each.action, each.reason, each.esign_id) for each in rows
    }
    assert len(shared) == 1
    assert shared.pop()[:5] == (actor.id, actor.name, actor.device_id, "test.many", "for a reason")


async def test_a_number_taken_and_not_yet_committed_is_waited_for(database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id) as held:
        audit.write(held, system(tenant.id), "test.held", "test", None)
        await held.run_sync(lambda session: together.send(session, audit.number(session)))
        behind = asyncio.create_task(write_rows(database, tenant, 1))
        await asyncio.sleep(0.2)
        assert not behind.done()
        assert not await seal_now(database, tenant)
    await behind
    assert await numbers(database, tenant) == [1, 2]


async def test_of_two_sealers_at_once_one_wins(database: Database, tenant: TenantRef) -> None:
    await write_rows(database, tenant, 5)
    async with database.tenant_session(tenant.id) as slow:
        assert await seals.seal_next(slow) is not None
        quick = asyncio.create_task(seal_now(database, tenant))
        await asyncio.sleep(0.2)
    assert not await quick
    async with database.tenant_session(tenant.id) as db:
        assert len((await db.scalars(select(AuditSeal))).all()) == 1


@pytest.mark.parametrize("lost", [1, 3, 5])
async def test_a_trail_with_a_hole_is_not_sealed(database: Database, tenant: TenantRef, lost: int) -> None:
    """A seal over what is left would say that nothing else was ever there."""
    await write_rows(database, tenant, 2)
    assert await seal_now(database, tenant)
    await write_rows(database, tenant, 3)
    with superuser(database, tenant) as admin:
        admin.execute("DELETE FROM core_audit WHERE seq = %s", [lost])
    if lost > 2:
        with pytest.raises(RuntimeError, match="rows 3 to 5 of the audit trail are not complete"):
            await seal_now(database, tenant)
    else:
        assert await seal_now(database, tenant), "what was sealed before is for verify to find"
    async with database.tenant_session(tenant.id) as db:
        sealed = (await db.scalars(select(AuditSeal.to_seq).order_by(AuditSeal.number))).all()
    assert sealed == ([2] if lost > 2 else [2, 5])


CHANGES = (
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table} CASCADE",
)
GUARDED = {
    "core_audit": "reason",
    "core_audit_default": "reason",
    "core_audit_y2026m11": "reason",
    "core_audit_y2031m03": "reason",
    "core_audit_seal": "at",
    "core_esignature": "reason",
    "core_esignature_use": "action",
}


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.parametrize("statement", CHANGES, ids=lambda each: each.split()[0])
async def test_the_database_refuses_to_change_what_was_written(
    database: Database, tenant: TenantRef, table: str, statement: str
) -> None:
    """By grant for the tenant's role, by trigger for the owner, in months that are made later too."""
    for year, month in ((2026, 11), (2031, 3)):
        partitions.ensure(database.cluster.owner, tenant.schema, datetime(year, month, 5, tzinfo=UTC))
    said = statement.format(table=table, column=GUARDED[table])
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.tenant_session(tenant.id) as db:
            await db.execute(text(said))
    with superuser(database, tenant) as admin:
        admin.execute("SET session_replication_role = origin")
        with pytest.raises(Exception, match="never changed"):
            admin.execute(said.encode())


async def test_the_count_of_rows_only_grows(database: Database, tenant: TenantRef) -> None:
    await write_rows(database, tenant, 2)
    for said in ("UPDATE core_audit_head SET n = 1", "DELETE FROM core_audit_head", "TRUNCATE core_audit_head"):
        with pytest.raises(DBAPIError, match=r"only grows|permission denied"):
            async with database.tenant_session(tenant.id) as db:
                await db.execute(text(said))


async def test_each_month_has_its_partition_and_none_refuses_a_write(
    database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    frozen.at = datetime(2031, 12, 31, 23, 59, tzinfo=UTC)
    made = partitions.ensure(database.cluster.owner, tenant.schema, frozen.at)
    assert made == ["2031-12-01", "2032-01-01", "2032-02-01"]
    assert partitions.ensure(database.cluster.owner, tenant.schema, frozen.at) == []
    await write_rows(database, tenant, 1)
    frozen.at = datetime(2032, 1, 1, tzinfo=UTC)
    await write_rows(database, tenant, 1)
    frozen.at = datetime(2040, 1, 1, tzinfo=UTC)
    await write_rows(database, tenant, 1)
    assert where(database, tenant) == ["core_audit_y2031m12", "core_audit_y2032m01", "core_audit_default"]


def where(database: Database, tenant: TenantRef) -> list[str]:
    """The partition of each row."""
    with superuser(database, tenant) as admin:
        found = admin.execute("SELECT tableoid::regclass::text FROM core_audit ORDER BY seq").fetchall()
    return [str(name) for (name,) in found]


async def test_rows_of_before_the_job_came_round_get_their_month(
    database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    """A new company, or a server whose jobs stood still: with guards and indexes, and an empty default one again."""
    frozen.at = datetime(2040, 1, 30, tzinfo=UTC)
    await write_rows(database, tenant, 2)
    assert where(database, tenant) == ["core_audit_default"] * 2
    made = partitions.ensure(database.cluster.owner, tenant.schema, frozen.at)
    assert made == ["2040-01-01", "2040-02-01", "2040-03-01"]
    assert where(database, tenant) == ["core_audit_y2040m01"] * 2
    await write_rows(database, tenant, 1)
    frozen.at = datetime(2041, 6, 1, tzinfo=UTC)
    await write_rows(database, tenant, 1)
    assert where(database, tenant) == ["core_audit_y2040m01"] * 3 + ["core_audit_default"]
    with superuser(database, tenant) as admin:
        names = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relname LIKE 'core_audit_%%'"
        named = {str(name) for (name,) in admin.execute(names, [tenant.schema]).fetchall()}
        admin.execute("SET session_replication_role = origin")
        for table in ("core_audit_y2040m01", "core_audit_default"):
            for said in CHANGES:
                with pytest.raises(Exception, match="never changed"):
                    admin.execute(said.format(table=table, column="reason").encode())
            inside = {name.removeprefix(table) for name in named if name.startswith(table)}
            assert {"", "_pkey", "_at_idx", "_actor_id_at_idx", "_entity_entity_id_at_idx"} == inside
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.tenant_session(tenant.id) as db:
            await db.execute(text("SELECT count(*) FROM core_audit_default"))


async def test_a_company_made_at_the_turn_of_a_month_has_a_partition_of_both(
    database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    """The job comes round when the default partition has rows of two months, or of the month before alone."""
    for month in (1, 2):
        frozen.at = datetime(2040, month, 1, tzinfo=UTC)
        await write_rows(database, tenant, 1)
    made = partitions.ensure(database.cluster.owner, tenant.schema, frozen.at)
    assert made == ["2040-02-01", "2040-03-01", "2040-04-01"]
    assert where(database, tenant) == ["core_audit_y2040m01"] * 2
    await write_rows(database, tenant, 1)
    assert where(database, tenant) == ["core_audit_y2040m01"] * 3
    frozen.at = datetime(2041, 5, 31, tzinfo=UTC)
    await write_rows(database, tenant, 1)
    made = partitions.ensure(database.cluster.owner, tenant.schema, datetime(2041, 6, 1, tzinfo=UTC))
    assert made == ["2041-06-01", "2041-07-01", "2041-08-01"]
    assert where(database, tenant)[3:] == ["core_audit_y2041m05"]


async def test_rows_of_months_far_apart_stay_where_they_are(
    database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    """A clock that was wrong for a while gives no partition of years."""
    for month in (1, 3):
        frozen.at = datetime(2040, month, 20, tzinfo=UTC)
        await write_rows(database, tenant, 1)
    assert partitions.ensure(database.cluster.owner, tenant.schema, frozen.at) == ["2040-04-01", "2040-05-01"]
    frozen.at = datetime(2040, 4, 1, tzinfo=UTC)
    await write_rows(database, tenant, 1)
    assert where(database, tenant) == ["core_audit_default"] * 2 + ["core_audit_y2040m04"]


async def test_many_make_the_months_while_rows_are_written(
    database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    """Processes that start at once: each month is made by one of them, and no row is lost or refused."""
    frozen.at = datetime(2040, 1, 30, tzinfo=UTC)
    await write_rows(database, tenant, 1)
    ensure = partial(asyncio.to_thread, partitions.ensure, database.cluster.owner, tenant.schema, frozen.at)
    made, *_ = await asyncio.gather(
        asyncio.gather(*(ensure() for _ in range(4))), *(write_rows(database, tenant, 2) for _ in range(10))
    )
    assert sorted(chain(*made)) == ["2040-01-01", "2040-02-01", "2040-03-01"]
    assert where(database, tenant) == ["core_audit_y2040m01"] * 21


async def test_a_server_that_starts_makes_the_months_that_no_job_made(
    database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    """It may be off whenever the job comes round."""
    frozen.at = datetime(2044, 5, 1, 7, tzinfo=UTC)
    await serving.bring_up(database)
    await write_rows(database, tenant, 1)
    with superuser(database, tenant) as admin:
        held = admin.execute("SELECT DISTINCT tableoid::regclass::text FROM core_audit").fetchall()
    assert held == [("core_audit_y2044m05",)]
    assert partitions.ensure(database.cluster.owner, tenant.schema, frozen.at) == []


async def test_a_month_waits_for_nobody_for_long(database: Database, tenant: TenantRef) -> None:
    with superuser(database, tenant) as admin, admin.transaction():
        admin.execute("LOCK TABLE core_audit IN ACCESS SHARE MODE")
        at = datetime(2035, 1, 1, tzinfo=UTC)
        assert await asyncio.to_thread(partitions.ensure, database.cluster.owner, tenant.schema, at) == []


async def test_who_holds_both_tables_the_other_way_round_delays_the_months_and_no_more(
    database: Database, tenant: TenantRef, frozen: FakeClock
) -> None:
    frozen.at = datetime(2035, 1, 1, tzinfo=UTC)
    await write_rows(database, tenant, 1)
    ensure = partial(partitions.ensure, database.cluster.owner, tenant.schema, frozen.at)
    with superuser(database, tenant) as admin, admin.transaction():
        admin.execute("SET LOCAL deadlock_timeout = '1min'")  # the other one finds it first
        admin.execute("SELECT count(*) FROM core_audit_default")
        waits = asyncio.create_task(asyncio.to_thread(ensure))
        held = "SELECT count(*) FROM pg_locks WHERE relation = 'core_audit'::regclass AND mode = 'AccessExclusiveLock'"
        while admin.execute(held).fetchone() != (1,):  # noqa: ASYNC110  # PostgreSQL tells nobody
            await asyncio.sleep(0.01)
        await asyncio.to_thread(admin.execute, "SELECT count(*) FROM core_audit")
        assert await waits == []
    assert ensure() == ["2035-01-01", "2035-02-01", "2035-03-01"]
    assert where(database, tenant) == ["core_audit_y2035m01"]


# --- hashes -------------------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.just(UTC))
    | st.uuids()
    | st.binary()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)


@given(diff=st.dictionaries(st.text(), VALUES, max_size=5))
def test_what_is_written_hashes_to_the_same_when_it_comes_back(diff: dict[str, Any]) -> None:
    """The row as JSON, and as jsonb gives it back: keys in another order."""
    kept = json.loads(json.dumps(audit.plain(diff)))
    assert audit.digest({"diff": diff}) == audit.digest({"diff": kept})
    assert audit.digest({"diff": dict(reversed(kept.items()))}) == audit.digest({"diff": diff})


NAMES = ("password", "pin", "b", "a", "é", "zone")


@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, st.none() | VALUES)), min_size=1, max_size=4))
def test_what_the_trail_says_of_many_rows_is_what_it_says_of_each(rows: list[dict[str, Any]]) -> None:
    alone = [audit.said({name: value for name, value in row.items() if value is not None}) for row in rows]
    assert list(audit.said_of_each(rows, NAMES)) == alone
    assert not any("pin" in json.loads(each) for each in alone)


@given(diff=st.dictionaries(st.text(st.characters(codec="ascii")), VALUES | st.text(st.characters(codec="ascii"))))
def test_the_text_that_the_database_hashes_is_the_canonical_one(diff: dict[str, Any]) -> None:
    row = audit.plain({"action": "test", "diff": diff, "entity": None})
    assert audit._written(row) == json.dumps(row, sort_keys=True, separators=(",", ":"))


@given(
    at=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    offset=st.integers(-14 * 60, 14 * 60),
    amount=st.decimals(min_value=-(10**9), max_value=10**9, places=4),
)
def test_a_hash_does_not_depend_on_time_zone_or_scale(at: datetime, offset: int, amount: Decimal) -> None:
    elsewhere = at.astimezone(timezone(timedelta(minutes=offset)))
    assert audit.digest({"at": at, "n": amount}) == audit.digest({"n": amount + Decimal("0.000000"), "at": elsewhere})


def test_the_canonical_form_of_today_is_kept_for_ever() -> None:
    row = {
        "seq": 7,
        "at": datetime(2026, 11, 28, 9, 30, tzinfo=UTC),
        "diff": {"b": Decimal("1.50"), "a": ["\u00e9", None]},
    }
    assert audit.digest(row).hex() == "237cc947a38739cf98e7285201c484c01ade19088824576e1d9037715e5e8448"


async def test_any_text_can_be_written_and_still_hashes(database: Database, tenant: TenantRef) -> None:
    odd = "nul \0, half a pair \ud800, \u202e, " + "x" * 100_000
    async with database.tenant_session(tenant.id) as db:
        audit.write(db, system(tenant.id, odd), odd, odd, None, {odd: odd, "n": float("nan"), "big": 10**400}, odd)
    async with database.tenant_session(tenant.id) as db:
        assert (await audit_check.verify(db)).finding is None


@pytest.mark.parametrize("kind", ActorKind)
async def test_every_kind_of_actor_can_be_written(database: Database, tenant: TenantRef, kind: ActorKind) -> None:
    async with database.tenant_session(tenant.id) as db:
        audit.write(db, Actor(kind, tenant.id), "test.actor", "test", None)
    assert await numbers(database, tenant) == [1]


async def test_another_kind_of_actor_is_refused(database: Database, tenant: TenantRef) -> None:
    with superuser(database, tenant) as admin, pytest.raises(Exception, match="ck_core_audit_actor_type"):
        admin.execute(
            "INSERT INTO core_audit (seq, at, actor_type, actor_name, action, entity, diff, row_hash)"
            " VALUES (1, now(), 'ghost', '', '', '', '{}', '')"
        )


# --- secrets ------------------------------------------------------------------------------------

LOOKS_SECRET = re.compile(r"hash|secret|sha256|pin|passw|token|pepper|otp|credential|private|(^|_)key$")
NO_SECRET = {
    "hash": "of a fact, shown",
    "sha256": "of a file",
    "row_hash": "of an audit row",
    "record_sha256": "of a signed record",
    "sha256_after": "of a signed record",
    "request_sha256": "of a request",
    "token_epoch": "a counter",
    "key": "a name",
    "public_key": "public",
    "blob_sha256": "of a file",
    "dedupe_key": "a name",
    "storage_key": "a name",
    "is_pin_one_use": "yes or no",
    "pin_set_at": "an instant",
    "pin_wait_until": "an instant",
    "totp_confirmed_at": "an instant",
    "totp_last_step": "a counter",
}


def test_every_column_that_looks_secret_is_cut_out_or_named_here() -> None:
    columns = {c.name for tree in ("tenant", "platform") for t in models.load(tree).tables.values() for c in t.columns}
    suspects = {name for name in columns if LOOKS_SECRET.search(name)}
    assert {"password_hash", "pin_base", "token_sha256"} <= suspects
    assert {name for name in suspects if not audit.is_secret(name)} - NO_SECRET.keys() == set()
    assert not any(audit.is_secret(name) for name in NO_SECRET)


@pytest.mark.parametrize("name", ["password", "new_password", "pin", "pin_hash", "totp_secret", "secret_sha256", "token",
                                  "refresh_token", "access_token", "api_key", "credentials", "old_pin", "totp"])  # fmt: skip
async def test_a_secret_is_in_no_row(database: Database, tenant: TenantRef, name: str) -> None:
    word = f"never-{uuid.uuid4().hex}"
    async with database.tenant_session(tenant.id) as db:
        audit.write(db, system(tenant.id), "test.secret", "test", None, {"command": {name: word}, name: ["", word]})
    with superuser(database, tenant) as admin:
        told = admin.execute(sql.SQL("SELECT core_audit::text FROM core_audit")).fetchall()
    assert len(told) == 1
    assert word not in str(told)


def test_dates_are_text() -> None:
    assert audit.plain({"on": date(2026, 11, 28)}) == {"on": "2026-11-28"}
