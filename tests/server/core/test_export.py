"""Lists as CSV and XLSX: whole, in order, in little memory, harmless to open, for whom they may be, on record."""

from __future__ import annotations

import csv
import io
import tracemalloc
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal

import httpx
import openpyxl
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select, text

from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database, TenantRef
from server.core.resource import export, listing, sheets
from server.identity import roles
from server.identity.models import Role
from server.plant_ops.models import Equipment
from tests.server.conftest import SignIn, a_plant
from tests.server.core.wide import WIDE, an_instrument, instruments, wide_app, wide_client

COUNT = 30
DANGEROUS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'quoted", 'a,"b"\nc', "ordinary")


@pytest.fixture(scope="module")
def wide(cluster: Cluster, database: Database) -> FastAPI:
    return wide_app(cluster, database)


@pytest_asyncio.fixture(loop_scope="session")
async def plant(database: Database, tenant: TenantRef) -> uuid.UUID:
    made = await a_plant(database, tenant)
    await instruments(database, tenant, made, range(COUNT))
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def client(
    wide: FastAPI, database: Database, tenant: TenantRef, plant: uuid.UUID, sign_in: SignIn
) -> AsyncIterator[httpx.AsyncClient]:
    assert plant
    async with await wide_client(wide, sign_in, tenant, "TA") as made:
        await may_export(database, tenant, "TA")
        yield made


async def may_export(database: Database, tenant: TenantRef, role: str) -> None:
    """Nobody exports equipment unless the company says so: here it does, until the next person is added."""
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        row = (await db.scalars(select(Role).where(Role.key == role))).one()
        await roles.fill(db, row, ["plant_ops.equipment.export"])


async def the_csv(client: httpx.AsyncClient, **query: str) -> list[dict[str, str]]:
    answer = await client.get("/wide", params=query, headers={"Accept": sheets.CSV})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(sheets.CSV)
    assert answer.headers["content-disposition"] == 'attachment; filename="wide.csv"'
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


async def test_csv_is_the_whole_list_in_its_order(client: httpx.AsyncClient) -> None:
    query = {"sort": "criticality,-range_min", "filter[range_min][null]": "false"}
    rows = await the_csv(client, **query)
    listed = (await client.get("/wide", params=query | {"limit": "200"})).json()["items"]
    assert [row["id"] for row in rows] == [row["id"] for row in listed]
    assert [Decimal(row["range_min"]) for row in rows] == [Decimal(row["range_min"]) for row in listed]
    assert "resolution" not in rows[0]
    assert rows[0]["names"].startswith('{"en":"Scale ')
    assert [set(row) for row in await the_csv(client, fields="tag")] == [{"id", "tag"}] * COUNT


async def test_xlsx_has_numbers_as_numbers_and_everything_else_as_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/wide", params={"fields": "tag,range_min,created_at"}, headers={"Accept": sheets.XLSX})
    assert (answer.status_code, answer.headers["content-type"]) == (200, sheets.XLSX)
    (sheet,) = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets
    heading, *rows = sheet.iter_rows(values_only=True)
    assert set(heading) == {"id", "tag", "range_min", "created_at"}
    assert len(rows) == COUNT
    place = heading.index("range_min")
    assert {type(row[place]) for row in rows} <= {int, float, type(None)}
    assert isinstance(rows[0][heading.index("created_at")], str)


async def dangerous(database: Database, tenant: TenantRef, plant: uuid.UUID) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        for number, tag in enumerate(DANGEROUS):
            row = an_instrument(database, plant, 1000 + number)
            row.tag, row.equipment_class, row.range_min = tag, "danger", Decimal("-1.5")
            db.add(row)


