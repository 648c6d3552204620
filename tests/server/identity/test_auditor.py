"""An auditor reads through a login of the database that cannot write; what they export says whose it is."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import openpyxl
import psycopg
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text

from foodflow_kernel.errors import NotAllowed
from server import seed
from server.core.actor import Actor, ActorKind
from server.core.db import fleet, postgres
from server.core.db.sessions import Database, TenantRef
from server.core.resource import sheets
from server.identity import people
from server.identity.models import User
from tests.conftest import as_superuser
from tests.server.identity.staff import Staff, code


@pytest_asyncio.fixture(loop_scope="session")
async def staff(app: FastAPI, database: Database, tenant: TenantRef) -> Staff:
    return await Staff.hire(app, database, tenant)


def login(database: Database, tenant: TenantRef) -> psycopg.Connection[tuple[object, ...]]:
    return postgres.connect(database.cluster.url(postgres.reader(tenant.schema)))


def test_the_readers_login_selects_and_does_nothing_else(
    database: Database, two_tenants: tuple[TenantRef, TenantRef]
) -> None:
    mine, other = two_tenants
    with login(database, mine) as db:
        assert db.execute("SELECT count(*) FROM identity_user").fetchone() == (0,)
        db.execute("SET default_transaction_read_only = off")  # it may say so; it has no right all the same
        for statement in (
            "INSERT INTO core_feed_counter VALUES (1, 'x', 0, 0)",
            "UPDATE identity_user SET printed_name = 'x'",
            "DELETE FROM core_feed_row",
            "TRUNCATE core_feed_row",
            "CREATE TABLE mine (id int)",
            "CREATE TEMPORARY TABLE mine (id int)",
            f"SELECT count(*) FROM {other.schema}.identity_user",
            "SELECT count(*) FROM platform.tenant",
            f"SET ROLE {mine.schema}",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(statement.encode())


def test_the_readers_login_begins_read_only_and_is_member_of_nothing(database: Database, tenant: TenantRef) -> None:
    with login(database, tenant) as db:
        assert db.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
        member = "SELECT count(*) FROM pg_auth_members WHERE member = (SELECT oid FROM pg_roles WHERE rolname = current_user)"
        assert db.execute(member).fetchone() == (0,)


async def test_a_company_that_was_there_before_gets_its_reader_when_the_server_migrates(
    database: Database, tenant: TenantRef
) -> None:
    name = postgres.reader(tenant.schema)
    with as_superuser(database.cluster) as db:
        db.execute(f'DROP OWNED BY "{name}"'.encode())
        db.execute(f'DROP ROLE "{name}"'.encode())
    with pytest.raises(psycopg.OperationalError):
        login(database, tenant)
    await fleet.migrate_all(database)
    with login(database, tenant) as db:
        assert db.execute("SELECT count(*) FROM identity_user").fetchone() == (0,)


async def test_only_an_auditor_and_nothing_else_is_a_reader(staff: Staff) -> None:
    held = {}
    for keys in (("AU",), ("AU", "QM"), ("QM",), ()):
        person = await staff.person(*keys)
        async with staff.database.tenant_session(staff.tenant.id) as db:
            user = await db.get_one(User, person.id)
            held[keys] = (await people.actor_of(db, user, staff.tenant.id)).reads_only
    assert held == {("AU",): True, ("AU", "QM"): False, ("QM",): False, (): False}


async def test_a_session_of_a_reader_cannot_write_and_says_so(staff: Staff) -> None:
    reader = Actor(ActorKind.user, staff.tenant.id, reads_only=True)
    with pytest.raises(NotAllowed, match="read_only"):
        async with staff.database.tenant_session(staff.tenant.id, reader) as db:
            await db.execute(text("UPDATE identity_role SET name = 'x'"))
    with pytest.raises(NotAllowed, match="read_only"):
        async with staff.database.tenant_session(staff.tenant.id, reader) as db:
            db.add(User(id=staff.plant, login_code="x", short_no="1", printed_name="x", status="active"))


async def test_a_permission_to_write_that_came_by_mistake_writes_nothing(staff: Staff) -> None:
    """The database is the second door: here the first one stands open."""
    auditor = await staff.person("AU")
    async with staff.database.tenant_session(staff.tenant.id) as db:
        await db.execute(
            text(
                "INSERT INTO identity_role_permission SELECT id, 'identity.role.create' FROM identity_role "
                "WHERE key = 'AU'"
            )
        )
    answer = await auditor.client.post("/roles", json={"key": "X", "name": "x"})
    assert code(answer) == (403, "read_only")


async def test_an_auditor_still_ends_their_own_sessions(staff: Staff) -> None:
    auditor = await staff.person("AU")
    assert (await auditor.client.post("/auth/logout-all")).status_code == 204
    assert (await auditor.client.get("/me")).status_code == 401


async def test_an_auditors_role_ends_by_itself(staff: Staff) -> None:
    auditor = await staff.person("AU", until=staff.database.clock.now() + timedelta(minutes=1))
    assert (await auditor.client.get("/roles")).status_code == 200


async def test_an_auditors_export_says_who_made_it_and_when_and_is_in_the_trail(staff: Staff) -> None:
    await seed.plant(staff.database, staff.tenant, "P7")
    auditor = await staff.person("AU")
    plain = await staff.person("QM")
    path = "/fsq/trace-links"
    now = staff.database.clock.now().isoformat(timespec="seconds")
    sheet = await auditor.client.get(path, headers={"Accept": sheets.CSV})
    assert sheet.status_code == 200, sheet.text
    rows = list(csv.reader(io.StringIO(sheet.content.decode(), newline="")))
    assert rows[0][0].startswith(sheets.NOTE)
    for said in (auditor.badge, staff.tenant.name, now):
        assert said in rows[0][0]
    other = await plain.client.get(path, headers={"Accept": sheets.CSV})
    assert list(csv.reader(io.StringIO(other.content.decode(), newline=""))) == rows[1:]
    book = await auditor.client.get(path, headers={"Accept": sheets.XLSX})
    for answer, badge in (
        (book, auditor.badge),
        (await plain.client.get(path, headers={"Accept": sheets.XLSX}), plain.badge),
    ):
        opened = openpyxl.load_workbook(io.BytesIO(answer.content))
        assert badge in str(opened.properties.creator)
        assert now in str(opened.properties.description)
        assert badge in str(opened.worksheets[0].oddFooter.left.text)
    async with staff.database.tenant_session(staff.tenant.id) as db:
        said = await db.execute(text("SELECT actor_id FROM core_audit WHERE action = 'fsq.trace.export' ORDER BY seq"))
        assert [row[0] for row in said] == [auditor.id, plain.id, auditor.id, plain.id]
