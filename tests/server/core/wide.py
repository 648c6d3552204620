"""The product's application with one more resource, that may be asked everything of its table."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from decimal import Decimal

import httpx
from fastapi import FastAPI

from foodflow_kernel.ids import new_id
from server.app import API, create_app
from server.core.actor import system
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database, TenantRef
from server.core.resource import ANY, Resource, rooms
from server.core.settings import Settings
from server.plant_ops.models import Equipment
from server.plant_ops.resources import EQUIPMENT
from tests.server.conftest import SignIn

ALL = ("tag", "line_id", "criticality", "range_min", "calib_due_on", "test_every_min", "created_at")
WIDE = Resource(
    model=Equipment,
    owner="M",
    path="wide",
    code="plant_ops.equipment",
    writable=EQUIPMENT.writable,
    fixed=EQUIPMENT.fixed,
    hidden={"resolution"},
    filters=dict.fromkeys((*ALL, "names", "plant_id"), ANY),
    sorts=ALL,
    search=("tag", "equipment_class"),
)


def wide_app(cluster: Cluster, database: Database) -> FastAPI:
    app = create_app(Settings(anonymous_per_minute=0, requests_per_minute=0), database.clock, cluster)
    app.state.database = database
    for room in rooms((WIDE,)):
        app.include_router(room, prefix=API)
    return app


async def wide_client(
    app: FastAPI, sign_in: SignIn, tenant: TenantRef, role: str, plant: uuid.UUID | None = None
) -> httpx.AsyncClient:
    """A client of the wide application with the token of a new person of this role."""
    token = (await sign_in(tenant, role, plant_id=plant)).headers["Authorization"]
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="https://hub/api/v1", headers={"Authorization": token})


def an_instrument(database: Database, plant: uuid.UUID, number: int) -> Equipment:
    """One of many with few different values, so that every sort has ties and empty values."""
    return Equipment(
        id=new_id(database.clock.now()),
        plant_id=plant,
        tag=f"{'aB%_'[number % 4]}{number // 2}-{number}",
        names={"en": f"Scale {number}"},
        equipment_class=("scale", "probe")[number % 2],
        criticality="ABC"[number % 3],
        range_min=None if number % 5 == 0 else Decimal(number % 4) / 10 - 2,
        resolution=Decimal("0.1"),
        calib_due_on=None if number % 3 == 0 else date(2026, 11, 23) + timedelta(days=number % 3),
        test_every_min=None if number % 7 == 0 else number % 2,
    )


async def instruments(database: Database, tenant: TenantRef, plant: uuid.UUID, numbers: range) -> None:
    async with database.tenant_session(tenant.id, system(tenant.id)) as db:
        db.add_all([an_instrument(database, plant, number) for number in numbers])
