"""Notes about records: posted, said anew by their author, and told to the people they name."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, NotAllowed, NotFound
from foodflow_kernel.machines import NOTE
from foodflow_kernel.machines.content import NoteState
from server.core import access, audit, events, idempotency, links, stamp
from server.core.actions import Action
from server.core.actor import Actor
from server.core.db import plant_of
from server.core.models import Note
from server.core.models.note import BODY_MOST, MENTIONS_MOST, NOTE_KINDS, QA, VISIBILITIES
from server.core.resource import ANY, Resource
from server.core.resource.declared import shown_model
from server.core.room import Room

router = Room(tags=["core"], responses=access.PROBLEMS)

CODE = "core.note"

# A character that is no letter and takes no room would make a note that says nothing.
Body = Annotated[str, Field(min_length=1, max_length=BODY_MOST, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Mentions = Annotated[
    list[uuid.UUID], Field(max_length=MENTIONS_MOST, description="people who are told; each must be able to see it")
]


@dataclass(frozen=True, slots=True)
class PeopleMentioned:
    """A note names people; those of the note that it says anew know already."""

    note_id: uuid.UUID
    plant_id: uuid.UUID | None
    author_id: uuid.UUID | None
    author: str
    mentions: tuple[uuid.UUID, ...]
    known: frozenset[uuid.UUID] = frozenset()


class NewNote(BaseModel):
    """What somebody writes about a record."""

    model_config = ConfigDict(extra="forbid")

    entity: str = Field(max_length=64, description="permission prefix of the record's resource, such as fsq.lot")
    entity_id: uuid.UUID
    kind: Literal[NOTE_KINDS] = "comment"  # type: ignore[valid-type]  # the table's own list
    visibility: Literal[VISIBILITIES] = "plant"  # type: ignore[valid-type]  # the table's own list
    body: Body
    mentions: Mentions = []
    plant_id: uuid.UUID | None = Field(
        None, description="whose people see a note of visibility `plant` about a record that all plants share"
    )


class Anew(BaseModel):
    """What the author says instead; record, kind and visibility stay."""

    body: Body
    mentions: Mentions = []


async def post(db: AsyncSession, actor: Actor, kinds: links.Records, new: NewNote) -> Note:
    """Write a note about a record that the actor may read.

    Raises:
        Invalid: `entity_unknown`, `note_plant_missing`, `note_plant_needless`, `mention_unseen` (by the reaction).
        NotFound: `record_unknown`, also for a plant that the actor does not see.
        NotAllowed: `permission_missing` to write there, or to see what only quality sees.
    """
    subject = await links.subject(db, actor, kinds, new.entity, new.entity_id)
    plant = _plant(actor, new, plant_of(subject))
    actor.require(f"{CODE}.create", plant)
    if new.visibility == "qa_only":
        # Nobody writes what they could not read again.
        actor.require(QA, plant)
    given = new.model_dump(exclude={"plant_id", "mentions"})
    note = await _write(db, actor, plant, given | {"mentions": list(dict.fromkeys(new.mentions))})
    said = {"entity": new.entity, "entity_id": new.entity_id, "kind": new.kind, "visibility": new.visibility}
    audit.write(db, actor, f"{CODE}.create", CODE, note.id, said, plant_id=plant)
    return note


def _plant(actor: Actor, new: NewNote, here: uuid.UUID | None) -> uuid.UUID | None:
    """Where a note is: where its record is, or, of one that all plants share, where it was written."""
    if here is not None or new.visibility != "plant":
        if new.plant_id not in (None, here):
            raise Invalid("note_plant_needless")
        return here
    if new.plant_id is not None:
        if not actor.sees(new.plant_id):
            raise NotFound("record_unknown", id=new.plant_id)
        return new.plant_id
    mine = actor.plants_with(f"{CODE}.create")
    if mine is None or len(mine) != 1:
        raise Invalid("note_plant_missing")
    (only,) = mine
    return only


async def supersede(db: AsyncSession, note: Note, command: Anew) -> Note:
    """Say a note anew; returns the new one.

    A note that says what is wrong is answered by another note: nobody speaks for somebody else.

    Raises:
        NotAllowed: `note_not_yours`.
        IllegalMove: it was said anew already.
    """
    actor: Actor = db.info["actor"]
    if note.performed_by is None or note.performed_by != actor.id:
        raise NotAllowed("note_not_yours")
    NOTE.move(note.state, "supersede")
    if note.visibility == "qa_only":
        actor.require(QA, note.plant_id)
    kept = {name: getattr(note, name) for name in ("entity", "entity_id", "kind", "visibility")}
    given = {"body": command.body, "mentions": list(dict.fromkeys(command.mentions)), "supersedes_id": note.id}
    return await _write(db, actor, note.plant_id, kept | given, known=frozenset(note.mentions))


async def _write(
    db: AsyncSession,
    actor: Actor,
    plant: uuid.UUID | None,
    given: dict[str, Any],
    known: frozenset[uuid.UUID] = frozenset(),
) -> Note:
    row = stamp.server_born(db.info["clock"].now(), actor.id, plant).columns() | given
    if not await stamp.record(db, Note, [row]):
        NOTE.move(NoteState.superseded, "supersede")  # another one was written in its place
    note = await db.get_one(Note, row["id"])
    if note.mentions:
        mentions = tuple(note.mentions)
        events.announce(db, PeopleMentioned(note.id, plant, actor.id, actor.name, mentions, known))
    return note


NOTE_RESOURCE = Resource(
    model=Note,
    owner="F",
    path="notes",
    code=CODE,
    hidden={
        "device_id", "incarnation", "lane", "seq", "hash", "hlc", "recorded_at", "received_at", "clock_skew_ms",
        "corrects_id", "correction_reason",
    },
    filters={
        "entity": "eq in", "entity_id": "eq in", "kind": ANY, "visibility": ANY, "state": ANY, "performed_by": ANY,
        "plant_id": ANY, "supersedes_id": ANY, "occurred_at": ANY,
    },
    sorts=("occurred_at",),
    words=("body",),
    actions=(Action("supersede", supersede, Anew),),
)  # fmt: skip
RESOURCES = (NOTE_RESOURCE,)

Shown = shown_model(NOTE_RESOURCE)


@router.post(
    "/notes",
    status_code=201,
    response_model=Shown,
    dependencies=[access.needs(f"{CODE}.create")],
    openapi_extra={"x-permission": f"{CODE}.create"},
)
async def create(request: Request, caller: access.Signed, body: NewNote, key: idempotency.Key = None) -> Response:
    """Write a note about a record; it is never changed, and said anew by its author only."""

    async def work() -> Response:
        note = await post(caller.db, caller.actor, request.app.state.records, body)
        return Response(Shown.model_validate(note).model_dump_json().encode(), 201, media_type="application/json")

    return await idempotency.once(request, caller, key, work)
