import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import Table, func, insert, select

import server.app  # noqa: F401  # every table there is
from foodflow_kernel.rules.weight import WeightVerdict
from server.core.db import FactRow, TenantBase, copying
from server.core.db.sessions import Database, TenantRef
from server.core.stamp import server_born
from server.plant_ops.models import LineCount, QualityCheck, SensorBlock
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


def fact_tables() -> list[Table]:
    return [
        mapper.local_table
        for mapper in TenantBase.registry.mappers
        if issubclass(mapper.class_, FactRow) and isinstance(mapper.local_table, Table)
    ]


@pytest.mark.parametrize("table", sorted(fact_tables(), key=lambda table: table.name), ids=lambda table: table.name)
def test_every_column_of_a_fact_table_can_be_copied(table: Table) -> None:
    nothing = dict.fromkeys((column.name for column in table.c), None)
    assert copying.encode(table, [nothing]).endswith(copying.NULL + copying.END)


async def test_copied_values_are_those_that_an_insert_stores(database: Database, tenant: TenantRef) -> None:
    blocks = [
        server_born(NOW, uuid4()).columns()
        | {
            "correction_reason": 'tab\there, \\N, "ß"' if n % 2 else None,
            "hash": bytes(range(32)),
            "lane": 3,
            "sensor_id": uuid4(),
            "from_at": NOW + timedelta(microseconds=n),
            "period_ms": 100,
            "step": step,
            "first": -(2**40),
            "deltas": deltas,
            "samples": n,
        }
        for n, (step, deltas) in enumerate(
            itertools.product(
                (Decimal("0.1"), Decimal("-12345.678901"), Decimal("1e3"), Decimal(0)),
                ([], [None], [1, None, -1, 2**40], list(range(-300, 300))),
            )
        )
    ]
    await _same_both_ways(database, tenant, SensorBlock, blocks)


async def test_copied_json_texts_and_verdicts_are_those_that_an_insert_stores(
    database: Database, tenant: TenantRef
) -> None:
    checks = [
        server_born(NOW, None).columns()
        | dict.fromkeys(("batch_id", "item_id", "check_id"), uuid4())
        | dict.fromkeys(("lot_id", "equipment_id", "reason_code"))
        | {
            "sample_no": n,
            "net_g": Decimal(n) / 8,
            "tare_g": Decimal("12.00005"),
            "source": "scale",
            "limits": {"low_g": "591", "note": "ü\n", "deep": [None, {}]},
            "result_kiosk": WeightVerdict.too_light,
            "result_server": WeightVerdict.in_tolerance,
            "flags": ["STALE_USER", 'a "quoted", {flag}'][: n % 3],
        }
        for n in range(20)
    ]
    await _same_both_ways(database, tenant, QualityCheck, checks)


async def _same_both_ways(
    database: Database, tenant: TenantRef, model: type[SensorBlock | QualityCheck], rows: list[dict[str, Any]]
) -> None:
    table = cast("Table", model.__table__)
    again = [row | {"id": uuid4()} for row in rows]
    async with database.tenant_session(tenant.id) as db:
        assert await copying.insert_new(db, table, rows) == len(rows)
        await db.execute(insert(table), again)

        question = select(*(column for column in table.c if column.name != "id"), table.c.id)
        found = {row.id: tuple(row)[:-1] for row in await db.execute(question)}
        assert [found[row["id"]] for row in rows] == [found[row["id"]] for row in again]
