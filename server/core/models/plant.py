"""Sites."""

from __future__ import annotations

from datetime import time

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from server.core.db import MasterRow, TenantBase


class Plant(MasterRow, TenantBase):
    """A site with its time zone, its business day, and how its terminals behave."""

    __tablename__ = "core_plant"
    __feed__ = "plant"
    __plant__ = "id"
    __table_args__ = (
        Index("uq_core_plant_code", "code", unique=True),
        CheckConstraint("code ~ '^[A-Z0-9]{2,10}$'", name="code"),
        CheckConstraint("gln is null or gln ~ '^[0-9]{13}$'", name="gln"),
        CheckConstraint("auto_lock_s > 0 and microstop_s > 0", name="terminal_times"),
    )

    code: Mapped[str]
    name: Mapped[str]
    tz: Mapped[str]
    gln: Mapped[str | None]
    day_start: Mapped[time] = mapped_column(server_default=text("'00:00'"))
    auto_lock_s: Mapped[int] = mapped_column(server_default=text("120"))
    microstop_s: Mapped[int] = mapped_column(server_default=text("120"))
