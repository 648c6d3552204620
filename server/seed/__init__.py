"""The demo: two companies with a plant each, in the middle of shift A. Seeding twice changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotFound
from server.core.actor import system
from server.core.db.provision import create_tenant
from server.core.db.sessions import Database, TenantRef
from server.core.models import Plant
from server.identity import people
from server.seed import catalogue, history, world
from server.seed.moment import Moment


@dataclass(frozen=True, slots=True)
class Company:
    """A demo company."""

    slug: str
    legal_name: str
    gs1_company_prefix: str
    plant_code: str


PASSWORDS: dict[str, str] = {
    "OP": "demo-operator-on-the-line",
    "QT": "demo-quality-at-the-line",
    "SV": "demo-supervisor-of-the-shift",
    "QM": "demo-quality-manager-signs",
}
"""Of the demo only; printed when it is seeded, and said in the users' guide."""

COMPANIES: tuple[Company, ...] = (
    Company("harvest", "Harvest Kitchen Foods", "9501101", "P1"),
    Company("meadow", "Meadow Lane Foods", "9506000", "P1"),
)
"""The first is the one the demo plays in; the second has the same kinds of rows."""


async def seed(database: Database) -> list[TenantRef]:
    """Make the demo companies, each with its plant, people and history; what is there stays as it is."""
    made = []
    for company in COMPANIES:
        try:
            tenant = await database.tenant_by_slug(company.slug)
        except NotFound:
            tenant = await create_tenant(
                database, company.slug, company.legal_name, gs1_company_prefix=company.gs1_company_prefix
            )
        await plant(database, tenant, company.plant_code)
        made.append(tenant)
    return made


async def plant(database: Database, tenant: TenantRef, code: str = "P1") -> None:
    """The demo plant of one tenant, if it has none of this code yet."""
    when = Moment.at(database.clock.now())
    async with database.tenant_session(tenant.id, system(tenant.id, "seed")) as db:
        if await db.scalar(select(Plant.id).where(Plant.code == code)) is not None:
            return
        built = await world.build(db, tenant, when, code)
        await history.tell(built, await crew(db, tenant, built.plant.id))


async def crew(db: AsyncSession, tenant: TenantRef, plant_id: UUID) -> dict[str, UUID]:
    """The people of the demo, by number, with their roles at this plant."""
    made = {}
    for number, name, es, role, code in catalogue.PEOPLE:
        new = people.NewUser(
            login_code=f"FFB-{number}",
            short_no=number,
            printed_name=name,
            names=catalogue.named(name, es),
            email=f"{number}@{tenant.slug}.example",
            password=PASSWORDS[role],
            pin=code,
            roles=(role,),
            plant_id=plant_id,
        )
        made[number] = (await people.add(db, new)).id
    return made
