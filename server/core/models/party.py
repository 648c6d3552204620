"""How somebody is reached, and where they are: contacts and addresses of plants, suppliers, customers."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, Numeric, SmallInteger, func, text
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.machines.places import AddressState, ContactState
from server.core.db import MasterRow, TenantBase
from server.core.models.location import one_of, said

PARTIES = ("plant", "supplier", "customer", "carrier", "laboratory", "authority", "company")
CONTACT_ROLES = ("quality", "recall_24h", "traceability", "sales", "logistics", "regulator")
ADDRESS_USES = ("site", "postal", "billing", "delivery")
E164 = "'^\\+[1-9][0-9]{6,14}$'"
"""ITU-T E.164: a plus, the country code, fifteen digits at most."""


class Contact(MasterRow, TenantBase):
    """A person or desk to be reached for a purpose. In a recall the lowest priority is called first."""

    __tablename__ = "core_contact"
    __personal__ = frozenset({"name", "email", "phone"})
    __table_args__ = (
        Index("ix_core_contact_party", "party_kind", "party_id", "role"),
        Index(
            "uq_core_contact_primary",
            "party_kind",
            text("coalesce(party_id, '00000000-0000-0000-0000-000000000000')"),
            "role",
            unique=True,
            postgresql_where=text("is_primary and state = 'active'"),
        ),
        CheckConstraint(one_of("party_kind", PARTIES), name="party_kind"),
        CheckConstraint("(party_kind = 'company') = (party_id is null)", name="party"),
        CheckConstraint(one_of("role", CONTACT_ROLES), name="role"),
        CheckConstraint("erased_at is not null or email is not null or phone is not null", name="reachable"),
        CheckConstraint("email ~ '^[^@[:space:]]+@[^@[:space:]]+$'", name="email"),
        CheckConstraint(f"phone ~ {E164}", name="phone"),
        CheckConstraint("priority between 1 and 99", name="priority"),
        CheckConstraint("char_length(name) between 1 and 200", name="name"),
        CheckConstraint("(state = 'retired') = (retired_at is not null)", name="retired"),
        CheckConstraint("erased_at is null or (state = 'retired' and email is null and phone is null)", name="erased"),
    )

    plant_id: Mapped[uuid.UUID | None]
    party_kind: Mapped[str]
    party_id: Mapped[uuid.UUID | None]
    role: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    is_primary: Mapped[bool] = mapped_column(server_default=text("false"))
    state: Mapped[ContactState] = mapped_column(default=ContactState.active, server_default=text("'active'"))
    last_verified_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class Address(MasterRow, TenantBase):
    """Where a party is, for a time. Once a traceability record cites it, it stays as it was cited.

    Args:
        region: ISO 3166-2 subdivision, such as US-CA.
        cited_at: when a record first named this address; from then on nothing of it changes but its end.
    """

    __tablename__ = "core_address"
    __table_args__ = (
        Index("ix_core_address_country_postal", "country", "postal_code"),
        ExcludeConstraint(
            (text("party_kind"), "="),
            (text("party_id"), "="),
            (text("use"), "="),
            (func.tstzrange(text("valid_from"), text("valid_to")), "&&"),
            name="one_at_a_time",
            using="gist",
            where=text("retired_at IS NULL"),
        ),
        CheckConstraint(f"{said('city')} and array_position(lines, '') is null", name="not_blank"),
        CheckConstraint(one_of("party_kind", tuple(each for each in PARTIES if each != "company")), name="party_kind"),
        CheckConstraint(one_of("use", ADDRESS_USES), name="use"),
        CheckConstraint("cardinality(lines) between 1 and 5", name="lines"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("region ~ ('^' || country || '-[A-Z0-9]{1,3}$')", name="region"),
        CheckConstraint("abs(latitude) <= 90 and abs(longitude) <= 180", name="geo"),
        CheckConstraint("(latitude is null) = (longitude is null)", name="geo_pair"),
        CheckConstraint("valid_to > valid_from", name="valid"),
        CheckConstraint("(state = 'superseded') = (valid_to is not null)", name="superseded"),
    )

    plant_id: Mapped[uuid.UUID | None]
    party_kind: Mapped[str]
    party_id: Mapped[uuid.UUID]
    use: Mapped[str] = mapped_column(server_default=text("'site'"))
    lines: Mapped[list[str]] = mapped_column(ARRAY(Text))
    city: Mapped[str]
    region: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str]
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    state: Mapped[AddressState] = mapped_column(default=AddressState.current, server_default=text("'current'"))
    cited_at: Mapped[datetime | None]
