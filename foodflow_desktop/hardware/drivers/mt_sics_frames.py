"""Lines of the MT-SICS language: parsing what a scale says. Pure functions over bytes.

Source: Mettler-Toledo, "MT-SICS Interface Commands", reference manual 11781363 (levels 0 and 1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from foodflow_kernel.errors import DeviceError, Garbled, Overload
from foodflow_kernel.units import Grams, Quantity, Uom, grams, kept

UNITS: dict[str, Uom] = {
    "g": Uom.GRM,
    "kg": Uom.KGM,
    "mg": Uom.MGM,
    "t": Uom.TNE,
    "lb": Uom.LBR,
    "oz": Uom.ONZ,
}
"""Unit as the scale prints it. Others (pcs, %, lb:oz) are no weight for a record: refused."""

ERROR_FRAMES: dict[str, tuple[type[DeviceError], str]] = {
    "ES": (DeviceError, "scale_command_unknown"),  # syntax error: this model does not have the command
    "EL": (DeviceError, "scale_command_refused"),  # logical error: not possible in this state
    "ET": (Garbled, "scale_line_noise"),  # transmission error: parity or framing
}
"""Whole lines that answer a command the scale could not take."""

STATUS_ERRORS: dict[str, tuple[type[DeviceError], str]] = {
    "I": (DeviceError, "scale_busy"),  # understood, not executable now: taring, zeroing, not stable in time
    "L": (DeviceError, "scale_parameter_wrong"),  # understood, parameter wrong
    "E": (DeviceError, "scale_fault"),  # the scale reports a fault of its own
    "+": (Overload, "scale_overload"),  # above the range
    "-": (Overload, "scale_underload"),  # below the range
}
"""Status letters that end a command without success. S stable, D dynamic, A done are good."""

_LINE = re.compile(
    r"(?P<command>[A-Z@]{1,3}\d?\d?)"
    r"(?: (?P<status>[SDAILE+-]))?"
    r"(?: +(?P<value>-? *\d+(?:\.\d+)?) +(?P<unit>[A-Za-z%:]+) *| (?P<text>.+))?"
)
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a scale.

    Args:
        command: what it answers: S, Z, T, TA, I4...; or ES, EL, ET.
        status: the status letter, empty where there is none.
        weight: value with unit, if the line has one.
        text: the rest, such as an identification in quotes.
    """

    command: str
    status: str
    weight: Quantity | None = None
    text: str = ""

    @property
    def weight_g(self) -> Grams | None:
        """The weight in grams; pounds and ounces rounded to what records keep."""
        if self.weight is None:
            return None
        value_g = Grams(grams(self.weight) + 0)  # some models print -0.0
        return Grams(kept(value_g)) if self.weight.uom in (Uom.LBR, Uom.ONZ) else value_g

    @property
    def quoted(self) -> tuple[str, ...]:
        """The texts in quotes, for identification lines."""
        return tuple(_QUOTED.findall(self.text))


def parse(raw: bytes) -> Line:
    r"""One line without its CR LF.

    Raises:
        Garbled: `scale_frame_garbled`, `scale_unit_unknown`.

    >>> line = parse(b"S D      0.6034 kg")
    >>> line.command, line.status, line.weight_g == Decimal("603.4")
    ('S', 'D', True)
    """
    try:
        text = raw.decode("ascii").rstrip()
    except UnicodeDecodeError:
        raise Garbled("scale_frame_garbled", frame=raw.hex(" ")) from None
    if text in ERROR_FRAMES:
        return Line(text, "")
    match = _LINE.fullmatch(text)
    if match is None or not (match["status"] or match["text"]):
        raise Garbled("scale_frame_garbled", frame=raw.hex(" "))
    weight = None
    if match["value"] is not None:
        uom = UNITS.get(match["unit"])
        if uom is None:
            raise Garbled("scale_unit_unknown", unit=match["unit"])
        weight = Quantity(Decimal(match["value"].replace(" ", "")), uom)
    elif match["command"] == "S" and match["status"] in ("S", "D"):
        return _fault(raw, match["text"] or "")
    return Line(match["command"], match["status"] or "", weight, match["text"] or "")


def _fault(raw: bytes, text: str) -> Line:
    """``S S Error 10b`` is how several models report a fault in place of a weight."""
    if text.startswith("Error"):
        return Line("S", "E", None, text.removeprefix("Error").strip())
    raise Garbled("scale_frame_garbled", frame=raw.hex(" "))


def error_of(line: Line) -> DeviceError | None:
    """Why a command did not succeed; None if it did."""
    if line.command in ERROR_FRAMES:
        kind, code = ERROR_FRAMES[line.command]
        return kind(code)
    if line.status in STATUS_ERRORS:
        kind, code = STATUS_ERRORS[line.status]
        return kind(code, **({"fault": line.text} if line.status == "E" else {}))
    return None
