"""Device signatures (Ed25519) over chain hashes and nonces, and the four pairing words.

A signature says "this device committed this row and all before it". It is made once per
commit on the device and stored with the row, so server, peer or courier can check it.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from foodflow_kernel.wire.protocol import Lane
from foodflow_kernel.wire.words import WORDS

_CHAIN = b"foodflow-row-1"
_NONCE = b"foodflow-hello-1"


def generate_key() -> Ed25519PrivateKey:
    """A new device key. It stays in the key store of the device."""
    return Ed25519PrivateKey.generate()


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The raw public key, shape (32,)."""
    return key.public_key().public_bytes_raw()


def _row_message(lane: Lane | int, seq: int, row_hash: bytes) -> bytes:
    return _CHAIN + bytes([int(lane)]) + seq.to_bytes(8, "big") + row_hash


def sign_row(key: Ed25519PrivateKey, lane: Lane | int, seq: int, row_hash: bytes) -> bytes:
    """Sign a chain hash at its place, shape (64,)."""
    return key.sign(_row_message(lane, seq, row_hash))


def verify_row(public: bytes, lane: Lane | int, seq: int, row_hash: bytes, signature: bytes) -> bool:
    """Whether the device with this public key signed this hash at this place."""
    return _verify(public, signature, _row_message(lane, seq, row_hash))


def sign_nonce(key: Ed25519PrivateKey, device_id: UUID, nonce: bytes) -> bytes:
    """Prove to the server, for one hello, that the device holds its key."""
    return key.sign(_NONCE + device_id.bytes + nonce)


def verify_nonce(public: bytes, device_id: UUID, nonce: bytes, signature: bytes) -> bool:
    """Whether the nonce was signed by the device."""
    return _verify(public, signature, _NONCE + device_id.bytes + nonce)


def _verify(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def commitment(device_public: bytes, secret: bytes) -> bytes:
    """What a terminal sends before it shows its key: it can no longer choose, shape (32,)."""
    return hashlib.sha256(b"foodflow-commit-1" + device_public + secret).digest()


def pairing_words(
    device_public: bytes, server_certificate_der: bytes, secret: bytes, server_nonce: bytes
) -> tuple[str, str, str, str]:
    """Four words that both screens show; they agree only if both see the same two keys.

    Each side derives them from the device's public key and the certificate of the server's CA
    as *it* sees them. The device commits to its key and a secret before it learns the server's
    nonce, and reveals them after, so somebody in between has one guess in 2**32 and cannot
    search for keys that happen to give the same words.

    Args:
        secret: 32 random bytes of the device, revealed after the nonce.
        server_nonce: 32 random bytes of the server, sent after the commitment.
    """
    digest = hashlib.sha256(
        b"foodflow-pair-1" + device_public + server_certificate_der + secret + server_nonce
    ).digest()
    first, second, third, fourth = (WORDS[byte] for byte in digest[:4])
    return first, second, third, fourth
