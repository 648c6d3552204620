"""The only door to PostgreSQL: bases, roles, engines, sessions."""

from __future__ import annotations

from server.core.db.base import (
    Factor,
    FactRow,
    MasterRow,
    Money,
    PlatformBase,
    Qty,
    TenantBase,
    plant_column,
    plant_of,
)

__all__ = [
    "FactRow",
    "Factor",
    "MasterRow",
    "Money",
    "PlatformBase",
    "Qty",
    "TenantBase",
    "plant_column",
    "plant_of",
]
