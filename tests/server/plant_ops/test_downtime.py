"""Stops that people close and explain after the terminals have told of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from foodflow_kernel.machines.plant_ops import DowntimeState
from foodflow_kernel.wire import bodies
from foodflow_kernel.wire.bodies import Source
from server.core.db.sessions import Database, TenantRef
from server.plant_ops.models import Downtime
from tests.server.conftest import SignIn
from tests.server.factories import NOW, Scene, a_scene


async def a_stop(scene: Scene) -> UUID:
    stop_id = uuid4()
    opened = bodies.StopOpened(stop_id=stop_id, line_id=scene.line.id, started_at=NOW, source=Source.signal)
    await scene.push(scene.fact(opened))
    return stop_id


async def do(client: httpx.AsyncClient, stop_id: UUID, verb: str, **command: Any) -> httpx.Response:
    return await client.post(f"/plant-ops/downtime/{stop_id}:{verb}", json=command)


@pytest.mark.parametrize(("after_s", "status", "code"), [(-1, 409, "ends_before_start"), (0, 200, None)])
async def test_a_stop_ends_no_sooner_than_it_began(
    database: Database, tenant: TenantRef, sign_in: SignIn, after_s: int, status: int, code: str | None
) -> None:
    stop_id = await a_stop(await a_scene(database, tenant))
    client = await sign_in(tenant, "SV")
    answer = await do(client, stop_id, "close", at=(NOW + timedelta(seconds=after_s)).isoformat())
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text


async def test_a_stop_is_explained_by_a_reason_that_there_is(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    stop_id = await a_stop(await a_scene(database, tenant))
    client = await sign_in(tenant, "SV")
    await do(client, stop_id, "close", at=NOW.isoformat())
    refused = await do(client, stop_id, "categorise", reason_code="jamm")
    assert (refused.status_code, refused.json()["code"]) == (409, "reason_unknown")
    async with database.tenant_session(tenant.id) as db:
        assert (await db.get_one(Downtime, stop_id)).state is DowntimeState.closed
    explained = await do(client, stop_id, "categorise", reason_code="jam")
    assert (explained.status_code, explained.json()["category"]) == (200, "breakdown")
