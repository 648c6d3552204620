"""Tags: one word means one thing, marks what one sees, and takes over another's records all at once."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from foodflow_kernel.ids import new_id
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.models import Tag, TagLink
from tests.conftest import a_tenant
from tests.server.conftest import SignIn, a_plant
from tests.server.core.test_notes import Ids, a_contact, a_place, posted, refused
from tests.server.core.trail import superuser

WHY = {"reason": "means the same"}


async def a_tag(client: httpx.AsyncClient, value: str, **over: Any) -> str:
    answer = await client.post("/tags", json={"key": "area", "value": value} | over)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def system_tag(database: Database, tenant: TenantRef) -> str:
    async with database.tenant_session(tenant.id) as db:
        tag = Tag(id=new_id(database.clock.now()), key="allergen", value="nuts", is_system=True)
        db.add(tag)
    return str(tag.id)


async def mark(client: httpx.AsyncClient, tag: str, about: Ids) -> httpx.Response:
    return await client.post(f"/tags/{tag}/links", json=about)


async def marked(client: httpx.AsyncClient, tag: str) -> list[str]:
    answer = await client.get("/tag-links", params={"filter[tag_id]": tag})
    assert answer.status_code == 200, answer.text
    return sorted(each["entity_id"] for each in answer.json()["items"])


async def merge(client: httpx.AsyncClient, tag: str, into: str) -> httpx.Response:
    return await client.post(f"/tags/{tag}:merge", json={"into_id": into} | WHY)


async def test_a_tag_marks_a_record_once(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    qm, op, qt = await sign_in(tenant, "QM"), await sign_in(tenant, "OP", plant), await sign_in(tenant, "QT", plant)
    tag = await a_tag(qm, "Cold chain", colour="#2f6fb3")
    first, again = await mark(op, tag, place), await mark(op, tag, place)
    assert (first.status_code, again.json()) == (201, first.json())
    assert (first.json()["plant_id"], await marked(op, tag)) == (str(plant), [place["entity_id"]])
    of_record = await op.get("/tag-links", params={"filter[entity_id]": place["entity_id"]})
    assert [each["tag_id"] for each in of_record.json()["items"]] == [tag]
    one = f"/tags/{tag}/links/{first.json()['id']}"
    why = {"reason": "not cold any more"}
    assert refused(await op.delete(one, params=why), 403, "permission_missing")
    other = await a_tag(qm, "Dry")
    assert refused(await qt.delete(one.replace(tag, other), params=why), 404, "record_unknown")
    assert (await qt.delete(one, params=why)).status_code == 204
    assert (await marked(op, tag), (await qt.delete(one, params=why)).status_code) == ([], 404)
    async with database.tenant_session(tenant.id) as db:
        asked = select(AuditRow).where(AuditRow.entity == "core.location").order_by(AuditRow.seq)
        rows = (await db.scalars(asked)).all()
    assert [(row.action, row.reason) for row in rows] == [
        ("core.tag_link.create", None),
        ("core.tag_link.retire", "not cold any more"),
    ]


async def test_many_who_mark_a_record_at_once_mark_it_once(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    op, tag = await sign_in(tenant, "OP", plant), await a_tag(await sign_in(tenant, "QM"), "Cold")
    answers = await asyncio.gather(*(mark(op, tag, place) for _ in range(5)))
    assert ({each.status_code for each in answers}, len({each.json()["id"] for each in answers})) == ({201}, 1)


async def test_only_what_one_sees_is_marked_and_shown(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    place, contact = await a_place(database, tenant, here), await a_contact(database, tenant)
    qm, op, far = await sign_in(tenant, "QM"), await sign_in(tenant, "OP", here), await sign_in(tenant, "QT", there)
    tag = await a_tag(qm, "Cold")
    assert refused(await mark(far, tag, place), 404, "record_unknown")
    assert refused(await mark(op, tag, contact), 404, "record_unknown")
    assert refused(await mark(op, str(uuid.uuid4()), place), 404, "record_unknown")
    note = await posted(op, place)
    for entity, record in (("no.such", note["id"]), ("core.note", note["id"])):
        assert refused(await mark(op, tag, {"entity": entity, "entity_id": record}), 422, "entity_unknown")
    links = {(await mark(qm, tag, each)).json()["id"] for each in (place, contact)}
    assert await marked(qm, tag) == sorted((place["entity_id"], contact["entity_id"]))
    assert (await marked(op, tag), await marked(far, tag)) == ([place["entity_id"]], [contact["entity_id"]])
    seen = [(await op.get(f"/tag-links/{each}")).status_code for each in links]
    assert sorted(seen) == [200, 404]
    hidden = [(await far.delete(f"/tags/{tag}/links/{each}", params=WHY)).status_code for each in links]
    assert sorted(hidden) == [204, 404]


async def test_a_word_means_one_thing_whatever_its_case(tenant: TenantRef, sign_in: SignIn) -> None:
    qm = await sign_in(tenant, "QM")
    tag = await a_tag(qm, "Cold Chain")
    for key, value in (("area", "Cold Chain"), ("AREA", "cold chain"), ("Area", "COLD CHAIN")):
        assert refused(await qm.post("/tags", json={"key": key, "value": value}), 409, "constraint_violated")
    dry = await a_tag(qm, "Dry")
    renamed = await qm.patch(f"/tags/{dry}", json={"value": "cold chain"}, headers={"If-Match": '"1"'})
    assert refused(renamed, 409, "constraint_violated")
    assert (await qm.delete(f"/tags/{tag}", headers={"If-Match": '"1"'})).status_code == 204
    assert (await qm.get(f"/tags/{tag}")).json()["state"] == "retired"
    assert refused(await qm.post("/tags", json={"key": "area", "value": "cold chain"}), 409, "constraint_violated")
    for bad in ({"key": ""}, {"key": " x"}, {"key": "x", "value": "y" * 101}, {"key": "x", "colour": "red"}):
        assert refused(await qm.post("/tags", json=bad), 422, "value_refused")


async def test_what_ended_is_neither_given_nor_changed(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    place, other = await a_place(database, tenant, plant), await a_place(database, tenant, plant, "D2")
    qm = await sign_in(tenant, "QM")
    old, merged, new = await a_tag(qm, "Old"), await a_tag(qm, "Merged"), await a_tag(qm, "New")
    await mark(qm, old, place)
    assert (await qm.delete(f"/tags/{old}", headers={"If-Match": '"1"'})).status_code == 204
    assert (await merge(qm, merged, new)).status_code == 200
    for tag in (old, merged):
        assert refused(await mark(qm, tag, other), 409, "tag_ended")
        etag = {"If-Match": (await qm.get(f"/tags/{tag}")).headers["ETag"]}
        assert refused(await qm.patch(f"/tags/{tag}", json={"colour": "#000000"}, headers=etag), 409, "illegal_move")
        assert refused(await qm.delete(f"/tags/{tag}", headers=etag), 409, "illegal_move")
        assert refused(await merge(qm, tag, new), 409, "illegal_move")
        assert refused(await merge(qm, new, tag), 409, "tag_merge_ended")
    # What it marked before stays marked: nobody's work is undone by a list that was tidied.
    assert await marked(qm, old) == [place["entity_id"]]


async def test_a_merge_takes_over_every_record_once(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    places = [await a_place(database, tenant, plant, f"D{n}") for n in range(4)]
    qm = await sign_in(tenant, "QM")
    source, target = await a_tag(qm, "Cool"), await a_tag(qm, "Cold")
    for tag, some in ((source, places[:3]), (target, places[2:])):
        for place in some:
            await mark(qm, tag, place)
    done = await merge(qm, source, target)
    assert done.json() == {"id": source, "into_id": target, "moved": 2, "dropped": 1}
    assert (await marked(qm, source), await marked(qm, target)) == ([], sorted(each["entity_id"] for each in places))
    row = (await qm.get(f"/tags/{source}")).json()
    assert (row["state"], row["merged_into_id"], row["retired_at"] is not None) == ("merged", target, True)
    async with database.tenant_session(tenant.id) as db:
        rows = (await db.scalars(select(AuditRow).where(AuditRow.action == "core.tag.merge"))).all()
    assert {str(each.entity_id) for each in rows} == {source, target}
    assert {each.reason for each in rows} == {"means the same"}


async def test_a_merge_that_breaks_off_has_done_nothing(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    """The last statement of the transaction is refused by the database; what went before is undone with it."""
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    qm = await sign_in(tenant, "QM")
    source, target = await a_tag(qm, "Cool"), await a_tag(qm, "Cold")
    await mark(qm, source, place)
    with superuser(database, tenant) as owner:
        owner.execute("ALTER TABLE core_tag ADD CONSTRAINT never CHECK (state <> 'merged')")
    assert refused(await merge(qm, source, target), 422, "value_refused")
    assert (await marked(qm, source), await marked(qm, target)) == ([place["entity_id"]], [])
    assert (await qm.get(f"/tags/{source}")).json()["state"] == "active"


async def test_what_cannot_be_merged(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    qm = await sign_in(tenant, "QM")
    one, two = await a_tag(qm, "One"), await a_tag(qm, "Two")
    system = await system_tag(database, tenant)
    assert refused(await merge(qm, one, one), 409, "tag_merge_self")
    assert refused(await merge(qm, system, one), 409, "tag_is_system")
    assert refused(await merge(qm, one, str(uuid.uuid4())), 404, "record_unknown")
    assert refused(await merge(qm, str(uuid.uuid4()), one), 404, "record_unknown")
    assert (await merge(qm, one, two)).status_code == 200
    assert refused(await merge(qm, two, one), 409, "tag_merge_ended")
    assert (await merge(qm, two, system)).status_code == 200
    etag = {"If-Match": '"1"'}
    assert refused(await qm.patch(f"/tags/{system}", json={"value": "x"}, headers=etag), 409, "tag_is_system")
    assert refused(await qm.delete(f"/tags/{system}", headers=etag), 409, "tag_is_system")
    assert (await qm.post(f"/tags/{two}:merge", json={"into_id": system, "reason": "why"})).status_code == 422


async def test_merges_at_once(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    qm, op = await sign_in(tenant, "QM"), await sign_in(tenant, "OP", plant)
    for number in range(3):
        a, b, c = [await a_tag(qm, f"{letter}{number}") for letter in "abc"]
        places = [await a_place(database, tenant, plant, f"D{number}{n}") for n in range(3)]
        for tag, place in zip((a, b, c), places, strict=True):
            await mark(qm, tag, place)
        # Two into one: both.
        answers = await asyncio.gather(merge(qm, a, c), merge(qm, b, c))
        assert [each.status_code for each in answers] == [200, 200]
        assert await marked(qm, c) == sorted(each["entity_id"] for each in places)
        # Two into each other, while somebody marks: one.
        d, e = await a_tag(qm, f"d{number}"), await a_tag(qm, f"e{number}")
        tries = (merge(qm, d, e), merge(qm, e, d), *(mark(op, tag, place) for tag in (d, e) for place in places))
        first, second, *_ = await asyncio.gather(*tries)
        assert sorted((first.status_code, second.status_code)) == [200, 409]
        lost, kept = (d, e) if first.status_code == 200 else (e, d)
        assert (second if lost == d else first).json()["code"] == "tag_merge_ended"
        assert await marked(qm, lost) == []
        # The same twice: once.
        f = await a_tag(qm, f"f{number}")
        twice = await asyncio.gather(merge(qm, f, kept), merge(qm, f, kept))
        assert sorted(each.status_code for each in twice) == [200, 409]


async def test_a_plant_tends_its_own_words(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    sv, far, qm = await sign_in(tenant, "SV", here), await sign_in(tenant, "SV", there), await sign_in(tenant, "QM")
    everybodys, more = await a_tag(qm, "Everybody's"), await a_tag(qm, "More")
    ours, too = [await a_tag(sv, f"Ours {n}", plant_id=str(here)) for n in range(2)]
    theirs = await a_tag(far, "Theirs", plant_id=str(there))
    assert refused(await sv.post("/tags", json={"key": "area", "value": "All"}), 403, "permission_missing")
    assert refused(await far.get(f"/tags/{ours}"), 404, "record_unknown")
    assert refused(await mark(far, ours, await a_place(database, tenant, there)), 404, "record_unknown")
    assert refused(await mark(qm, ours, await a_place(database, tenant, there, "D2")), 422, "reference_elsewhere")
    assert refused(await merge(sv, everybodys, ours), 403, "permission_missing")
    assert refused(await merge(sv, theirs, ours), 404, "record_unknown")
    assert refused(await merge(sv, ours, theirs), 404, "record_unknown")
    assert refused(await merge(qm, ours, theirs), 409, "tag_merge_elsewhere")
    assert refused(await merge(qm, everybodys, ours), 409, "tag_merge_elsewhere")
    await mark(sv, ours, await a_contact(database, tenant))
    for source, target in ((ours, too), (too, everybodys)):
        done = await merge(sv, source, target)
        assert (done.status_code, done.json()["moved"]) == (200, 1), done.text
    etag = {"If-Match": '"1"'}
    assert refused(await sv.delete(f"/tags/{more}", headers=etag), 403, "permission_missing")
    op = await sign_in(tenant, "OP", here)
    assert refused(await merge(op, everybodys, more), 403, "permission_missing")


async def test_the_database_keeps_tags_and_links(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    qm = await sign_in(tenant, "QM")
    tag, ended, other = uuid.UUID(await a_tag(qm, "A")), uuid.UUID(await a_tag(qm, "B")), await a_tag(qm, "C")
    system = uuid.UUID(await system_tag(database, tenant))
    await mark(qm, str(tag), await a_place(database, tenant, plant))
    assert (await merge(qm, str(ended), other)).status_code == 200
    async with database.tenant_session(tenant.id) as db:
        link = (await db.scalars(select(TagLink))).one()
        again = {column.name: getattr(link, column.name) for column in TagLink.__table__.columns} | {"id": uuid.uuid4()}
    here, there = update(Tag).where(Tag.id == tag), update(Tag).where(Tag.id == ended)
    refusals: list[tuple[Any, str]] = [
        (delete(Tag), "permission denied"),
        (text("TRUNCATE core_tag CASCADE"), "permission denied"),
        (update(Tag).where(Tag.id == system).values(value="x"), "never changed"),
        (update(Tag).where(Tag.id == system).values(is_system=False), "never changed"),
        (here.values(is_system=True), "never changed"),
        (here.values(plant_id=plant), "never changed"),
        (there.values(state="active", merged_into_id=None, retired_at=None), "never changed"),
        (there.values(value="x"), "never changed"),
        (here.values(state="merged"), "ck_core_tag_"),
        (here.values(state="retired"), "ck_core_tag_retired"),
        (here.values(key="AREA", value="c"), "uq_core_tag_key_value"),
        (update(TagLink).values(entity_id=uuid.uuid4()), "never changed"),
        (insert(TagLink).values(again), "uq_core_tag_link"),
    ]
    for statement, said in refusals:
        with pytest.raises(DBAPIError, match=said):
            async with database.tenant_session(tenant.id) as db:
                await db.execute(statement, execution_options={"synchronize_session": False})


async def test_another_company_has_its_own_words(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    qm, other = await sign_in(tenant, "QM"), await a_tenant(database, "other")
    stranger = await sign_in(other, "QM")
    tag, same = await a_tag(qm, "Cold"), await a_tag(stranger, "Cold")
    link = (await mark(qm, tag, place)).json()["id"]
    assert refused(await mark(stranger, same, place), 404, "record_unknown")
    assert refused(await mark(stranger, tag, place), 404, "record_unknown")
    assert refused(await merge(stranger, same, tag), 404, "record_unknown")
    assert refused(await merge(stranger, tag, same), 404, "record_unknown")
    assert refused(await stranger.delete(f"/tags/{tag}/links/{link}", params=WHY), 404, "record_unknown")
    assert ((await stranger.get("/tag-links")).json()["items"], await marked(qm, tag)) == ([], [place["entity_id"]])


async def test_a_sheet_of_tags_is_brought_in(tenant: TenantRef, sign_in: SignIn) -> None:
    qm = await sign_in(tenant, "QM")
    known = await a_tag(qm, "Cold")
    sheet = f"id,version,key,value,colour\n,,area,Dry,#ffffff\n,,AREA,dry,\n{known},1,area,Colder,\n".encode()
    answer = await qm.post("/tags:import", content=sheet, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    values = [each["value"] for each in (await qm.get("/tags", params={"sort": "value"})).json()["items"]]
    assert values == ["Colder", "Dry"]
    assert [each["value"] for each in (await qm.get("/tags", params={"q": "DR"})).json()["items"]] == ["Dry"]
