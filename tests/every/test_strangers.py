"""Another company's ids lead nowhere: every route with an id in its path is tried by somebody who may do everything elsewhere."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select

from server import seed
from server.app import RESOURCES
from server.core.db.sessions import Database
from server.core.models import Plant
from server.identity import matrix
from tests.conftest import a_tenant
from tests.every.test_routes import DOCUMENT, ROUTES, codes
from tests.server.identity.staff import Person, Staff

WITH_ID = sorted(
    (path.removeprefix("/api/v1"), method)
    for path, route in ROUTES
    for method in route.methods or ()
    if "{" in path and any(not code.startswith("platform.") for code in codes(route.dependant))
)
PATHS = {resource.path: resource.code for resource in RESOURCES}


QUERY = {
    "/attachments/{attachment_id}/chunk": {"offset": 0},
    "/attachments/{attachment_id}/links/{link_id}": {"reason": "not theirs"},
    "/tags/{tag_id}/links/{link_id}": {"reason": "not theirs"},
}
"""What a route asks for in its query."""


def sample(shape: dict[str, Any]) -> Any:  # noqa: C901, PLR0912  # a table of shapes, written as returns
    """The least that fits a JSON schema of the document."""
    if "$ref" in shape:
        return sample(DOCUMENT["components"]["schemas"][shape["$ref"].rpartition("/")[2]])
    for several in ("anyOf", "allOf", "oneOf"):
        if several in shape:
            return sample(shape[several][0])
    if "enum" in shape:
        return shape["enum"][0]
    if "const" in shape:
        return shape["const"]
    match shape.get("type"):
        case "object":
            return {name: sample(shape["properties"][name]) for name in shape.get("required", ())}
        case "array":
            return [sample(shape["items"]) for _ in range(shape.get("minItems", 0))]
        case "string":
            if shape.get("format") == "uuid":
                return str(uuid.UUID(int=9))
            if shape.get("format") == "date-time":
                return "2030-01-01T00:00:00Z"
            if "pattern" in shape:
                fits = (each for each in ("1", "US", "5836", "xxxxx") if re.search(shape["pattern"], each))
                return next(each for each in fits if len(each) >= shape.get("minLength", 0))
            return "x" * max(5, shape.get("minLength", 0))
        case "integer" | "number":
            return max(1, shape.get("minimum", 1))
        case "boolean":
            return False
    return None


def a_body(path: str, method: str) -> Any:
    body = DOCUMENT["paths"][f"/api/v1{path}"][method.lower()].get("requestBody")
    if body is None or "application/json" not in body["content"]:
        return None
    made = sample(body["content"]["application/json"]["schema"])
    return made | {"plant_id": str(uuid.UUID(int=9))} if path.endswith(":approve") else made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def theirs(app: FastAPI, database: Database) -> tuple[Person, Person, dict[str, str]]:
    """Somebody who may do everything in an empty company, the same in a full one, and ids of the full one by path."""
    full, empty = await a_tenant(database), await a_tenant(database, "other")
    await seed.plant(database, full)
    async with database.tenant_session(full.id) as db:
        plant = (await db.scalars(select(Plant.id))).first()
    assert plant is not None
    owner, stranger = Staff(app, database, full, plant, plant), await Staff.hire(app, database, empty)
    for staff in (owner, stranger):
        await staff.role("ALL", matrix.declared())
    mine, other = await owner.person("ALL"), await stranger.person("ALL")
    await mine.client.post("/api-keys", json={"name": "k", "scopes": ["plant_ops.batch.read"]})
    found = {}
    for path in PATHS:
        rows = (await mine.client.get(f"/{path}?limit=1")).json()["items"]
        found |= {path: rows[0]["id"]} if rows else {}
    return other, mine, found


def _filled(path: str, ids: dict[str, str]) -> Iterator[str]:
    base = path.partition("/{")[0].removeprefix("/")
    record = ids.get(base, str(uuid.UUID(int=7)))
    for part in path.split("/"):
        yield record + part.partition("}")[2] if part.startswith("{") else part


@pytest.mark.parametrize(("path", "method"), WITH_ID, ids=str)
async def test_an_id_of_another_company_leads_nowhere(
    theirs: tuple[Person, Person, dict[str, str]], path: str, method: str
) -> None:
    stranger, _, ids = theirs
    asked = "/".join(_filled(path, ids))
    answer: httpx.Response = await stranger.client.request(
        method, asked, json=a_body(path, method), headers={"If-Match": '"1"'}, params=QUERY.get(path)
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "record_unknown"), answer.text


async def test_the_ids_are_real(theirs: tuple[Person, Person, dict[str, str]]) -> None:
    _, mine, ids = theirs
    assert len(ids) > len(PATHS) // 2
    for path, record in ids.items():
        assert (await mine.client.get(f"/{path}/{record}")).status_code == 200, path
