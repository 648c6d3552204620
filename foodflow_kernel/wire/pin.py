"""PIN verifiers that a terminal can check offline, useless to whoever steals its database.

The server keeps ``argon2id(pin, salt)`` and gives each terminal ``HMAC-SHA256(pepper, that)``.
The pepper is the terminal's own and lives in its key store, not in SQLite: a copied database
alone cannot be searched through, although a four-digit PIN has only 10,000 values.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import NamedTuple

from argon2.low_level import Type, hash_secret_raw


class Cost(NamedTuple):
    """What argon2id takes for one PIN: rounds, and memory [KiB]."""

    time: int
    memory_kib: int


COST = Cost(time=2, memory_kib=19_456)
"""OWASP password storage cheat sheet, Argon2id minimum (19 MiB, t=2, p=1)."""
_PREFIX = "ffpin1"


def stretch(pin: str, salt: bytes) -> bytes:
    """The slow part: argon2id of a PIN, shape (32,)."""
    return hash_secret_raw(
        pin.encode(), salt, time_cost=COST.time, memory_cost=COST.memory_kib, parallelism=1, hash_len=32, type=Type.ID
    )


def new_base(pin: str) -> str:
    """What the server stores for a new PIN: salt and stretched PIN, both base64."""
    salt = os.urandom(16)
    return f"{_b64(salt)}${_b64(stretch(pin, salt))}"


def for_device(base: str, pepper: bytes) -> str:
    """The verifier of one terminal, made from the server's base and the terminal's pepper."""
    salt, stretched = base.split("$")
    return f"{_PREFIX}${salt}${_b64(hmac.digest(pepper, base64.b64decode(stretched), hashlib.sha256))}"


def verify(pin: str, verifier: str, pepper: bytes) -> bool:
    """Whether the PIN is right; about 20 ms, so never on the UI thread."""
    prefix, salt, expected = verifier.split("$")
    if prefix != _PREFIX:
        return False
    found = hmac.digest(pepper, stretch(pin, base64.b64decode(salt)), hashlib.sha256)
    return hmac.compare_digest(found, base64.b64decode(expected))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
