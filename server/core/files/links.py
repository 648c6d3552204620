"""Which records a file belongs to."""

from __future__ import annotations

import uuid
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import NotFound, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.content import FileState
from server.core import audit
from server.core.actor import Actor
from server.core.esign import ESignature
from server.core.files import uploads
from server.core.links import Records, record
from server.core.models import Attachment, AttachmentLink


async def attach(
    db: AsyncSession, actor: Actor, records: Records, row: Attachment, entity: str, entity_id: uuid.UUID, kind: str
) -> AttachmentLink:
    """Let a file belong to a record that the actor sees; doing it again changes nothing.

    Raises:
        Invalid: `entity_unknown`.
        NotFound: `record_unknown`.
        Refused: `upload_incomplete`.
    """
    if row.state is FileState.open:
        raise Refused("upload_incomplete", offset=row.received, size=row.size)
    await record(db, actor, records, entity, entity_id, lock=True)
    here = {"attachment_id": row.id, "entity": entity, "entity_id": entity_id, "kind": kind}
    known = await db.scalar(select(AttachmentLink).filter_by(**here))
    if known is not None:
        return known
    now = db.info["clock"].now()
    link = AttachmentLink(id=new_id(now), created_at=now, created_by=actor.id, **here)
    db.add(link)
    audit.write(db, actor, f"{uploads.CODE}.attach", entity, entity_id, {"attachment_id": row.id, "kind": kind})
    return link


async def detach(
    db: AsyncSession, actor: Actor, records: Records, row: Attachment, link_id: uuid.UUID, reason: str
) -> None:
    """Take a file away from a record that nobody has signed; the file itself stays.

    Raises:
        NotFound: `record_unknown`.
        Refused: `record_signed`.
    """
    link = await db.get(AttachmentLink, link_id)
    if link is None or link.attachment_id != row.id:
        raise NotFound("record_unknown", id=link_id)
    # Locked: a signature that is being given at this moment is either seen here, or sees no file.
    await record(db, actor, records, link.entity, link.entity_id, lock=True)
    signed = select(ESignature.id).where(ESignature.record_type == link.entity, ESignature.record_id == link.entity_id)
    if await db.scalar(signed.limit(1)) is not None:
        raise Refused("record_signed")
    await db.delete(link)
    said = {"attachment_id": row.id, "kind": link.kind}
    audit.write(db, actor, f"{uploads.CODE}.detach", link.entity, link.entity_id, said, reason)


async def of(db: AsyncSession, actor: Actor, records: Records, row: Attachment) -> list[AttachmentLink]:
    """The records a file belongs to, as far as this actor may read them: an id tells that a record is there."""
    asked = select(AttachmentLink).where(AttachmentLink.attachment_id == row.id).order_by(AttachmentLink.id)
    found = []
    for link in await db.scalars(asked):
        with suppress(NotFound):
            await record(db, actor, records, link.entity, link.entity_id)
            found.append(link)
    return found
