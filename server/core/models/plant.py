"""Sites."""

from __future__ import annotations

from datetime import time

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.machines.places import PlantState
from server.core.db import MasterRow, TenantBase

REGIMES = (
    "fda_pchf",
    "fsis",
    "fsma204",
    "juice_120",
    "seafood_123",
    "lacf_113",
    "acid_114",
    "eu",
    "dietary_111",
)
"""Rules a site works under (identity_core, Tenant)."""


class Plant(MasterRow, TenantBase):
    """A site with its time zone, its business day, and how its terminals behave.

    Args:
        gln: GS1 Global Location Number with its check digit.
        fda_ffr: FDA food facility registration.
        fsis_est: establishment of inspection: M (meat) or P (poultry), number, letter.
        day_start: when the business day begins, by the plant's own clock; fixed with ``tz`` once anything
            was made, for it says to which day a record belongs.
    """

    __tablename__ = "core_plant"
    __feed__ = "plant"
    __plant__ = "id"
    __table_args__ = (
        Index("uq_core_plant_code", "code", unique=True),
        CheckConstraint("code ~ '^[A-Z0-9]{2,10}$'", name="code"),
        CheckConstraint("gln is null or is_gs1_key(gln, 13)", name="gln"),
        CheckConstraint("fda_ffr ~ '^[0-9]{11}$'", name="fda_ffr"),
        CheckConstraint("fsis_est ~ '^[MP][0-9]{1,5}[A-Z]?$'", name="fsis_est"),
        CheckConstraint(f"regimes <@ array[{', '.join(repr(each) for each in REGIMES)}]", name="regimes"),
        CheckConstraint("auto_lock_s > 0 and microstop_s > 0", name="terminal_times"),
    )

    code: Mapped[str]
    name: Mapped[str]
    tz: Mapped[str]
    state: Mapped[PlantState] = mapped_column(default=PlantState.active, server_default=text("'active'"))
    gln: Mapped[str | None]
    fda_ffr: Mapped[str | None]
    fsis_est: Mapped[str | None]
    regimes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    day_start: Mapped[time] = mapped_column(server_default=text("'00:00'"))
    auto_lock_s: Mapped[int] = mapped_column(server_default=text("120"))
    microstop_s: Mapped[int] = mapped_column(server_default=text("120"))
