"""Places: where goods lie, and what the traceability rule calls a location description."""

from __future__ import annotations

import uuid
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text, UserDefinedType

from foodflow_kernel.machines.places import LocationState
from server.core.db import MasterRow, TenantBase

KINDS = ("area", "storage", "dock", "line_side", "qa_hold", "lab", "external_dc", "store", "supplier_site")
EXTERNAL = ("external_dc", "store", "supplier_site")
SGLN = r"^urn[:]epc[:]id[:]sgln[:](?=[0-9.]{13}\.)[0-9]{6,12}\.[0-9]{0,6}\.[^ ]{1,60}$"
"""Company prefix and location reference have twelve digits together (GS1 EPC Tag Data Standard, 6.3.3).

A colon alone would be taken for a parameter."""
TEMP_CLASSES = ("ambient", "chilled", "frozen")


def one_of(column: str, values: tuple[str, ...]) -> str:
    """A condition that a column holds one of these words."""
    return f"{column} in ({', '.join(repr(each) for each in values)})"


def said(*columns: str) -> str:
    """A condition that each of these columns holds more than blanks."""
    return " and ".join(f"coalesce(btrim({each}), '') <> ''" for each in columns)


class Ltree(UserDefinedType[str]):
    """PostgreSQL's label tree: the way from the root, codes between dots."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """The column's type."""
        return "LTREE"


ischema_names["ltree"] = Ltree  # what reflection finds is what the model says


class Location(MasterRow, TenantBase):
    """Any place, from a plant as a whole to a shelf in it or a customer's warehouse.

    Args:
        path: the codes from the root, kept by trigger from the parent's.
        temp_min_c: coldest air temperature that is kept here [°C].
        sgln: GLN and extension of a place within a party's site (GS1 SGLN).
        party_id: whose place it is, for one that is not ours.
    """

    __tablename__ = "core_location"
    __table_args__ = (
        Index("uq_core_location_code", "plant_id", "code", unique=True),
        Index("ix_core_location_path", "path", postgresql_using="gist"),
        Index("ix_core_location_kind", "plant_id", "kind"),
        Index("ix_core_location_parent_id", "parent_id"),
        CheckConstraint("code ~ '^[A-Za-z0-9_-]{1,32}$'", name="code"),
        CheckConstraint(said("name"), name="name"),
        CheckConstraint(f"sgln ~ '{SGLN}'", name="sgln"),
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        CheckConstraint(one_of("temp_class", TEMP_CLASSES), name="temp_class"),
        CheckConstraint("temp_min_c < temp_max_c", name="temperatures"),
        CheckConstraint("temp_min_c between -90 and 90 and temp_max_c between -90 and 90", name="temperature_range"),
        CheckConstraint("capacity > 0", name="capacity"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("abs(latitude) <= 90 and abs(longitude) <= 180", name="geo"),
        CheckConstraint("(latitude is null) = (longitude is null)", name="geo_pair"),
        CheckConstraint("phone ~ '^\\+[1-9][0-9]{6,14}$'", name="phone"),
        CheckConstraint("parent_id <> id", name="parent"),
        # 21 CFR 1.1310, "location description", of a plant as a whole and of places that are not ours.
        CheckConstraint(
            f"(parent_id is not null and not {one_of('kind', EXTERNAL)}) or ("
            f"{said('business_name', 'city', 'state_region', 'postal_code')} and phone is not null"
            f" and country is not null and ({said('street')} or latitude is not null))",
            name="description",
        ),
        CheckConstraint(f"not {one_of('kind', EXTERNAL)} or party_id is not null", name="external_party"),
        CheckConstraint("(state = 'retired') = (retired_at is not null)", name="retired"),
    )

    plant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("core_plant.id"))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("core_location.id"))
    path: Mapped[str] = mapped_column(Ltree, server_default=text("''"))
    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    state: Mapped[LocationState] = mapped_column(default=LocationState.active, server_default=text("'active'"))
    temp_class: Mapped[str] = mapped_column(server_default=text("'ambient'"))
    temp_min_c: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    temp_max_c: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    sgln: Mapped[str | None]
    allergen_zones: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    capacity: Mapped[int | None]
    party_id: Mapped[uuid.UUID | None]
    business_name: Mapped[str | None]
    phone: Mapped[str | None]
    street: Mapped[str | None]
    city: Mapped[str | None]
    state_region: Mapped[str | None]
    postal_code: Mapped[str | None]
    country: Mapped[str | None]
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
