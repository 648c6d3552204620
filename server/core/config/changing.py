"""Setting a value: propose, sign, withdraw; and time, which makes it effective."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import CONFIG
from foodflow_kernel.machines.content import ConfigState
from foodflow_kernel.rules import part11
from server.core import audit
from server.core.actor import Actor, ActorKind, system
from server.core.config import keys
from server.core.config.effective import IN_FORCE, Place
from server.core.config.keys import Scope
from server.core.config.model import SystemConfig
from server.core.db.sessions import Database, TenantRef
from server.core.jobs import Periodic
from server.core.regimes import regimes_of

if TYPE_CHECKING:
    from fastapi import FastAPI

CODE = "core.config"
FURTHEST = timedelta(days=10 * 365)
"""A value for a later time is a mistake of typing."""


class Reason(BaseModel):
    """Why."""

    reason: str = Field(min_length=5, max_length=500)


def require_at(actor: Actor, code: str, plant_id: uuid.UUID | None) -> None:
    """A right held at one plant says nothing of the whole company.

    Raises:
        NotFound: `record_unknown` for a plant the actor does not see.
        NotAllowed: `permission_missing`.
    """
    if not actor.sees(plant_id):
        raise NotFound("record_unknown", id=plant_id)
    actor.require_at(code, plant_id)


async def propose(
    db: AsyncSession,
    actor: Actor,
    key: str,
    scope: Scope,
    place: Place,
    value: Any,
    reason: str,
    valid_from: datetime | None = None,
) -> SystemConfig:
    """Set a value from an instant on; what needs a signature waits for it.

    Raises:
        Invalid: `config_key_unknown`, `config_value_bad`, `config_secret`, `config_scope_bad`, `config_in_past`,
            `config_too_far`, `part11_asked_for`.
        Refused: `config_start_taken`.
    """
    require_at(actor, f"{CODE}.create", place.plant_id)
    value, now = keys.check(key, value), db.info["clock"].now()
    allowed = keys.of(key).scopes
    if scope not in allowed or (scope is Scope.system and actor.kind is not ActorKind.system):
        raise Invalid("config_scope_bad", key=key, allowed=", ".join(sorted(allowed)))
    if valid_from is not None and valid_from < now:
        raise Invalid("config_in_past")
    if valid_from is not None and valid_from - now > FURTHEST:
        raise Invalid("config_too_far", years=FURTHEST.days // 365)
    if key == keys.PART11 and value is False and (clauses := part11.asked_by(await regimes_of(db))):
        raise Invalid("part11_asked_for", clauses=", ".join(clauses))
    row = SystemConfig(
        id=new_id(now),
        key=key,
        scope=scope,
        scope_id=place.of(scope),
        plant_id=place.plant_id,
        value=value,
        valid_from=valid_from or now,
        state=CONFIG.start,
        reason=reason,
        proposed_by=actor.id,
    )
    if not keys.needs_signature(key):
        await _accept(db, row, row.valid_from)
    db.add(row)
    await db.flush()
    said = {"key": key, "scope": scope, "scope_id": row.scope_id, "value": value, "valid_from": row.valid_from}
    audit.write(db, actor, f"{CODE}.create", CODE, row.id, said | {"state": row.state}, reason)
    return row


async def sign(db: AsyncSession, row: SystemConfig, _command: Reason) -> SystemConfig:
    """Let a proposed value take effect, by the signature of somebody who did not propose it.

    It takes effect at its instant, or now if that has passed: never before it was signed.

    Raises:
        IllegalMove: it does not wait for a signature.
        Refused: `own_proposal`, `config_start_taken`.
    """
    actor: Actor = db.info["actor"]
    require_at(actor, f"{CODE}.sign", row.plant_id)
    CONFIG.move(row.state, "accept")
    if actor.person() == row.proposed_by:
        raise Refused("own_proposal")
    now = db.info["clock"].now()
    await _accept(db, row, max(row.valid_from, now))
    row.signed_by, row.signed_at = actor.id, now
    await db.flush()
    return row


async def withdraw(db: AsyncSession, row: SystemConfig, _command: Reason) -> SystemConfig:
    """Take back a value that is not in force yet; what it would have ended goes on.

    Raises:
        IllegalMove: it is in force, or was.
    """
    require_at(db.info["actor"], f"{CODE}.withdraw", row.plant_id)
    await _lock(db, row)
    was_scheduled, row.state = row.state is ConfigState.scheduled, CONFIG.move(row.state, "withdraw")
    if was_scheduled and row.valid_from <= db.info["clock"].now():
        raise Refused("config_in_force")
    await db.flush()
    if was_scheduled:
        before = await db.scalar(_same(row).where(SystemConfig.valid_to == row.valid_from))
        if before is not None:
            before.valid_to = row.valid_to
    return row


async def _lock(db: AsyncSession, row: SystemConfig) -> None:
    """One change at a time for a key at a place; the exclusion constraint is the last word."""
    name = f"config {db.info['tenant_id']} {row.key} {row.scope} {row.scope_id}"
    await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _same(row: SystemConfig) -> Select[SystemConfig]:
    statement = select(SystemConfig).where(
        SystemConfig.key == row.key,
        SystemConfig.scope == row.scope,
        SystemConfig.scope_id.is_not_distinct_from(row.scope_id),
        SystemConfig.state.in_(IN_FORCE),
        SystemConfig.id != row.id,
    )
    return statement.execution_options(populate_existing=True)


async def _accept(db: AsyncSession, row: SystemConfig, start: datetime) -> None:
    """Give a value its time: it ends the one before, and ends where a later one begins."""
    await _lock(db, row)
    if await db.scalar(_same(row).where(SystemConfig.valid_from == start)) is not None:
        raise Refused("config_start_taken")
    later = _same(row).where(SystemConfig.valid_from > start).order_by(SystemConfig.valid_from).limit(1)
    after = await db.scalar(later)
    covers = or_(SystemConfig.valid_to.is_(None), SystemConfig.valid_to > start)
    before = await db.scalar(_same(row).where(SystemConfig.valid_from < start, covers))
    now = db.info["clock"].now()
    if before is not None:
        before.valid_to = start
        _settle(before, now)
        await db.flush()  # the time must be free before it is taken
    row.valid_from, row.valid_to = start, after.valid_from if after else None
    row.state = CONFIG.move(row.state, "accept")
    _settle(row, now)


def _settle(row: SystemConfig, now: datetime) -> None:
    """The state of a row as of now."""
    if row.state is ConfigState.scheduled and row.valid_from <= now:
        row.state = CONFIG.move(row.state, "begin")
    if row.state is ConfigState.effective and row.valid_to is not None and row.valid_to <= now:
        row.state = CONFIG.move(row.state, "supersede")


async def turn(app: FastAPI, tenant: TenantRef) -> None:
    """Let scheduled values become effective and ended ones superseded; what holds depends on instants alone."""
    database: Database = app.state.database
    actor = system(tenant.id, "config")
    async with database.tenant_session(tenant.id, actor) as db:
        now = database.clock.now()
        due = select(SystemConfig).where(
            or_(
                (SystemConfig.state == ConfigState.scheduled) & (SystemConfig.valid_from <= now),
                (SystemConfig.state == ConfigState.effective) & (SystemConfig.valid_to <= now),
            )
        )
        for row in (await db.scalars(due.order_by(SystemConfig.id).with_for_update(skip_locked=True))).all():
            was = row.state
            _settle(row, now)
            audit.write(db, actor, f"{CODE}.turn", CODE, row.id, {"state": [was, row.state]})


JOBS = (Periodic("core.config_turn", 60, turn),)
