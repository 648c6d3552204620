"""Access tokens: short-lived JWTs with one pinned algorithm, audience and issuer.

Times are the product's clock, not the library's: the demo runs on a scaled one.
"""

from __future__ import annotations

import hmac
import uuid
from datetime import datetime
from typing import Any

import jwt

from foodflow_kernel.errors import NotAllowed

ALGORITHM = "HS256"
ISSUER = "foodflow"
USER_AUDIENCE = "foodflow-api"
DEVICE_AUDIENCE = "foodflow-sync"
USER_TTL_S = 15 * 60
LEEWAY_S = 60


def signing_key(secret: bytes) -> bytes:
    """The key of all access tokens, derived from the server's secret, shape (32,)."""
    return hmac.digest(secret, b"jwt-1", "sha256")


def issue(secret: bytes, audience: str, subject: uuid.UUID, now: datetime, ttl_s: int, **claims: Any) -> str:
    """A token for a subject."""
    issued = int(now.timestamp())
    body = {"iss": ISSUER, "aud": audience, "sub": str(subject), "iat": issued, "exp": issued + ttl_s, **claims}
    return jwt.encode(body, signing_key(secret), algorithm=ALGORITHM)


def read(secret: bytes, audience: str, token: str, now: datetime) -> dict[str, Any]:
    """The claims of a token of ours.

    Raises:
        NotAllowed: `token_bad` (forged, of another audience, of the future), `token_expired`.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            signing_key(secret),
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
    at = now.timestamp()
    if not isinstance(claims["exp"], int) or not isinstance(claims["iat"], int) or claims["iat"] > at + LEEWAY_S:
        raise NotAllowed("token_bad")
    if claims["exp"] <= at:
        raise NotAllowed("token_expired")
    return claims
