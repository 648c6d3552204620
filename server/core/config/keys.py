"""Every key that may be set: its type, its default, where it may be set, and what it does.

A key that is not here cannot be set, and a value that its type does not take is refused; so is
whatever looks like a secret, which has no place in a table that many may read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from foodflow_kernel.errors import Invalid

SIGNED = ("hold.", "ccp.", "retention.", "oee.", "esign.")
"""Keys that need a QA manager's signature: food safety, and what the company is judged by."""

PART11 = "esign.part11"

_SECRET_NAME = re.compile(r"password|passwd|secret|token|api_?key|private_?key|credential", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{8,}\.[\w-]{8,}\.|\bAKIA[0-9A-Z]{16}\b|://[^/\s:@]+:[^/\s:@]+@"
)


class Scope(StrEnum):
    """Where a value holds, from wide to narrow; the narrowest wins."""

    system = "system"
    tenant = "tenant"
    plant = "plant"
    line = "line"
    device = "device"


S = Scope
RANK = {scope: rank for rank, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class Key:
    """A setting.

    Args:
        says: what it does, with its unit.
        type: what a value must be; pydantic reads it strictly.
        default: what holds where nobody set anything.
        scopes: where it may be set.
    """

    says: str
    type: TypeAdapter[Any]
    default: Any
    scopes: frozenset[Scope]


def _key(says: str, kind: Any, default: Any, *scopes: Scope) -> Key:
    return Key(says, TypeAdapter(kind), default, frozenset(scopes))


def _int(least: int, most: int) -> Any:
    return Annotated[int, Field(ge=least, le=most)]


KEYS: Mapping[str, Key] = {
    "ccp.escalate_min": _key(
        "minutes until a breach at a critical control point that nobody acknowledged goes to the next role",
        _int(1, 60), 5, S.tenant, S.plant, S.line,
    ),
    PART11: _key(
        "all controls of 21 CFR Part 11 for signatures; false only where no rule that the company works under asks",
        bool, True, S.tenant,
    ),
    "files.open_uploads": _key(
        "uploads that one person may have open at once", _int(1, 50), 5, S.system, S.tenant
    ),
    "hold.escalate_min": _key(
        "minutes until a hold that nobody acknowledged goes to the next role", _int(1, 240), 15, S.tenant, S.plant
    ),
    "notify.escalate_critical_min": _key(
        "minutes until a critical notification that nobody acknowledged goes to the next role",
        _int(1, 240), 10, S.system, S.tenant, S.plant,
    ),
    "notify.escalate_warn_min": _key(
        "minutes until a warning that nobody acknowledged goes to the next role",
        _int(5, 1440), 60, S.system, S.tenant, S.plant,
    ),
    "notify.keep_h": _key(
        "hours until a notification that is not critical expires", _int(1, 720), 72, S.system, S.tenant, S.plant
    ),
    "notify.mail_from": _key(
        "from which severity on a notification is also a letter",
        Literal["warn", "critical", "never"], "critical", S.system, S.tenant, S.plant,
    ),
    "retention.records_y": _key(
        "years that records are kept; the law's floor is in the type (21 CFR 117.315, 113.100(g))",
        _int(3, 50), 3, S.tenant,
    ),
    "retention.sensor_months": _key(
        "months that raw sensor readings are kept", _int(13, 600), 13, S.tenant, S.plant
    ),
}  # fmt: skip
"""Registered keys; a test reads the table."""


def needs_signature(key: str) -> bool:
    """Whether a value of this key needs a QA manager's signature."""
    return key.startswith(SIGNED)


def of(name: str) -> Key:
    """A registered key.

    Raises:
        Invalid: `config_secret` for one that asks for a secret, `config_key_unknown`.
    """
    if _SECRET_NAME.search(name):
        raise Invalid("config_secret")
    if name not in KEYS:
        raise Invalid("config_key_unknown", key=name)
    return KEYS[name]


def check(name: str, value: Any) -> Any:
    """A value as the key's type has it; None is no value, so that a wider one holds.

    Raises:
        Invalid: `config_key_unknown`, `config_value_bad`, `config_secret`.
    """
    key = of(name)
    if value is None:
        return None
    text = json.dumps(value)
    if _SECRET_VALUE.search(text) or _names_a_secret(value):
        raise Invalid("config_secret")
    try:
        read = key.type.validate_json(text, strict=True)
    except ValidationError as error:
        why = "; ".join(each["msg"] for each in error.errors(include_url=False))
        raise Invalid("config_value_bad", key=name, why=why) from error
    return key.type.dump_python(read, mode="json")


def _names_a_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_SECRET_NAME.search(str(name)) or _names_a_secret(each) for name, each in value.items())
    return isinstance(value, list) and any(_names_a_secret(each) for each in value)
