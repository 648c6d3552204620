"""What the API offers of settings."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from foodflow_kernel.errors import Invalid, NotFound
from foodflow_kernel.machines.content import ConfigState
from server.core import access
from server.core.actions import Action
from server.core.config import changing, keys
from server.core.config.effective import found, place_of
from server.core.config.keys import Scope
from server.core.config.model import SystemConfig
from server.core.resource import ANY, Resource
from server.core.room import Room

router = Room(tags=["core"], responses=access.PROBLEMS)


class NewValue(BaseModel):
    """A value, and from when it holds."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=100)
    scope: Scope
    scope_id: uuid.UUID | None = Field(None, description="the plant, line or terminal")
    value: JsonValue = Field(description="null: nothing is set here from then on; the wider value holds")
    reason: str = Field(min_length=5, max_length=500)
    valid_from: AwareDatetime | None = Field(None, description="now if left out")


class ConfigRow(BaseModel):
    """A value with its time and its state."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    version: int
    key: str
    scope: Scope
    scope_id: uuid.UUID | None
    value: JsonValue
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None
    state: ConfigState
    reason: str
    proposed_by: uuid.UUID | None
    signed_by: uuid.UUID | None


class Effective(BaseModel):
    """What holds, and which row says so; no row: the default."""

    key: str
    value: JsonValue
    at: AwareDatetime
    scope: Scope
    scope_id: uuid.UUID | None
    config_id: uuid.UUID | None
    valid_from: AwareDatetime | None


class KeyShown(BaseModel):
    """A key that may be set."""

    key: str
    says: str
    scopes: list[Scope]
    default: JsonValue
    needs_signature: bool
    json_schema: dict[str, Any]


@router.post("/config", status_code=201, dependencies=[access.needs("core.config.create")])
async def propose(request: Request, caller: access.Signed, body: NewValue) -> ConfigRow:
    """Set a value from an instant on; `hold.* ccp.* retention.* oee.* esign.*` wait for a QA manager's signature."""
    _fits(body.scope, body.scope_id)
    place = await place_of(caller.db, request.app.state.database, body.scope, body.scope_id)
    row = await changing.propose(
        caller.db, caller.actor, body.key, body.scope, place, body.value, body.reason, body.valid_from
    )
    return ConfigRow.model_validate(row)


@router.get("/config/effective", dependencies=[access.needs("core.config.read")])
async def read_effective(
    request: Request,
    caller: access.Signed,
    key: Annotated[str, Query(max_length=100)],
    scope: Scope = Scope.tenant,
    scope_id: uuid.UUID | None = None,
    at: AwareDatetime | None = None,
) -> Effective:
    """The value that holds at a place, now or at an instant: device, line, plant, company, system."""
    _fits(scope, scope_id)
    place = await place_of(caller.db, request.app.state.database, scope, scope_id)
    if not caller.actor.sees(place.plant_id):
        raise NotFound("record_unknown", id=scope_id)
    caller.actor.require("core.config.read", place.plant_id)
    at = at or caller.clock.now()
    row, value = await found(caller.db, key, at, place)
    return Effective(
        key=key,
        value=value,
        at=at,
        scope=row.scope if row else Scope.system,
        scope_id=row.scope_id if row else None,
        config_id=row.id if row else None,
        valid_from=row.valid_from if row else None,
    )


@router.get("/config/keys", dependencies=[access.needs("core.config.read")])
async def list_keys(_caller: access.Signed) -> list[KeyShown]:
    """Every key that may be set, with its type as a JSON schema."""
    return [
        KeyShown(
            key=name,
            says=key.says,
            scopes=sorted(key.scopes, key=keys.RANK.__getitem__),
            default=key.default,
            needs_signature=keys.needs_signature(name),
            json_schema=key.type.json_schema(),
        )
        for name, key in sorted(keys.KEYS.items())
    ]


def _fits(scope: Scope, scope_id: uuid.UUID | None) -> None:
    if (scope in (Scope.system, Scope.tenant)) != (scope_id is None):
        raise Invalid("config_place_bad")


CONFIG = Resource(
    model=SystemConfig,
    owner="V",
    path="config",
    code=changing.CODE,
    filters={"key": ANY, "scope": ANY, "scope_id": ANY, "state": ANY, "valid_from": ANY},
    sorts=("key", "valid_from"),
    search=("key",),
    actions=(
        Action("sign", changing.sign, changing.Reason, signature=True, risk="approve"),
        Action("withdraw", changing.withdraw, changing.Reason),
    ),
)
RESOURCES = (CONFIG,)
