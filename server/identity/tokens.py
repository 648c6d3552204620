"""Access tokens: short-lived JWTs (RFC 7519) with one pinned algorithm, audience and issuer.

Signed by the company's own key (``keys``); the header names which. Nothing of a token is believed
before its signature holds, but where to look for the key.

Times are the product's clock, not the library's: the demo runs on a scaled one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from foodflow_kernel.errors import NotAllowed

ALGORITHM = "EdDSA"
"""Ed25519 (RFC 8037): nothing to choose, so nothing to choose wrong."""
ISSUER = "foodflow"
USER_AUDIENCE = "foodflow-api"
DEVICE_AUDIENCE = "foodflow-sync"
USER_TTL_S = 15 * 60
LEEWAY_S = 60


@dataclass(frozen=True, slots=True)
class Signing:
    """The key of a company that signs now."""

    id: uuid.UUID
    private: Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Named:
    """Which key of which company a token says it is signed by; not yet proven."""

    key_id: uuid.UUID
    tenant_id: uuid.UUID


def issue(key: Signing, audience: str, subject: uuid.UUID, now: datetime, ttl_s: int, **claims: Any) -> str:
    """A token for a subject; ``tid`` among the claims says whose key it is."""
    issued = int(now.timestamp())
    body = {"iss": ISSUER, "aud": audience, "sub": str(subject), "iat": issued, "exp": issued + ttl_s, **claims}
    return jwt.encode(body, key.private, algorithm=ALGORITHM, headers={"kid": str(key.id)})


def named(token: str) -> Named:
    """What a token says of itself.

    Raises:
        NotAllowed: `token_bad` for one that no key of ours can have signed.
    """
    try:
        said = jwt.decode_complete(token, options={"verify_signature": False})
        header, claims = said["header"], said["payload"]
        if header["alg"] != ALGORITHM:
            raise NotAllowed("token_bad")
        return Named(uuid.UUID(header["kid"]), uuid.UUID(claims["tid"]))
    except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NotAllowed("token_bad") from error


def read(key: Ed25519PublicKey, audience: str, token: str) -> dict[str, Any]:
    """The claims of a token that this key signed, whatever the time.

    Raises:
        NotAllowed: `token_bad` (forged, of another audience).
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            options={
                "require": ["exp", "iat", "sub", "aud", "iss"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.PyJWTError as error:
        raise NotAllowed("token_bad") from error
    if not isinstance(claims["exp"], int) or not isinstance(claims["iat"], int):
        raise NotAllowed("token_bad")
    return claims


def in_time(claims: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The claims, if they hold at an instant.

    Raises:
        NotAllowed: `token_bad` (of the future), `token_expired`.
    """
    at = now.timestamp()
    if claims["iat"] > at + LEEWAY_S:
        raise NotAllowed("token_bad")
    if claims["exp"] <= at:
        raise NotAllowed("token_expired")
    return claims
