"""Two at once: who comes second waits, and decides by what the first has left."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.content import ConfigState, FileState
from server.core.actor import system
from server.core.audit import AuditHead, AuditRow
from server.core.config import changing
from server.core.config.model import SystemConfig
from server.core.db.sessions import Database, TenantRef
from server.core.files import judging
from server.core.idempotency import IdempotencyKey
from server.core.models import Attachment, Location, TagLink
from tests.server.conftest import SignIn, a_plant
from tests.server.core.test_config import a_row
from tests.server.core.test_esign import sign
from tests.server.core.test_files import Clamd, clamd, files, png, refused, uploaded
from tests.server.core.test_idempotency import ONE, Place, place, send
from tests.server.core.test_notes import HERE, Ids, a_place, posted
from tests.server.core.test_tags import a_tag, mark, marked, merge
from tests.server.races import behind, in_turn, until_waiting

__all__ = ["clamd", "files", "place"]


@pytest_asyncio.fixture(loop_scope="session")
async def quality(tenant: TenantRef, sign_in: SignIn) -> httpx.AsyncClient:
    return await sign_in(tenant, "QM")


@pytest_asyncio.fixture(loop_scope="session", params=["core.location", "core.note"])
async def record(
    request: pytest.FixtureRequest, database: Database, tenant: TenantRef, quality: httpx.AsyncClient
) -> Ids:
    """A record that people change, and one that nobody changes and nobody can lock as a row."""
    place = await a_place(database, tenant, await a_plant(database, tenant))
    if request.param == "core.location":
        return place
    return {"entity": "core.note", "entity_id": (await posted(quality, place))["id"]}


@pytest.mark.parametrize("verb", ["update", "retire"])
async def test_a_record_that_is_just_being_changed_is_not_changed_by_who_has_not_seen_that(
    database: Database, tenant: TenantRef, sign_in: SignIn, verb: str
) -> None:
    admin, record = await sign_in(tenant, "TA"), await a_place(database, tenant, await a_plant(database, tenant))
    path, seen = f"/locations/{record['entity_id']}", {"If-Match": '"1"'}
    second = (
        admin.patch(path, json={"name": "Mine"}, headers=seen) if verb == "update" else admin.delete(path, headers=seen)
    )
    change = update(Location).values(name="Theirs", version=2)
    answer = await behind(database.tenant_session(tenant.id, system(tenant.id)), change, second)
    assert refused(answer, 412, "version_stale")
    assert (await admin.get(path)).json()["name"] == "Theirs"


@asynccontextmanager
async def patient(database: Database, tenant: TenantRef) -> AsyncIterator[AsyncSession]:
    """A session of the company's role that never looks whether two wait for each other: the other is ended."""
    engine = create_async_engine(database.cluster.base.set(username="postgres"), poolclass=NullPool)
    async with AsyncSession(engine) as db, db.begin():
        for line in ("deadlock_timeout = '1h'", f"ROLE {tenant.schema}", f"search_path = {tenant.schema}"):
            await db.execute(text(f"SET LOCAL {line}"))
        yield db


