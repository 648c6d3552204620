"""The role x permission matrix as data (identity_core, section 4), for what exists so far.

Letters: R read, C create, U update, A approve/release/verify, D void/retire, X export, S sign the
settings that food safety depends on. A verb that is not one of read, create, update, retire is
granted by the letter ``VERBS`` gives it.
Plant scope comes from the role assignment, not from here.
"""

from __future__ import annotations

ROLES: dict[str, str] = {
    "OP": "Operator",
    "QT": "QA technician",
    "QM": "QA manager",
    "SV": "Supervisor",
    "MT": "Maintenance",
    "PL": "Planner",
    "WH": "Warehouse",
    "TA": "Tenant admin",
    "AU": "Auditor",
}

VERBS: dict[str, str] = {
    "read": "R",
    "create": "C",
    "update": "U",
    "retire": "D",
    "export": "X",
    "pack": "C",
    "ship": "C",
    "close": "U",
    "activate": "U",
    "suspend": "U",
    "block": "U",
    "unblock": "U",
    "verify": "U",
    "erase": "A",
    "supersede": "U",
    "categorise": "U",
    "contain": "U",
    "approve": "A",
    "release": "A",
    "reject": "A",
    "dispose": "A",
    "revoke": "D",
    "disable": "D",
    "replay": "A",
    "waive": "A",
    "sign": "S",
    "rescan": "A",
    "ack": "R",
    "withdraw": "D",
}

_FLOOR = {"OP": "CR", "QT": "CR", "QM": "RX", "SV": "CRUADX", "MT": "R", "PL": "RX", "TA": "R", "AU": "R"}
_PLANNING = {"OP": "R", "QT": "R", "QM": "RA", "SV": "RU", "PL": "CRUADX", "WH": "R", "TA": "R", "AU": "R"}
_SITE = {"OP": "R", "QT": "R", "QM": "RU", "SV": "RU", "MT": "RU", "PL": "R", "TA": "CRUD", "AU": "R"}

MATRIX: dict[str, dict[str, str]] = {
    "identity.user": {"QM": "R", "SV": "R", "TA": "CRUAD", "AU": "R"},
    "identity.role": {"QM": "R", "SV": "R", "TA": "CRUAD", "AU": "R"},
    "identity.device": {"QM": "R", "SV": "RAD", "MT": "R", "TA": "RAD", "AU": "R"},
    "core.audit": {"QM": "RX", "SV": "R", "TA": "RX", "AU": "RX"},
    "core.notification": dict.fromkeys(ROLES, "R"),
    "core.attachment": {
        "OP": "CR",
        "QT": "CR",
        "QM": "CRAD",
        "SV": "CRD",
        "MT": "CR",
        "PL": "CR",
        "WH": "CR",
        "TA": "CRAD",
        "AU": "R",
    },
    "core.config": {"QM": "RS", "SV": "R", "TA": "CRUAD", "AU": "R"},
    "core.plant": _SITE,
    "core.location": _SITE,
    "core.contact": {"OP": "R", "QT": "R", "QM": "CRUADX", "SV": "R", "MT": "R", "PL": "CRU", "TA": "CRUD", "AU": "R"},
    "core.address": {"OP": "R", "QT": "R", "QM": "CRUA", "SV": "R", "MT": "R", "PL": "CRU", "TA": "CRUD", "AU": "R"},
    "plant_ops.line": _SITE,
    "plant_ops.equipment": _SITE,
    "plant_ops.sensor": {"OP": "R", "QT": "R", "QM": "RX", "SV": "RX", "MT": "RU", "PL": "R", "TA": "CRUD", "AU": "R"},
    "plant_ops.reason": _SITE,
    "plant_ops.batch": _FLOOR,
    "plant_ops.line_event": _FLOOR,
    "plant_ops.downtime": _FLOOR | {"MT": "CR"},
    "plant_ops.scrap": _FLOOR,
    "plant_ops.weighing": {"OP": "CR", "QT": "CR", "QM": "RAX", "SV": "CRA", "PL": "R", "TA": "R", "AU": "R"},
    "plant_ops.board": {"QT": "R", "QM": "R", "SV": "R", "MT": "R", "PL": "R", "TA": "R", "AU": "R"},
    "plant_ops.oee": {"QT": "R", "QM": "RX", "SV": "RX", "PL": "RX", "TA": "R", "AU": "R"},
    "planning.item": _PLANNING,
    "planning.bom": _PLANNING | {"PL": "RA"},
    "planning.work_order": _PLANNING | {"PL": "CRUA"},
    "planning.weight_spec": {"OP": "R", "QT": "R", "QM": "CRUAD", "SV": "R", "PL": "R", "TA": "R", "AU": "R"},
    "fsq.lot": {"OP": "CR", "QT": "CR", "QM": "CRUA", "SV": "CR", "PL": "R", "WH": "CR", "TA": "R", "AU": "R"},
    "fsq.pallet": {"OP": "CR", "QT": "R", "QM": "R", "SV": "CR", "PL": "R", "WH": "CRUX", "TA": "R", "AU": "R"},
    "fsq.hold": {"OP": "C", "QT": "CR", "QM": "CRA", "SV": "CR", "PL": "R", "TA": "R", "AU": "R"},
    "fsq.ccp": {"OP": "R", "QT": "R", "QM": "CRUAD", "SV": "R", "MT": "R", "PL": "R", "TA": "R", "AU": "R"},
    "fsq.ccp_monitoring": {"OP": "CR", "QT": "CR", "QM": "RAX", "SV": "CRA", "TA": "R", "AU": "R"},
    "fsq.deviation": {"OP": "C", "QT": "CRU", "QM": "CRUADX", "SV": "CRU", "MT": "R", "PL": "R", "TA": "R", "AU": "R"},
    "fsq.trace": {"QT": "R", "QM": "CRUADX", "SV": "RC", "PL": "R", "TA": "RX", "AU": "RX"},
    "sync.health": {"QT": "R", "QM": "R", "SV": "R", "MT": "R", "TA": "R", "AU": "R"},
    "sync.inbox": {"QT": "R", "QM": "RA", "SV": "RA", "TA": "R", "AU": "R"},
    "sync.journal": {"QM": "R", "SV": "R", "TA": "R", "AU": "R"},
}
"""Noun to role to letters. TA is not QA: it releases nothing. SV and TA approve terminals."""


def grants(role: str, codes: frozenset[str]) -> frozenset[str]:
    """The permissions of a role among the codes that exist."""
    return frozenset(code for code in codes if _letter(code) in MATRIX.get(_noun(code), {}).get(role, ""))


def declared() -> frozenset[str]:
    """Every code the matrix can grant."""
    return frozenset(f"{noun}.{verb}" for noun in MATRIX for verb in VERBS)


def _noun(code: str) -> str:
    return code.rpartition(".")[0]


def _letter(code: str) -> str:
    return VERBS.get(code.rpartition(".")[2], "none")
