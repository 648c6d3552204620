"""The role x permission matrix as data (identity_core, section 4; planning, first table).

Letters: R read, C create, U update, A approve/release/verify, D void/retire, X export, S sign the
settings that food safety depends on, W end the wait after wrong PINs (section 6, 11.300). A verb
that is not one of ``COMMON`` is granted by the letter that ``SPECIAL`` gives it. A role
that the page limits to its own plant (suffix p) is in ``PLANT_ROLES``: it is given at one plant,
never in a whole company.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

ROLES: dict[str, str] = {
    "OP": "Operator",
    "QT": "QA technician",
    "QM": "QA manager",
    "SV": "Supervisor",
    "MT": "Maintenance",
    "PL": "Planner",
    "BM": "Brand manager",
    "RA": "Retail analyst",
    "PN": "Planning manager",
    "BY": "Buyer",
    "WH": "Warehouse",
    "RD": "Recipe developer",
    "FI": "Finance",
    "ST": "Store representative",
    "TA": "Tenant admin",
    "AU": "Auditor",
}
"""What a person of a company may be. Who runs the platform (PA) and a terminal (DV) are no roles of a company: the
first has no data of any, the second acts by its own token."""

PLANT_ROLES = frozenset({"OP", "QT", "SV", "MT"})
"""Rights with the suffix p: held at a plant, not in a whole company."""

READ_ONLY = frozenset({"AU"})
"""Roles that never write: who holds nothing else reads through a database login that cannot (``people.actor_of``)."""

TIMED = frozenset({"AU"})
"""Roles that are given until a day that is named when they are given (identity_core, section 4, AU)."""

COMMON: dict[str, str] = {"read": "R", "create": "C", "update": "U", "retire": "D", "export": "X"}
"""What may be done to anything, and its letter."""

SPECIAL: dict[str, tuple[str, ...]] = {
    "pack": ("C", "fsq.lot"),
    "ship": ("C", "fsq.pallet"),
    "close": ("U", "plant_ops.downtime"),
    "activate": ("A", "core.plant", "identity.role", "identity.user", "platform.tenant"),
    "suspend": ("A", "core.plant", "platform.tenant"),
    "close_down": ("A", "core.plant"),
    "block": ("U", "core.location"),
    "unblock": ("U", "core.location"),
    "verify": ("U", "core.audit", "core.contact"),
    "erase": ("A", "core.contact"),
    "supersede": ("U", "core.address", "core.note"),
    "categorise": ("U", "plant_ops.downtime"),
    "contain": ("U", "fsq.deviation"),
    "rotate": ("U", "identity.api_key"),
    "appoint": ("A", "identity.user_role"),
    "approve": ("A", "identity.device", "plant_ops.downtime"),
    "release": ("A", "fsq.hold", "fsq.lot"),
    "reject": ("A", "sync.inbox"),
    "revoke": ("D", "identity.api_key", "identity.device"),
    "disable": ("D", "identity.user", "platform.user"),
    "take": ("D", "identity.user_role"),
    "enable": ("A", "identity.user", "platform.user"),
    "lock": ("D", "identity.user"),
    "unlock": ("A", "identity.user"),
    "reset_mfa": ("A", "identity.user"),
    "set_pin": ("A", "identity.user"),
    "clear_wait": ("W", "identity.user"),
    "verify_identity": ("A", "identity.user"),
    "set_pcqi": ("A", "identity.user"),
    "replay": ("A", "sync.inbox"),
    "waive": ("A", "sync.inbox"),
    "offboard": ("D", "platform.tenant"),
    "archive": ("D", "platform.tenant"),
    "sign": ("S", "core.config"),
    "rescan": ("A", "core.attachment"),
    "ack": ("R", "core.notification"),
    "withdraw": ("D", "core.config"),
    "end": ("D", "identity.break_glass", "platform.break_glass"),
    "merge": ("A", "core.tag"),
}
"""Other verbs: the letter, then the nouns that have it."""

Level = Literal["normal", "high", "esign"]

_AS_PLANNER = ("PN", "BY", "WH", "RD", "FI")
"""Outside planning they read what the planner reads (identity_core, section 0, roles)."""


def _row(rights: Mapping[str, str]) -> dict[str, str]:
    """A row of the page, with those who read what the planner reads."""
    readers = dict.fromkeys(_AS_PLANNER, "R") if "R" in rights.get("PL", "") else {}
    return readers | dict(rights)


_PEOPLE = _row({"QM": "R", "SV": "R", "TA": "CRUAD", "AU": "R"})
_SITE = _row({"OP": "R", "QT": "R", "QM": "RU", "SV": "RU", "MT": "R", "PL": "R", "BM": "R", "TA": "CRUD", "AU": "R"})
_FLOOR = _row({"OP": "CR", "QT": "CR", "QM": "RX", "SV": "CRUADX", "PL": "RX", "BM": "R", "TA": "R", "AU": "R"})
_SCHEDULE = _row(
    {
        "OP": "R", "QT": "R", "QM": "R", "SV": "RUA", "MT": "R", "PL": "CRUADX", "BM": "R", "TA": "R", "AU": "R",
    }
)  # fmt: skip
_SPEC = _row(
    {
        "OP": "R", "QT": "R", "QM": "CRUAD", "SV": "R", "MT": "R", "PL": "R", "BM": "R", "TA": "R", "AU": "R",
    }
)  # fmt: skip
_LOT = _row({"OP": "CR", "QT": "CR", "QM": "CRUA", "SV": "CR", "PL": "R", "BM": "R", "TA": "R", "AU": "R"})

MATRIX: dict[str, dict[str, str]] = {
    "platform.tenant": {"TA": "R", "PA": "CRUAD"},
    "platform.user": {"PA": "RUAD"},
    "platform.break_glass": {"PA": "CRD"},
    "identity.user": _PEOPLE | {"SV": "RW", "TA": "CRUADW"},
    "identity.role": _PEOPLE,
    "identity.permission": _PEOPLE,
    "identity.user_role": _PEOPLE,
    "identity.api_key": _PEOPLE,
    "identity.break_glass": {"QM": "R", "TA": "RD", "AU": "R"},
    "identity.device": {"QM": "R", "SV": "RA", "MT": "R", "TA": "RAD", "AU": "R"},
    "core.audit": {"QM": "RX", "SV": "R", "TA": "RX", "AU": "RX"},
    "core.esign": dict.fromkeys(ROLES, "CR") | {"AU": "R"},
    "core.notification": dict.fromkeys(ROLES, "R"),
    "core.attachment": _row(
        {"OP": "CR", "QT": "CR", "QM": "CRAD", "SV": "CRD", "MT": "CR", "PL": "CR", "WH": "CR", "TA": "CRAD", "AU": "R"}
    ),
    "core.note": _row(
        {
            "OP": "CRU", "QT": "CRU", "QM": "CRUX", "SV": "CRUX", "MT": "CRU", "PL": "CRU", "WH": "CRU", "TA": "CRUX",
            "AU": "RX",
        }
    ),
    "core.qa_note": {"QT": "R", "QM": "R", "AU": "R"},
    "core.tag": _row(
        {
            "OP": "R", "QT": "R", "QM": "CRUADX", "SV": "CRUAD", "MT": "R", "PL": "R", "BM": "R", "TA": "CRUADX",
            "AU": "R",
        }
    ),
    "core.tag_link": _row(
        {
            "OP": "CR", "QT": "CRD", "QM": "CRDX", "SV": "CRD", "MT": "CR", "PL": "CRD", "WH": "CRD", "BM": "R",
            "TA": "CRDX", "AU": "R",
        }
    ),
    "core.config": {"QM": "RS", "SV": "R", "TA": "CRUAD", "AU": "R"},
    "core.plant": _SITE | {"TA": "CRUAD"},
    "core.location": _SITE,
    "core.contact": _row({"QT": "R", "QM": "CRUADX", "SV": "R", "MT": "R", "PL": "CRU", "TA": "CRUD", "AU": "R"}),
    "core.address": _row({"QT": "R", "QM": "CRU", "SV": "R", "MT": "R", "PL": "CRU", "TA": "CRUD", "AU": "R"}),
    "plant_ops.line": _SITE,
    "plant_ops.equipment": _SITE | {"MT": "RU"},
    "plant_ops.sensor": _row(
        {"OP": "R", "QT": "R", "QM": "RX", "SV": "RX", "MT": "RU", "PL": "R", "TA": "CRUD", "AU": "R"}
    ),
    "plant_ops.reason": _SITE,
    "plant_ops.batch": _FLOOR,
    "plant_ops.line_event": _FLOOR,
    "plant_ops.downtime": _FLOOR | {"MT": "CR"},
    "plant_ops.scrap": _FLOOR,
    "plant_ops.weighing": {"OP": "CR", "QT": "CR", "QM": "RAX", "SV": "CRA", "BM": "R", "TA": "R", "AU": "R"},
    "plant_ops.board": _row(
        {"QT": "R", "QM": "R", "SV": "R", "MT": "R", "PL": "R", "BM": "R", "TA": "R", "AU": "R"}
    ),
    "plant_ops.oee": _row({"QT": "R", "QM": "RX", "SV": "RX", "PL": "RX", "BM": "R", "TA": "R", "AU": "R"}),
    "planning.item": _SCHEDULE,
    "planning.bom": {
        "PL": "RA", "PN": "R", "BY": "R", "WH": "R", "RD": "CRU", "SV": "R", "BM": "R", "FI": "R", "QM": "RA",
        "TA": "R", "AU": "R",
    },
    "planning.work_order": {
        "OP": "R", "QT": "R", "MT": "R", "PL": "CRUA", "PN": "CRUA", "BY": "R", "WH": "R", "RD": "R", "SV": "RU",
        "FI": "R", "QM": "R", "TA": "R", "AU": "R",
    },
    "planning.weight_spec": _SPEC,
    "fsq.lot": _LOT,
    "fsq.pallet": {
        "OP": "R", "QT": "R", "SV": "CR", "PL": "R", "PN": "R", "BY": "R", "WH": "CRUX", "RD": "R", "BM": "R",
        "RA": "R", "FI": "R", "QM": "R", "TA": "R", "AU": "R",
    },
    "fsq.hold": _LOT | {"QM": "CRA", "MT": "C"},
    "fsq.ccp": _SPEC,
    "fsq.ccp_monitoring": {"OP": "CR", "QT": "CR", "QM": "RAX", "SV": "CRA", "TA": "R", "AU": "R"},
    "fsq.deviation": {
        "OP": "C", "QT": "CRU", "QM": "CRUADX", "SV": "CRU", "MT": "R", "BM": "R", "TA": "R", "AU": "R",
    },
    "fsq.trace": _row({"QT": "R", "QM": "CRUADX", "SV": "RC", "PL": "R", "BM": "R", "TA": "RX", "AU": "RX"}),
    "sync.health": {"QT": "R", "QM": "R", "SV": "R", "MT": "R", "TA": "R", "AU": "R"},
    "sync.inbox": {"QT": "R", "QM": "RA", "SV": "RA", "TA": "R", "AU": "R"},
    "sync.journal": {"QM": "R", "SV": "R", "TA": "R", "AU": "R"},
}  # fmt: skip
"""Noun to role to letters. TA is not QA: it releases nothing. SV and TA approve terminals, TA revokes them."""

_SIGNED = frozenset({"planning.weight_spec", "planning.bom"})
"""Nouns outside food safety whose approval is a quality signature."""


@cache
def grants(role: str, codes: frozenset[str]) -> frozenset[str]:
    """The permissions of a role among the codes that exist."""
    return frozenset(code for code in codes if _letter(code) in MATRIX.get(_noun(code), {}).get(role, ""))


@cache
def declared() -> frozenset[str]:
    """Every code the matrix can grant."""
    common = {f"{noun}.{verb}" for noun in MATRIX for verb in COMMON}
    return frozenset(common | {f"{noun}.{verb}" for verb, (_, *nouns) in SPECIAL.items() for noun in nouns})


def level(code: str) -> Level:
    """How much a permission weighs.

    ``esign``: it ends in a person's signature, so that no program may ever hold it. ``high``: it
    approves, ends or hands out.
    """
    noun, letter = _noun(code), _letter(code)
    if letter == "S" or (letter == "A" and (noun.startswith("fsq.") or noun in _SIGNED)):
        return "esign"
    if letter in ("A", "D", "X") or (noun.startswith("identity.") and letter != "R"):
        return "high"
    return "normal"


def scope(role: str) -> str:
    """Where a system role may be given: ``plant`` or ``tenant`` (which includes a plant)."""
    return "plant" if role in PLANT_ROLES else "tenant"


def _noun(code: str) -> str:
    return code.rpartition(".")[0]


def _letter(code: str) -> str:
    verb = code.rpartition(".")[2]
    return COMMON.get(verb) or SPECIAL.get(verb, ("none",))[0]
