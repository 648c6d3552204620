"""Work that goes on after the answer has left: a letter, and whatever must not be seen in how long an answer took.

It dies with the process; what must not be lost is a row in the database instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from foodflow_kernel.errors import Refused

log = logging.getLogger(__name__)

MAX_WAITING = 200
"""More than this at once is no plant: it is somebody who wants to fill the memory."""


class Later:
    """The work of one process that nobody waits for."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Have work done beside the answer.

        Raises:
            Refused: `too_many_requests` while too much of it waits.
        """
        if len(self._running) >= MAX_WAITING:
            work.close()
            raise Refused("too_many_requests", retry_after=10)
        task = asyncio.get_running_loop().create_task(_logged(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """Wait for all that was started."""
        while self._running:
            await asyncio.gather(*self._running)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("work after an answer failed")
