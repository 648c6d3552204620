"""A sheet comes in: looked at first, each bad line named by its number, what was exported can come back."""

from __future__ import annotations

import csv
import io
import zipfile
from contextlib import suppress
from datetime import datetime
from typing import Any

import httpx
import openpyxl
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.core.resource import imports, sheets
from server.identity import people, roles
from server.plant_ops.resources import EQUIPMENT
from tests.server.conftest import SignIn, a_plant

PATH = "/plant-ops/equipment"
Client = httpx.AsyncClient


@pytest_asyncio.fixture(loop_scope="session")
async def plant(database: Database, tenant: TenantRef) -> str:
    return str(await a_plant(database, tenant))


@pytest_asyncio.fixture(loop_scope="session")
async def admin(database: Database, tenant: TenantRef, sign_in: SignIn) -> Client:
    """Somebody with every right on equipment, export too."""
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await people.ensure_roles(db)
        await roles.define(db, "EQ", "Equipment", EQUIPMENT.permissions())
    return await sign_in(tenant, "EQ")


def a_csv(*rows: dict[str, Any], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def an_xlsx(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def send(client: Client, raw: bytes, form: str = sheets.CSV, **query: bool) -> httpx.Response:
    return await client.post(f"{PATH}:import", content=raw, params=query, headers={"Content-Type": form})


async def tags(client: Client) -> set[str]:
    return {row["tag"] for row in (await client.get(PATH)).json()["items"]}


def row(plant: str, tag: str, **over: Any) -> dict[str, Any]:
    return {"plant_id": plant, "tag": tag, "equipment_class": "scale", "names": '{"en": "Scale"}'} | over


async def test_who_may_only_make_rows_changes_none_by_a_sheet(
    database: Database, tenant: TenantRef, sign_in: SignIn, admin: Client, plant: str
) -> None:
    assert (await send(admin, a_csv(row(plant, "A")))).status_code == 200
    known = (await admin.get(PATH)).json()["items"][0]
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await roles.define(db, "MK", "Makers", set(EQUIPMENT.permissions()) - {f"{EQUIPMENT.code}.update"})
    maker = await sign_in(tenant, "MK")
    sheet = a_csv({"id": known["id"], "version": known["version"], "unit": "g"})
    refused = await send(maker, sheet)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    assert (await send(maker, a_csv(row(plant, "B")))).status_code == 200


async def test_a_dry_run_names_bad_lines_and_writes_nothing(admin: Client, plant: str) -> None:
    raw = a_csv(
        row(plant, "A"),
        row(plant, "B", criticality="Z"),
        row(plant, "A"),
        row(plant, "C", range_min="much"),
        row("", "D"),
        row(plant, "E", created_at="2026-01-01"),
    )
    answer = await send(admin, raw, dry_run=True)
    said = answer.json()
    assert answer.status_code == 200
    assert (said["is_written"], said["created"], said["failed"]) == (False, 2, 4)
    assert [(each["line"], each["errors"][0]["where"]) for each in said["failures"] if each["errors"][0]["where"]] == [
        (5, "range_min"),
        (6, "plant_id"),
    ]
    assert [each["line"] for each in said["failures"]] == [3, 4, 5, 6]
    assert said["ignored_columns"] == ["created_at"]
    assert await tags(admin) == set()
    assert (await send(admin, raw)).json() == said | {"is_written": True}
    assert await tags(admin) == {"A", "E"}


async def test_atomic_is_all_or_nothing(admin: Client, plant: str) -> None:
    answer = await send(admin, a_csv(row(plant, "A"), row(plant, "B", criticality="Z")), atomic=True)
    assert (answer.status_code, answer.json()["is_written"], answer.json()["failed"]) == (422, False, 1)
    assert await tags(admin) == set()


@pytest.mark.parametrize("form", [sheets.CSV, sheets.XLSX])
async def test_what_was_exported_comes_back_changed(admin: Client, plant: str, form: str) -> None:
    made = {"plant_id": plant, "equipment_class": "scale", "names": {"en": "=1+1", "es": "'x"}, "range_min": "-1.5"}
    for tag in ("=A", "B"):
        assert (await admin.post(PATH, json=made | {"tag": tag})).status_code == 201
    before = {each["tag"]: each for each in (await admin.get(PATH)).json()["items"]}
    sheet = (await admin.get(PATH, headers={"Accept": form})).content
    same = await send(admin, sheet, form, dry_run=True)
    assert same.status_code == 200, same.text
    assert (same.json()["updated"], same.json()["failed"]) == (2, 0), same.text
    assert {each["tag"]: each for each in (await admin.get(PATH)).json()["items"]} == before
    if form == sheets.CSV:
        changed = sheet.replace(b"-1.5", b"-2.5", 1)
    else:
        book = openpyxl.load_workbook(io.BytesIO(sheet))
        names = [cell.value for cell in book.active[1]]
        book.active.cell(2, names.index("range_min") + 1).value = -2.5
        file = io.BytesIO()
        book.save(file)
        changed = file.getvalue()
    answer = await send(admin, changed, form)
    assert (answer.json()["updated"], answer.json()["failed"]) == (2, 0), answer.text
    after = {each["tag"]: each for each in (await admin.get(PATH)).json()["items"]}
    assert sorted(each["range_min"] for each in after.values()) == ["-1.500000", "-2.500000"]
    assert {tag: each["names"] for tag, each in after.items()} == {tag: each["names"] for tag, each in before.items()}
    stale = await send(admin, changed, form)
    assert [each["status"] for each in stale.json()["failures"]] == [412]


async def test_an_empty_cell_of_a_changed_row_empties_and_of_a_new_row_says_nothing(admin: Client, plant: str) -> None:
    made = (await admin.post(PATH, json=row(plant, "A") | {"names": {}, "range_min": "1"})).json()
    changed = await send(admin, a_csv({"id": made["id"], "version": 1, "range_min": ""}))
    assert (changed.json()["updated"], changed.json()["failed"]) == (1, 0), changed.text
    new = await send(admin, a_csv({"id": "", "version": "", "criticality": "", **row(plant, "B")}))
    assert (new.json()["created"], new.json()["failed"]) == (1, 0), new.text
    rows = {each["tag"]: each for each in (await admin.get(PATH)).json()["items"]}
    assert (rows["A"]["range_min"], rows["B"]["criticality"]) == (None, "B")
    assert rows["A"]["tag"] == "A", "a column that the sheet does not have stays"


async def test_numbers_dates_and_text_of_a_workbook(admin: Client, plant: str) -> None:
    heading = ["plant_id", "tag", "equipment_class", "names", "range_min", "calib_due_on", "test_every_min"]
    on = datetime(2026, 12, 1)  # noqa: DTZ001  # a sheet knows no zones
    raw = an_xlsx(heading, [plant, 4711, "scale", "{}", 0.1, on, 30.0])
    assert (await send(admin, raw, sheets.XLSX)).json()["failures"] == []
    (one,) = (await admin.get(PATH)).json()["items"]
    assert (one["tag"], one["range_min"], one["calib_due_on"], one["test_every_min"]) == ("4711", "0.100000", "2026-12-01", 30)  # fmt: skip


async def test_semicolons_a_byte_order_mark_and_a_note_above_the_heading(admin: Client, plant: str) -> None:
    raw = b"\xef\xbb\xbf# exported by somebody\r\n" + a_csv(row(plant, "A,B"), delimiter=";")
    assert (await send(admin, raw)).json()["failures"] == []
    assert await tags(admin) == {"A,B"}


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (imports.MAX_UNPACKED + 1))
    return file.getvalue()


@pytest.mark.parametrize(
    ("form", "raw", "status", "code"),
    [
        ("text/plain", b"a", 415, "import_type_unknown"),
        (sheets.CSV, b"", 422, "import_empty"),
        (sheets.CSV, b"tag\n", 422, "import_empty"),
        (sheets.CSV, b"tag,nonsense\nA,B\n", 422, "import_column_unknown"),
        (sheets.CSV, b"tag,tag\nA,B\n", 422, "import_column_repeated"),
        (sheets.CSV, "tag\nä\n".encode("latin-1"), 422, "import_unreadable"),
        (sheets.CSV, b'tag\n"A\n', 422, "import_unreadable"),
        (sheets.CSV, b"x" * (imports.MAX_BYTES + 1), 413, "import_too_large"),
        (sheets.CSV, b"tag\n" + b"A\n" * (imports.MAX_LINES + 1), 413, "import_too_large"),
        (sheets.XLSX, b"PK\x03\x04 no zip", 422, "import_unreadable"),
        (sheets.XLSX, b"tag\nA\n", 422, "import_unreadable"),
        (sheets.XLSX, _bomb(), 413, "import_too_large"),
    ],
)
async def test_what_is_no_sheet_is_refused_with_its_reason(
    admin: Client, form: str, raw: bytes, status: int, code: str
) -> None:
    answer = await send(admin, raw, form)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_who_may_make_rows_but_not_change_them_changes_none(
    database: Database, tenant: TenantRef, admin: Client, plant: str, sign_in: SignIn
) -> None:
    made = (await admin.post(PATH, json=row(plant, "A") | {"names": {}})).json()
    supervisor = await sign_in(tenant, "OP")
    change = a_csv({"id": made["id"], "version": 1, "tag": "B"})
    assert (await send(supervisor, change)).status_code == 403
    stranger = await sign_in(tenant, "TA", await a_plant(database, tenant, "P9"))
    answer = await send(stranger, a_csv({"id": made["id"], "version": 1, "tag": "B"}))
    assert [each["status"] for each in answer.json()["failures"]] == [404]
    assert await tags(admin) == {"A"}


async def test_a_sheet_that_is_sent_again_under_its_key_is_done_once(admin: Client, plant: str) -> None:
    raw = a_csv(row(plant, "A"))
    headers = {"Content-Type": sheets.CSV, "Idempotency-Key": "k1"}
    first, again = [await admin.post(f"{PATH}:import", content=raw, headers=headers) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_more_lines_than_one_bulk_takes(admin: Client, plant: str) -> None:
    answer = await send(admin, a_csv(*(row(plant, f"T{number}") for number in range(1200)), row(plant, "T7")))
    assert (answer.json()["created"], answer.json()["failures"][0]["line"]) == (1200, 1202)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    for form in (sheets.CSV, sheets.XLSX):
        with suppress(imports.Invalid):
            imports._read(EQUIPMENT, form, raw)
