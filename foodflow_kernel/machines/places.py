"""States and moves of plants, locations, addresses and contacts (identity_core, section 2)."""

from __future__ import annotations

from enum import StrEnum

from foodflow_kernel.machines.machine import Machine


class PlantState(StrEnum):
    """A site, from its plan to its end."""

    planned = "planned"
    active = "active"
    suspended = "suspended"
    closed = "closed"


_P = PlantState
PLANT: Machine[PlantState] = Machine(
    "plant",
    start=_P.planned,
    moves={
        (_P.planned, "activate"): _P.active,
        (_P.active, "suspend"): _P.suspended,
        (_P.suspended, "activate"): _P.active,
        (_P.suspended, "close"): _P.closed,
    },
)


class LocationState(StrEnum):
    """A place where goods may be put, may not for now, or never again."""

    active = "active"
    blocked = "blocked"
    retired = "retired"


_L = LocationState
LOCATION: Machine[LocationState] = Machine(
    "location",
    start=_L.active,
    moves={
        (_L.active, "block"): _L.blocked,
        (_L.blocked, "unblock"): _L.active,
        (_L.active, "retire"): _L.retired,
    },
)


class AddressState(StrEnum):
    """An address as it is now, or as it was."""

    current = "current"
    superseded = "superseded"


_A = AddressState
ADDRESS: Machine[AddressState] = Machine("address", start=_A.current, moves={(_A.current, "supersede"): _A.superseded})


class ContactState(StrEnum):
    """Somebody to be reached, or no longer."""

    active = "active"
    retired = "retired"


_C = ContactState
CONTACT: Machine[ContactState] = Machine("contact", start=_C.active, moves={(_C.active, "retire"): _C.retired})
