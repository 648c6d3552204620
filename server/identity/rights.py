"""Routes about rights that are no plain table: giving a role, a role's content, what the caller may do."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Body, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict

from foodflow_kernel.errors import FoodFlowError, NotFound
from server.core import access, audit
from server.core.actions import load
from server.core.actor import Actor
from server.core.resource import bulk
from server.core.resource.routes import Atomic, DryRun
from server.core.room import Room
from server.identity import roles
from server.identity.models import Role, User, UserRole

router = Room(tags=["identity"])


class Assignment(BaseModel):
    """A role that a person holds, held or will hold."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    user_id: uuid.UUID
    role_id: uuid.UUID
    plant_id: uuid.UUID | None
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None
    retired_at: AwareDatetime | None


class Effective(BaseModel):
    """What the caller may do at a plant, or anywhere; for screens only, the server asks again."""

    plant_id: uuid.UUID | None
    permissions: list[str]


@router.get("/me/permissions", responses=access.PROBLEMS, dependencies=[access.ALSO_KEYS])
async def my_permissions(
    caller: access.Signed, plant: Annotated[uuid.UUID | None, Query(description="none: anywhere")] = None
) -> Effective:
    """What the caller may do now, a program with a key included."""
    actor = caller.actor
    if not actor.sees(plant):
        raise NotFound("record_unknown", id=plant)
    return Effective(plant_id=plant, permissions=sorted(_codes(actor, plant)))


def _codes(actor: Actor, plant: uuid.UUID | None) -> frozenset[str]:
    return frozenset(code for code in actor.permissions if actor.may(code, plant))


@router.post(
    "/users/{user_id}/roles",
    status_code=201,
    dependencies=[access.needs("identity.user_role.create")],
    responses=access.PROBLEMS,
)
async def give_role(user_id: uuid.UUID, caller: access.Signed, body: roles.Give) -> Assignment:
    """Give a person a role, at one plant or in the whole company, for a time."""
    row: UserRole = await roles.give(caller.db, user_id, body)
    return Assignment.model_validate(row)


@router.get("/users/{user_id}/roles", dependencies=[access.needs("identity.user_role.read")], responses=access.PROBLEMS)
async def roles_of(user_id: uuid.UUID, caller: access.Signed) -> list[Assignment]:
    """Every role a person holds, held or will hold, where the caller may see it."""
    await load(caller.db, caller.actor, User, user_id, "identity.user_role.read")
    plants = caller.actor.plants_with("identity.user_role.read")
    rows = await roles.assignments(caller.db, user_id, plants)
    return [Assignment.model_validate(row) for row in rows]


@router.post(
    "/roles/{role_id}/permissions:bulk",
    dependencies=[access.needs("identity.role.update"), bulk.ONLY_WAYS],
    responses=access.PROBLEMS | {422: bulk.REFUSED_TOGETHER},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["rows"],
                        "properties": {
                            "rows": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": bulk.MAX_ROWS,
                                "items": roles.Edit.model_json_schema(),
                            }
                        },
                    }
                }
            },
        }
    },
    response_model=bulk.BulkAnswer,
)
async def edit_role(
    role_id: uuid.UUID,
    caller: access.Signed,
    body: Annotated[Any, Body()],
    atomic: Atomic = False,
    dry_run: DryRun = False,
) -> Response:
    """Put permissions into a role and take others out; each row has its own fate."""
    rows = bulk.rows_of(body)
    role: Role = await load(caller.db, caller.actor, Role, role_id, "identity.role.update", lock=True)

    async def run(steps: Sequence[bulk.Step]) -> dict[int, bulk.RowResult]:
        fates = {}
        for index, change in steps:
            try:
                await roles.edit(caller.db, role, roles.Edit.model_validate(change))
                fates[index] = bulk.RowResult(index=index, id=role.id, status=200)
            except FoodFlowError as error:
                fates[index] = bulk.refused(index, role.id, error)
        return fates

    before = list(role.permissions)
    said = await bulk.run_all(caller.db, roles.Edit, rows, bulk.undoing(caller.db, run), atomic=atomic, dry_run=dry_run)
    await caller.db.refresh(role)
    if role.permissions != before:
        diff = {"permissions": [before, list(role.permissions)]}
        audit.write(caller.db, caller.actor, "identity.role.update", "identity.role", role.id, diff)
    status = 422 if atomic and said.has_failed else 200
    return Response(said.model_dump_json().encode(), status, media_type="application/json")
