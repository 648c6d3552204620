"""Record ids: UUID version 7, minted here and never by a database.

They are references with good index locality. Nothing is deduplicated or ordered by them
(sync.md, Identity), so a clock set back can do no harm: 74 bits stay random.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from foodflow_kernel.clock import to_ms


def new_id(now: datetime) -> UUID:
    """A fresh UUIDv7 for the given instant (RFC 9562, section 5.7).

    >>> from datetime import UTC
    >>> new_id(datetime(2026, 11, 23, tzinfo=UTC)).version
    7
    """
    return UUID(int=_start(now) | _chance(os.urandom(_BYTES)))


def new_ids(now: datetime) -> Iterator[UUID]:
    """Fresh UUIDv7s for the given instant, without end; chance is asked for many at once.

    >>> from datetime import UTC
    >>> one, two = zip(new_ids(datetime(2026, 11, 23, tzinfo=UTC)), range(2))
    >>> one != two
    True
    """
    start = _start(now)
    while True:
        drawn = os.urandom(_BYTES * _AT_ONCE)
        for at in range(0, len(drawn), _BYTES):
            yield UUID(int=start | _chance(drawn[at : at + _BYTES]))


_BYTES, _AT_ONCE = 10, 64


def _start(now: datetime) -> int:
    """The milliseconds, the version and the variant."""
    return (to_ms(now) & ((1 << 48) - 1)) << 80 | 0x7 << 76 | 0b10 << 62


def _chance(drawn: bytes) -> int:
    """74 random bits at their places: 12 above the variant, 62 below."""
    random = int.from_bytes(drawn, "big")
    return (random >> 68) << 64 | random & ((1 << 62) - 1)
