"""What the terminal itself records: a witness each minute, and every jump of the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pysqlite3.dbapi2 as sqlite

from foodflow_desktop.store.drafts import Draft
from foodflow_desktop.store.journal import LaneState
from foodflow_desktop.store.stamp import ClockWatch, Look
from foodflow_kernel.clock import Clock
from foodflow_kernel.wire.bodies import LaneHead, Witness


class DeviceFacts:
    """Makes the device's own drafts when they are due; asked before each commit and while idle."""

    def __init__(
        self,
        clock: Clock,
        boot: str,
        *,
        every_s: float | None,
        app: str,
        heads: Callable[[], Mapping[int, LaneState]],
        last: Look | None,
    ) -> None:
        self._clock = clock
        self._watch = ClockWatch(clock, boot, last)
        self._every_ns = None if every_s is None else int(every_s * 1e9)
        self._app = app
        self._heads = heads
        self._last_ns = clock.mono_ns()

    def due(self) -> Sequence[Draft]:
        """The drafts that must go before whatever comes next."""
        drafts = []
        jump = self._watch.check()
        if jump is not None:
            drafts.append(Draft(jump, None, None))
        if self._every_ns is not None and self._clock.mono_ns() - self._last_ns >= self._every_ns:
            self._last_ns = self._clock.mono_ns()
            drafts.append(Draft(self.witness(), None, None))
        return drafts

    def witness(self) -> Witness:
        """All lane heads as they stand."""
        heads = {lane: LaneHead(seq=state.head, hash=state.hash.hex()) for lane, state in self._heads().items()}
        return Witness(heads=heads, app=self._app, sqlite=sqlite.sqlite_version)
