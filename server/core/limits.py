"""How often somebody may ask: a person, a key, or an address that nobody is signed in at.

Per process and in memory: a limit protects this process. Terminals' pushes have budgets of their
own (``server/sync/budgets``), so that an alarm is never refused.
"""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from foodflow_kernel.clock import SystemClock
from foodflow_kernel.errors import Refused


class Limits:
    """Counts the requests of the last minute.

    Args:
        per_person: requests a minute of a signed-in person or key; 0: no limit.
        per_address: requests a minute that need nobody to be signed in, of one address; 0: no limit.
    """

    def __init__(self, per_person: int, per_address: int) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._person, self._address = per_person, per_address

    def person(self, key: str) -> None:
        """Count a request of somebody known.

        Raises:
            Refused: `too_many_requests`.
        """
        self._count(self._person, "person", key)

    def address(self, key: str) -> None:
        """Count a request of an address.

        Raises:
            Refused: `too_many_requests`.
        """
        self._count(self._address, "address", key)

    def of(self, kind: str, key: str, most: int) -> None:
        """Count a request against a limit of its own (an API key's).

        Raises:
            Refused: `too_many_requests`.
        """
        self._count(most, kind, key)

    def _count(self, most: int, kind: str, key: str) -> None:
        if not most:
            return
        item = RateLimitItemPerMinute(most)
        if not self._limiter.hit(item, kind, key):
            free_at, _ = self._limiter.get_window_stats(item, kind, key)
            # The library counts in real time, whatever clock the product runs on.
            raise Refused("too_many_requests", retry_after=max(1, round(free_at - SystemClock().now().timestamp())))
