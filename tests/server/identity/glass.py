"""Who runs the platform, signed in, and what they open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import select

from server.core.audit import AuditRow
from server.core.db.sessions import Database, TenantRef
from tests.server.identity.test_tenants import PASSWORD, an_operator

WHY = "ticket 4711: lots are missing on the board"


@dataclass
class Platform:
    """Somebody who runs the platform.

    Args:
        own: signed in at the platform.
        inside: with the token of the last access that was opened.
    """

    own: httpx.AsyncClient
    inside: httpx.AsyncClient
    email: str
    token: str = field(default="", repr=False)

    async def enter(self) -> httpx.Response:
        answer = await self.own.post("/platform/login", json={"email": self.email, "password": PASSWORD})
        self.own.headers["Authorization"] = f"Bearer {answer.json().get('access_token')}"
        return answer

    async def open(self, tenant: TenantRef, hours: Any = 4, reason: str = WHY) -> httpx.Response:
        body = {"tenant_id": str(tenant.id), "reason": reason, "hours": hours}
        return self.keep(await self.own.post("/platform/break-glass", json=body))

    async def renew(self, access_id: str) -> httpx.Response:
        return self.keep(await self.own.post(f"/platform/break-glass/{access_id}:token"))

    def keep(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            self.token = answer.json()["access_token"]
            self.inside.headers["Authorization"] = f"Bearer {self.token}"
        return answer

    async def opened(self, tenant: TenantRef, hours: int = 4) -> str:
        answer = await self.open(tenant, hours)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["access"]["id"])


async def a_platform(app: FastAPI, database: Database) -> Platform:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    own, inside = (httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1") for _ in range(2))
    made = Platform(own, inside, await an_operator(database))
    assert (await made.enter()).status_code == 200
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def platform(app: FastAPI, database: Database) -> AsyncIterator[Platform]:
    made = await a_platform(app, database)
    yield made
    await made.own.aclose()
    await made.inside.aclose()


async def told(database: Database, tenant: TenantRef, action: str = "break_glass.%") -> Sequence[AuditRow]:
    """What the company's trail says of break-glass."""
    async with database.tenant_session(tenant.id) as db:
        rows = await db.scalars(select(AuditRow).where(AuditRow.action.like(action)).order_by(AuditRow.seq))
        return rows.all()
