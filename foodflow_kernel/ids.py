"""Record ids: UUID version 7, minted here and never by a database.

They are references with good index locality. Nothing is deduplicated or ordered by them
(sync.md, Identity), so a clock set back can do no harm: 74 bits stay random.
"""

from __future__ import annotations

import os
from datetime import datetime
from uuid import UUID

from foodflow_kernel.clock import to_ms


def new_id(now: datetime) -> UUID:
    """A fresh UUIDv7 for the given instant (RFC 9562, section 5.7).

    >>> from datetime import UTC
    >>> new_id(datetime(2026, 11, 23, tzinfo=UTC)).version
    7
    """
    ms = to_ms(now) & ((1 << 48) - 1)
    random = int.from_bytes(os.urandom(10), "big")
    rand_a, rand_b = random >> 68, random & ((1 << 62) - 1)
    return UUID(int=(ms << 80) | (0x7 << 76) | ((rand_a & 0xFFF) << 64) | (0b10 << 62) | rand_b)