async def test_no_cell_is_a_formula_and_each_can_be_read_back(
    client: httpx.AsyncClient, database: Database, tenant: TenantRef, plant: uuid.UUID
) -> None:
    await dangerous(database, tenant, plant)
    rows = await the_csv(client, q="danger", sort="created_at")
    assert {row["range_min"] for row in rows} == {"-1.500000"}
    for row in rows:
        assert not row["tag"].startswith(("=", "+", "-", "@", "\t", "\r")), row["tag"]
    assert {sheets.unescaped(row["tag"]) for row in rows} == set(DANGEROUS)
    answer = await client.get("/wide", params={"q": "danger"}, headers={"Accept": sheets.XLSX})
    (sheet,) = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert not [each for each in texts if each.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=1+1" in texts


@pytest.mark.parametrize("form", [sheets.CSV, sheets.XLSX])
async def test_an_export_needs_its_own_right(wide: FastAPI, tenant: TenantRef, sign_in: SignIn, form: str) -> None:
    async with await wide_client(wide, sign_in, tenant, "AU") as reader:
        assert (await reader.get("/wide")).status_code == 200
        refused = await reader.get("/wide", headers={"Accept": form})
    assert (refused.status_code, refused.json()["permission"]) == (403, "plant_ops.equipment.export")


async def test_only_rows_of_the_own_plant_are_exported(
    wide: FastAPI, client: httpx.AsyncClient, database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    elsewhere = await a_plant(database, tenant, "P2")
    await instruments(database, tenant, elsewhere, range(3))
    assert len(await the_csv(client)) == COUNT + 3
    async with await wide_client(wide, sign_in, tenant, "TA", elsewhere) as local:
        await may_export(database, tenant, "TA")
        assert {row["plant_id"] for row in await the_csv(local)} == {str(elsewhere)}


async def test_an_export_is_on_record_and_a_refused_one_is_not(
    client: httpx.AsyncClient, database: Database, tenant: TenantRef
) -> None:
    await the_csv(client, **{"filter[criticality]": "A"})
    for query in ({"sort": "no_such"}, {"limit": "5"}, {"after": "x"}, {"filter[tag]": "a\0b"}):
        answer = await client.get("/wide", params=query, headers={"Accept": sheets.CSV})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), query
    async with database.tenant_session(tenant.id) as db:
        wanted = select(AuditRow).where(AuditRow.action == "plant_ops.equipment.export")
        (row,) = (await db.scalars(wanted)).all()
    assert row.diff == {"format": sheets.CSV, "query": ["filter[criticality]=A"]}
    assert row.actor_id is not None


async def many(database: Database, tenant: TenantRef, plant: uuid.UUID, count: int) -> None:
    columns = "id, version, created_at, updated_at, plant_id, tag, names, equipment_class"
    async with database.tenant_session(tenant.id) as db:
        made = text(
            f"INSERT INTO plant_ops_equipment ({columns}) SELECT gen_random_uuid(), 1, now(), now(), :plant, "
            "'bulk-' || gen_random_uuid() || n || repeat('x', 100), '{}', 'scale' FROM generate_series(1, :count) n"
        )
        await db.execute(made, {"plant": plant, "count": count})


async def peak(database: Database, tenant: TenantRef) -> tuple[int, int]:
    """Bytes sent and the most that was held at once while they were."""
    everybody = system(tenant.id)
    asked = listing.ask(WIDE, everybody, [])
    rows = export.read(database, everybody, listing.statement(WIDE, asked))
    sent = 0
    tracemalloc.start()
    try:
        async for piece in export.csv_of(asked.fields, rows):
            sent += len(piece)
        return sent, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_memory_does_not_grow_with_the_list(database: Database, tenant: TenantRef, plant: uuid.UUID) -> None:
    await many(database, tenant, plant, 3_000)
    _, little = await peak(database, tenant)
    await many(database, tenant, plant, 12_000)
    sent, much = await peak(database, tenant)
    assert sent > 15_000 * 200
    # Five times the rows: held all at once they would be four times the bytes. What the collector has not
    # looked at yet differs by half with what ran before in this process.
    assert much < little * 2.5, (little, much)


@pytest.mark.parametrize("make", [export.csv_of, export.xlsx_of])
async def test_a_reader_who_goes_away_leaves_no_session_open(
    database: Database, tenant: TenantRef, plant: uuid.UUID, make: type
) -> None:
    await many(database, tenant, plant, 3_000)
    asked = listing.ask(WIDE, system(tenant.id), [])
    rows = export.read(database, system(tenant.id), listing.statement(WIDE, asked))
    async with aclosing(make(asked.fields, rows)) as pieces:
        assert await anext(pieces)
    assert database._users[tenant.schema] == 0
    async with database.tenant_session(tenant.id) as db:
        assert await db.scalar(select(Equipment.id).limit(1))


def test_a_long_list_goes_on_in_a_further_sheet() -> None:
    file = io.BytesIO()
    book = export._Book(file, ["a"], sheet_rows=2)
    book.add([[number] for number in range(5)])
    book.close()
    found = [list(sheet.values) for sheet in openpyxl.load_workbook(file).worksheets]
    assert found == [[("a",), (0,), (1,)], [("a",), (2,), (3,)], [("a",), (4,)]]
