"""Sites, places in them, and how parties are reached: verbs, and what the API may do with their tables."""

from __future__ import annotations

import uuid
import zoneinfo
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import Invalid, Refused
from foodflow_kernel.ids import new_id
from foodflow_kernel.machines.places import ADDRESS, CONTACT, LOCATION, PLANT, LocationState, PlantState
from server.core import feed
from server.core.actions import Action
from server.core.models import Address, Contact, Location, Plant
from server.core.resource import ANY, Resource
from server.core.resource.declared import Written, printable

STALE_AFTER = timedelta(days=180)
"""After this nobody may trust that a contact still answers (identity_core, Contact)."""


class Reason(BaseModel):
    """Why."""

    reason: str = Field(min_length=5, max_length=500)


class Unreasoned(BaseModel):
    """Nothing more is said."""


class NewAddress(BaseModel):
    """Where the party is from now on."""

    lines: list[Written] = Field(min_length=1, max_length=5)
    city: Annotated[str, AfterValidator(printable)] = Field(min_length=1, max_length=120)
    region: Annotated[str, AfterValidator(printable)] | None = Field(None, max_length=6)
    postal_code: Annotated[str, AfterValidator(printable)] | None = Field(None, max_length=20)
    country: str = Field(pattern=r"^[A-Z]{2}$")
    latitude: Decimal | None = Field(None, ge=-90, le=90)
    longitude: Decimal | None = Field(None, ge=-180, le=180)
    valid_from: datetime | None = Field(None, description="when it begins; now where nothing is said")


def is_stale(last_verified_at: datetime | None, now: datetime) -> bool:
    """Whether nobody has made sure for too long that a contact still answers.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 28, tzinfo=UTC)
    >>> is_stale(now - timedelta(days=180), now), is_stale(now - timedelta(days=181), now), is_stale(None, now)
    (False, True, True)
    """
    return last_verified_at is None or now - last_verified_at > STALE_AFTER


async def check_plant(db: AsyncSession, plant: Plant) -> None:
    """A site's clock must be one that exists; a site that was used goes only when it is closed.

    Raises:
        Invalid: `time_zone_unknown`.
        Refused: `plant_not_closed`, naming something that belongs to it.
    """
    if plant.tz not in zoneinfo.available_timezones():
        raise Invalid("time_zone_unknown", tz=plant.tz[:80])
    if plant.retired_at is not None and plant.state is not PlantState.closed:
        what = await _belonging(db, plant)
        if what is not None:
            raise Refused("plant_not_closed", what=what)


async def _belonging(db: AsyncSession, plant: Plant) -> str | None:
    """A table that has a row of a site, however old; None: nothing was ever done there."""
    columns = [
        column
        for table in Plant.metadata.sorted_tables
        for column in table.columns
        if any(key.target_fullname == "core_plant.id" for key in column.foreign_keys)
    ]
    with db.no_autoflush:
        for column in columns:
            if await db.scalar(select(literal(1)).where(column == plant.id).limit(1)) is not None:
                return str(column.table.name)
    return None


async def activate(_db: AsyncSession, plant: Plant, _command: Unreasoned) -> Plant:
    """Open a planned site, or a suspended one again.

    Raises:
        IllegalMove: it is neither.
    """
    plant.state = PLANT.move(plant.state, "activate")
    return plant


async def suspend(_db: AsyncSession, plant: Plant, _command: Reason) -> Plant:
    """Let a site rest.

    Raises:
        IllegalMove: it is not active.
    """
    plant.state = PLANT.move(plant.state, "suspend")
    return plant


async def check_location(_db: AsyncSession, place: Location) -> None:
    """A place that goes for good goes by its machine; an empty one does not come back.

    Raises:
        IllegalMove: it is blocked, or gone already.
    """
    if place.retired_at is not None and place.state is not LocationState.retired:
        place.state = LOCATION.move(place.state, "retire")


async def block(_db: AsyncSession, place: Location, _command: Reason) -> Location:
    """Let nothing be put there for now.

    Raises:
        IllegalMove: it is not active.
    """
    place.state = LOCATION.move(place.state, "block")
    return place


async def unblock(_db: AsyncSession, place: Location, _command: Reason) -> Location:
    """Let it be used again.

    Raises:
        IllegalMove: it is not blocked.
    """
    place.state = LOCATION.move(place.state, "unblock")
    return place


async def check_contact(_db: AsyncSession, contact: Contact) -> None:
    """A contact that goes is reached no more."""
    if contact.retired_at is not None and contact.state is CONTACT.start:
        contact.state = CONTACT.move(contact.state, "retire")


