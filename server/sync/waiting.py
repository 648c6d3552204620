"""Long polls that cost little: one look at the counter per tenant, however many terminals wait.

A commit of this process wakes its readers at once; other processes are noticed by looking at the
counter row a few times a second, only while somebody waits. NOTIFY would be exact, but its lock at
commit is shared by the whole database: one busy tenant would slow all writers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

LOOK_S = 0.2
"""Real seconds between looks at the counter for commits of other processes."""


@dataclass(slots=True)
class _Watch:
    """The readers of one tenant, and the highest head seen."""

    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    readers: int = 0
    head: int = -1
    nudge: asyncio.Event = field(default_factory=asyncio.Event)


class Bell:
    """Lets readers of a tenant's feed sleep until its head moves."""

    def __init__(self) -> None:
        self._watches: dict[UUID, _Watch] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def ring(self, session: Session) -> None:
        """A commit of this process wrote to a tenant's feed."""
        watch = self._watches.get(session.info.get("tenant_id"))  # type: ignore[arg-type]
        if watch is not None:
            watch.nudge.set()

    async def wait(self, tenant_id: UUID, after: int, seconds: float, head: Callable[[], Awaitable[int]]) -> None:
        """Return when the feed has passed ``after``, or after so many real seconds.

        Args:
            head: reads the tenant's counter, in a short session of its own.
        """
        watch = self._watches.get(tenant_id)
        if watch is None:
            watch = self._watches[tenant_id] = _Watch()
            task = asyncio.create_task(self._look(tenant_id, watch, head))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        watch.readers += 1
        try:
            async with asyncio.timeout(seconds), watch.changed:
                await watch.changed.wait_for(lambda: watch.head > after)
        except TimeoutError:
            return
        finally:
            watch.readers -= 1
            watch.nudge.set()

    async def _look(self, tenant_id: UUID, watch: _Watch, head: Callable[[], Awaitable[int]]) -> None:
        try:
            # No await between the last look at ``readers`` and the removal below, so a watch that can
            # be found always has somebody looking.
            while watch.readers:
                watch.nudge.clear()
                seen = await head()
                if seen != watch.head:
                    async with watch.changed:
                        watch.head = seen
                        watch.changed.notify_all()
                try:
                    async with asyncio.timeout(LOOK_S):
                        await watch.nudge.wait()
                except TimeoutError:
                    continue
        finally:
            del self._watches[tenant_id]

    async def close(self) -> None:
        """Stop looking; waiting readers run into their own time limit."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


BELL = Bell()
"""The bell of this process."""
