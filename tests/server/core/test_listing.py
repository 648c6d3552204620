"""Lists over HTTP: filters by type, sorts of several keys, pages that stay right, fields, search."""

from __future__ import annotations

import base64
import itertools
import json
import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from server.core.db.postgres import Cluster
from server.core.db.sessions import Database, TenantRef
from server.core.resource import Resource
from server.plant_ops.models import Equipment
from tests.conftest import a_tenant
from tests.server.conftest import PASSWORD, a_plant, a_user
from tests.server.core.wide import ALL, WIDE, instruments, wide_app

COUNT = 41
Row = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(database: Database) -> tuple[TenantRef, uuid.UUID]:
    tenant = await a_tenant(database)
    plant = await a_plant(database, tenant)
    await instruments(database, tenant, plant, range(COUNT))
    return tenant, plant


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(cluster: Cluster, database: Database, place: tuple[TenantRef, uuid.UUID]) -> httpx.AsyncClient:
    badge = await a_user(database, place[0], "TA")
    transport = httpx.ASGITransport(wide_app(cluster, database), raise_app_exceptions=False)
    made = httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1")
    login = {"tenant": place[0].slug, "login": badge, "password": PASSWORD}
    made.headers["Authorization"] = f"Bearer {(await made.post('/auth/login', json=login)).json()['access_token']}"
    return made


