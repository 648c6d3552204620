"""A report asked live from the server: the last good answer, its age, and why there is no newer one.

A failed question never blanks the screen: the old answer stays, says as of when, and the error
says what to do (ux.md, section 4, Stale and Error).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError

T = TypeVar("T")

STALE = timedelta(seconds=30)
"""An answer older than this is shown with "as of": the hub counts as heard for 30 s (protocol)."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What there is to show.

    Args:
        value: the last good answer; None before the first.
        got_at: when it came.
        error: why the newest question failed; None after a good answer.
        is_stale: the value is too old to pass for now.
    """

    value: T | None = None
    got_at: datetime | None = None
    error: FoodFlowError | None = None
    is_stale: bool = False


class LiveReport(Generic[T]):
    """Asks one question again and again; ``refresh`` runs off the UI thread."""

    def __init__(self, ask: Callable[[], T], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._value: T | None = None
        self._got_at: datetime | None = None
        self._error: FoodFlowError | None = None

    def refresh(self) -> None:
        """Ask now; keeps the last good answer when the server does not give one. Blocks."""
        try:
            value = self._ask()
        except FoodFlowError as error:
            self._error = error
        else:
            self._value, self._got_at, self._error = value, self._clock.now(), None

    def forget(self) -> None:
        """Drop the answer: another person signs in, or another thing is asked."""
        self._value = self._got_at = self._error = None

    def answer(self) -> Answer[T]:
        """What there is to show now."""
        is_old = self._got_at is not None and self._clock.now() - self._got_at > STALE
        return Answer(self._value, self._got_at, self._error, is_old)
