"""Tenants come and go: schema, role, migration, registry row; all or nothing."""

from __future__ import annotations

import asyncio
import re

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import TENANT
from server.core.db import migrate, postgres
from server.core.db.sessions import Database, Tenant, TenantRef

SLUG = re.compile(r"^[a-z][a-z0-9_]{2,30}$")
RESERVED = frozenset({"platform", "public", "postgres", "foodflow", "foodflow_owner", "foodflow_platform", "admin"})


async def create_tenant(
    database: Database,
    slug: str,
    legal_name: str,
    *,
    gs1_company_prefix: str = "9501101",
    default_tz: str = "UTC",
    country: str = "US",
    currency: str = "USD",
) -> TenantRef:
    """Provision a tenant: role and schema, migrated, then entered in the registry as active.

    Raises:
        Invalid: `tenant_slug_invalid`, `gs1_prefix_invalid`.
        Refused: `tenant_exists`.
    """
    if not SLUG.match(slug) or slug in RESERVED:
        raise Invalid("tenant_slug_invalid", slug=slug)
    if not re.fullmatch(r"\d{6,12}", gs1_company_prefix):
        raise Invalid("gs1_prefix_invalid", prefix=gs1_company_prefix)
    schema = f"t_{slug}"
    now = database.clock.now()
    row = Tenant(
        id=new_id(now),
        slug=slug,
        schema_name=schema,
        legal_name=legal_name,
        gs1_company_prefix=gs1_company_prefix,
        default_tz=default_tz,
        country=country,
        currency=currency,
        state=TENANT.start,
        created_at=now,
    )
    try:
        # The registry row first: whoever loses a race for a slug stops here, before any schema.
        async with database.platform_session() as db:
            db.add(row)
    except IntegrityError as error:
        raise Refused("tenant_exists", slug=slug) from error
    try:
        await asyncio.to_thread(_build, database.cluster, schema)
        async with database.platform_session() as db:
            made = await db.get_one(Tenant, row.id)
            made.state = TENANT.move(made.state, "activate")
    except BaseException:
        await asyncio.to_thread(postgres.drop_tenant_role, database.cluster.owner, schema)
        async with database.platform_session() as db:
            await db.execute(delete(Tenant).where(Tenant.id == row.id))
        raise
    return await database.tenant_by_slug(slug)


def _build(cluster: postgres.Cluster, schema: str) -> None:
    postgres.create_tenant_role(cluster.owner, cluster, schema)
    migrate.upgrade(cluster.owner, "tenant", schema)


async def migrate_all(database: Database) -> list[str]:
    """Bring the platform and every tenant to the newest revision; the schemas migrated."""
    owner = database.cluster.owner
    await asyncio.to_thread(migrate.upgrade, owner, "platform", postgres.PLATFORM_SCHEMA)
    done = [postgres.PLATFORM_SCHEMA]
    for tenant in await database.tenants():
        await asyncio.to_thread(postgres.create_reader, owner, database.cluster, tenant.schema)
        await asyncio.to_thread(migrate.upgrade, owner, "tenant", tenant.schema)
        done.append(tenant.schema)
    return done
