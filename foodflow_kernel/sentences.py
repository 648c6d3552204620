"""One plain sentence for each error code: what happened, and what to do.

English is here because logs and API answers need it; the kiosk translates by code.
Keep the table sorted by code. ``tests/every/test_errors.py`` fails on a code that is
raised anywhere and missing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SENTENCES: dict[str, str] = {
    "illegal_move": "This cannot be done now: {machine} is {state}.",
    "mixed_units": "{left} and {right} cannot be added: convert one of them first.",
    "unknown_unit": "The unit {uom} is not known here.",
}


def sentence(code: str, data: Mapping[str, Any]) -> str:
    """The sentence for a code, filled with the case's data; the code itself if unknown."""
    template = SENTENCES.get(code)
    if template is None:
        return code.replace("_", " ").capitalize() + "."
    return template.format_map(_Shown(data))


class _Shown(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
