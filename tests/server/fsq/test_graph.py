from datetime import timedelta

import pytest

from foodflow_kernel.units import Uom
from server.core.db.sessions import Database, TenantRef
from server.core.stamp import server_born
from server.fsq import graph, links, series
from tests.server.factories import NOW


async def linked(database: Database, tenant: TenantRef, *pairs: tuple[str, str]) -> None:
    async with database.tenant_session(tenant.id) as db:
        edges = [
            (server_born(NOW + timedelta(minutes=place), None), links.Link("transform", source, target, None, Uom.KGM))
            for place, (source, target) in enumerate(pairs)
        ]
        assert await links.record(db, edges) == len(pairs)


async def around(database: Database, tenant: TenantRef, seed: str, direction: str, **over: object) -> set[str]:
    async with database.tenant_session(tenant.id) as db:
        found, _ = await graph.nodes_around(db, [seed], direction, over.get("as_of"))  # type: ignore[arg-type]
    assert len(found) == len(set(found))
    return set(found)


async def test_records_that_run_in_a_circle_end_by_themselves(database: Database, tenant: TenantRef) -> None:
    await linked(database, tenant, ("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("x", "d"))
    assert await around(database, tenant, "a", "forward") == {"a", "b", "c", "d"}
    assert await around(database, tenant, "d", "backward") == {"a", "b", "c", "d", "x"}
    assert await around(database, tenant, "b", "both") == {"a", "b", "c", "d"}


async def test_a_trace_of_the_past_leaves_out_what_came_later(database: Database, tenant: TenantRef) -> None:
    await linked(database, tenant, ("a", "b"), ("b", "c"))
    assert await around(database, tenant, "a", "forward", as_of=NOW) == {"a", "b"}


async def test_more_nodes_than_the_cap_are_cut_off_and_said_so(
    database: Database, tenant: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    await linked(database, tenant, *((f"n{n}", f"n{n + 1}") for n in range(12)))
    monkeypatch.setattr(graph, "NODE_CAP", 5)
    async with database.tenant_session(tenant.id) as db:
        found, is_truncated = await graph.nodes_around(db, ["n0"], "forward", None)
    assert (len(found), is_truncated) == (5, True)


async def test_numbers_have_no_gap_and_no_double(database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id) as db:
        assert await series.lock(db, "deviation") == 0
        assert [await series.take(db, "deviation") for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        async with database.tenant_session(tenant.id) as db:
            await series.take(db, "deviation")
            raise ZeroDivisionError
    async with database.tenant_session(tenant.id) as db:
        assert await series.take(db, "deviation") == 4
