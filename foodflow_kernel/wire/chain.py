"""The hash chain of a lane: ``h_n = SHA-256(h_{n-1} || body_n)``.

The first link binds the chain to its device, incarnation and lane, so rows cannot be moved
between logs. Any byte changed, removed or inserted breaks every hash after it; a cut tail is
contradicted by the heads in the witness facts of lane 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

from foodflow_kernel.wire.protocol import Lane

HASH_BYTES = 32


def genesis(device_id: UUID, incarnation: UUID, lane: Lane | int) -> bytes:
    """The hash before the first row of a lane, shape (32,)."""
    return hashlib.sha256(b"foodflow-chain-1" + device_id.bytes + incarnation.bytes + bytes([int(lane)])).digest()


def link(prev: bytes, body: bytes) -> bytes:
    """The chain hash of a row, from the hash of the row before and the exact body bytes."""
    return hashlib.sha256(prev + body).digest()


def links(prev: bytes, bodies: Iterable[bytes]) -> list[bytes]:
    """The chain hash of each body in order."""
    hashes = []
    for body in bodies:
        prev = link(prev, body)
        hashes.append(prev)
    return hashes
