"""Cells of CSV and XLSX: how a value is written so that no program runs it, and how it is read back."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from pydantic_core import to_json

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
JSON = "application/json"

NOTE = "#"
"""A line above the heading that begins so says something about the sheet and is no row."""

_RUN = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins so for a formula (OWASP, CSV injection)."""
_ESCAPED = (*_RUN, "'")
"""The mark itself too, so that it can be taken off again."""


def escaped(text: str) -> str:
    """Text that a spreadsheet shows and does not run.

    >>> escaped("=1+1"), escaped("1+1"), escaped("'s")
    ("'=1+1", '1+1', "''s")
    """
    return f"'{text}" if text.startswith(_ESCAPED) else text


def unescaped(text: str) -> str:
    """The text that ``escaped`` was given.

    >>> unescaped("'=1+1"), unescaped("'s"), unescaped("1+1")
    ('=1+1', "'s", '1+1')
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(_ESCAPED) else text


def cell(value: Any) -> str:  # noqa: PLR0911  # a table of types, written as returns
    """A value as the text of a cell; numbers stand as they are, whatever their sign."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, enum.Enum):
        return escaped(str(value.value))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping | list):
        return to_json(value, bytes_mode="hex").decode()
    return escaped(str(value))


def number(value: Any) -> float | None:
    """A number that a spreadsheet's own numbers hold exactly; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    near = float(value)
    return near if Decimal(repr(near)) == Decimal(str(value)) else None


def wanted(accept: str) -> str:
    """The form of a list that an ``Accept`` header asks for: CSV, XLSX, or JSON where nothing else is preferred.

    >>> wanted("text/csv;q=0.5, application/json"), wanted("text/csv"), wanted("*/*")
    ('application/json', 'text/csv', 'application/json')
    """
    best, found = 0.0, JSON
    for part in accept.lower().split(","):
        kind, *parameters = (each.strip() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        named = JSON if kind in ("*/*", "application/*") else kind
        if named in (CSV, XLSX, JSON) and weight > best:
            best, found = weight, named
    return found
