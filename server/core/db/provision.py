"""Tenants come: schema, role, migration, registry row; all or nothing."""

from __future__ import annotations

import asyncio
import re
import uuid
import zoneinfo
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import psycopg
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import TENANT
from foodflow_kernel.machines.identity import TenantState
from server.core.actor import system
from server.core.db import migrate, postgres
from server.core.db.registry import REGIMES, RESERVED, Tenant, TenantRef
from server.core.db.sessions import Database

LONGEST_NAME = 200
"""[characters]"""
SLUG = re.compile(r"[a-z][a-z0-9_]{2,30}")

Fill = Callable[[AsyncSession], Awaitable[object]]
"""Puts into a new tenant's schema what no migration does: the system roles."""


Build = Callable[[postgres.Cluster, TenantRef], None]
"""Makes a tenant's role and schema, in a thread."""


def check(
    slug: str,
    legal_name: str,
    gs1_company_prefix: str,
    default_tz: str,
    country: str,
    currency: str,
    regimes: Sequence[str],
) -> None:
    """What the platform's CHECKs would refuse, and a time zone that nobody knows.

    Raises:
        Invalid: `tenant_slug_invalid`, `legal_name_invalid`, `gs1_prefix_invalid`, `time_zone_unknown`,
            `country_invalid`, `currency_invalid`, `regime_unknown`.
    """
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        raise Invalid("tenant_slug_invalid", slug=slug)
    if not legal_name.strip() or len(legal_name) > LONGEST_NAME or "\0" in legal_name:
        raise Invalid("legal_name_invalid")
    if not re.fullmatch(r"[0-9]{6,12}", gs1_company_prefix):
        raise Invalid("gs1_prefix_invalid", prefix=gs1_company_prefix)
    if default_tz not in zoneinfo.available_timezones():
        raise Invalid("time_zone_unknown", tz=default_tz[:80])
    if not re.fullmatch("[A-Z]{2}", country):
        raise Invalid("country_invalid", country=country)
    if not re.fullmatch("[A-Z]{3}", currency):
        raise Invalid("currency_invalid", currency=currency)
    if unknown := sorted(set(regimes) - set(REGIMES)):
        raise Invalid("regime_unknown", regime=unknown[0])


async def create_tenant(
    database: Database,
    slug: str,
    legal_name: str,
    *,
    gs1_company_prefix: str = "9501101",
    default_tz: str = "UTC",
    country: str = "US",
    currency: str = "USD",
    regimes: Sequence[str] = (),
    fill: Fill | None = None,
    tenant_id: uuid.UUID | None = None,
    build: Build | None = None,
) -> TenantRef:
    """Provision a tenant: role and schema, migrated and filled, then entered in the registry as active.

    Args:
        fill: what is put into the new schema, in a session of the new tenant.
        tenant_id: an id it had before.
        build: what makes role and schema; by default an empty one at the newest revision.

    Raises:
        Invalid: as ``check``.
        Refused: `tenant_exists`, also while another makes it.
    """
    check(slug, legal_name, gs1_company_prefix, default_tz, country, currency, regimes)
    now = database.clock.now()
    row = Tenant(
        id=tenant_id or new_id(now),
        slug=slug,
        schema_name=f"t_{slug}",
        legal_name=legal_name,
        gs1_company_prefix=gs1_company_prefix,
        default_tz=default_tz,
        country=country,
        currency=currency,
        regimes=sorted(set(regimes)),
        state=TENANT.start,
        created_at=now,
    )
    async with _alone(database, slug):
        await _sweep(database, slug)
        try:
            async with database.platform_session() as db:
                db.add(row)
            await asyncio.to_thread(build or _build, database.cluster, row.ref())
            if fill is not None:
                async with database.tenant_session(row.id, system(row.id, "foodflow-server")) as db:
                    await fill(db)
            async with database.platform_session() as db:
                made = await db.get_one(Tenant, row.id)
                made.state = TENANT.move(made.state, "activate")
                made.schema_revision = migrate.head("tenant")
        except BaseException:
            # Also when told to stop: half a tenant is none.
            await asyncio.shield(_undo(database, row.ref()))
            raise
    database.registry.forget(row.id)
    return await database.tenant(row.id)


@asynccontextmanager
async def _alone(database: Database, slug: str) -> AsyncIterator[None]:
    """Nobody else makes this tenant meanwhile; a process that dies lets go."""
    conninfo = database.cluster.owner.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as db:
        got = await (
            await db.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 1))", (f"tenant:{slug}",))
        ).fetchone()
        if got != (True,):
            raise Refused("tenant_exists", slug=slug)
        yield


async def _sweep(database: Database, slug: str) -> None:
    """Take away what a process left that died while it made this tenant.

    Raises:
        Refused: `tenant_exists`.
    """
    async with database.platform_session() as db:
        found = await db.scalar(select(Tenant).where(Tenant.slug == slug))
    if found is None:
        return
    if found.state is not TenantState.provisioning:
        raise Refused("tenant_exists", slug=slug)
    await _undo(database, found.ref())


async def _undo(database: Database, tenant: TenantRef) -> None:
    """No schema, no role, no entry."""
    await database.forget(tenant)
    await asyncio.to_thread(postgres.drop_tenant_role, database.cluster.owner, tenant.schema)
    await asyncio.to_thread(postgres.drop_platform_parts, database.cluster.owner, tenant.id)
    async with database.platform_session() as db:
        await db.execute(delete(Tenant).where(Tenant.id == tenant.id))


def _build(cluster: postgres.Cluster, tenant: TenantRef) -> None:
    postgres.create_tenant_role(cluster.owner, cluster, tenant.schema)
    migrate.upgrade(cluster.owner, "tenant", tenant.schema)
