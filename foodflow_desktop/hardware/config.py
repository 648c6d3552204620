"""The hardware file: one TOML section for each device of the terminal.

::

    [scale]
    driver = "mt_sics"
    port = "/dev/ttyUSB0"
    tag = "SC-02"

The section's name is the device's name everywhere. ``driver`` names a row of
``drivers.DRIVERS``; the other keys are that driver's options.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from foodflow_desktop.hardware import drivers
from foodflow_desktop.hardware.drivers.driver import Driver, Options
from foodflow_kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Section:
    """One device as configured."""

    device: str
    driver: type[Driver]
    options: Options


@dataclass(frozen=True, slots=True)
class HardwareConfig:
    """All devices of a terminal, in the order of the file."""

    sections: tuple[Section, ...] = ()


def load(path: Path) -> HardwareConfig:
    """Read a hardware file.

    Raises:
        Invalid: `hardware_file_wrong` with the section and what is wrong in it.
    """
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Invalid("hardware_file_wrong", section=str(path), why=str(error)) from error


def parse(table: dict[str, Any]) -> HardwareConfig:
    """Check a parsed hardware file; see ``load``."""
    return HardwareConfig(tuple(_section(device, keys) for device, keys in table.items()))


def _section(device: str, keys: Any) -> Section:
    if not isinstance(keys, dict):
        raise Invalid("hardware_file_wrong", section=device, why="not a section")
    name = keys.get("driver")
    if name not in drivers.DRIVERS:
        raise Invalid("hardware_file_wrong", section=device, why=f"no driver {name!r}")
    driver = drivers.DRIVERS[name]
    try:
        options = driver.options_type.model_validate({key: value for key, value in keys.items() if key != "driver"})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "section"
        raise Invalid("hardware_file_wrong", section=device, why=f"{where}: {first['msg']}") from error
    return Section(device, driver, options)
