"""Build the application from its registries: resources, routers, reactions. Nothing else is here."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from fastapi import FastAPI, Response
from pydantic import BaseModel

from foodflow_kernel.clock import Clock
from server.core import (
    access,
    audit_log,
    door,
    http,
    links,
    mail,
    metrics,
    notes,
    places,
    readiness,
    seals,
    signatures,
    tags,
    traces,
)
from server.core.backup import due
from server.core.config import changing as config_changing
from server.core.config import routes as config
from server.core.db.postgres import Cluster
from server.core.db.sessions import Database
from server.core.events import Reactions
from server.core.files import judging, scanning
from server.core.files import routes as files
from server.core.files.store import Files
from server.core.jobs import Job, Periodic, worker
from server.core.later import Later
from server.core.limits import Limits
from server.core.live import log as live_log
from server.core.live.hub import Hub
from server.core.resource import Resource, rooms
from server.core.room import PREFIX, House, Room
from server.core.settings import Settings
from server.core.tls import Certificates
from server.flows import reactions as flows_reactions
from server.flows import resources as flows
from server.flows import routes as reports
from server.flows import streams
from server.fsq import resources as fsq
from server.identity import (
    api_keys,
    break_glass,
    devices,
    invitations,
    keys,
    operators,
    pins,
    platform_users,
    recovery,
    remembering,
    rights,
    second_factor,
    sign_in,
    signing,
    tenants,
    tickets,
    tidying,
)
from server.identity import resources as identity
from server.identity.notices import inbox, jobs
from server.planning import resources as planning
from server.plant_ops import resources as plant_ops
from server.sync import exchange, safe_rounds
from server.sync import reactions as sync_reactions
from server.sync import reports as sync_reports
from server.sync import routes as sync

API = PREFIX

RESOURCES: tuple[Resource, ...] = (
    *places.RESOURCES,
    *config.RESOURCES,
    *files.RESOURCES,
    *notes.RESOURCES,
    *tags.RESOURCES,
    *identity.RESOURCES,
    *planning.RESOURCES,
    *plant_ops.RESOURCES,
    *fsq.RESOURCES,
    *flows.RESOURCES,
)
"""Every table that the API offers; tests, docs and permissions iterate this."""

ROUTERS: tuple[Room, ...] = (
    sign_in.router,
    keys.router,
    second_factor.router,
    pins.router,
    invitations.router,
    recovery.router,
    operators.router,
    platform_users.router,
    tenants.router,
    break_glass.router,
    rights.router,
    api_keys.router,
    devices.router,
    audit_log.router,
    signatures.router,
    config.router,
    files.router,
    notes.router,
    tags.router,
    inbox.router,
    tickets.router,
    streams.router,
    sync.router,
    sync_reports.router,
    reports.router,
)
"""What is not a plain table."""

JOBS: tuple[Job, ...] = (
    *identity.JOBS,
    *seals.JOBS,
    *keys.JOBS,
    *pins.JOBS,
    *break_glass.JOBS,
    *tidying.JOBS,
    *config_changing.JOBS,
    *jobs.JOBS,
    *judging.JOBS,
    Periodic("core.live_prune", 600, live_log.prune),
    *safe_rounds.JOBS,
)
"""What is done again and again, for each tenant or for all together."""

REACTIONS: Reactions = {**flows_reactions.REACTIONS, **sync_reactions.REACTIONS}
"""Event to what reacts, from flows."""

VERSION = "0.1.0"


class Health(BaseModel):
    """Whether this process can serve.

    Args:
        backup: how the backups stand; information, never a reason to send nobody here.
        backup_age_s: seconds since the last good verification of one.
    """

    status: str
    version: str
    backup: due.Outcome | None = None
    backup_age_s: int | None = None


def create_app(
    settings: Settings,
    clock: Clock,
    cluster: Cluster,
    certificates: Certificates | None = None,
    *,
    with_worker: bool = False,
) -> FastAPI:
    """The application of one process.

    Args:
        settings: what the administrator set.
        clock: where the product gets its time from.
        cluster: the database, already migrated.
        certificates: what is served with; the CA is offered to terminals for pinning.
        with_worker: whether this process also does the periodic jobs.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(cluster, clock, max_connections=settings.max_connections, max_engines=settings.max_engines)
        app.state.database, app.state.later, app.state.hub = database, Later(), Hub(cluster, settings.max_listeners)
        app.state.measures.watch(database)
        try:
            async with exchange.open_desk(app), worker(app, cluster, JOBS) if with_worker else nullcontext():
                yield
        finally:
            await app.state.hub.close()
            await app.state.later.finish()
            await database.close()
            app.state.tracer.close()

    app = FastAPI(
        title="FoodFlow OS",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        responses={400: access.PROBLEMS[400]},
    )
    house = House(
        routes=app.router.routes,
        lifespan=lifespan,
        responses=app.router.responses,
        dependency_overrides_provider=app,
    )
    app.router = house
    app.state.settings, app.state.clock, app.state.secret = settings, clock, cluster.secret
    app.state.authenticator, app.state.signer, app.state.reactions = (
        remembering.Signed(),
        signing.Signatory(cluster.secret),
        REACTIONS,
    )
    app.state.keyring = keys.Keyring(cluster.secret)
    app.state.authenticate_ticket, app.state.living = tickets.authenticate, tickets.living
    app.state.mail = mail.from_settings(settings, clock)
    app.state.files, app.state.scanner = Files(settings), scanning.from_settings(settings)
    app.state.records = links.records(RESOURCES)
    app.state.sync_health = sync_reports.read_health
    app.state.ca_der = certificates.ca_der if certificates else b""
    app.state.limits = Limits(settings.requests_per_minute, settings.anonymous_per_minute)
    app.state.measures, app.state.tracer = metrics.Measures(), traces.to(settings.otlp_endpoint)
    app.state.measures.watch_backups(lambda: _or_never(due.standing(settings, clock.now()).age_s))
    http.install(app)
    door.install(app, app.state.measures, app.state.tracer)

    @app.get(f"{API}/health/live", tags=["operations"])
    async def live() -> Health:
        """Whether the process answers at all: if not, start it anew."""
        return Health(status="ok", version=VERSION)

    @app.get(f"{API}/health", tags=["operations"], responses={503: {"model": Health, "description": "Not now"}})
    async def health(response: Response) -> Health:
        """Whether the process can do its work: its database answers, is migrated, and there is room on the disk."""
        status = await readiness.status(app.state.database, settings.data_folder)
        response.status_code = 200 if status == readiness.OK else 503
        stands = await asyncio.to_thread(due.standing, settings, clock.now())
        age_s = None if stands.age_s is None else int(stands.age_s)
        return Health(status=status, version=VERSION, backup=stands.outcome, backup_age_s=age_s)

    @app.get(f"{API}/ca", tags=["operations"], response_class=Response)
    async def ca() -> Response:
        """The CA that terminals pin, as PEM; the four pairing words tell whether it is the right one."""
        pem = certificates.ca.read_bytes() if certificates else b""
        return Response(pem, media_type="application/x-pem-file")

    for each in (*ROUTERS, *rooms(RESOURCES)):
        house.add(each)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # FastAPI's way to complete the document
    return app


def _or_never(age_s: float | None) -> float:
    return math.inf if age_s is None else age_s


def _document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with what a problem is."""
    if app.openapi_schema is None:
        made = FastAPI.openapi(app)
        made.setdefault("components", {}).setdefault("schemas", {})["Problem"] = access.PROBLEM_SCHEMA
    return app.openapi_schema or {}
