"""A request sent again is done once: over HTTP, one after the other and at the same time."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import func, select, update

from server.core.db.sessions import Database, TenantRef
from server.core.idempotency import IdempotencyKey
from tests.server.conftest import SignIn, a_plant
from tests.server.core.test_bulk import Place

ONE, MANY = "/plant-ops/equipment", "/plant-ops/equipment:bulk"


@pytest_asyncio.fixture(loop_scope="session")
async def place(database: Database, tenant: TenantRef, sign_in: SignIn) -> Place:
    return Place(database, tenant, await a_plant(database, tenant), await sign_in(tenant, "TA"))


async def send(
    client: httpx.AsyncClient, path: str, body: Any, key: str = "k1", method: str = "POST", **query: Any
) -> httpx.Response:
    return await client.request(method, path, json=body, headers={"Idempotency-Key": key}, params=query)


async def keys(place: Place) -> int:
    async with place.database.tenant_session(place.tenant.id) as db:
        return await db.scalar(select(func.count()).select_from(IdempotencyKey)) or 0


async def test_the_same_request_again_has_the_same_answer_and_is_done_once(place: Place) -> None:
    first = await send(place.client, ONE, place.row("A"))
    again = await send(place.client, ONE, place.row("A"))
    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert (await place.written())[:2] == (1, 1)
    without = await place.client.post(ONE, json=place.row("A"))
    assert (without.status_code, without.json()["code"]) == (409, "constraint_violated")


async def test_the_same_list_again_has_the_same_answer_also_where_rows_failed(place: Place) -> None:
    rows = {"rows": [place.row("A"), place.row("B", criticality="Z")]}
    first, again = await send(place.client, MANY, rows), await send(place.client, MANY, rows)
    assert (first.status_code, first.content) == (200, again.content)
    (made, _) = first.json()["results"]
    change = {"rows": [{"id": made["id"], "version": 1, "unit": "g"}]}
    changed = [await send(place.client, MANY, change, "k2", "PATCH") for _ in range(2)]
    assert changed[0].content == changed[1].content
    assert changed[1].json()["results"][0]["status"] == 200
    assert (await place.client.get(f"{ONE}/{made['id']}")).json()["version"] == 2


async def test_the_same_key_for_another_request_is_refused(place: Place) -> None:
    assert (await send(place.client, ONE, place.row("A"))).status_code == 201
    others = [
        await send(place.client, ONE, place.row("B")),
        await send(place.client, MANY, {"rows": [place.row("B")]}),
        await send(place.client, "/plant-ops/lines", {"plant_id": str(place.plant), "code": "L", "name": "L", "kind": "mix"}),
    ]  # fmt: skip
    assert {(each.status_code, each.json()["code"]) for each in others} == {(409, "idempotency_key_reused")}
    assert await place.tags() == {"A"}


async def test_requests_at_the_same_time_make_one_row(place: Place) -> None:
    answers = await asyncio.gather(*(send(place.client, ONE, place.row("A")) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert (await place.written())[:2] == (1, 1)


async def test_what_was_refused_is_not_remembered(place: Place) -> None:
    assert (await send(place.client, ONE, place.row("A", criticality="Z"))).status_code == 422
    assert (await send(place.client, MANY, {"rows": [{}]}, atomic=True)).status_code == 422
    assert await keys(place) == 0
    assert (await send(place.client, ONE, place.row("A"))).status_code == 201


async def test_a_dry_run_takes_no_key(place: Place) -> None:
    assert (await send(place.client, MANY, {"rows": [place.row("A")]}, dry_run=True)).status_code == 200
    assert await keys(place) == 0


async def test_a_key_is_of_its_sender_only(place: Place, sign_in: SignIn) -> None:
    mine = await send(place.client, ONE, place.row("A"))
    theirs = await send(await sign_in(place.tenant, "TA"), ONE, place.row("A"))
    assert (mine.status_code, theirs.status_code) == (201, 409)
    assert theirs.json()["code"] == "constraint_violated"


async def age(place: Place, minutes: int) -> None:
    async with place.database.tenant_session(place.tenant.id) as db:
        older = IdempotencyKey.expires_at - timedelta(minutes=minutes)
        await db.execute(update(IdempotencyKey).values(expires_at=older))


async def test_a_key_expires_after_a_day_and_takes_other_expired_ones_along(place: Place) -> None:
    for number in range(3):
        assert (await send(place.client, ONE, place.row(f"T{number}"), f"k{number}")).status_code == 201
    await age(place, 24 * 60 - 1)
    assert "idempotency-replayed" in (await send(place.client, ONE, place.row("T0"), "k0")).headers
    await age(place, 1)
    again = await send(place.client, ONE, place.row("T9"), "k0")
    assert again.status_code == 201, again.text
    assert "idempotency-replayed" not in again.headers
    assert (await keys(place), await place.tags()) == (1, {"T0", "T1", "T2", "T9"})


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "a\tb"])
async def test_a_key_that_is_none_is_refused(place: Place, key: str) -> None:
    answer = await send(place.client, ONE, place.row(uuid.uuid4().hex), key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_bad")
    assert await place.tags() == set()
