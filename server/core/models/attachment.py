"""Files that belong to records: photos, certificates, scans of paper. Each content is stored once."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.machines.content import FileState
from server.core.db import TenantBase

MAX_BYTES = 50 * 1024 * 1024
LINK_KINDS = ("photo", "document", "certificate", "evidence", "original")


class Blob(TenantBase):
    """Bytes under their own SHA-256: the same bytes twice are one row and one object of the store.

    Args:
        media_type: what the bytes themselves look like, whatever they were said to be.
        storage_key: where they lie, below the tenant's own folder of the store.
    """

    __tablename__ = "core_blob"
    __table_args__ = (
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        CheckConstraint(f"size between 1 and {MAX_BYTES}", name="size"),
        UniqueConstraint("storage_key"),
    )

    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str]
    storage_key: Mapped[str]
    stored_at: Mapped[datetime]


class Attachment(TenantBase):
    """One file somebody sent: open while its bytes arrive, then fixed; served only when found clean.

    Args:
        size: as announced [byte], and checked when complete; so is ``sha256``.
        received: bytes that have arrived so far.
        finding: what the scanner found or why it could not scan.
    """

    __tablename__ = "core_attachment"
    __table_args__ = (
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        CheckConstraint(f"size between 1 and {MAX_BYTES}", name="size"),
        CheckConstraint("received between 0 and size", name="received"),
        CheckConstraint("char_length(filename) between 1 and 200", name="filename"),
        CheckConstraint("state in ('open','pending','clean','infected','failed')", name="state"),
        CheckConstraint("(state = 'open') = (blob_sha256 is null)", name="has_bytes"),
        CheckConstraint("blob_sha256 = sha256", name="bytes_are_as_announced"),
        CheckConstraint("(state in ('open','pending')) = (scanned_at is null)", name="scanned_at"),
        Index("ix_core_attachment_sha256", "sha256"),
        Index("ix_core_attachment_open", "created_by", "touched_at", postgresql_where=text("state = 'open'")),
        Index("ix_core_attachment_waiting", "completed_at", postgresql_where=text("state in ('pending','failed')")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    plant_id: Mapped[uuid.UUID | None]
    filename: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    media_type: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    device_id: Mapped[uuid.UUID | None]
    state: Mapped[FileState]
    received: Mapped[int] = mapped_column(BigInteger)
    blob_sha256: Mapped[bytes | None] = mapped_column(ForeignKey("core_blob.sha256"))
    finding: Mapped[str | None]
    scan_tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None]
    touched_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    scanned_at: Mapped[datetime | None]


class AttachmentChunk(TenantBase):
    """A part of an open upload, in the store under a key of its own."""

    __tablename__ = "core_attachment_chunk"
    __table_args__ = (CheckConstraint("start >= 0 and size > 0", name="place"),)

    attachment_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("core_attachment.id", ondelete="CASCADE"), primary_key=True
    )
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes]
    storage_key: Mapped[str]


class AttachmentLink(TenantBase):
    """A file belongs to a record. Not taken away from a record that somebody has signed."""

    __tablename__ = "core_attachment_link"
    __table_args__ = (
        UniqueConstraint("attachment_id", "entity", "entity_id", "kind"),
        Index("ix_core_attachment_link_entity", "entity", "entity_id"),
        CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in LINK_KINDS)})", name="kind"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    attachment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_attachment.id"))
    entity: Mapped[str]
    entity_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[uuid.UUID | None]
