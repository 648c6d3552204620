"""Tags: words of a company or a plant, the records they mark, and one merged into another."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, cast

from fastapi import Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, CursorResult, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from foodflow_kernel.errors import Invalid, NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines import TAG
from foodflow_kernel.machines.content import TagState
from server.core import access, actions, audit, links
from server.core.actor import Actor
from server.core.db import plant_of
from server.core.models import Tag, TagLink
from server.core.resource import ANY, Resource
from server.core.room import Room

router = Room(tags=["core"], responses=access.PROBLEMS)

CODE, LINK = "core.tag", "core.tag_link"
_PLAIN = {"synchronize_session": False}


class Merge(BaseModel):
    """The tag that takes over, and why."""

    model_config = ConfigDict(extra="forbid")

    into_id: uuid.UUID
    reason: str = Field(min_length=5, max_length=500)


class Merged(BaseModel):
    """What a merge did: links that went over, and those that the other tag had already."""

    id: uuid.UUID
    into_id: uuid.UUID
    moved: int
    dropped: int


class NewLink(BaseModel):
    """The record that is marked."""

    model_config = ConfigDict(extra="forbid")

    entity: str = Field(max_length=64, description="permission prefix of the record's resource, such as fsq.lot")
    entity_id: uuid.UUID


class Link(BaseModel):
    """A record is marked with a tag."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    plant_id: uuid.UUID | None
    tag_id: uuid.UUID
    entity: str
    entity_id: uuid.UUID
    created_at: AwareDatetime
    created_by: uuid.UUID | None


async def check_tag(_db: AsyncSession, tag: Tag) -> None:
    """What the product brought stays, and what has ended is not changed.

    Raises:
        Refused: `tag_is_system`.
        IllegalMove: it is merged or retired.
    """
    if tag.is_system:
        raise Refused("tag_is_system")
    ended = TAG.move(tag.state or TAG.start, "retire")
    if tag.retired_at is not None:
        tag.state = ended


async def merge(db: AsyncSession, tag: Tag, command: Merge) -> Merged:
    """Let another tag take over all records of this one, which ends; both or neither.

    Raises:
        Refused: `tag_is_system`, `tag_merge_self`, `tag_merge_ended` for a target that is not active,
            `tag_merge_elsewhere` for one that not all see who see this one.
        NotFound: `record_unknown` for a target the actor does not see.
        NotAllowed: `permission_missing`: what all plants share is merged by who may everywhere.
        IllegalMove: it is merged or retired already.
    """
    actor: Actor = db.info["actor"]
    actor.require_at(f"{CODE}.merge", tag.plant_id)
    if tag.is_system:
        raise Refused("tag_is_system")
    state = TAG.move(tag.state, "merge")
    if command.into_id == tag.id:
        raise Refused("tag_merge_self")
    target = await actions.load(db, actor, Tag, command.into_id, f"{CODE}.read", lock=True)
    if target.state is not TagState.active:
        raise Refused("tag_merge_ended", state=target.state)
    if target.plant_id not in (None, tag.plant_id):
        raise Refused("tag_merge_elsewhere")
    moved, dropped = await _repoint(db, tag.id, target.id)
    tag.state, tag.retired_at, tag.merged_into_id = state, db.info["clock"].now(), target.id
    said = {"from_id": tag.id, "moved": moved, "dropped": dropped}
    audit.write(db, actor, f"{CODE}.merge", CODE, target.id, said, command.reason, plant_id=target.plant_id)
    return Merged(id=tag.id, into_id=target.id, moved=moved, dropped=dropped)


async def _repoint(db: AsyncSession, from_id: uuid.UUID, into_id: uuid.UUID) -> tuple[int, int]:
    """How many links went over, and how many the other tag had. Both tags are locked: no link is being made."""
    theirs = aliased(TagLink)
    has_it: ColumnElement[bool] = exists().where(
        theirs.tag_id == into_id, theirs.entity == TagLink.entity, theirs.entity_id == TagLink.entity_id
    )
    doubled = delete(TagLink).where(TagLink.tag_id == from_id, has_it)
    dropped = cast("CursorResult[Any]", await db.execute(doubled, execution_options=_PLAIN))
    moving = update(TagLink).where(TagLink.tag_id == from_id).values(tag_id=into_id)
    moved = cast("CursorResult[Any]", await db.execute(moving, execution_options=_PLAIN))
    return moved.rowcount, dropped.rowcount


