"""Which terminal is which: the platform knows whose it is, before any tenant's data is opened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from foodflow_kernel.machines.identity import DeviceState
from server.core.db.sessions import Database
from server.identity.platform import DeviceRow
from server.sync.stored import Terminal

_COLUMNS = (
    DeviceRow.id,
    DeviceRow.tenant_id,
    DeviceRow.plant_id,
    DeviceRow.line_id,
    DeviceRow.name,
    DeviceRow.area,
    DeviceRow.public_key,
    DeviceRow.pepper,
    DeviceRow.state,
)
"""Columns, not the mapped row: every request of a terminal asks for it, and nobody changes it here."""


async def find(database: Database, device_id: UUID) -> Terminal | None:
    """A terminal by its id alone, approved or revoked; None while pending or unknown."""
    question = select(*_COLUMNS).where(DeviceRow.id == device_id)
    async with database.platform_session() as db:
        row = (await db.execute(question)).one_or_none()
    return None if row is None else _terminal(row)


async def of_tenant(database: Database, tenant_id: UUID) -> list[Terminal]:
    """All terminals of a tenant that were ever approved, by name."""
    question = select(*_COLUMNS).where(DeviceRow.tenant_id == tenant_id).order_by(DeviceRow.name, DeviceRow.id)
    async with database.platform_session() as db:
        rows = (await db.execute(question)).all()
    return [terminal for row in rows if (terminal := _terminal(row)) is not None]


def _terminal(row: Row[*tuple[Any, ...]]) -> Terminal | None:
    if row.tenant_id is None or row.plant_id is None or row.public_key is None:
        return None
    if row.state is DeviceState.pending:
        return None
    return Terminal(
        device_id=row.id,
        tenant_id=row.tenant_id,
        plant_id=row.plant_id,
        line_id=row.line_id,
        name=row.name or "",
        area=row.area or "",
        public_key=row.public_key,
        pepper=row.pepper,
        is_revoked=row.state is DeviceState.revoked,
    )
