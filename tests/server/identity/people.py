"""People at the door: signed in by their own words, with both tokens in hand."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select, update

from server.core.actor import system
from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from server.identity.models import RefreshToken, User
from tests.server.conftest import PASSWORD, a_user


@dataclass
class Guest:
    """A person and the session they hold."""

    tenant: TenantRef
    badge: str
    client: httpx.AsyncClient
    access: str = ""
    refresh: str = ""
    password: str = PASSWORD

    async def enter(self) -> httpx.Response:
        given = {"tenant": self.tenant.slug, "login": self.badge, "password": self.password}
        return self.keep(await self.client.post("/auth/login", json=given))

    async def use(self, token: str | None = None) -> httpx.Response:
        return self.keep(await self.client.post("/auth/refresh", json={"refresh_token": token or self.refresh}))

    def keep(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code == 200:
            self.access, self.refresh = answer.json()["access_token"], answer.json()["refresh_token"]
        return answer

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token or self.access}"}
        return self.client.request(method, path, json=body, headers=headers)

    async def is_in(self) -> bool:
        answer = await self.call("GET", "/me")
        assert answer.status_code in (200, 401), answer.text
        return bool(answer.status_code == 200)


async def a_guest(database: Database, tenant: TenantRef, client: httpx.AsyncClient, role: str = "SV") -> Guest:
    guest = Guest(tenant, await a_user(database, tenant, role), client)
    assert (await guest.enter()).status_code == 200
    return guest


async def give_address(database: Database, guest: Guest, email: str, **more: Any) -> None:
    async with database.tenant_session(guest.tenant.id, system(guest.tenant.id)) as db:
        await db.execute(update(User).where(User.login_code == guest.badge).values(email=email, **more))


async def audited(database: Database, tenant: TenantRef) -> Sequence[str]:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        rows = await db.scalars(select(AuditRow.action).where(AuditRow.action.like("auth.%")).order_by(AuditRow.seq))
        return rows.all()


async def links(database: Database, tenant: TenantRef) -> Sequence[RefreshToken]:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        return (await db.scalars(select(RefreshToken))).all()


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return found


def user_id(guest: Guest) -> uuid.UUID:
    return uuid.UUID(claims_of(guest.access)["sub"])
