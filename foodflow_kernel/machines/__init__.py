"""States and legal moves, one file per context; ``ALL`` is what tests and docs iterate."""

from __future__ import annotations

from typing import Any

from foodflow_kernel.machines.content import CONFIG, FILE, NOTE, NOTIFICATION, TAG
from foodflow_kernel.machines.fsq import DEVIATION, HOLD, LOT
from foodflow_kernel.machines.identity import API_KEY, DEVICE, PERMISSION, ROLE, TENANT, USER
from foodflow_kernel.machines.machine import Machine
from foodflow_kernel.machines.places import ADDRESS, CONTACT, LOCATION, PLANT
from foodflow_kernel.machines.plant_ops import BATCH, DOWNTIME, WORK_ORDER

ALL: tuple[Machine[Any], ...] = (
    BATCH,
    DOWNTIME,
    WORK_ORDER,
    LOT,
    HOLD,
    DEVIATION,
    TENANT,
    USER,
    ROLE,
    PERMISSION,
    API_KEY,
    DEVICE,
    CONFIG,
    NOTIFICATION,
    FILE,
    NOTE,
    TAG,
    PLANT,
    LOCATION,
    ADDRESS,
    CONTACT,
)

__all__ = [
    "ADDRESS",
    "ALL",
    "API_KEY",
    "BATCH",
    "CONFIG",
    "CONTACT",
    "DEVIATION",
    "DEVICE",
    "DOWNTIME",
    "FILE",
    "HOLD",
    "LOCATION",
    "LOT",
    "NOTE",
    "NOTIFICATION",
    "PERMISSION",
    "PLANT",
    "ROLE",
    "TAG",
    "TENANT",
    "USER",
    "WORK_ORDER",
    "Machine",
]
