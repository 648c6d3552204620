"""The drivers there are. A new device dialect: one file here, one row in ``DRIVERS``."""

from __future__ import annotations

from foodflow_desktop.hardware.drivers.driver import Driver
from foodflow_desktop.hardware.drivers.mt_sics import MtSics

DRIVERS: dict[str, type[Driver]] = {
    "mt_sics": MtSics,
}
"""The name in the hardware file to the driver."""