async def verify(db: AsyncSession, contact: Contact, _command: Unreasoned) -> Contact:
    """Somebody made sure that this contact answers.

    Raises:
        IllegalMove: it is retired.
    """
    CONTACT.move(contact.state, "retire")  # only one that is reached can be verified
    contact.last_verified_at = db.info["clock"].now()
    return contact


async def erase(db: AsyncSession, contact: Contact, _command: Reason) -> Contact:
    """Take a person's data out; the row stays under a name that says nothing, for what refers to it."""
    now = db.info["clock"].now()
    if contact.state is CONTACT.start:
        contact.state, contact.retired_at = CONTACT.move(contact.state, "retire"), now
    contact.name, contact.email, contact.phone = f"erased-{contact.id.hex[-8:]}", None, None
    contact.is_primary, contact.erased_at = False, now
    return contact


async def supersede(db: AsyncSession, address: Address, command: NewAddress) -> Address:
    """End an address and begin the next one; returns the new one.

    Raises:
        IllegalMove: it has ended already.
        Refused: `address_retired`.
        Invalid: `address_begins_before` the one it follows.
    """
    now = db.info["clock"].now()
    begins = command.valid_from or now
    if address.retired_at is not None:
        raise Refused("address_retired")
    if begins <= address.valid_from:
        raise Invalid("address_begins_before", valid_from=address.valid_from)
    address.state, address.valid_to = ADDRESS.move(address.state, "supersede"), begins
    await db.flush()
    given = command.model_dump(exclude={"valid_from"})
    kept = {name: getattr(address, name) for name in ("plant_id", "party_kind", "party_id", "use")}
    made = Address(id=new_id(now), valid_from=begins, **kept, **given)
    db.add(made)
    await db.flush()
    return made


def cite(db: AsyncSession, address: Address) -> None:
    """Note that a traceability record names an address: from now on it stays as it is."""
    if address.cited_at is None:
        address.cited_at = db.info["clock"].now()


def touch_plant(db: AsyncSession, plant_id: uuid.UUID) -> None:
    """Tell the terminals of a site that it looks different."""
    feed.touch(db, "plant", plant_id, plant_id=plant_id)


PLANT_FIELDS = (
    "code", "name", "tz", "gln", "fda_ffr", "fsis_est", "regimes", "day_start", "auto_lock_s", "microstop_s",
)  # fmt: skip

LOCATION_RESOURCE = Resource(
    model=Location,
    owner="M",
    path="locations",
    code="core.location",
    writable=(
        "plant_id", "parent_id", "code", "name", "kind", "temp_class", "temp_min_c", "temp_max_c", "sgln",
        "allergen_zones", "capacity", "party_id", "business_name", "phone", "street", "city", "state_region",
        "postal_code", "country", "latitude", "longitude",
    ),
    fixed={"plant_id"},
    filters={"plant_id": ANY, "parent_id": ANY, "kind": ANY, "state": ANY, "code": ANY, "temp_class": ANY},
    sorts=("code", "name"),
    search=("code", "name"),
    actions=(Action("block", block, Reason), Action("unblock", unblock, Reason)),
    before_save=check_location,
)  # fmt: skip
CONTACT_RESOURCE = Resource(
    model=Contact,
    owner="M",
    path="contacts",
    code="core.contact",
    writable=("plant_id", "party_kind", "party_id", "role", "name", "email", "phone", "priority", "is_primary"),
    fixed={"plant_id", "party_kind", "party_id"},
    filters={"plant_id": ANY, "party_kind": ANY, "party_id": ANY, "role": ANY, "state": ANY, "last_verified_at": ANY},
    sorts=("priority", "name", "last_verified_at"),
    search=("name", "email", "phone"),
    actions=(Action("verify", verify, Unreasoned), Action("erase", erase, Reason, risk="approve")),
    before_save=check_contact,
)
ADDRESS_RESOURCE = Resource(
    model=Address,
    owner="M",
    path="addresses",
    code="core.address",
    writable=(
        "plant_id", "party_kind", "party_id", "use", "lines", "city", "region", "postal_code", "country",
        "latitude", "longitude", "valid_from",
    ),
    fixed={"plant_id", "party_kind", "party_id", "use", "valid_from"},
    filters={"party_kind": ANY, "party_id": ANY, "use": ANY, "country": ANY, "postal_code": ANY, "state": ANY},
    sorts=("valid_from",),
    actions=(Action("supersede", supersede, NewAddress),),
)  # fmt: skip

RESOURCES = (LOCATION_RESOURCE, CONTACT_RESOURCE, ADDRESS_RESOURCE)
