from typing import cast
from uuid import uuid4

from sqlalchemy import Table, func, select

from server.core.db import copying
from server.core.db.sessions import Database, TenantRef
from server.core.stamp import server_born
from server.plant_ops.models import LineCount
from tests.server.factories import NOW

TABLE = cast("Table", LineCount.__table__)


def rows(count: int) -> list[dict[str, object]]:
    line = uuid4()
    return [
        server_born(NOW, None).columns()
        | {"line_id": line, "batch_id": None, "delta": n, "total": n, "raw": n, "from_at": NOW, "was_reset": False}
        for n in range(count)
    ]


async def test_new_rows_are_stored_whether_few_or_many(database: Database, tenant: TenantRef) -> None:
    async with database.tenant_session(tenant.id) as db:
        assert await copying.insert_new(db, TABLE, []) == 0
        assert await copying.insert_new(db, TABLE, rows(copying.FEW - 1)) == copying.FEW - 1
        assert await copying.insert_new(db, TABLE, rows(300)) == 300
        assert await db.scalar(select(func.count()).select_from(LineCount)) == 300 + copying.FEW - 1


async def test_rows_that_are_there_already_are_left_alone(database: Database, tenant: TenantRef) -> None:
    first, second = rows(100), rows(50)
    async with database.tenant_session(tenant.id) as db:
        await copying.insert_new(db, TABLE, first)
        assert await copying.insert_new(db, TABLE, [*first, *second, *second]) == 50
        assert await db.scalar(select(func.count()).select_from(LineCount)) == 150
        assert await db.scalar(select(func.sum(LineCount.delta))) == sum(range(100)) + sum(range(50))
