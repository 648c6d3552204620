"""Small secrets at rest: sealed with a key of the server's secret, bound to the row they belong to.

AES-256-GCM (NIST SP 800-38D). The tenant, the purpose and the row are associated data: a sealed
text that is copied to another row or another company's schema cannot be opened there.
"""

from __future__ import annotations

import hmac
import os
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Unopenable(Exception):
    """Sealed under another secret, for another row, or changed since."""


def seal(secret: bytes, purpose: str, tenant_id: uuid.UUID, row_id: uuid.UUID, plain: bytes) -> bytes:
    """The nonce and the sealed text.

    Args:
        secret: the server's own.
        purpose: what it is for, such as ``signing-key``; each has a key of its own.
    """
    nonce = os.urandom(_NONCE)
    return nonce + _key(secret, purpose).encrypt(nonce, plain, _bound(purpose, tenant_id, row_id))


def unseal(secret: bytes, purpose: str, tenant_id: uuid.UUID, row_id: uuid.UUID, sealed: bytes) -> bytes:
    """What was sealed.

    Raises:
        Unopenable: it is not what ``seal`` made for this row with this secret.
    """
    try:
        return _key(secret, purpose).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(purpose, tenant_id, row_id))
    except (InvalidTag, ValueError) as error:
        raise Unopenable(purpose) from error


def _key(secret: bytes, purpose: str) -> AESGCM:
    return AESGCM(hmac.digest(secret, b"seal-1:" + purpose.encode(), "sha256"))


def _bound(purpose: str, tenant_id: uuid.UUID, row_id: uuid.UUID) -> bytes:
    return purpose.encode() + b"\0" + tenant_id.bytes + row_id.bytes
