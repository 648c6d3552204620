"""Which value holds at a place and an instant: the narrowest that is in force."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotFound
from foodflow_kernel.machines.content import ConfigState
from server.core.config import keys
from server.core.config.keys import RANK, Scope
from server.core.config.model import SystemConfig
from server.core.db import PlatformBase, TenantBase
from server.core.db.sessions import Database

log = logging.getLogger(__name__)

IN_FORCE = (ConfigState.scheduled, ConfigState.effective, ConfigState.superseded)


@dataclass(frozen=True, slots=True)
class Place:
    """A terminal on a line in a plant; what is not known stays None."""

    plant_id: uuid.UUID | None = None
    line_id: uuid.UUID | None = None
    device_id: uuid.UUID | None = None

    def of(self, scope: Scope) -> uuid.UUID | None:
        """The place of a scope."""
        return {Scope.plant: self.plant_id, Scope.line: self.line_id, Scope.device: self.device_id}.get(scope)


async def effective(
    db: AsyncSession,
    key: str,
    at: datetime,
    *,
    plant_id: uuid.UUID | None = None,
    line_id: uuid.UUID | None = None,
    device_id: uuid.UUID | None = None,
) -> Any:
    """The value of a key that holds, or held, at an instant and a place.

    Raises:
        Invalid: `config_key_unknown`.
    """
    _, value = await found(db, key, at, Place(plant_id, line_id, device_id))
    return value


async def found(db: AsyncSession, key: str, at: datetime, place: Place) -> tuple[SystemConfig | None, Any]:
    """The row that decides, and the value; no row: the default."""
    known = keys.of(key)
    here = [
        and_(SystemConfig.scope == scope, SystemConfig.scope_id == place.of(scope))
        for scope in (Scope.plant, Scope.line, Scope.device)
        if place.of(scope) is not None
    ]
    statement = select(SystemConfig).where(
        SystemConfig.key == key,
        SystemConfig.state.in_(IN_FORCE),
        SystemConfig.valid_from <= at,
        or_(SystemConfig.valid_to.is_(None), SystemConfig.valid_to > at),
        or_(SystemConfig.scope.in_((Scope.system, Scope.tenant)), *here),
    )
    rows = sorted((await db.scalars(statement)).all(), key=lambda row: RANK[row.scope], reverse=True)
    for row in rows:
        if row.value is None:
            continue
        try:
            return row, known.type.validate_python(row.value)
        except ValidationError:
            # Set under an older release that allowed it: the next wider value is safer than none.
            log.warning("a stored setting does not fit its type", extra={"key": key, "config": str(row.id)})
    return None, known.default


async def place_of(db: AsyncSession, database: Database, scope: Scope, scope_id: uuid.UUID | None) -> Place:
    """The place a scope names, with the plant and line around it.

    Raises:
        NotFound: `record_unknown`, also for a place of another company.
    """
    if scope in (Scope.system, Scope.tenant):
        return Place()
    place: Place | None = None
    if scope is Scope.device:
        device = PlatformBase.metadata.tables["device"].c
        asked = select(device.plant_id, device.line_id).where(
            device.id == scope_id, device.tenant_id == db.info["tenant_id"], device.plant_id.is_not(None)
        )
        async with database.platform_session() as platform:
            row = (await platform.execute(asked)).one_or_none()
        place = Place(row.plant_id, row.line_id, scope_id) if row else None
    elif scope is Scope.line:
        line = TenantBase.metadata.tables["plant_ops_line"].c
        plant_id = await db.scalar(select(line.plant_id).where(line.id == scope_id))
        place = Place(plant_id, scope_id) if plant_id else None
    else:
        plant = TenantBase.metadata.tables["core_plant"].c
        plant_id = await db.scalar(select(plant.id).where(plant.id == scope_id))
        place = Place(plant_id) if plant_id else None
    if place is None:
        raise NotFound("record_unknown", id=scope_id)
    return place
