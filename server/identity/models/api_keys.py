"""Keys that programs call with, each in the name of a person."""

from __future__ import annotations

import uuid
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY, CIDR
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import String, Text

from foodflow_kernel.machines.identity import ApiKeyState
from server.core.db import MasterRow, TenantBase

PREFIX_LENGTH = 8
LONGEST_DAYS = 365
OVERLAP_DAYS = 7
MOST_RPM = 6000


class ApiKey(MasterRow, TenantBase):
    """A program's key: it may do a part of what its owner may do at the moment it is used.

    Args:
        owner_id: the person in whose name it acts; it dies with their account.
        prefix: the public part, by which the platform finds the company.
        scopes: permission codes; one that ends in a signature is never among them.
        plant_id: the one plant it is good for; none: wherever its owner is.
        ip_allow: networks it may be used from; none: from anywhere.
        rpm: requests a minute.
        overlap_ends_at: of a rotating key, until when it still opens.
        successor_id: of a rotating key, the one that takes over.
    """

    __tablename__ = "identity_api_key"
    __table_args__ = (
        Index("uq_identity_api_key_prefix", "prefix", unique=True),
        Index("ix_identity_api_key_owner_id", "owner_id"),
        CheckConstraint("prefix ~ '^[a-z2-7]{8}$'", name="prefix"),
        CheckConstraint("length(secret_sha256) = 32", name="secret"),
        CheckConstraint("expires_at > created_at and expires_at <= created_at + interval '365 days'", name="expires"),
        CheckConstraint("rpm between 1 and 6000", name="rpm"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes"),
        CheckConstraint("(state = 'rotating') <= (overlap_ends_at is not null)", name="overlap"),
        CheckConstraint("overlap_ends_at <= rotated_at + interval '7 days'", name="overlap_short"),
    )

    name: Mapped[str]
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))
    prefix: Mapped[str] = mapped_column(String(PREFIX_LENGTH))
    secret_sha256: Mapped[bytes]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    plant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("core_plant.id"))
    ip_allow: Mapped[list[IPv4Network | IPv6Network]] = mapped_column(ARRAY(CIDR), server_default=text("'{}'"))
    rpm: Mapped[int]
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    state: Mapped[ApiKeyState]
    rotated_at: Mapped[datetime | None]
    overlap_ends_at: Mapped[datetime | None]
    successor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("identity_api_key.id"))
