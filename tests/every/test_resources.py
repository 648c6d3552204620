"""Each resource over HTTP, on the demo's rows: read, filter, sort, page, write, and whom it is closed to."""

from __future__ import annotations

import csv
import io
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from server import seed
from server.app import RESOURCES
from server.core.actor import system
from server.core.db.sessions import Database, TenantRef
from server.core.resource import Resource, sheets
from server.identity import matrix, people, roles
from tests.conftest import a_tenant
from tests.server.conftest import PASSWORD

WRITABLE = [resource for resource in RESOURCES if resource.is_writable]
UNIQUE = {"code", "tag"}
BORN_ELSEWHERE = {"attachments", "config", "users", "api-keys", "notes"}
"""Made by a verb of their own on the list's path."""


@pytest.mark.parametrize("resource", WRITABLE, ids=[each.path for each in WRITABLE])
def test_no_record_moves_to_another_plant(resource: Resource) -> None:
    assert "plant_id" not in set(resource.writable) - set(resource.fixed)


def own(resource: Resource) -> dict[str, Any]:
    """What a new row may not have in common with the one it is made after."""
    word = "".join(letter if letter.isalpha() else "x" * int(letter) + "_" for letter in uuid.uuid4().hex)
    return {
        "roles": {"key": f"R_{uuid.uuid4().hex[:8]}"},
        "permissions": {"code": f"custom.form.{word}", "level": "normal"},
        "tags": {"key": word[:50]},
    }.get(resource.path, {})


@dataclass(frozen=True)
class Callers:
    """Somebody with every right, somebody with none, and somebody with every right elsewhere."""

    all: httpx.AsyncClient
    none: httpx.AsyncClient
    stranger: httpx.AsyncClient


async def a_client(app: FastAPI, database: Database, tenant: TenantRef, codes: frozenset[str]) -> httpx.AsyncClient:
    key = f"R{uuid.uuid4().hex[:6]}"
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await roles.define(db, key, key, codes)
        new = people.NewUser(login_code=f"B-{key}", short_no="4242", printed_name=key, password=PASSWORD, roles=(key,))
        await people.add(db, new)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1")
    given = {"tenant": tenant.slug, "login": new.login_code, "password": PASSWORD}
    client.headers["Authorization"] = f"Bearer {(await client.post('/auth/login', json=given)).json()['access_token']}"
    return client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def callers(app: FastAPI, database: Database) -> Callers:
    mine, other = await a_tenant(database), await a_tenant(database, "other")
    for tenant in (mine, other):
        await seed.plant(database, tenant)
    every = matrix.declared()
    return Callers(
        await a_client(app, database, mine, every),
        await a_client(app, database, mine, frozenset()),
        await a_client(app, database, other, every),
    )


def url(resource: Resource, record_id: str = "") -> str:
    return f"/{resource.path}/{record_id}".rstrip("/")


async def rows(client: httpx.AsyncClient, resource: Resource, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        given = {"limit": 200} | query | ({"after": after} if after else {})
        answer = await client.get(url(resource), params=given)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        after = answer.json()["next"]
        if after is None:
            return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in found]


every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
every_writable = pytest.mark.parametrize("resource", WRITABLE, ids=lambda resource: resource.path)


@every_resource
async def test_one_is_what_the_list_shows_and_hidden_columns_are_not_there(
    callers: Callers, resource: Resource
) -> None:
    for row in (await rows(callers.all, resource))[:3]:
        one = await callers.all.get(url(resource, row["id"]))
        assert (one.status_code, one.json()) == (200, row)
        assert one.headers["etag"] == f'"{row.get("version", 1)}"'
        assert not set(row) & set(resource.hidden)


