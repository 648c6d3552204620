"""A signature at the kiosk: the badge or tile says whose, the PIN signs (identity_core.md, section 6).

A badge alone never signs. Wrong PINs count together with those of the sign-in screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.pins import PinAnswer
from foodflow_kernel.errors import NotAllowed
from foodflow_kernel.wire import bodies, master

PIN_DIGITS = 4


@dataclass(frozen=True, slots=True)
class SignPad:
    """The picture of the signature pad.

    Args:
        filled: digits typed so far, shown as dots.
        tries_left: None unless the last PIN was wrong.
        wait_s: seconds during which no PIN is taken.
    """

    name: str
    short: str
    identified_by: str
    identified_at: datetime | None
    meaning: str
    filled: int
    digits: int
    tries_left: int | None
    wait_s: int
    is_checking: bool


class Signer:
    """Collects a PIN and makes a ``Signature`` of it."""

    def __init__(self, context: Context, meaning: str, on_changed: Callable[[], None]) -> None:
        self._context = context
        self._meaning = meaning
        self._on_changed = on_changed
        self._pin = ""
        self._answer: PinAnswer | None = None
        self._is_checking = False

    def reset(self) -> None:
        """Forget what was typed."""
        self._pin, self._answer, self._is_checking = "", None, False

    def backspace(self) -> None:
        """Take the last digit away."""
        self._pin = self._pin[:-1]
        self._on_changed()

    def clear(self) -> None:
        """Take all digits away."""
        self._pin = ""
        self._on_changed()

    def digit(self, digit: str, then: Callable[[bodies.Signature], Any]) -> Job | None:
        """One digit more; the last one submits.

        Args:
            then: what to record with the signature, run off the UI thread with the PIN check.

        Returns:
            The job once the PIN is complete; its result went through ``then``.
        """
        if self._is_checking or self._wait_s() > 0:
            return None
        self._answer = None
        self._pin += digit
        if len(self._pin) < PIN_DIGITS:
            self._on_changed()
            return None
        user = self._user()
        pin, self._pin, self._is_checking = self._pin, "", True
        identified_by = self._context.session.identified_by or "tile"
        self._on_changed()

        def work() -> PinAnswer:
            answer = self._context.pins.check(user, pin)
            if answer.is_right:
                then(self._signature(user, identified_by))
            return answer

        return Job(work, self._answered, self._failed)

    def pad(self) -> SignPad:
        """The picture as of now."""
        user = self._context.session.user
        wait_s = self._wait_s()
        return SignPad(
            name=self._context.named(user.names, user.printed_name) if user else "",
            short=user.short_no[-2:] if user else "",
            identified_by=self._context.session.identified_by or "",
            identified_at=self._context.session.since,
            meaning=self._meaning,
            filled=PIN_DIGITS if self._is_checking else len(self._pin),
            digits=PIN_DIGITS,
            tries_left=self._answer.tries_left if self._answer and not self._answer.is_right and not wait_s else None,
            wait_s=wait_s,
            is_checking=self._is_checking,
        )

    def _user(self) -> master.User:
        user = self._context.session.user
        if user is None:
            raise NotAllowed("not_signed_in")
        return user

    def _wait_s(self) -> int:
        user = self._context.session.user
        return self._context.pins.wait_s(user) if user else 0

    def _signature(self, user: master.User, identified_by: str) -> bodies.Signature:
        return bodies.Signature(
            signer_id=user.id,
            printed_name=user.printed_name,
            meaning=self._meaning,
            identified_by=identified_by,
            signed_at=self._context.clock.now(),
        )

    def _answered(self, answer: PinAnswer) -> None:
        self._is_checking, self._answer = False, answer
        self._on_changed()

    def _failed(self, _: BaseException) -> None:
        self._is_checking = False
        self._on_changed()
