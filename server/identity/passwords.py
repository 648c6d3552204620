"""What a password must be, and how it is kept.

Length counts, not kinds of characters (NIST SP 800-63B, 5.1.1.2); what attackers try first is
refused. The list is vendored: ``common_passwords.NOTICE``.
"""

from __future__ import annotations

import asyncio
import functools
import string
from collections.abc import Iterable
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from foodflow_kernel.errors import Invalid
from server.identity.models import User

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP password storage cheat sheet: Argon2id, 19 MiB, two passes."""
MIN_LENGTH = 15
"""Without a second factor (identity_core, section 3)."""
MIN_LENGTH_WITH_TOTP = 8
MAX_LENGTH = 200
SHORTEST_UNIT = 4
"""A password that only repeats fewer characters than this has nothing to guess."""


def check(text: str, about: Iterable[str | None] = (), *, has_totp: bool = False) -> None:
    """A password that is long enough and not one of the first an attacker tries.

    Args:
        about: what everybody knows of the person: badge, e-mail, name.

    Raises:
        Invalid: `password_short`, `password_common`.
    """
    least = MIN_LENGTH_WITH_TOTP if has_totp else MIN_LENGTH
    if len(text) < least:
        raise Invalid("password_short", least=least)
    if is_common(text, about):
        raise Invalid("password_common")


def is_common(text: str, about: Iterable[str | None] = ()) -> bool:
    """Whether a password is on the list, alone, repeated, or with digits and signs around it.

    >>> is_common("Password12345678!"), is_common("dragondragondragon"), is_common("abababababababab")
    (True, True, True)
    >>> is_common("four grey herons wait")
    False
    """
    whole = text.casefold()
    known = {each.casefold() for each in about if each}
    for tried in (whole, whole.strip(string.digits + string.punctuation + string.whitespace)):
        unit = _unit(tried)
        if tried and (len(unit) < SHORTEST_UNIT or unit in known or unit in _listed()):
            return True
    return False


async def give(user: User, text: str) -> None:
    """Set a person's password.

    Raises:
        Invalid: `password_short`, `password_common`.
    """
    check(text, of(user), has_totp=user.has_totp)
    user.password_hash, user.is_password_short = await asyncio.to_thread(HASHER.hash, text), len(text) < MIN_LENGTH


def of(user: User) -> tuple[str | None, ...]:
    """What everybody knows of a person."""
    return user.login_code, user.email, user.printed_name


def is_right(user: User, text: str) -> bool:
    """Whether this is the user's password; takes as long for somebody who has none."""
    if user.password_hash is None:
        HASHER.hash(text)
        return False
    try:
        return HASHER.verify(user.password_hash, text)
    except (VerificationError, InvalidHashError):
        return False


def _unit(text: str) -> str:
    """The shortest text that gives this one when it is repeated, also if the last time is cut off."""
    for length in range(1, len(text)):
        if all(text[at] == text[at - length] for at in range(length, len(text))):
            return text[:length]
    return text


@functools.cache
def _listed() -> frozenset[str]:
    lines = resources.files("server.identity").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line.casefold() for line in lines.splitlines())
