"""States and legal moves, one file per context; ``ALL`` is what tests and docs iterate."""

from __future__ import annotations

from typing import Any

from foodflow_kernel.machines.content import CONFIG, FILE, NOTIFICATION
from foodflow_kernel.machines.fsq import DEVIATION, HOLD, LOT
from foodflow_kernel.machines.identity import API_KEY, DEVICE, PERMISSION, ROLE, TENANT, USER
from foodflow_kernel.machines.machine import Machine
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
)

__all__ = [
    "ALL",
    "API_KEY",
    "BATCH",
    "CONFIG",
    "DEVIATION",
    "DEVICE",
    "DOWNTIME",
    "FILE",
    "HOLD",
    "LOT",
    "NOTIFICATION",
    "PERMISSION",
    "ROLE",
    "TENANT",
    "USER",
    "WORK_ORDER",
    "Machine",
]