async def walk(client: httpx.AsyncClient, limit: int = 200, **query: str) -> list[Row]:
    found: list[Row] = []
    after: dict[str, str] = {}
    while True:
        answer = await client.get("/wide", params={"limit": limit, **query, **after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next"] is None:
            return found
        assert len(page["items"]) == limit
        after = {"after": page["next"]}


def in_order(rows: list[Row], sort: str) -> list[str]:
    """The ids as they should stand: stable sorts from the last key to the first, empty ones last."""
    keys = sort.split(",")
    if "id" not in [key.strip("-") for key in keys]:
        keys.append("-id" if keys[-1].startswith("-") else "id")
    for key in reversed(keys):
        name = key.removeprefix("-")
        number: Callable[[Any], Any] = Decimal if name == "range_min" else lambda value: value
        filled = [row for row in rows if row[name] is not None]
        filled.sort(key=lambda row: number(row[name]), reverse=key.startswith("-"))
        rows = filled + [row for row in rows if row[name] is None]
    return [row["id"] for row in rows]


sorts = st.lists(
    st.tuples(st.sampled_from(["", "-"]), st.sampled_from(["id", *(set(ALL) - {"tag"})])),
    min_size=1,
    max_size=4,
    unique_by=lambda each: each[1],
).map(lambda keys: ",".join("".join(key) for key in keys))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sort=sorts, limit=st.integers(1, COUNT + 1))
async def test_walking_all_pages_gives_each_row_once_in_order(client: httpx.AsyncClient, sort: str, limit: int) -> None:
    every = await walk(client)
    assert len(every) == COUNT
    assert [row["id"] for row in await walk(client, limit=max(limit, 4), sort=sort)] == in_order(every, sort)


@pytest.mark.parametrize("sort", ["tag", "-tag"])
async def test_text_is_walked_in_the_order_of_the_database(client: httpx.AsyncClient, sort: str) -> None:
    at_once = [row["id"] for row in await walk(client, sort=sort)]
    assert at_once == [row["id"] for row in await walk(client, limit=3, sort=sort)]


async def test_rows_added_between_pages_move_no_other_row(
    client: httpx.AsyncClient, database: Database, place: tuple[TenantRef, uuid.UUID]
) -> None:
    before = [row["id"] for row in await walk(client, sort="criticality,-range_min")]
    seen: list[str] = []
    after: dict[str, str] = {}
    for batch in itertools.count():
        answer = await client.get("/wide", params={"limit": 6, "sort": "criticality,-range_min", **after})
        seen += [row["id"] for row in answer.json()["items"]]
        if answer.json()["next"] is None:
            break
        after = {"after": answer.json()["next"]}
        await instruments(database, *place, range(1000 + 10 * batch, 1003 + 10 * batch))
    assert len(seen) == len(set(seen)) > len(before)
    assert [each for each in seen if each in before] == before
    async with database.tenant_session(place[0].id) as db:
        await db.execute(delete(Equipment).where(Equipment.tag.like("%-1___")))


FILTERS: list[tuple[str, str, str, Callable[[Any], bool]]] = [
    ("criticality", "eq", "A", lambda v: v == "A"),
    ("criticality", "ne", "A", lambda v: v != "A"),
    ("criticality", "in", "A,C", lambda v: v in "AC"),
    ("criticality", "gt", "A", lambda v: v > "A"),
    ("tag", "like", "b", lambda v: v.startswith("B")),
    ("tag", "like", "%", lambda v: v.startswith("%")),
    ("tag", "like", "_", lambda v: v.startswith("_")),
    ("range_min", "eq", "-1.8", lambda v: v is not None and Decimal(v) == Decimal("-1.8")),
    ("range_min", "ne", "-1.8", lambda v: v is None or Decimal(v) != Decimal("-1.8")),
    ("range_min", "lt", "-1.8", lambda v: v is not None and Decimal(v) < Decimal("-1.8")),
    ("range_min", "le", "-1.8", lambda v: v is not None and Decimal(v) <= Decimal("-1.8")),
    ("range_min", "ge", "-1.8", lambda v: v is not None and Decimal(v) >= Decimal("-1.8")),
    ("range_min", "between", "-1.9,-1.8", lambda v: v is not None and Decimal("-1.9") <= Decimal(v) <= Decimal("-1.8")),
    ("range_min", "null", "true", lambda v: v is None),
    ("range_min", "null", "false", lambda v: v is not None),
    ("test_every_min", "gt", "0", lambda v: v == 1),
    ("calib_due_on", "between", "2026-11-24,2026-11-24", lambda v: v is not None and date.fromisoformat(v).day == 24),
    ("line_id", "null", "true", lambda v: v is None),
    ("retired_at", "null", "false", lambda v: v is not None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operator", "value", "fits"), FILTERS, ids=[" ".join(each[:3]) for each in FILTERS])
async def test_a_filter_keeps_what_fits_and_nothing_else(
    client: httpx.AsyncClient, name: str, operator: str, value: str, fits: Callable[[Any], bool]
) -> None:
    every = await walk(client)
    found = await walk(client, **{f"filter[{name}][{operator}]": value})
    assert [row["id"] for row in found] == [row["id"] for row in every if fits(row[name])]
    assert len(found) < len(every) or name == "line_id"


async def test_filters_add_up_also_two_of_one_column(client: httpx.AsyncClient) -> None:
    asked = [("filter[range_min][gt]", "-2"), ("filter[range_min][gt]", "-1.9"), ("filter[criticality]", "A")]
    answer = await client.get("/wide", params=asked)
    rows = answer.json()["items"]
    assert {row["criticality"] for row in rows} == {"A"}
    assert {Decimal(row["range_min"]) for row in rows} == {Decimal("-1.8"), Decimal("-1.7")}


async def test_retired_rows_are_shown_to_who_asks_for_them(
    client: httpx.AsyncClient, place: tuple[TenantRef, uuid.UUID]
) -> None:
    new = {"plant_id": str(place[1]), "tag": "gone", "names": {"en": "x"}, "equipment_class": "scale"}
    made = (await client.post("/wide", json=new)).json()
    assert (await client.delete(f"/wide/{made['id']}", headers={"If-Match": '"1"'})).status_code == 204
    assert made["id"] not in {row["id"] for row in await walk(client)}
    assert [row["id"] for row in await walk(client, **{"filter[retired_at][null]": "false"})] == [made["id"]]
    assert [row["id"] for row in await walk(client, q="GONE")] == []


async def test_only_the_fields_that_are_asked_for_are_there_and_none_that_is_hidden(client: httpx.AsyncClient) -> None:
    assert {frozenset(row) for row in await walk(client, fields="")} == {frozenset({"id"})}
    assert {frozenset(row) for row in await walk(client, fields="tag,criticality")} == {
        frozenset({"id", "tag", "criticality"})
    }
    (row,) = (await client.get("/wide", params={"fields": "tag", "sort": "-range_min", "limit": 1})).json()["items"]
    assert set(row) == {"id", "tag"}
    assert "resolution" not in (await walk(client))[0]


async def test_search_looks_into_its_columns_whatever_the_case(client: httpx.AsyncClient) -> None:
    every = await walk(client)
    for word in ("PROBE", "b1", "%", "_"):
        expected = [row["id"] for row in every if word.lower() in (row["tag"] + "|" + row["equipment_class"]).lower()]
        assert [row["id"] for row in await walk(client, q=word)] == expected, word
        assert [row["id"] for row in await walk(client, search=word)] == expected, word
    assert await walk(client, q="Scale 7") == []


MARK = base64.urlsafe_b64encode(json.dumps(["0" * 12, str(uuid.uuid4())]).encode()).decode()
REFUSED = [
    ("filter[no_such]", "1", "filter_unknown", "filter[no_such]"),
    ("filter[resolution]", "1", "filter_unknown", "filter[resolution]"),
    ("filter[tag][regex]", "1", "filter_unknown", "filter[tag][regex]"),
    ("filter[line_id][like]", "1", "filter_unknown", "filter[line_id][like]"),
    ("filter[tag][null]", "true", "filter_unknown", "filter[tag][null]"),
    ("filter[names][eq]", "{}", "filter_unknown", "filter[names][eq]"),
    ("filter[tag][eq][x]", "1", "filter_unknown", "filter[tag][eq][x]"),
    ("filter[tag", "1", "filter_unknown", "filter[tag"),
    ("filter[]", "1", "filter_unknown", "filter[]"),
    ("filter[line_id]", "x", "filter_value_bad", "filter[line_id]"),
    ("filter[range_min][between]", "1", "filter_value_bad", "filter[range_min][between]"),
    ("filter[range_min][between]", "1,2,3", "filter_value_bad", "filter[range_min][between]"),
    ("filter[range_min][gt]", "NaN", "filter_value_bad", "filter[range_min][gt]"),
    ("filter[created_at][gt]", "2026-11-24T00:00:00", "filter_value_bad", "filter[created_at][gt]"),
    ("filter[tag][in]", ",".join("x" * 201), "filter_value_bad", "filter[tag][in]"),
    ("filter[tag][like]", "x" * 201, "filter_value_bad", "filter[tag][like]"),
    ("filter[range_min][null]", "perhaps", "filter_value_bad", "filter[range_min][null]"),
    ("sort", "no_such", "sort_unknown", "no_such"),
    ("sort", "resolution", "sort_unknown", "resolution"),
    ("sort", "tag,-tag", "sort_unknown", "tag"),
    ("sort", "--tag", "sort_unknown", "-tag"),
    ("sort", "", "sort_unknown", ""),
    ("sort", "tag,line_id,criticality,range_min,created_at", "sort_unknown", "created_at"),
    ("fields", "tag,no_such", "field_unknown", "no_such"),
    ("fields", "resolution", "field_unknown", "resolution"),
    ("q", "x" * 201, "search_unknown", "q"),
    ("search", "x" * 201, "search_unknown", "search"),
    ("after", "nonsense", "cursor_bad", "after"),
    ("after", MARK, "cursor_bad", "after"),
    ("after", base64.b64encode(b"[" * 5000).decode(), "cursor_bad", "after"),
    ("after", base64.b64encode(b"{}").decode(), "cursor_bad", "after"),
    ("after", base64.b64encode(b"null").decode(), "cursor_bad", "after"),
    ("limit", "0", "request_invalid", None),
    ("limit", "201", "request_invalid", None),
    ("limit", "many", "request_invalid", None),
    ("filters[tag]", "x", "parameter_unknown", "filters[tag]"),
    ("offset", "10", "parameter_unknown", "offset"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "code", "named"), REFUSED, ids=[f"{e[0]}={e[1][:20]}" for e in REFUSED])
async def test_what_is_not_known_is_refused_by_its_name(
    client: httpx.AsyncClient, name: str, value: str, code: str, named: str | None
) -> None:
    answer = await client.get("/wide", params={name: value})
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert named is None or answer.json()["name"] == named
    assert named is not None or name in answer.json()["errors"][0]["where"]


async def test_a_cursor_belongs_to_its_list_and_its_order(client: httpx.AsyncClient) -> None:
    mark = (await client.get("/wide", params={"limit": 2, "sort": "-tag"})).json()["next"]
    for path, query in (("/wide", {"sort": "tag"}), ("/wide", {}), ("/plant-ops/equipment", {"sort": "-tag"})):
        answer = await client.get(path, params={"after": mark, **query})
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_bad")


async def test_a_parameter_given_twice_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/wide?sort=tag&sort=id")
    assert (answer.status_code, answer.json()["code"], answer.json()["name"]) == (422, "parameter_repeated", "sort")


async def test_a_list_without_search_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/plant-ops/lines", params={"q": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "search_unknown")


@pytest.mark.parametrize(
    "over",
    [
        {"filters": {"resolution": "*"}, "hidden": {"resolution"}},
        {"sorts": ("resolution",), "hidden": {"resolution"}},
        {"search": ("resolution",), "hidden": {"resolution"}},
        {"filters": {"line_id": "like"}},
        {"filters": {"tag": "null"}},
        {"sorts": ("no_such",)},
    ],
)
def test_a_declaration_that_leaks_or_cannot_be_kept_does_not_start(over: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="wide"):
        Resource(**({"model": Equipment, "owner": "M", "path": "wide", "code": WIDE.code} | over))
