"""What people write down about a record."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Enum,
    ForeignKey,
    Index,
    UniqueConstraint,
    Uuid,
    case,
    exists,
    literal,
    or_,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, aliased, column_property, mapped_column

from foodflow_kernel.machines.content import NoteState
from server.core.actor import Actor
from server.core.db import FactRow, TenantBase
from server.core.models.linked import seen_with
from server.core.models.location import one_of

NOTE_KINDS = ("comment", "handover", "observation")
VISIBILITIES = ("plant", "tenant", "qa_only")
BODY_MOST = 8000
MENTIONS_MOST = 20
QA = "core.qa_note.read"
"""Who holds it sees what only quality sees."""


class Note(FactRow, TenantBase):
    """A comment, handover or observation about a record. Never changed: said anew, it is another note.

    Args:
        entity: permission prefix of the record's resource, such as ``fsq.lot``.
        plant_id: the record's; of a record that all plants share, the one whose people see the note, or none.
        visibility: ``qa_only`` is seen by quality alone, in lists, searches, exports and by its id.
        mentions: people who were told of it.
        supersedes_id: the note that this one says anew.
        state: superseded as soon as another note says it anew.
    """

    __tablename__ = "core_note"
    # The trail is read by people who do not see every note, and kept for ever; the note itself stays as it was.
    __personal__ = frozenset({"body"})
    __table_args__ = (
        UniqueConstraint("supersedes_id"),
        Index("ix_core_note_entity", "entity", "entity_id", text("occurred_at DESC")),
        Index("ix_core_note_body", text("to_tsvector('simple'::regconfig, body)"), postgresql_using="gin"),
        CheckConstraint(one_of("kind", NOTE_KINDS), name="kind"),
        CheckConstraint(one_of("visibility", VISIBILITIES), name="visibility"),
        CheckConstraint(f"char_length(body) between 1 and {BODY_MOST}", name="body"),
        CheckConstraint(f"cardinality(mentions) <= {MENTIONS_MOST}", name="mentions"),
        CheckConstraint("visibility <> 'plant' or plant_id is not null", name="plant"),
        CheckConstraint("supersedes_id <> id", name="supersedes_another"),
        CheckConstraint("entity ~ '^[a-z_]+\\.[a-z_]+$'", name="entity"),
    )

    entity: Mapped[str]
    entity_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    body: Mapped[str]
    visibility: Mapped[str]
    mentions: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), server_default=text("'{}'"))
    supersedes_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("core_note.id"))
    if TYPE_CHECKING:
        state: Mapped[NoteState]

    @classmethod
    def seen_by(cls, actor: Actor) -> list[ColumnElement[bool]]:
        """Notes about records that the actor may read; those for quality by quality only."""
        clauses = seen_with(actor, cls.entity, cls.plant_id)
        if not actor.may(QA):
            return [*clauses, cls.visibility != "qa_only"]
        plants = actor.plants_with(QA)
        if plants is None:
            return clauses
        return [*clauses, or_(cls.visibility != "qa_only", cls.plant_id.is_(None), cls.plant_id.in_(plants))]


_STATE = Enum(NoteState, native_enum=False, length=32)
_next = aliased(Note)
Note.state = column_property(
    case(
        (
            exists().where(_next.supersedes_id == Note.id).correlate_except(_next),
            literal(NoteState.superseded, _STATE),
        ),
        else_=literal(NoteState.posted, _STATE),
    ),
    expire_on_flush=False,
)
Note.__annotations__["state"] = "Mapped[NoteState]"  # what the API shows is read from the annotations
