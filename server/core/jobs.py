"""Work that nobody asks for: declared where it belongs, run by whichever process has a worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.core.db.sessions import TenantRef

Work = Callable[["FastAPI", "TenantRef"], Awaitable[None]]
"""Does its part for one tenant, in a session that it opens itself."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something to be done again and again, once for each active tenant.

    Args:
        name: ``context.what``, as in the log and the metrics.
        every_s: seconds between two rounds.
        work: what is done; it may run twice, and must then change nothing the second time.
    """

    name: str
    every_s: int
    work: Work
