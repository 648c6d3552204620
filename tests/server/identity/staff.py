"""A company with two administrators, a plant, and people made to measure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.core.feed import FeedRow
from server.identity import people, roles
from server.identity.models import Role, User
from tests.server.conftest import PASSWORD, a_plant


@dataclass
class Person:
    """Somebody signed in."""

    id: uuid.UUID
    badge: str
    client: httpx.AsyncClient

    async def permissions(self, plant: uuid.UUID | None = None) -> set[str]:
        answer = await self.client.get("/me/permissions", params={"plant": str(plant)} if plant else {})
        assert answer.status_code == 200, answer.text
        return set(answer.json()["permissions"])


@dataclass
class Staff:
    """A company to try rights in."""

    app: FastAPI
    database: Database
    tenant: TenantRef
    plant: uuid.UUID
    other_plant: uuid.UUID

    @classmethod
    async def hire(cls, app: FastAPI, database: Database, tenant: TenantRef) -> Staff:
        return cls(app, database, tenant, await a_plant(database, tenant), await a_plant(database, tenant, "P2"))

    async def person(self, *keys: str, plant: uuid.UUID | None = None, until: datetime | None = None) -> Person:
        badge = f"B-{uuid.uuid4().hex[:8]}"
        new = people.NewUser(
            login_code=badge, short_no="4242", printed_name=badge, password=PASSWORD, roles=keys, plant_id=plant,
            roles_until=until,
        )  # fmt: skip
        async with self.database.tenant_session(self.tenant.id, system(self.tenant.id)) as db:
            user = await people.add(db, new)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        made = Person(user.id, badge, httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1"))
        await self.enter(made)
        return made

    async def enter(self, person: Person) -> None:
        given = {"tenant": self.tenant.slug, "login": person.badge, "password": PASSWORD}
        answer = await person.client.post("/auth/login", json=given)
        assert answer.status_code == 200, answer.text
        person.client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def role(self, key: str, codes: Iterable[str]) -> uuid.UUID:
        """A role of the company's own, active."""
        async with self.database.tenant_session(self.tenant.id, system(self.tenant.id)) as db:
            return (await roles.define(db, key, key, codes)).id

    async def system_role(self, key: str) -> uuid.UUID:
        async with self.database.tenant_session(self.tenant.id, system(self.tenant.id)) as db:
            await people.ensure_roles(db)
            return (await db.scalars(select(Role.id).where(Role.key == key))).one()

    async def give(self, by: Person, to: Person, role_id: uuid.UUID, **over: Any) -> httpx.Response:
        given = {"role_id": str(role_id)} | {name: str(value) for name, value in over.items()}
        return await by.client.post(f"/users/{to.id}/roles", json=given)

    async def audited(self, entity: str) -> Sequence[AuditRow]:
        async with self.database.tenant_session(self.tenant.id) as db:
            rows = await db.scalars(select(AuditRow).where(AuditRow.entity == entity).order_by(AuditRow.seq))
            return rows.all()

    async def fed(self, person: Person) -> int:
        """How often the terminals were told of somebody."""
        async with self.database.tenant_session(self.tenant.id) as db:
            rows = await db.scalars(select(FeedRow.seq).where(FeedRow.row_id == person.id))
            return len(rows.all())

    async def epoch(self, person: Person) -> int:
        async with self.database.tenant_session(self.tenant.id) as db:
            return (await db.get_one(User, person.id)).token_epoch


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
