"""Notes: written about what one sees, seen by those who may, never changed, and told to the people they name."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from foodflow_kernel.ids import new_id
from server.app import RESOURCES
from server.core import links
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.models import Contact, Location, Note, Notification, NotificationRecipient
from server.plant_ops.models import ProductionBatch
from tests.conftest import a_tenant
from tests.server.conftest import SignIn, a_plant

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
    answer = await client.get("/notes", params=params)
    assert answer.status_code == 200, answer.text
    return [each["body"] for each in answer.json()["items"]]


async def test_a_note_is_written_read_and_said_anew(database: Database, tenant: TenantRef, sign_in: SignIn) -> None:
    plant = await a_plant(database, tenant)
    place = await a_place(database, tenant, plant)
    op, sv = await sign_in(tenant, "OP", plant), await sign_in(tenant, "SV", plant)
    note = await posted(op, place, "Dock door does not close", kind="handover")
    assert (note["state"], note["plant_id"], note["performed_by"]) == ("posted", str(plant), await me(op))
    assert "device_id" not in note and (await sv.get(f"/notes/{note['id']}")).json() == note
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