async def test_of_two_who_wait_for_each_other_one_is_told_to_try_again(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    admin, record = await sign_in(tenant, "TA"), await a_place(database, tenant, await a_plant(database, tenant))
    path = f"/locations/{record['entity_id']}"
    second = admin.patch(path, json={"name": "Mine"}, headers={"If-Match": '"1"'})
    change = update(Location).values(name="Theirs", version=2)
    answer = await behind(patient(database, tenant), select(AuditHead).with_for_update(), second, then=change)
    assert refused(answer, 503, "database_busy")
    assert answer.headers["Retry-After"] == "1"
    assert (await admin.get(path)).json()["name"] == "Theirs"
    again = await admin.patch(path, json={"name": "Mine"}, headers={"If-Match": '"2"'})
    assert (again.status_code, again.json()["name"]) == (200, "Mine")


async def test_a_plant_where_something_is_just_being_put_does_not_go(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    admin, plant = await sign_in(tenant, "TA"), await a_plant(database, tenant)
    now = database.clock.now()
    new = {"id": new_id(now), "created_at": now, "updated_at": now, "plant_id": plant, "code": "D1", "name": "Dock",
           "kind": "dock", **HERE}  # fmt: skip
    goes = admin.delete(f"/plants/{plant}", headers={"If-Match": '"1"'})
    first = database.tenant_session(tenant.id, system(tenant.id))
    assert refused(await behind(first, insert(Location).values(new), goes), 409, "plant_not_closed")


@pytest.mark.usefixtures("files")
async def test_a_file_is_not_taken_from_a_record_that_is_just_being_signed(
    app: FastAPI, database: Database, tenant: TenantRef, quality: httpx.AsyncClient, record: Ids
) -> None:
    path = f"/attachments/{await uploaded(app, quality, png())}/links"
    link = (await quality.post(path, json=record)).json()["id"]
    signs = sign(quality, record["entity_id"], record_type=record["entity"], meaning="reviewed")
    takes = quality.delete(f"{path}/{link}", params={"reason": "wrong one"})
    signed, taken = await in_turn(database.tenant_session(tenant.id, system(tenant.id)), signs, takes)
    assert signed.status_code == 201, signed.text
    assert refused(taken, 409, "record_signed")


@pytest.mark.usefixtures("files")
async def test_a_file_that_is_just_being_attached_is_attached_once(
    app: FastAPI, database: Database, tenant: TenantRef, quality: httpx.AsyncClient, record: Ids
) -> None:
    path = f"/attachments/{await uploaded(app, quality, png())}/links"
    first, again = await in_turn(
        database.tenant_session(tenant.id, system(tenant.id)), *(quality.post(path, json=record) for _ in range(2))
    )
    assert (first.status_code, again.json()) == (201, first.json())


@pytest.mark.usefixtures("files")
async def test_a_file_that_somebody_has_just_scanned_again_is_not_scanned_once_more(
    app: FastAPI, clamd: Clamd, database: Database, tenant: TenantRef, quality: httpx.AsyncClient
) -> None:
    clamd.says = b"INSTREAM size limit exceeded. ERROR\0"
    upload = await uploaded(app, quality, png())
    again = (
        update(Attachment)
        .where(Attachment.id == uuid.UUID(upload))
        .values(state=FileState.pending, finding=None, scanned_at=None)
    )
    work = judging.judge_waiting(app, tenant)
    await behind(database.tenant_session(tenant.id, system(tenant.id)), again, work)
    async with database.tenant_session(tenant.id) as db:
        said = await db.scalars(select(AuditRow.action).where(AuditRow.action == "core.attachment.rescan"))
        assert said.all() == []


async def test_a_value_that_was_just_withdrawn_does_not_begin(
    app: FastAPI, database: Database, tenant: TenantRef
) -> None:
    began = database.clock.now() - timedelta(hours=1)
    row = await a_row(database, tenant, state=ConfigState.scheduled, valid_from=began)
    gone = update(SystemConfig).where(SystemConfig.id == row.id).values(state=ConfigState.withdrawn)
    await behind(database.tenant_session(tenant.id, system(tenant.id)), gone, changing.turn(app, tenant))
    async with database.tenant_session(tenant.id) as db:
        assert (await db.scalars(select(SystemConfig.state))).all() == [ConfigState.withdrawn]
        assert (await db.scalars(select(AuditRow.action).where(AuditRow.action == "core.config.turn"))).all() == []


async def test_a_record_that_is_just_being_marked_with_the_tag_that_takes_over_is_marked_once(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    quality, place = await sign_in(tenant, "QM"), await a_place(database, tenant, await a_plant(database, tenant))
    old, kept = await a_tag(quality, "chilled"), await a_tag(quality, "cold chain")
    link = (await mark(quality, old, place)).json()
    now = database.clock.now()
    new = {"id": new_id(now), "created_at": now, "tag_id": uuid.UUID(kept), "entity": place["entity"],
           "entity_id": uuid.UUID(place["entity_id"]), "plant_id": uuid.UUID(link["plant_id"])}  # fmt: skip
    first = database.tenant_session(tenant.id, system(tenant.id))
    answer = await behind(first, insert(TagLink).values(new), merge(quality, old, kept))
    assert (answer.status_code, answer.json()["moved"], answer.json()["dropped"]) == (200, 0, 1), answer.text
    assert await marked(quality, kept) == [place["entity_id"]]


async def test_a_mark_that_is_just_being_taken_away_is_taken_away_once(
    database: Database, tenant: TenantRef, sign_in: SignIn
) -> None:
    quality, place = await sign_in(tenant, "QM"), await a_place(database, tenant, await a_plant(database, tenant))
    tag = await a_tag(quality, "chilled")
    path = f"/tags/{tag}/links/{(await mark(quality, tag, place)).json()['id']}"
    first = database.tenant_session(tenant.id, system(tenant.id))
    answer = await behind(first, delete(TagLink), quality.delete(path, params={"reason": "the wrong one"}))
    assert refused(answer, 404, "record_unknown")


async def test_a_key_that_another_request_is_just_forgetting_holds_nobody_up(
    database: Database, tenant: TenantRef, place: Place
) -> None:
    assert (await send(place.client, ONE, place.row("A"), "old")).status_code == 201
    gone = timedelta(hours=1)
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await db.execute(update(IdempotencyKey).values(expires_at=database.clock.now() - gone))
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await db.execute(delete(IdempotencyKey))
        another = asyncio.ensure_future(send(place.client, ONE, place.row("B"), "new"))
        await until_waiting(db, 1, another)
        assert another.done(), "it waits for what it has nothing to do with"
    assert (await another).status_code == 201
