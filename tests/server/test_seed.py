from collections.abc import Sequence

from sqlalchemy import func, select

from server import seed
from server.core.db.sessions import Database, TenantRef
from server.fsq.models import Deviation, Lot, LotHold, Pallet, TraceLink
from server.planning.models import BomLine
from server.plant_ops.models import Downtime, LineCount, LineEvent, ProductionBatch, ReasonCode

COUNTED = (Lot, LotHold, Pallet, TraceLink, Deviation, BomLine, Downtime, LineCount, LineEvent, ProductionBatch)


async def counted(database: Database, tenant: TenantRef) -> Sequence[int]:
    async with database.tenant_session(tenant.id) as db:
        return [await db.scalar(select(func.count()).select_from(model)) or 0 for model in COUNTED]


async def test_seeding_twice_changes_nothing(database: Database, tenant: TenantRef) -> None:
    await seed.plant(database, tenant)
    first = await counted(database, tenant)
    await seed.plant(database, tenant)
    assert await counted(database, tenant) == first
    assert 0 not in first


async def test_the_demo_has_what_the_pictures_show(database: Database, tenant: TenantRef) -> None:
    await seed.plant(database, tenant)
    async with database.tenant_session(tenant.id) as db:
        stops = select(ReasonCode.names).where(ReasonCode.tree == "downtime").order_by(ReasonCode.sort)
        names = (await db.scalars(stops)).all()
        assert len(names) == 12
        assert names[0] == {"en": "Product jam", "es": "Atasco de producto"}
        assert (await db.scalars(select(Deviation.number))).all() == ["DV-0092"]
        shipped = select(func.sum(Pallet.qty)).where(Pallet.status == "shipped")
        assert await db.scalar(shipped) == 4 * 48 * 12 + 2 * 60 * 12
        ssccs = (await db.scalars(select(Pallet.sscc).order_by(Pallet.sscc))).all()
        assert [sscc[-5:-1] for sscc in ssccs] == ["5490", "5491", *(f"55{n:02d}" for n in range(1, 7))]
