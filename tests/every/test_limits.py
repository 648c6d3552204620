"""Every limit of what a caller may send, and of every setting, stands in a table.

A limit that goes away takes its line of the API's document along, so whoever checks requests against that document
does not miss it. ``python -m tests.every.test_limits`` writes the table anew, to be read before it is committed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from server.core.settings import Settings
from tests.every.test_routes import APP

TABLE = Path(__file__).parents[1] / "golden" / "limits.json"
BOUNDS = (
    "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems",
    "maxItems", "minProperties", "maxProperties",
)  # fmt: skip


def bounded(where: str, schema: Any) -> Iterator[tuple[str, Any]]:
    """Each bound of a schema and of what is inside it."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in BOUNDS and not isinstance(value, dict):
                yield f"{where} {key}", value
            elif key not in {"example", "examples"}:
                named = where if key in ("anyOf", "allOf", "oneOf", "schema", "properties") else f"{where}.{key}"
                yield from bounded(named, value)
    elif isinstance(schema, list):
        for each in schema:
            yield from bounded(where, each)


def limits() -> dict[str, Any]:
    """All bounds of bodies, parameters and settings."""
    document = APP.openapi()
    found = dict(bounded("", document["components"]["schemas"]))
    for path, verbs in document["paths"].items():
        for verb, route in verbs.items():
            for each in route.get("parameters", []):
                found |= dict(bounded(f"{verb.upper()} {path} ?{each['name']}", each["schema"]))
    return found | dict(bounded("setting", Settings.model_json_schema()))


def test_no_limit_has_gone_or_changed() -> None:
    assert limits() == json.loads(TABLE.read_text())


if __name__ == "__main__":
    TABLE.write_text(json.dumps(limits(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")
