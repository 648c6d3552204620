"""A company that is suspended gets nothing, yet nothing its terminals recorded is lost; once archived, nothing goes in.

The application of this folder has engines of its own: it learns of the change as another process does.
"""

from __future__ import annotations

import asyncio

from foodflow_kernel.machines.identity import TenantState
from server.core.db.registry import Tenant
from tests.server.sync.terminal import a_fact
from tests.server.sync.test_routes import hello, push, signed_in


async def move(database, app, tenant, state: TenantState) -> None:
    async with database.platform_session() as db:
        (await db.get_one(Tenant, tenant.id)).state = state
    async with asyncio.timeout(3):
        while (await app.state.database.tenant(tenant.id)).state is not state:  # noqa: ASYNC110  # as long as it takes
            await asyncio.sleep(0.01)


async def test_pushes_are_stored_while_the_company_is_suspended_or_leaves_and_it_gets_no_data(
    http, app, device, database, tenant
):
    headers = await signed_in(http, device, database.clock)
    for state in (TenantState.suspended, TenantState.offboarding):
        await move(database, app, tenant, state)
        at = device.record(a_fact())
        stored = await push(http, headers, device.pack(at))
        assert (stored.status_code, stored.json()["acked"]) == (200, at)
        for path in ("/sync/feed?epoch=x&after=0", "/sync/snapshot/00000000-0000-7000-8000-000000000000"):
            answer = await http.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "tenant_suspended")
        assert (await http.post("/sync/snapshot", headers=headers)).json()["code"] == "tenant_suspended"
        assert (await hello(http, device, database.clock)).status_code == 200, "it could not push any more"


async def test_a_terminal_that_waits_at_the_feed_gets_nothing_of_a_company_suspended_meanwhile(
    http, app, device, database, tenant
):
    headers = await signed_in(http, device, database.clock)
    state = (await hello(http, device, database.clock)).json()["feed"]
    path = f"/sync/feed?epoch={state['epoch']}&after={state['head']}&wait=2"
    waiting = asyncio.create_task(http.get(path, headers=headers))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await move(database, app, tenant, TenantState.suspended)
    assert (await waiting).json()["code"] == "tenant_suspended"


async def test_nothing_goes_into_an_archived_company(http, app, device, database, tenant):
    headers = await signed_in(http, device, database.clock)
    device.record(a_fact())
    await move(database, app, tenant, TenantState.archived)
    answer = await push(http, headers, device.pack())
    assert (answer.status_code, answer.json()["code"]) == (403, "tenant_archived")
    assert (await hello(http, device, database.clock)).json()["code"] == "tenant_archived"


async def test_a_persons_token_ends_with_the_suspension_and_works_again_after_it(app, database, tenant, supervisor):
    assert (await supervisor("GET", "/me")).status_code == 200
    await move(database, app, tenant, TenantState.suspended)
    assert (await supervisor("GET", "/me")).status_code == 401
    await move(database, app, tenant, TenantState.active)
    assert (await supervisor("GET", "/me")).status_code == 200