@every_resource
async def test_every_sort_pages_through_all_rows_once(callers: Callers, resource: Resource) -> None:
    every = sorted(ids(await rows(callers.all, resource)))
    page = max(2, len(every) // 3)
    for sort in ("id", *resource.sorts):
        up = ids(await rows(callers.all, resource, sort=sort, limit=min(page, 200)))
        assert sorted(up) == every, sort
        down = ids(await rows(callers.all, resource, sort=f"-{sort}", limit=min(page, 200)))
        assert sorted(down) == every, f"-{sort}"
    answer = await callers.all.get(url(resource), params={"sort": "password_hash"})
    assert (answer.status_code, answer.json()["code"]) == (422, "sort_unknown")


@every_resource
async def test_every_filter_keeps_what_fits(callers: Callers, resource: Resource) -> None:
    every = await rows(callers.all, resource)
    for name, operators in resource.filters.items():
        values = [row[name] for row in every if row[name] is not None]
        if not values:
            continue
        for operator in set(operators.split()) & {"eq", "in"}:
            fits = await rows(callers.all, resource, **{f"filter[{name}][{operator}]": str(values[0])})
            assert ids(fits) == [row["id"] for row in every if row[name] == values[0]], (name, operator)
        if "gte" in operators.split():
            least = sorted(values)[len(values) // 2]
            after = await rows(callers.all, resource, **{f"filter[{name}][gte]": least})
            before = await rows(callers.all, resource, **{f"filter[{name}][lt]": least})
            assert len(after) + len(before) == len(values)
            assert after
    answer = await callers.all.get(url(resource), params={"filter[no_such]": "1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "filter_unknown")


@every_resource
async def test_another_company_sees_nothing(callers: Callers, resource: Resource) -> None:
    mine, theirs = ids(await rows(callers.all, resource)), ids(await rows(callers.stranger, resource))
    assert not set(mine) & set(theirs)
    for record_id in mine[:3]:
        answer = await callers.stranger.get(url(resource, record_id))
        assert (answer.status_code, answer.json()["code"]) == (404, "record_unknown")
        for action in resource.actions:
            name = action.name.replace("_", "-")
            done = await callers.stranger.post(f"{url(resource, record_id)}:{name}", json={})
            assert done.status_code in (404, 422), done.text


@every_resource
async def test_without_the_right_or_a_token_nothing_is_read_or_done(callers: Callers, resource: Resource) -> None:
    record_id = str(uuid.uuid4())
    asked = [("GET", url(resource)), ("GET", url(resource, record_id)), ("GET", f"{url(resource)}/meta")]
    asked += [("POST", f"{url(resource, record_id)}:{each.name.replace('_', '-')}") for each in resource.actions]
    if resource.is_writable:
        asked += [("POST", url(resource)), ("PATCH", url(resource, record_id)), ("DELETE", url(resource, record_id))]
        asked += [("POST", f"{url(resource)}:bulk"), ("PATCH", f"{url(resource)}:bulk")]
    for method, path in asked:
        refused = await callers.none.request(method, path, json=None if method == "GET" else {})
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing"), (method, path)
        unknown = await callers.none.request(method, path, headers={"Authorization": "Bearer x"})
        assert unknown.status_code == 401


@every_resource
async def test_every_list_is_a_sheet_too_for_who_may_export(callers: Callers, resource: Resource) -> None:
    for form in (sheets.CSV, sheets.XLSX):
        answer = await callers.all.get(url(resource), headers={"Accept": form})
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, form), answer.text
        refused = await callers.none.get(url(resource), headers={"Accept": form})
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    answer = await callers.all.get(url(resource), headers={"Accept": sheets.CSV})
    listed = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
    assert [row["id"] for row in listed] == ids(await rows(callers.all, resource))
    assert not set(listed[0] if listed else ()) & set(resource.hidden)


def a_value(operator: str, value: Any) -> str:
    return {"null": "false", "between": f"{value},{value}", "like": str(value)[:2]}.get(operator, str(value))


@every_resource
async def test_the_description_says_what_the_list_and_its_filters_do(callers: Callers, resource: Resource) -> None:
    answer = await callers.all.get(f"{url(resource)}/meta")
    assert answer.status_code == 200, answer.text
    meta, every = answer.json(), await rows(callers.all, resource)
    columns = {column["name"]: column for column in meta["columns"]}
    assert all(set(row) == set(columns) for row in every)
    for name, column in columns.items():
        filled = [row[name] for row in every if row[name] is not None]
        assert column["nullable"] or len(filled) == len(every), name
        assert column["enum"] is None or set(filled) <= set(column["enum"]), name
        sorts = await callers.all.get(url(resource), params={"sort": f"-{name}"})
        assert sorts.status_code == (200 if column["sortable"] else 422), name
        assert not (column["filters"] and column["type"] == "object" and column["filters"] != ["null"]), name
        if not column["filters"]:
            refused = await callers.all.get(url(resource), params={f"filter[{name}][eq]": "1"})
            assert refused.json().get("code") == "filter_unknown", name
        for operator in column["filters"] if filled else ():
            asked = {f"filter[{name}][{operator}]": a_value(operator, filled[0])}
            found = await callers.all.get(url(resource), params=asked)
            assert found.status_code == 200, (asked, found.text)
            assert found.json()["items"] or operator in ("lt", "gt", "ne"), asked
    assert meta["permissions"] == dict.fromkeys(resource.permissions(), True)
    assert [action["name"] for action in meta["actions"]] == [a.name.replace("_", "-") for a in resource.actions]
    assert {column["editable"] for column in meta["columns"]} != {"never"} or not resource.is_writable


@every_writable
async def test_a_form_drawn_from_the_description_makes_a_row(callers: Callers, resource: Resource) -> None:
    columns = (await callers.all.get(f"{url(resource)}/meta")).json()["columns"]
    required = [column["name"] for column in columns if column["required"]]
    assert required
    pattern = (await rows(callers.all, resource))[0]
    new = {name: pattern[name] for name in required}
    if resource.path in ("locations", "contacts"):  # what belongs together there no single column says
        new = {name: pattern[name] for name in resource.writable if pattern[name] is not None}
    new |= {name: f"{new[name]}F" for name in UNIQUE & set(new)}
    new |= {"spec_version": new["spec_version"] + 7} if "spec_version" in new else {}
    new |= {"party_id": str(uuid.uuid4())} if resource.path == "addresses" else {}
    new |= {name: value for name, value in own(resource).items() if name in new}
    for name in required:
        less = {key: value for key, value in new.items() if key != name}
        answer = await callers.all.post(url(resource), json=less)
        assert answer.json()["errors"][0]["where"] == f"body.{name}"
    made = await callers.all.post(url(resource), json=new)
    assert made.status_code == 201, made.text
    assert (await callers.all.get(url(resource, made.json()["id"]))).json() == made.json(), "as it is kept"
    editable = {column["name"]: column["editable"] for column in columns}
    for name, when in editable.items():
        change = await callers.all.patch(url(resource, made.json()["id"]), json={name: pattern[name]})
        assert change.status_code == (428 if when == "always" else 422), name


@every_resource
async def test_what_may_not_be_written_has_no_route(callers: Callers, resource: Resource) -> None:
    record_id = str(uuid.uuid4())
    if not resource.is_writable and resource.path != "users":  # people have routes of their own
        born = () if resource.path in BORN_ELSEWHERE else (("POST", ""),)
        for method, path in (*born, ("PATCH", record_id), ("PUT", record_id), ("DELETE", record_id)):
            answer = await callers.all.request(method, url(resource, path), json={})
            assert answer.status_code in (404, 405)
        for method in ("POST", "PATCH"):
            answer = await callers.all.request(method, f"{url(resource)}:bulk", json={"rows": [{}]})
            assert answer.status_code in (404, 405)


@every_writable
async def test_a_row_is_made_changed_and_retired(callers: Callers, resource: Resource) -> None:
    pattern = (await rows(callers.all, resource))[0]
    new = {name: pattern[name] for name in resource.writable}
    new |= {name: f"{new[name]}2" for name in UNIQUE & set(new)}
    new |= {"spec_version": new["spec_version"] + 1} if "spec_version" in new else {}
    new |= {"party_id": str(uuid.uuid4())} if resource.path == "addresses" else {}
    new |= own(resource)
    made = await callers.all.post(url(resource), json=new)
    assert made.status_code == 201, made.text
    row = made.json()
    assert (row["version"], made.headers["etag"]) == (1, '"1"')
    path = url(resource, row["id"])
    assert (await callers.all.get(path)).json() == row, "as it is kept"
    free = next(name for name in resource.writable if name not in resource.fixed)
    change = {free: row[free]}
    assert (await callers.all.patch(path, json=change)).status_code == 428
    stale = await callers.all.patch(path, json=change, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["code"], stale.json()["version"]) == (412, "version_stale", 1)
    for name in resource.fixed:
        fixed = await callers.all.patch(path, json={name: row[name]}, headers={"If-Match": '"1"'})
        assert fixed.status_code == 422, name
    good = await callers.all.patch(path, json=change, headers={"If-Match": '"1"'})
    assert good.status_code == 200, good.text
    assert (await callers.stranger.patch(path, json=change, headers={"If-Match": '"1"'})).status_code == 404
    if resource.path == "roles":  # a draft is not retired
        assert (await callers.all.post(f"{path}:activate", json={})).status_code == 200
    version = (await callers.all.get(path)).headers["etag"]
    assert (await callers.all.delete(path, headers={"If-Match": version})).status_code == 204
    assert row["id"] not in ids(await rows(callers.all, resource))
    assert (await callers.all.get(path)).json()["retired_at"] is not None


@every_writable
async def test_a_field_nobody_declared_is_refused(callers: Callers, resource: Resource) -> None:
    answer = await callers.all.post(url(resource), json={"id": str(uuid.uuid4()), "version": 9})
    wheres = {error["where"] for error in answer.json()["errors"]}
    assert (answer.status_code, {"body.id", "body.version"} <= wheres) == (422, True)
