"""What open screens follow: a dense log of what changed, and the wake-up that says there is more of it.

A transaction ``tell``s what it changed; the last statement before its commit numbers that and
notifies the tenant's own channel. Nobody is sent a row: who listens is woken, and reads with the
rights of the person it is for.
"""

from __future__ import annotations

from server.core.live.log import tell

__all__ = ["tell"]
