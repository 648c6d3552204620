"""A batch proven: its chain recomputed and its end signed by the device, before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import chain, signing
from foodflow_kernel.wire.protocol import Lane
from foodflow_kernel.wire.push import Push


@dataclass(frozen=True, slots=True)
class Proven:
    """Bodies whose hashes follow from ``prev`` and end under the device's signature."""

    device: UUID
    incarnation: UUID
    lane: Lane
    first: int
    prev: bytes
    bodies: list[bytes]
    hashes: list[bytes]
    sig: bytes

    @property
    def last(self) -> int:
        """Sequence of the last row."""
        return self.first + len(self.bodies) - 1

    def hash_at(self, seq: int) -> bytes:
        """The chain hash at a place from ``first - 1`` to ``last``."""
        return self.prev if seq == self.first - 1 else self.hashes[seq - self.first]

    def after(self, seq: int) -> Proven:
        """What is left when everything up to ``seq`` is known already."""
        known = min(max(0, seq - self.first + 1), len(self.bodies))
        return Proven(
            self.device,
            self.incarnation,
            self.lane,
            self.first + known,
            self.hash_at(self.first + known - 1),
            self.bodies[known:],
            self.hashes[known:],
            self.sig,
        )


def prove(batch: Push, public_key: bytes) -> Proven:
    """Recompute the chain of a batch and check the signature at its end.

    Raises:
        Invalid: `push_chain_broken` when the bodies do not give the hash the header claims, or the
            first row does not start at the genesis of its log; `push_signature_bad`.
    """
    header = batch.header
    prev = bytes.fromhex(header.prev)
    hashes = chain.links(prev, batch.bodies)
    starts_wrong = header.first == 1 and prev != chain.genesis(header.device, header.incarnation, header.lane)
    if starts_wrong or hashes[-1].hex() != header.last:
        raise Invalid("push_chain_broken", lane=int(header.lane), first=header.first, count=header.count)
    last, sig = header.first + header.count - 1, bytes.fromhex(header.sig)
    if not signing.verify_row(public_key, header.lane, last, hashes[-1], sig):
        raise Invalid("push_signature_bad", lane=int(header.lane), seq=last)
    return Proven(header.device, header.incarnation, header.lane, header.first, prev, batch.bodies, hashes, sig)
