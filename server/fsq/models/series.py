"""Running numbers that may have no gap and no double: deviations, pallets."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from server.core.db import TenantBase


class NumberSeries(TenantBase):
    """The last number given in a series, for example ``deviation:<plant>:2026``."""

    __tablename__ = "fsq_number_series"

    name: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)
