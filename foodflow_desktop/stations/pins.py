"""PIN checks of this terminal: five wrong in a row, at sign-in or signing, and it waits.

The wait is 30 s and doubles with each further wrong PIN; a right one forgets them. The check
costs argon2 (about 20 ms), so it runs off the UI thread.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from foodflow_kernel.clock import Clock
from foodflow_kernel.wire import master
from foodflow_kernel.wire import pin as verifiers

TRIES = 5
FIRST_WAIT_S = 30


@dataclass(frozen=True, slots=True)
class PinAnswer:
    """Whether a PIN was right; if not, what is left before the wait."""

    is_right: bool
    tries_left: int = TRIES
    wait_s: int = 0


@dataclass(slots=True)
class _Count:
    wrong: int = 0
    until_ns: int = 0


class Pins:
    """Checks PINs and counts the wrong ones, per person."""

    def __init__(self, clock: Clock, pepper: bytes) -> None:
        self._clock = clock
        self._pepper = pepper
        self._counts: dict[UUID, _Count] = {}
        self._lock = threading.Lock()

    def set_pepper(self, pepper: bytes) -> None:
        """The pepper that pairing left in the key store."""
        self._pepper = pepper

    def check(self, user: master.User, pin: str) -> PinAnswer:
        """Check a PIN; off the UI thread."""
        waiting = self.wait_s(user)
        if waiting:
            return PinAnswer(False, 0, waiting)
        is_right = verifiers.verify(pin, user.pin_hash, self._pepper)
        with self._lock:
            count = self._counts.setdefault(user.id, _Count())
            if is_right:
                self._counts.pop(user.id)
                return PinAnswer(True)
            count.wrong += 1
            over = count.wrong - TRIES
            if over < 0:
                return PinAnswer(False, -over)
            wait_s = FIRST_WAIT_S * 2**over
            count.until_ns = self._clock.mono_ns() + wait_s * 1_000_000_000
            return PinAnswer(False, 0, wait_s)

    def wait_s(self, user: master.User) -> int:
        """Whole seconds until this person may try again; 0 if at once."""
        with self._lock:
            count = self._counts.get(user.id)
            left_ns = count.until_ns - self._clock.mono_ns() if count else 0
        return max(0, ceil(left_ns / 1e9))

    def clear(self, user: master.User) -> None:
        """Let a locked-out person try again; a supervisor may."""
        with self._lock:
            self._counts.pop(user.id, None)
