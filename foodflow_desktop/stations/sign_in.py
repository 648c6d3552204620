"""Who works at this terminal: by badge, or by tile and PIN; switching, locking, finding someone.

Works offline. A badge is enough for routine entries; every signature asks for the PIN again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from foodflow_desktop.stations import records
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.stations.pins import PinAnswer
from foodflow_desktop.stations.signing import PIN_DIGITS
from foodflow_desktop.store import Draft
from foodflow_kernel.machines.identity import UserState
from foodflow_kernel.wire import bodies, master

TILES = 6
FLOOR_ROLES = {"OP", "QT", "QM", "SV", "MT"}
"""Roles that may sign in on a kiosk."""


@dataclass(frozen=True, slots=True)
class PersonTile:
    """One person to choose."""

    user_id: UUID
    name: str
    short: str
    last_at: datetime | None
    is_chosen: bool
    days_ago: int = 0
    """Whole calendar days at the plant since then."""

    @property
    def is_today(self) -> bool:
        """Whether they were here today."""
        return self.days_ago == 0

    @property
    def is_yesterday(self) -> bool:
        """Whether they were here yesterday."""
        return self.days_ago == 1


@dataclass(frozen=True, slots=True)
class SignInScreen:
    """The picture of the sign-in."""

    people: tuple[PersonTile, ...]
    chosen: str
    filled: int
    digits: int
    tries_left: int | None
    wait_s: int
    number: str | None
    """The number typed to find another person; None while the tiles are shown."""
    unknown_badge: str
    lock_s: int


class SignInStation:
    """Sign in, switch, lock."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._chosen: UUID | None = None
        self._pin = ""
        self._answer: PinAnswer | None = None
        self._is_checking = False
        self._number: str | None = None
        self._unknown = ""
        self.on_changed: Callable[[], None] = lambda: None
        self.on_signed_in: Callable[[], None] = lambda: None
        self.on_locked: Callable[[], None] = lambda: None

    # --- gestures ------------------------------------------------------------------------

    def on_badge(self, code: str) -> Job | None:
        """A badge was scanned: it signs in, and while somebody works it switches, keeping the draft."""
        user = self._context.store.master.users_by_badge.get(code)
        if user is None or not _may_sign_in(user):
            self._unknown = code
            self.on_changed()
            return None
        return self._start(user, "badge")

    def choose(self, user_id: UUID) -> None:
        """Touch a tile; the PIN comes next."""
        self._chosen, self._pin, self._answer, self._unknown = user_id, "", None, ""
        self._number = None
        self.on_changed()

    def find(self) -> None:
        """Find another person by number."""
        self._number, self._chosen, self._pin = "", None, ""
        self.on_changed()

    def show_tiles(self) -> None:
        """Back to the recent people."""
        self._number = None
        self.on_changed()

    def digit(self, digit: str) -> Job | None:
        """A digit of the PIN (the last one submits), or of a number to find."""
        if self._number is not None:
            self._search(self._number + digit)
            return None
        user = self._context.store.master.users.get(self._chosen) if self._chosen else None
        if user is None or self._is_checking or self._context.pins.wait_s(user):
            return None
        self._answer, self._pin = None, self._pin + digit
        if len(self._pin) < PIN_DIGITS:
            self.on_changed()
            return None
        pin, self._pin, self._is_checking = self._pin, "", True
        self.on_changed()
        drafts = self._drafts(user, "tile")

        def work() -> PinAnswer:
            answer = self._context.pins.check(user, pin)
            if answer.is_right:
                self._context.store.record_all(drafts)
            return answer

        def done(answer: PinAnswer) -> None:
            self._is_checking, self._answer = False, answer
            if answer.is_right:
                self._signed_in(user, "tile")
            self.on_changed()

        def failed(_: BaseException) -> None:
            self._is_checking = False
            self.on_changed()

        return Job(work, done, failed)

    def backspace(self) -> None:
        """Take the last digit away."""
        if self._number is not None:
            self._search(self._number[:-1])
        else:
            self._pin = self._pin[:-1]
            self.on_changed()

    def clear(self) -> None:
        """Take all digits away."""
        if self._number is not None:
            self._search("")
        else:
            self._pin = ""
            self.on_changed()

    def lock(self, cause: str = "locked") -> Job | None:
        """Lock the terminal; a draft on the screen stays as it is."""
        user = self._context.session.user
        if user is None:
            return None
        store, line_id = self._context.store, self._context.line_id
        body = bodies.SessionEnded(user_id=user.id, cause=cause)
        self._context.session.user = None
        self._chosen, self._pin, self._answer, self._number = None, "", None, None
        self.on_locked()
        return Job(lambda: store.record(Draft(body, performed_by=user.id, line_id=line_id)))

    # --- the picture ---------------------------------------------------------------------

    def screen(self) -> SignInScreen:
        """The picture as of now."""
        user = self._context.store.master.users.get(self._chosen) if self._chosen else None
        wait_s = self._context.pins.wait_s(user) if user else 0
        plant = next(iter(self._context.store.master.plants.values()), None)
        wrong = self._answer is not None and not self._answer.is_right and not wait_s
        return SignInScreen(
            people=self._people(),
            chosen=self._context.named(user.names, user.printed_name) if user else "",
            filled=PIN_DIGITS if self._is_checking else len(self._pin),
            digits=PIN_DIGITS,
            tries_left=self._answer.tries_left if wrong and self._answer else None,
            wait_s=wait_s,
            number=self._number,
            unknown_badge=self._unknown,
            lock_s=plant.auto_lock_s if plant else 120,
        )

    def _people(self) -> tuple[PersonTile, ...]:
        context = self._context
        last = {one.body.user_id: one.at for one in records.taken(context.store, bodies.SessionStarted)}
        users = [user for user in context.store.master.users.values() if _may_sign_in(user)]
        if self._number:
            users = [user for user in users if user.short_no.startswith(self._number)]
        users.sort(key=lambda user: (user.id not in last, -last[user.id].timestamp() if user.id in last else 0))
        if not self._number:  # the tiles stay where they are: by number within those shown
            users = sorted(users[:TILES], key=lambda user: user.short_no)
        return tuple(
            PersonTile(
                user.id,
                context.named(user.names, user.printed_name),
                user.short_no[-2:],
                last.get(user.id),
                user.id == self._chosen,
                self._days_ago(last.get(user.id)),
            )
            for user in users[:TILES]
        )

    def _days_ago(self, at: datetime | None) -> int:
        return (self._context.today() - at.astimezone(self._context.zone).date()).days if at else 0

    # --- inside --------------------------------------------------------------------------

    def _search(self, number: str) -> None:
        self._number = number[:6]
        found = [user for user in self._context.store.master.users.values() if user.short_no == self._number]
        if len(found) == 1 and _may_sign_in(found[0]):
            self.choose(found[0].id)
        else:
            self.on_changed()

    def _start(self, user: master.User, identified_by: str) -> Job:
        drafts, store = self._drafts(user, identified_by), self._context.store
        return Job(lambda: store.record_all(drafts), lambda _: self._signed_in(user, identified_by))

    def _drafts(self, user: master.User, identified_by: str) -> list[Draft]:
        line_id, before = self._context.line_id, self._context.session.user
        started = Draft(
            bodies.SessionStarted(user_id=user.id, identified_by=identified_by), performed_by=user.id, line_id=line_id
        )
        if before is None:
            return [started]
        ended = Draft(bodies.SessionEnded(user_id=before.id, cause="switched"), performed_by=before.id, line_id=line_id)
        return [ended, started]

    def _signed_in(self, user: master.User, identified_by: str) -> None:
        session = self._context.session
        session.user, session.identified_by, session.since = user, identified_by, self._context.clock.now()
        self._chosen, self._pin, self._answer, self._unknown, self._number = None, "", None, "", None
        self.on_signed_in()
        self.on_changed()


def _may_sign_in(user: master.User) -> bool:
    return user.status is UserState.active and bool(FLOOR_ROLES & set(user.roles))
