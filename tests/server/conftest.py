"""The application in this process, and people signed in to it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import time

import httpx
import pytest_asyncio
from fastapi import FastAPI

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.ids import new_id
from server.app import create_app
from server.core.actor import system
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database, TenantRef
from server.core.models import Plant
from server.core.settings import Settings
from server.identity import people

PASSWORD = "a password of the tests"  # noqa: S105  # of accounts that live for one test
SignIn = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def app(cluster: Cluster, database: Database) -> AsyncIterator[FastAPI]:
    """The product's application over the test cluster."""
    # Hundreds of people sign in from one address in a minute here.
    made = create_app(Settings(anonymous_per_minute=0, requests_per_minute=0), database.clock, cluster)
    async with made.router.lifespan_context(made):
        await made.state.database.close()
        made.state.database = database
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def anonymous(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client nobody is signed in at."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1") as client:
        yield client


async def a_plant(database: Database, tenant: TenantRef, code: str = "P1") -> uuid.UUID:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        plant = Plant(
            id=new_id(database.clock.now()),
            code=code,
            name=f"Plant {code}",
            tz="UTC",
            day_start=time(6),
            auto_lock_s=120,
            microstop_s=120,
        )
        db.add(plant)
    return plant.id


async def a_user(database: Database, tenant: TenantRef, role: str, plant_id: uuid.UUID | None = None) -> str:
    """A person with one role; the badge to sign in with."""
    badge = f"FFB-{uuid.uuid4().hex[:8]}"
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        await people.add(
            db,
            people.NewUser(
                login_code=badge,
                short_no="4242",
                printed_name=f"{role} {badge}",
                password=PASSWORD,
                pin="5836",
                roles=(role,),
                plant_id=plant_id,
            ),
        )
    return badge


@pytest_asyncio.fixture(loop_scope="session")
async def sign_in(app: FastAPI, database: Database) -> AsyncIterator[SignIn]:
    """``await sign_in(tenant, "SV", plant_id=...)``: a client of a new person with that role."""
    opened: list[httpx.AsyncClient] = []

    async def make(tenant: TenantRef, role: str, plant_id: uuid.UUID | None = None) -> httpx.AsyncClient:
        badge = await a_user(database, tenant, role, plant_id)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1")
        opened.append(client)
        answer = await client.post("/auth/login", json={"tenant": tenant.slug, "login": badge, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    yield make
    for client in opened:
        await client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def frozen(database: Database) -> AsyncIterator[FakeClock]:
    """The clock of the application under test, put back afterwards."""
    clock = database.clock
    assert isinstance(clock, FakeClock)
    at = clock.at
    yield clock
    clock.at = at
