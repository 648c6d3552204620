"""How much of the server the slower lanes may have at once; lane 0 is never refused.

Each tenant has few connections. Bulk lanes may hold only some of them, so that an alarm, a screen
or a feed always finds one free. Whoever is over the budget is told when to come back, with
jitter, so that two hundred terminals after an outage do not come back together (sync.md, T22).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from foodflow_kernel.errors import FoodFlowError
from foodflow_kernel.wire.protocol import Lane

IN_FLIGHT: dict[Lane, int] = {Lane.events: 2, Lane.bulk: 1, Lane.telemetry: 1}
"""Pushes of one tenant that may run at the same time in this process, by lane."""

_RETRY_S = (0.05, 0.5)


class OverBudget(FoodFlowError):
    """Too many pushes of this lane at once: answered 429, nothing stored, come back soon."""


class Budgets:
    """Counts the pushes that are running."""

    def __init__(self) -> None:
        self._running: Counter[tuple[UUID, Lane]] = Counter()

    @contextmanager
    def spend(self, tenant_id: UUID, lane: Lane) -> Iterator[None]:
        """Take a place for one push.

        Raises:
            OverBudget: `lane_over_budget`, with ``retry_after`` in real seconds.
        """
        limit, key = IN_FLIGHT.get(lane), (tenant_id, lane)
        if limit is not None and self._running[key] >= limit:
            retry_after = round(random.uniform(*_RETRY_S), 3)  # noqa: S311  jitter, not a secret
            raise OverBudget("lane_over_budget", lane=int(lane), retry_after=retry_after)
        self._running[key] += 1
        try:
            yield
        finally:
            self._running[key] -= 1
            if not self._running[key]:
                del self._running[key]