async def mark(
    db: AsyncSession, actor: Actor, kinds: links.Records, tag_id: uuid.UUID, entity: str, entity_id: uuid.UUID
) -> TagLink:
    """Mark a record that the actor may read; doing it again changes nothing.

    Raises:
        Invalid: `entity_unknown`, `reference_elsewhere` for a tag of another plant than the record's.
        NotFound: `record_unknown`.
        NotAllowed: `permission_missing` at the record's plant.
        Refused: `tag_ended`.
    """
    tag = await _tag(db, actor, tag_id)
    if tag.state is not TagState.active:
        raise Refused("tag_ended")
    subject = await links.subject(db, actor, kinds, entity, entity_id)
    here = plant_of(subject)
    if here is not None and tag.plant_id is not None and here != tag.plant_id:
        raise Invalid("reference_elsewhere", where="tag_id", id=tag_id)
    plant = here or tag.plant_id
    actor.require(f"{LINK}.create", plant)
    now = db.info["clock"].now()
    link = {"tag_id": tag_id, "entity": entity, "entity_id": entity_id}
    row = link | {"id": new_id(now), "plant_id": plant, "created_at": now, "created_by": actor.id}
    # Of two who mark a record at once the second waits here for the first, and finds its link.
    made = insert(TagLink).values(row).on_conflict_do_nothing().returning(TagLink.id)
    if await db.scalar(made) is not None:
        audit.write(db, actor, f"{LINK}.create", entity, entity_id, {"tag_id": tag_id}, plant_id=plant)
    return (await db.scalars(select(TagLink).filter_by(**link))).one()


async def unmark(
    db: AsyncSession, actor: Actor, kinds: links.Records, tag_id: uuid.UUID, link_id: uuid.UUID, reason: str
) -> None:
    """Take a tag from a record that the actor may read.

    Raises:
        NotFound: `record_unknown`.
        NotAllowed: `permission_missing` at the record's plant.
    """
    link: TagLink = await actions.load(db, actor, TagLink, link_id, f"{LINK}.retire", lock=True)
    if link.tag_id != tag_id:
        raise NotFound("record_unknown", id=link_id)
    await links.subject(db, actor, kinds, link.entity, link.entity_id)
    await db.delete(link)
    said = {"tag_id": tag_id}
    audit.write(db, actor, f"{LINK}.retire", link.entity, link.entity_id, said, reason, plant_id=link.plant_id)


async def _tag(db: AsyncSession, actor: Actor, tag_id: uuid.UUID) -> Tag:
    """A tag that does not end while a link to it is made."""
    asked = select(Tag).where(Tag.id == tag_id).with_for_update(read=True).execution_options(populate_existing=True)
    tag = await db.scalar(asked)
    if tag is None or not actor.sees(tag.plant_id):
        raise NotFound("record_unknown", id=tag_id)
    return tag


MERGE = actions.Action("merge", merge, Merge, risk="approve")


@router.post(
    "/tags/{tag_id}:merge",
    dependencies=[access.needs(f"{CODE}.merge")],
    openapi_extra={"x-permission": f"{CODE}.merge"},
)
async def merge_tags(tag_id: uuid.UUID, caller: access.Signed, body: Merge) -> Merged:
    """Let another tag take over all records of this one, which ends."""
    # One after the other in a company: two that cross would each wait for the other's tag.
    name = f"tags {caller.actor.tenant_id}"
    await caller.db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
    made: Merged = await actions.perform(caller.db, caller.actor, Tag, CODE, MERGE, tag_id, body)
    return made


@router.post(
    "/tags/{tag_id}/links",
    status_code=201,
    dependencies=[access.needs(f"{LINK}.create")],
    openapi_extra={"x-permission": f"{LINK}.create"},
)
async def add_link(request: Request, tag_id: uuid.UUID, caller: access.Signed, body: NewLink) -> Link:
    """Mark a record; doing it again changes nothing."""
    kinds: links.Records = request.app.state.records
    return Link.model_validate(await mark(caller.db, caller.actor, kinds, tag_id, body.entity, body.entity_id))


@router.delete(
    "/tags/{tag_id}/links/{link_id}",
    status_code=204,
    dependencies=[access.needs(f"{LINK}.retire")],
    openapi_extra={"x-permission": f"{LINK}.retire"},
)
async def remove_link(
    request: Request,
    tag_id: uuid.UUID,
    link_id: uuid.UUID,
    caller: access.Signed,
    reason: Annotated[str, Query(min_length=5, max_length=500)],
) -> None:
    """Take a tag from a record."""
    await unmark(caller.db, caller.actor, request.app.state.records, tag_id, link_id, reason)


TAG_RESOURCE = Resource(
    model=Tag,
    owner="M",
    path="tags",
    code=CODE,
    writable=("plant_id", "key", "value", "colour"),
    fixed={"plant_id"},
    filters={"plant_id": ANY, "key": ANY, "value": ANY, "state": ANY, "is_system": ANY, "merged_into_id": ANY},
    sorts=("key", "value"),
    search=("key", "value"),
    before_save=check_tag,
)
LINK_RESOURCE = Resource(
    model=TagLink,
    owner="V",
    path="tag-links",
    code=LINK,
    filters={"tag_id": ANY, "entity": "eq in", "entity_id": "eq in", "plant_id": ANY, "created_at": ANY},
    sorts=("created_at",),
)
RESOURCES = (TAG_RESOURCE, LINK_RESOURCE)
