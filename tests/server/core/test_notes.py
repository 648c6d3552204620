"""Notes: written about what one sees, seen by those who may, never changed, and told to the people they name."""

from __future__ import annotations

import asyncio
import hashlib
import io
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from psycopg import sql
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from foodflow_kernel.ids import new_id
from server.app import RESOURCES
from server.core import links
from server.core.audit import AuditRow
from server.core.db import postgres
from server.core.db.sessions import Database, TenantRef
from server.core.models import Contact, Location, Note, Notification, NotificationRecipient
from server.core.resource import sheets
from server.plant_ops.models import ProductionBatch
from tests.conftest import a_tenant
from tests.server.conftest import PASSWORD, SignIn, a_plant

HERE = {
    "business_name": "Harvest", "phone": "+15105550101", "street": "1 Dock Rd", "city": "Oakland",
    "state_region": "CA", "postal_code": "94607", "country": "US",
}  # fmt: skip
Ids = dict[str, Any]


async def a_place(database: Database, tenant: TenantRef, plant: uuid.UUID, code: str = "D1") -> Ids:
    """A dock at a plant, as what a note is about."""
    async with database.tenant_session(tenant.id) as db:
        row = Location(
            id=new_id(database.clock.now()), plant_id=plant, code=code, name=f"Dock {code}", kind="dock", **HERE
        )
        db.add(row)
    return {"entity": "core.location", "entity_id": str(row.id)}


async def a_contact(database: Database, tenant: TenantRef) -> Ids:
    """The recall desk of the company, which all plants share and operators do not see."""
    async with database.tenant_session(tenant.id) as db:
        row = Contact(
            id=new_id(database.clock.now()), party_kind="company", role="recall_24h", name="Desk", phone="+15105550101"
        )
        db.add(row)
    return {"entity": "core.contact", "entity_id": str(row.id)}


def refused(answer: httpx.Response, status: int, code: str) -> bool:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    return True


async def posted(client: httpx.AsyncClient, about: Ids, body: str = "The door is open", **over: Any) -> Any:
    answer = await client.post("/notes", json=about | {"body": body} | over)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def me(client: httpx.AsyncClient) -> str:
    return str((await client.get("/me")).json()["id"])


async def bodies(client: httpx.AsyncClient, **params: str) -> list[str]:
    """What the notes of a list say, by the alphabet: the clock stands still, and ids of one instant have no order."""
    answer = await client.get("/notes", params=params)
    assert answer.status_code == 200, answer.text
    return sorted(each["body"] for each in answer.json()["items"])


