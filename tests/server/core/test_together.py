"""Statements in one packet: their rows, their refusals, and what is too much for one."""

from __future__ import annotations

import asyncio
import uuid
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from psycopg.pq import Trace
from sqlalchemy import bindparam, func, literal, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.machines.identity import UserState
from server.core import audit, feed
from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db import together
from server.core.db.sessions import Database, TenantRef
from server.core.feed import FeedRow
from server.identity.models import User
from tests.server.conftest import a_user

LONGEST_S = 60
"""A statement that was never sent whole would be waited for without end."""


async def test_each_statement_gives_its_own_rows(database: Database, tenant: TenantRef) -> None:
    await a_user(database, tenant, "QM")
    people = together.ready(select(User.status, literal("x").label("x")).where(User.status == UserState.active))
    sum_ = together.ready(select(bindparam("a", type_=User.failed_attempts.type) + 1))
    async with database.tenant_session(tenant.id) as db:
        found = await db.run_sync(together.send, (people, {}), (sum_, {"a": 2}))
    assert [list(rows) for rows in found] == [[("active", "x")], [(3,)]]


@pytest.mark.parametrize("kilobytes", [1, 100, 130, 180, 5_000])
async def test_however_much_a_commit_writes_it_ends(database: Database, tenant: TenantRef, kilobytes: int) -> None:
    async def writes() -> None:
        async with database.tenant_session(tenant.id) as db:
            for _ in range(kilobytes):
                audit.write(db, system(tenant.id), "test.much", "test", None, {"text": "x" * 1000})
                feed.touch(db, "lot", uuid.uuid4())

    await asyncio.wait_for(writes(), LONGEST_S)
    async with database.tenant_session(tenant.id) as db:
        counts = [await db.scalar(select(func.count()).select_from(each)) for each in (AuditRow, FeedRow)]
        assert counts == [kilobytes, kilobytes]


async def test_a_refusal_in_a_packet_is_told_and_leaves_nothing(database: Database, tenant: TenantRef) -> None:
    with pytest.raises(IntegrityError) as refused:
        async with database.tenant_session(tenant.id) as db:
            feed.touch(db, None, uuid.uuid4())  # type: ignore[arg-type]
            audit.write(db, system(tenant.id), "test.refused", "test", None)
    assert "entity" in str(refused.value.orig)
    async with database.tenant_session(tenant.id) as db:
        assert await db.scalar(select(func.count()).select_from(AuditRow)) == 0
        audit.write(db, system(tenant.id), "test.next", "test", None)
    async with database.tenant_session(tenant.id) as db:
        assert await db.scalar(select(AuditRow.seq)) == 1


@pytest.mark.parametrize("bad", ["nul\0", "half a pair \ud800", object()])
async def test_a_value_that_cannot_be_sent_leaves_a_guarded_packet_undone(
    database: Database, tenant: TenantRef, bad: object
) -> None:
    put = together.Ready("INSERT INTO kept VALUES (%(text)s)", {}, {})
    async with database.tenant_session(tenant.id) as db:
        await db.execute(text("CREATE TEMPORARY TABLE kept (text text) ON COMMIT DROP"))
        for _ in range(2):
            with pytest.raises((DBAPIError, UnicodeEncodeError)):
                await db.run_sync(
                    lambda session: together.send(session, (put, {"text": "good"}), (put, {"text": bad}), guarded=True)
                )
        assert await db.scalar(text("SELECT count(*) FROM kept")) == 0
        await db.run_sync(lambda session: together.send(session, (put, {"text": "good"}), guarded=True))
        assert await db.scalar(text("SELECT count(*) FROM kept")) == 1


async def test_a_request_that_is_given_up_in_a_packet_leaves_nothing_and_harms_nobody(
    database: Database, tenant: TenantRef
) -> None:
    async def writes(what: str) -> None:
        async with database.tenant_session(tenant.id) as db:
            audit.write(db, system(tenant.id), what, "test", None)

    for _ in range(3):
        async with database.tenant_session(tenant.id) as held:
            await held.execute(select(audit.AuditHead).with_for_update())
            given_up = [asyncio.create_task(writes("test.given_up")) for _ in range(4)]
            await asyncio.sleep(0.2)
            for each in given_up:
                each.cancel()
            ended = await asyncio.gather(*given_up, return_exceptions=True)
            assert all(isinstance(each, BaseException) for each in ended)
        await asyncio.gather(*(writes("test.goes_on") for _ in range(8)))
    async with database.tenant_session(tenant.id) as db:
        actions = (await db.scalars(select(AuditRow.action).order_by(AuditRow.seq))).all()
    assert actions == ["test.goes_on"] * 24


async def test_who_gives_up_a_packet_that_is_half_sent_is_told_so_and_harms_nobody(
    database: Database, tenant: TenantRef
) -> None:
    """PostgreSQL waits and reads no more; the socket is full."""
    much = [{"text": "x" * 1000}] * 5_000

    async def writes() -> None:
        async with database.tenant_session(tenant.id) as db:
            audit.write_many(
                db, system(tenant.id), "test.given_up", "test", [(None, None, audit.said(x)) for x in much]
            )
            audit.write(db, system(tenant.id), "test.given_up", "test", None)
            await db.run_sync(together.send, (wait, {}), *_last(db))

    def _last(db: AsyncSession) -> list[together.Asked]:
        asked = audit.number(db.sync_session)
        return [asked] if asked else []

    wait = together.ready(select(func.pg_sleep(30)))

    async def connected() -> list[object]:
        async with database.tenant_session(tenant.id) as db:
            asked = text("SELECT pid FROM pg_stat_activity WHERE usename = :role ORDER BY pid")
            return list(await db.scalars(asked, {"role": tenant.schema}))

    before = await connected()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writes(), 1)
    assert await connected() == before, "a connection was thrown away"
    async with database.tenant_session(tenant.id) as db:
        assert await db.scalar(select(func.count()).select_from(AuditRow)) == 0


async def test_what_goes_together_goes_before_any_answer_comes(
    database: Database, tenant: TenantRef, tmp_path: Path
) -> None:
    """libpq itself writes down what it sends and gets: twice all there, all back."""
    one = together.ready(select(literal(1).label("one")))
    with (tmp_path / "trace").open("w+") as trace:
        async with database.tenant_session(tenant.id) as db:
            raw = await (await db.connection()).get_raw_connection()
            pgconn = cast("psycopg.AsyncConnection[Any]", raw.driver_connection).pgconn
            pgconn.trace(trace.fileno())
            pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
            assert await db.run_sync(together.send, (one, {})) == [[(1,)]]
            audit.write(db, system(tenant.id), "test.together", "test", None)
            feed.touch(db, "lot", uuid.uuid4())
            await db.commit()
            pgconn.untrace()
        trace.seek(0)
        sides = [line[0] for line in trace.read().splitlines() if line[:2] in ("F\t", "B\t")]
    assert [side for side, _ in groupby(sides)] == ["F", "B", "F", "B"]
    assert sides.count("F") > 12, "begin, ask, sync; trail, feed, commit, sync"
