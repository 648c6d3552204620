"""New master rows written outside the ORM's unit of work: stamped, fed, on record, and gone if undone."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from server.core import audit, feed
from server.core.actor import Actor, ActorKind
from server.core.audit import AuditRow
from server.core.db import births
from server.core.db.sessions import Database, TenantRef
from server.core.feed import FeedCounter, FeedRow
from server.plant_ops.models import Equipment
from tests.server.conftest import SignIn, a_plant

PATH = "/plant-ops/equipment"


def a_scale(plant: uuid.UUID, tag: str, **over: Any) -> Equipment:
    given = {"plant_id": plant, "tag": tag, "names": {"en": tag}, "equipment_class": "scale"}
    return Equipment(id=uuid.uuid4(), **given | over)


async def there(db: AsyncSession) -> list[str]:
    return sorted((await db.scalars(select(Equipment.tag))).all())


@pytest.mark.parametrize("is_bulk", [False, True], ids=["alone", "in a bulk"])
async def test_a_row_says_who_made_it_terminals_hear_of_it_and_it_is_on_record(
    database: Database, tenant: TenantRef, sign_in: SignIn, is_bulk: bool
) -> None:
    plant, client = await a_plant(database, tenant), await sign_in(tenant, "TA")
    new = {"plant_id": str(plant), "tag": "S1", "names": {"en": "Scale"}, "equipment_class": "scale"}
    body = {"rows": [new]} if is_bulk else new
    assert (await client.post(f"{PATH}:bulk" if is_bulk else PATH, json=body)).status_code in (200, 201)
    me = uuid.UUID((await client.get("/me")).json()["id"])
    async with database.tenant_session(tenant.id) as db:
        row = (await db.scalars(select(Equipment))).one()
        fed = (await db.scalars(select(FeedRow).where(FeedRow.entity == "equipment"))).one()
        noted = (await db.scalars(select(AuditRow).where(AuditRow.action == "plant_ops.equipment.create"))).one()
    now = database.clock.now()
    assert (row.created_by, row.updated_by, row.created_at, row.updated_at, row.version) == (me, me, now, now, 1)
    assert (fed.row_id, fed.version, fed.retired, fed.plant_id) == (row.id, 1, False, plant)
    assert (noted.entity_id, noted.actor_id, noted.plant_id, noted.diff["tag"]) == (row.id, me, plant, "S1")
    assert "unit" not in noted.diff, "what is empty is not said"


async def test_rows_that_say_different_columns_are_all_written(database: Database, tenant: TenantRef) -> None:
    plant = await a_plant(database, tenant)
    actor = Actor(ActorKind.system, tenant.id)
    async with database.tenant_session(tenant.id, actor) as db:
        rows = [
            a_scale(plant, "A"),
            a_scale(plant, "B", unit="g", range_min=0, range_max=15000),
            a_scale(plant, "C", names={"en": 'a "quoted"\nline', "es": "báscula"}),
        ]
        births.fill(db, rows)
        await births.write(db, rows)
    async with database.tenant_session(tenant.id) as db:
        kept = {row.tag: row for row in await db.scalars(select(Equipment))}
    assert (kept["A"].unit, kept["A"].criticality) == (None, "B")
    assert (kept["B"].unit, kept["B"].range_max) == ("g", 15000)
    assert kept["C"].names == {"en": 'a "quoted"\nline', "es": "báscula"}


async def test_what_is_answered_is_what_a_read_shows(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant, client = await a_plant(database, tenant), await sign_in(tenant, "TA")
    new = {"plant_id": str(plant), "tag": "S1", "names": {"en": "Scale"}, "equipment_class": "scale"}
    made = (await client.post(PATH, json=new | {"unit": "g", "range_min": "0.5", "range_max": "15000"})).json()
    assert made == (await client.get(f"{PATH}/{made['id']}")).json()


async def test_a_bulk_whose_rows_say_different_columns_is_one_statement(
    database: Database, tenant: TenantRef, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, client = await a_plant(database, tenant), await sign_in(tenant, "TA")
    new = {"plant_id": str(plant), "names": {"en": "Scale"}, "equipment_class": "scale"}
    rows = [new | {"tag": f"S{n}"} | ({"unit": "g"} if n % 2 else {"criticality": "A"}) for n in range(20)]
    sent, real = [], births.together.send

    def counted(session: Any, *asked: Any, **more: Any) -> Any:
        sent.extend(each for each, _ in asked if "equipment" in each.sql)
        return real(session, *asked, **more)

    monkeypatch.setattr(births.together, "send", counted)
    results = (await client.post(f"{PATH}:bulk", json={"rows": rows})).json()["results"]
    assert ([each["status"] for each in results], len(sent)) == ([201] * 20, 1)
    async with database.tenant_session(tenant.id) as db:
        kept = {row.tag: (row.unit, row.criticality) for row in await db.scalars(select(Equipment))}
    assert (kept["S0"], kept["S1"]) == ((None, "A"), ("g", "B"))


async def test_what_was_to_be_written_last_is_not_written_if_the_transaction_is_undone(
    database: Database, tenant: TenantRef
) -> None:
    plant = await a_plant(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        for tag in ("undone", "kept"):
            assert await there(db) == []
            row = a_scale(plant, tag)
            births.fill(db, [row])
            births.write_last(db, [row])
            if tag == "undone":
                await db.rollback()
    async with database.tenant_session(tenant.id) as db:
        assert await there(db) == ["kept"]


async def test_a_row_that_is_refused_at_the_commit_leaves_nothing(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    plant, client = await a_plant(database, tenant), await sign_in(tenant, "TA")
    new = {"plant_id": str(plant), "tag": "S1", "names": {"en": "Scale"}, "equipment_class": "scale"}
    assert (await client.post(PATH, json=new)).status_code == 201
    again = await client.post(PATH, json=new, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()["code"]) == (409, "constraint_violated")
    assert again.json()["constraint"] == "uq_plant_ops_equipment_tag"
    other = await client.post(PATH, json=new | {"tag": "S2"}, headers={"Idempotency-Key": "k1"})
    assert other.status_code == 201, "the key of what was refused is free"
    async with database.tenant_session(tenant.id) as db:
        assert await there(db) == ["S1", "S2"]
        made = select(AuditRow.diff["tag"].astext).where(AuditRow.action == "plant_ops.equipment.create")
        assert sorted((await db.scalars(made)).all()) == ["S1", "S2"]


async def test_the_trail_waits_before_the_feed_is_locked(database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id) as db:
        feed.touch(db, "lot", uuid.uuid4())

    async def both() -> None:
        async with database.tenant_session(tenant.id) as db:
            audit.write(db, Actor(ActorKind.system, tenant.id), "test.both", "test", None)
            feed.touch(db, "lot", uuid.uuid4())

    async with database.tenant_session(tenant.id) as held:
        await held.execute(select(audit.AuditHead).with_for_update())
        waiting = asyncio.create_task(both())
        await asyncio.sleep(0.3)
        assert not waiting.done()
        try:
            async with database.tenant_session(tenant.id) as free:
                await free.execute(select(FeedCounter).with_for_update(nowait=True))
        except DBAPIError:
            pytest.fail("who waits for the trail holds the feed: two such transactions could block each other")
    await waiting


@pytest.mark.parametrize("length", [1, 300_000], ids=["in one packet", "statement by statement"])
async def test_rows_that_are_refused_leave_the_transaction_as_it_was(
    database: Database, tenant: TenantRef, length: int
) -> None:
    """What was written before stays, and what comes after is written."""
    plant = await a_plant(database, tenant)
    async with database.tenant_session(tenant.id, Actor(ActorKind.system, tenant.id)) as db:
        for tags, is_good in ((["A"], True), (["B", "A"], False), (["C"], True)):
            rows = [a_scale(plant, tag, names={"en": "x" * length}) for tag in tags]
            births.fill(db, rows)
            if is_good:
                await births.write(db, rows)
            else:
                with pytest.raises(DBAPIError, match="uq_plant_ops_equipment_tag"):
                    await births.write(db, rows)
    async with database.tenant_session(tenant.id) as db:
        assert await there(db) == ["A", "C"]
        fed = (await db.scalars(select(FeedRow.row_id).where(FeedRow.entity == "equipment"))).all()
    assert len(fed) == 2


async def test_what_terminals_hear_of_many_rows_says_each_as_it_is(database: Database, tenant: TenantRef) -> None:
    """In the order they were written, whatever they share."""
    plant = await a_plant(database, tenant)
    rows = [a_scale(plant, tag, version=version) for tag, version in (("A", 1), ("B", 2), ("C", 2))]
    lots = [uuid.uuid4(), uuid.uuid4()]
    async with database.tenant_session(tenant.id, Actor(ActorKind.system, tenant.id)) as db:
        births.fill(db, rows)
        await births.write(db, rows)
        feed.touch(db, "lot", lots[0], plant_id=plant)
        feed.touch(db, "lot", lots[1])
    async with database.tenant_session(tenant.id) as db:
        fed = (await db.scalars(select(FeedRow).order_by(FeedRow.seq.desc()).limit(5))).all()[::-1]
    told = [(each.entity, each.row_id, each.version, each.retired, each.plant_id, each.data) for each in fed]
    assert told == [
        *(("equipment", row.id, row.version, False, plant, None) for row in rows),
        ("lot", lots[0], 0, False, plant, None),
        ("lot", lots[1], 0, False, None, None),
    ]
