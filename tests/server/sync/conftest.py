"""The application in this process, spoken to over HTTP, with terminals that are approved."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest_asyncio
from fastapi import FastAPI

from foodflow_kernel.machines.identity import DeviceState
from server.app import create_app
from server.core.actor import system
from server.core.settings import Settings
from server.identity import people
from server.identity.platform import DeviceRow
from tests.server.sync.terminal import Device

PASSWORD = "a long enough password"  # noqa: S105


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def app(cluster, database) -> AsyncIterator[FastAPI]:
    settings = Settings(data_folder=Path("/nonexistent"), anonymous_per_minute=0, requests_per_minute=0)
    made = create_app(settings, database.clock, cluster)
    async with made.router.lifespan_context(made):
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def http(app) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server/api/v1") as client:
        yield client


async def approve(database, device: Device, name: str = "T-07", state: DeviceState = DeviceState.approved) -> Device:
    """Enter a terminal in the platform's registry, as pairing does."""
    now = database.clock.now()
    async with database.platform_session() as db:
        await db.merge(
            DeviceRow(
                id=device.device,
                tenant_id=device.tenant.id,
                state=state,
                commitment=bytes(32),
                server_nonce=bytes(32),
                public_key=device.terminal_key,
                secret=None,
                code=None,
                expires_at=now,
                machine_name="kiosk",
                app="0.1.0",
                plant_id=device.plant,
                plant_name="Plant 1",
                line_id=None,
                name=name,
                area="Cook & Fill hall",
                pepper=hashlib.sha256(device.device.bytes).digest(),
                created_at=now,
                approved_by=None,
                approved_at=now,
                revoked_at=now if state is DeviceState.revoked else None,
            )
        )
    return device


@pytest_asyncio.fixture(loop_scope="session")
async def device(database, tenant) -> Device:
    return await approve(database, Device(tenant))


@pytest_asyncio.fixture(loop_scope="session")
async def supervisor(database, tenant, http) -> Callable[..., Awaitable[httpx.Response]]:
    """Calls the API as a supervisor of the tenant."""
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        code = f"S-{uuid4().hex[:6]}"
        new = people.NewUser(
            login_code=code, short_no="3001", printed_name="Mara Voss", password=PASSWORD, roles=("SV",)
        )
        await people.add(db, new)
    body = {"tenant": tenant.slug, "login": code, "password": PASSWORD}
    session = (await http.post("/auth/login", json=body)).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}

    async def call(method: str, path: str, **kwargs) -> httpx.Response:
        return await http.request(method, path, headers=headers, **kwargs)

    return call