async def test_a_note_is_written_read_and_said_anew(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    op, sv = await sign_in(tenant, "OP", plant), await sign_in(tenant, "SV", plant)
    note = await posted(op, place, "Dock door does not close", kind="handover")
    assert (note["state"], note["plant_id"], note["performed_by"]) == ("posted", str(plant), await me(op))
    assert "device_id" not in note
    assert (await sv.get(f"/notes/{note['id']}")).json() == note
    anew = await op.post(f"/notes/{note['id']}:supersede", json={"body": "Dock door closes again"})
    assert anew.status_code == 200, anew.text
    assert (anew.json()["supersedes_id"], anew.json()["kind"], anew.json()["state"]) == (
        note["id"], "handover", "posted",
    )  # fmt: skip
    old = (await sv.get(f"/notes/{note['id']}")).json()
    assert old == note | {"state": "superseded"}
    assert await bodies(sv, **{"filter[state]": "posted", "filter[entity_id]": place["entity_id"]}) == [
        "Dock door closes again"
    ]
    assert refused(await op.post(f"/notes/{note['id']}:supersede", json={"body": "Again"}), 409, "illegal_move")


async def test_only_the_author_says_a_note_anew(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    note = await posted(await sign_in(tenant, "OP", plant), place)
    for role, at in (("OP", plant), ("QM", None), ("TA", None)):
        other = await sign_in(tenant, role, at)
        assert refused(await other.post(f"/notes/{note['id']}:supersede", json={"body": "No"}), 403, "note_not_yours")
    auditor = await sign_in(tenant, "AU")
    assert refused(await auditor.post(f"/notes/{note['id']}:supersede", json={"body": "No"}), 403, "permission_missing")


async def test_of_two_that_say_a_note_anew_at_once_one_does(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    plant = await a_plant(database, tenant)
    op = await sign_in(tenant, "OP", plant)
    for number in range(3):
        note = await posted(op, await a_place(database, tenant, plant, f"D{number}"))
        tries = [op.post(f"/notes/{note['id']}:supersede", json={"body": f"Try {n}"}) for n in range(4)]
        answers = await asyncio.gather(*tries)
        assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
        assert {each.json()["code"] for each in answers if each.status_code == 409} == {"illegal_move"}
        async with database.tenant_session(tenant.id) as db:
            asked = select(func.count()).where(Note.supersedes_id == uuid.UUID(note["id"]))
            assert await db.scalar(asked) == 1


def fields(note: Note, **over: Any) -> dict[str, Any]:
    names = [column.name for column in Note.__table__.columns]
    return {name: getattr(note, name) for name in names} | {"id": uuid.uuid4()} | over


async def test_the_database_keeps_a_note_as_it_is(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    other = await a_plant(database, tenant, "P2")
    op = await sign_in(tenant, "OP", plant)
    note = await posted(op, await a_place(database, tenant, plant))
    anew = await op.post(f"/notes/{note['id']}:supersede", json={"body": "Anew"})
    async with database.tenant_session(tenant.id) as db:
        first = await db.get_one(Note, uuid.UUID(note["id"]))
        second = await db.get_one(Note, uuid.UUID(anew.json()["id"]))
        again, bad = fields(second), fields(second, supersedes_id=second.id)
        fresh = fields(first)
    refusals: list[tuple[Any, str]] = [
        (update(Note).values(body="x"), "permission denied"),
        (delete(Note), "permission denied"),
        (text("TRUNCATE core_note"), "permission denied"),
        (insert(Note).values(again), "uq_core_note_supersedes_id"),
        (insert(Note).values(bad | {"visibility": "tenant"}), "said anew by its author"),
        (insert(Note).values(bad | {"plant_id": other}), "said anew by its author"),
        (insert(Note).values(bad | {"performed_by": uuid.uuid4()}), "said anew by its author"),
        (insert(Note).values(bad | {"entity_id": uuid.uuid4()}), "said anew by its author"),
        (insert(Note).values(fresh | {"plant_id": None}), "ck_core_note_plant"),
        (insert(Note).values(fresh | {"body": ""}), "ck_core_note_body"),
        (insert(Note).values(fresh | {"body": "x" * 8001}), "ck_core_note_body"),
        (insert(Note).values(fresh | {"kind": "rumour"}), "ck_core_note_kind"),
        (insert(Note).values(fresh | {"visibility": "all"}), "ck_core_note_visibility"),
    ]
    for statement, said in refusals:
        with pytest.raises(DBAPIError, match=said):
            async with database.tenant_session(tenant.id) as db:
                await db.execute(statement)


@pytest.mark.parametrize("said", ["UPDATE core_note SET body = 'x'", "DELETE FROM core_note", "TRUNCATE core_note"])
async def test_the_trigger_holds_for_the_owner_too(
    database: Database, tenant: TenantRef, sign_in: SignIn, said: str
) -> None:
    plant = await a_plant(database, tenant)
    await posted(await sign_in(tenant, "OP", plant), await a_place(database, tenant, plant))
    with postgres.connect(database.cluster.owner) as owner, pytest.raises(Exception, match="are never changed"):
        owner.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(tenant.schema)))
        owner.execute(said.encode())


async def test_a_note_is_about_a_record_that_its_author_may_read(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    elsewhere, contact = await a_place(database, tenant, there), await a_contact(database, tenant)
    op = await sign_in(tenant, "OP", here)
    note = await posted(op, await a_place(database, tenant, here))
    said = {"body": "x"}
    assert refused(await op.post("/notes", json=elsewhere | said), 404, "record_unknown")
    assert refused(await op.post("/notes", json=contact | said), 404, "record_unknown")
    nowhere = {"entity": "core.location", "entity_id": str(uuid.uuid4())}
    assert refused(await op.post("/notes", json=nowhere | said), 404, "record_unknown")
    for entity in ("no.such", "core.note", "core.tag_link"):
        about = {"entity": entity, "entity_id": note["id"]}
        assert refused(await op.post("/notes", json=about | said), 422, "entity_unknown")
    for body in ("", "  \n", "x" * 8001, "a\x00b"):
        answer = await op.post("/notes", json=nowhere | {"body": body})
        assert answer.status_code == 422, body[:10]


async def test_notes_are_seen_with_their_record_and_at_its_plant_only(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    here, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    contact = await a_contact(database, tenant)
    sv, far, qm = await sign_in(tenant, "SV", here), await sign_in(tenant, "SV", there), await sign_in(tenant, "QM")
    op = await sign_in(tenant, "OP", here)
    place = await posted(sv, await a_place(database, tenant, here), "of the place")
    ours = await posted(sv, contact, "of the desk, here")
    everybody = await posted(sv, contact, "of the desk, for all", visibility="tenant")
    assert (ours["plant_id"], everybody["plant_id"]) == (str(here), None)
    assert await bodies(sv) == await bodies(qm) == ["of the desk, for all", "of the desk, here", "of the place"]
    assert await bodies(far) == ["of the desk, for all"]
    # An operator reads places, and no contacts.
    assert await bodies(op) == ["of the place"]
    for client, note in ((far, place), (far, ours), (op, ours), (op, everybody)):
        assert refused(await client.get(f"/notes/{note['id']}"), 404, "record_unknown")
        assert refused(await client.post(f"/notes/{note['id']}:supersede", json={"body": "x"}), 404, "record_unknown")
    # Who works everywhere says where.
    assert refused(await qm.post("/notes", json=contact | {"body": "x"}), 422, "note_plant_missing")
    assert (await posted(qm, contact, plant_id=str(there)))["plant_id"] == str(there)
    answer = await sv.post("/notes", json=contact | {"body": "x", "plant_id": str(there)})
    assert refused(answer, 404, "record_unknown")
    needless = contact | {"body": "x", "visibility": "tenant", "plant_id": str(here)}
    assert refused(await sv.post("/notes", json=needless), 422, "note_plant_needless")


async def test_a_kind_that_several_tables_share_is_the_record(app: FastAPI) -> None:
    kinds = app.state.records
    assert kinds == links.records(RESOURCES)
    assert kinds["plant_ops.batch"] is ProductionBatch
    assert kinds["fsq.lot"].__tablename__ == "fsq_lot"


async def test_a_note_is_found_by_its_words(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    op = await sign_in(tenant, "OP", plant)
    for body in ("The scale drifts by 2 g", "La balanza deriva", "100% of the lids"):
        await posted(op, place, body)
    assert await bodies(op, q="SCALE drifts") == ["The scale drifts by 2 g"]
    assert await bodies(op, q="scale -drifts") == []
    assert await bodies(op, q="scale or balanza") == ["La balanza deriva", "The scale drifts by 2 g"]
    assert await bodies(op, q="'; drop table core_note; --") == []
    async with database.tenant_session(tenant.id) as db:
        await db.execute(text("SET LOCAL enable_seqscan = off"))
        asked = (
            "EXPLAIN SELECT id FROM core_note WHERE to_tsvector('simple'::regconfig, body) @@ to_tsquery('simple', 'x')"
        )
        assert "ix_core_note_body" in "\n".join((await db.scalars(text(asked))).all())


async def qa_note(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> tuple[Any, Ids, uuid.UUID, httpx.AsyncClient]:
    """A note for quality only, said anew once, of a place that all may see."""
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    qt = await sign_in(tenant, "QT", plant)
    note = await posted(qt, place, "Listeria suspected", visibility="qa_only")
    anew = await qt.post(f"/notes/{note['id']}:supersede", json={"body": "Listeria confirmed"})
    assert anew.status_code == 200, anew.text
    return note | {"anew": anew.json()}, place, plant, qt


SECRET = ["Listeria confirmed", "Listeria suspected"]


async def test_quality_and_auditors_see_what_is_for_quality_only(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    note, _, plant, qt = await qa_note(database, tenant, sign_in)
    for client in (qt, await sign_in(tenant, "QT", plant), await sign_in(tenant, "QM"), await sign_in(tenant, "AU")):
        assert await bodies(client) == SECRET
        assert (await client.get(f"/notes/{note['id']}")).json()["state"] == "superseded"
        assert await bodies(client, q="listeria confirmed") == SECRET[:1]
    far = await sign_in(tenant, "QT", await a_plant(database, tenant, "P2"))
    assert await bodies(far) == []


SURFACES: dict[str, Callable[[Any, Ids], dict[str, str]]] = {
    "list": lambda _note, _about: {},
    "by record": lambda _note, about: {"filter[entity]": about["entity"], "filter[entity_id]": about["entity_id"]},
    "by visibility": lambda _note, _about: {"filter[visibility]": "qa_only"},
    "by state": lambda _note, _about: {"filter[state]": "superseded"},
    "by id": lambda note, _about: {"filter[id]": note["id"]},
    "by chain": lambda note, _about: {"filter[supersedes_id]": note["id"]},
    "by author": lambda note, _about: {"filter[performed_by]": note["performed_by"]},
    "search": lambda _note, _about: {"q": "listeria"},
    "old search": lambda _note, _about: {"search": "listeria"},
    "sorted": lambda _note, _about: {"sort": "-occurred_at", "fields": "body"},
}


@pytest.mark.parametrize("surface", SURFACES)
async def test_nobody_else_does(database: Database, tenant: TenantRef, sign_in: SignIn, surface: str) -> None:
    note, place, plant, qt = await qa_note(database, tenant, sign_in)
    params = SURFACES[surface](note, place)
    assert await bodies(qt, **params) != []
    for role, at in (("OP", plant), ("SV", plant), ("MT", plant), ("PL", None), ("WH", None), ("TA", None)):
        client = await sign_in(tenant, role, at)
        assert await bodies(client, **params) == [], role


async def test_nobody_else_gets_it_by_its_id_its_verbs_or_a_file(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    note, place, plant, _ = await qa_note(database, tenant, sign_in)
    for role, at in (("OP", plant), ("SV", plant), ("TA", None)):
        client = await sign_in(tenant, role, at)
        for each in (note["id"], note["anew"]["id"]):
            assert refused(await client.get(f"/notes/{each}"), 404, "record_unknown")
            assert refused(await client.post(f"/notes/{each}:supersede", json={"body": "x"}), 404, "record_unknown")
            new = {"filename": "a.csv", "size": 1, "sha256": "0" * 64, "plant_id": str(plant)}
            file = (await client.post("/attachments", json=new)).json()["id"]
            link = {"entity": "core.note", "entity_id": each}
            assert (await client.post(f"/attachments/{file}/links", json=link)).status_code in (404, 409)
            shown = await client.get("/esign", params={"record_type": "core.note", "id": each})
            assert refused(shown, 404, "record_unknown")
        if role != "OP":
            assert refused(
                await client.post("/notes", json=place | {"body": "x", "visibility": "qa_only"}),
                403,
                "permission_missing",
            )


@pytest.mark.parametrize("form", [sheets.CSV, sheets.XLSX])
async def test_no_sheet_shows_it_to_anybody_else(
    database: Database, tenant: TenantRef, sign_in: SignIn, form: str
) -> None:
    _, place, plant, qt = await qa_note(database, tenant, sign_in)
    await posted(qt, place, "For everybody")
    for role, at, shows in (("SV", plant, False), ("TA", None, False), ("QM", None, True), ("AU", None, True)):
        client = await sign_in(tenant, role, at)
        sheet = await client.get("/notes", headers={"Accept": form})
        assert sheet.status_code == 200, sheet.text
        held = sheet.text if form == sheets.CSV else unzipped(sheet.content)
        assert ("For everybody" in held, "Listeria" in held, "qa_only" in held) == (True, shows, shows), role


def unzipped(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


async def test_the_trail_says_that_a_note_was_written_and_never_what(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    note, _, plant, _ = await qa_note(database, tenant, sign_in)
    async with database.tenant_session(tenant.id) as db:
        rows = (await db.scalars(select(AuditRow).where(AuditRow.entity == "core.note").order_by(AuditRow.seq))).all()
    assert [(row.action, row.plant_id) for row in rows] == [
        ("core.note.create", plant),
        ("core.note.supersede", plant),
    ]
    assert all("Listeria" not in str(row.diff) for row in rows)
    assert rows[1].diff["command"]["body"] == "personal"
    sv = await sign_in(tenant, "SV", plant)
    shown = await sv.get("/audit", params={"limit": 200})
    assert (shown.status_code, note["id"] in shown.text, "Listeria" in shown.text) == (200, True, False)


async def told(database: Database, tenant: TenantRef) -> list[tuple[str, str, str]]:
    """Title, the note's id and the recipient of each notification of a mention."""
    async with database.tenant_session(tenant.id) as db:
        asked = select(Notification.title, Notification.entity_id, NotificationRecipient.user_id)
        joined = asked.join(NotificationRecipient, NotificationRecipient.notification_id == Notification.id)
        found = await db.execute(joined.where(Notification.category == "core.note_mention").order_by(Notification.id))
        return [(row[0], str(row[1]), str(row[2])) for row in found]


async def test_each_person_a_note_names_is_told_once(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    op, sv, qm = await sign_in(tenant, "OP", plant), await sign_in(tenant, "SV", plant), await sign_in(tenant, "QM")
    them = [await me(sv), await me(qm), await me(op), await me(sv)]
    note = await posted(op, place, "@both look at this", mentions=them)
    assert note["mentions"] == them[:3]
    said = await told(database, tenant)
    assert {each[1:] for each in said} == {(note["id"], them[0]), (note["id"], them[1])}
    assert len(said) == 2
    assert all(title.endswith("mentioned you in a note") and "look" not in title for title, *_ in said)
    inbox = (await sv.get("/notifications")).json()["items"]
    assert [(each["entity"], each["entity_id"]) for each in inbox] == [("core.note", note["id"])]
    mt = await sign_in(tenant, "MT", plant)
    anew = {"body": "@both and you", "mentions": [them[0], await me(mt)]}
    second = (await op.post(f"/notes/{note['id']}:supersede", json=anew)).json()
    assert [each for each in await told(database, tenant) if each not in said] == [
        (said[0][0], second["id"], await me(mt))
    ]


async def test_nobody_is_named_who_could_not_see_the_note(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    plant, there = await a_plant(database, tenant), await a_plant(database, tenant, "P2")
    place = await a_place(database, tenant, plant)
    contact = await a_contact(database, tenant)
    qt, sv, far = (
        await sign_in(tenant, "QT", plant),
        await sign_in(tenant, "SV", plant),
        await sign_in(tenant, "SV", there),
    )
    gone, op = await sign_in(tenant, "SV", plant), await sign_in(tenant, "OP", plant)
    left = await me(gone)
    ta = await sign_in(tenant, "TA")
    ended = await ta.post(f"/users/{left}:disable", json={"reason": "left the company"})
    assert ended.status_code == 200, ended.text
    for about, over, person in (
        (place, {"visibility": "qa_only"}, await me(sv)),
        (place, {}, await me(far)),
        (place, {}, left),
        (place, {}, str(uuid.uuid4())),
        (contact, {}, await me(op)),
    ):
        given = about | over | {"body": "See this", "mentions": [await me(qt), person]}
        answer = await qt.post("/notes", json=given)
        assert refused(answer, 422, "mention_unseen")
        assert answer.json()["users"] == [person]
    assert (await told(database, tenant), await bodies(ta)) == ([], [])
    note = await posted(qt, place, "for us", visibility="qa_only")
    anew = {"body": "See this", "mentions": [await me(sv)]}
    assert refused(await qt.post(f"/notes/{note['id']}:supersede", json=anew), 422, "mention_unseen")
    assert (await qt.get(f"/notes/{note['id']}")).json()["state"] == "posted"
    many = {"body": "x", "mentions": [str(uuid.uuid4()) for _ in range(21)]}
    assert (await qt.post("/notes", json=place | many)).status_code == 422


async def test_a_note_that_is_sent_again_is_written_once(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    op = await sign_in(tenant, "OP", plant)
    headers = {"Idempotency-Key": "note-1"}
    first, again = [await op.post("/notes", json=place | {"body": "Once"}, headers=headers) for _ in range(2)]
    assert (first.json()["id"], await bodies(op)) == (again.json()["id"], ["Once"])


async def test_another_company_sees_nothing_of_it(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    note, place, _, _ = await qa_note(database, tenant, sign_in)
    other = await a_tenant(database, "other")
    await a_plant(database, other)
    stranger = await sign_in(other, "QM")
    assert await bodies(stranger) == []
    assert refused(await stranger.get(f"/notes/{note['id']}"), 404, "record_unknown")
    assert refused(await stranger.post("/notes", json=place | {"body": "x"}), 404, "record_unknown")


async def test_a_fact_can_be_signed_and_have_files(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    """Nobody may lock a row that nobody may change: who acts on a fact waits at its id instead."""
    note, _, plant, qt = await qa_note(database, tenant, sign_in)
    content = b"a,b\n1,2\n"
    new = {"filename": "a.csv", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    file = (await qt.post("/attachments", json=new | {"plant_id": str(plant)})).json()["id"]
    await qt.put(f"/attachments/{file}/chunk", params={"offset": 0}, content=content)
    await qt.post(f"/attachments/{file}:complete")
    linked = await qt.post(f"/attachments/{file}/links", json={"entity": "core.note", "entity_id": note["id"]})
    assert linked.status_code == 201, linked.text
    wish = {"record_type": "core.note", "id": note["id"], "version": 1, "meaning": "acknowledged"}
    signed = await qt.post("/esign", json=wish | {"credentials": {"password": PASSWORD}})
    assert signed.status_code == 201, signed.text
    link = f"/attachments/{file}/links/{linked.json()['id']}"
    qm = await sign_in(tenant, "QM")
    assert refused(await qm.delete(link, params={"reason": "wrong one"}), 409, "record_signed")
    shown = (await qm.get("/esign", params={"record_type": "core.note", "id": note["id"]})).json()["items"]
    assert [each["is_valid"] for each in shown] == [True]
    kept = note["anew"]["id"]
    signed = await qt.post("/esign", json=wish | {"id": kept, "credentials": {"pin": "5836"}})
    assert signed.status_code == 201, signed.text
    assert (await qt.post(f"/notes/{kept}:supersede", json={"body": "All clear"})).status_code == 200
    shown = (await qm.get("/esign", params={"record_type": "core.note", "id": kept})).json()["items"]
    assert [each["is_valid"] for each in shown] == [True]
