"""What the store adds to a draft: id, wall and monotonic time, hybrid stamp; and the watch over the clock."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from foodflow_desktop.store.drafts import Draft
from foodflow_kernel.clock import Clock, HybridClock
from foodflow_kernel.errors import Invalid
from foodflow_kernel.ids import new_id
from foodflow_kernel.wire.bodies import KIND_OF, ClockJumped, Telemetry
from foodflow_kernel.wire.facts import Fact
from foodflow_kernel.wire.protocol import Lane

JUMP_MS = 2000
"""Wall against monotonic: NTP slews far slower than this between two looks; more is a jump."""

_TIGHT_NS = 20_000_000
"""Wall and monotonic must be read within this real time, or the look is not used (a busy machine)."""


def boot_id(clock: Clock) -> str:
    """The name of the period within which ``mono_ns`` can be compared."""
    source = Path("/proc/sys/kernel/random/boot_id")
    boot = source.read_text().strip() if source.exists() else f"{uuid.getnode():x}"
    return boot if clock.rate == 1.0 else f"{boot}x{clock.rate:g}"


def lane_of(draft: Draft) -> Lane:
    """The lane a draft belongs to, by its body's type.

    Raises:
        Invalid: `kind_unknown`, `user_missing`.
    """
    kind = KIND_OF.get(type(draft.body))
    if kind is None:
        raise Invalid("kind_unknown", kind=type(draft.body).__name__)
    if kind.needs_user and draft.performed_by is None:
        raise Invalid("user_missing", kind=kind.name)
    return kind.lane


@dataclass(frozen=True, slots=True)
class Look:
    """Wall and monotonic time read at the same moment."""

    wall: datetime
    mono_ns: int
    boot_id: str


class Stamper:
    """Turns drafts into facts. Shared by both writers: the hybrid stamp rises over the whole device."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.boot_id = boot_id(clock)
        self._hlc = HybridClock()
        self._lock = threading.Lock()

    def seen(self, hlc: int) -> None:
        """Continue after a stamp found in the journal: the stamp is persisted by being there."""
        with self._lock:
            self._hlc.last = max(self._hlc.last, hlc)

    def fact(self, draft: Draft) -> Fact:
        """The fact of a draft, as of now."""
        kind = KIND_OF[type(draft.body)]
        now = self.clock.now()
        with self._lock:
            hlc = self._hlc.tick(now)
        return Fact(
            id=draft.id or new_id(now),
            kind=kind.name,
            ver=kind.ver,
            at=now,
            occurred_at=draft.occurred_at or now,
            mono_ns=self.clock.mono_ns(),
            boot_id=self.boot_id,
            hlc=hlc,
            performed_by=draft.performed_by,
            line_id=draft.line_id,
            flags=draft.flags,
            corrects_id=draft.corrects_id,
            correction_reason=draft.correction_reason,
            body=draft.body.model_dump(mode="json"),
        )


class ClockWatch:
    """Notices that the wall clock moved against the monotonic counter (sync.md, T3)."""

    def __init__(self, clock: Clock, boot: str, last: Look | None = None) -> None:
        self._clock = clock
        self._boot = boot
        self._last = last

    def check(self) -> ClockJumped | None:
        """The jump since the last look, if there was one."""
        look = self._look()
        if look is None:
            return None
        last, self._last = self._last, look
        if last is None or last.boot_id != look.boot_id:
            return None
        expected = last.wall + timedelta(microseconds=(look.mono_ns - last.mono_ns) / 1000)
        jump_ms = round((look.wall - expected).total_seconds() * 1000)
        if abs(jump_ms) < JUMP_MS * max(1.0, self._clock.rate):
            return None
        return ClockJumped(wall_before=expected, wall_after=look.wall, jump_ms=jump_ms)

    def _look(self) -> Look | None:
        for _ in range(3):
            before = self._clock.mono_ns()
            wall = self._clock.now()
            if self._clock.mono_ns() - before < _TIGHT_NS * max(1.0, self._clock.rate):
                return Look(wall, before, self._boot)
        return None


def thinned(draft: Draft, keep_every: int = 10) -> Draft:
    """A telemetry block with every tenth sample, for a disk that is filling up; other drafts as they are."""
    block = draft.body
    if not isinstance(block, Telemetry):
        return draft
    values: list[int | None] = [block.first]
    last = block.first
    for delta in block.deltas:
        last += delta or 0
        values.append(None if delta is None else last)
    kept = values[::keep_every]
    deltas: list[int | None] = []
    last = block.first
    for value in kept[1:]:
        deltas.append(None if value is None else value - last)
        last = last if value is None else value
    thin = block.model_copy(update={"period_ms": block.period_ms * keep_every, "deltas": tuple(deltas)})
    return replace(draft, body=thin, flags=(*draft.flags, "THINNED"))
