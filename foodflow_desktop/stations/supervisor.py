"""The laptop as a whole: who is signed in, and the screens that live off the same hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from foodflow_desktop.stations.board import BoardStation
from foodflow_desktop.stations.hub import Hub, Person
from foodflow_desktop.stations.live_report import Answer, LiveReport
from foodflow_desktop.stations.terminals import TerminalsStation
from foodflow_desktop.stations.trace import TraceStation
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import FoodFlowError
from foodflow_kernel.wire.reports import SyncHealth


@dataclass(frozen=True, slots=True)
class LaptopScreen:
    """What the frame around the screens shows.

    Args:
        open_deviations, needs_decision: the badges of the sidebar.
        offline: terminals not heard; what waits there is not in ``waiting``.
        is_heard: whether the newest question was answered.
        heard_at: the last answer.
    """

    person: Person | None
    error: FoodFlowError | None
    address: str
    tenant: str
    now: datetime
    open_deviations: int
    needs_decision: int
    waiting: int
    offline: int
    is_heard: bool
    heard_at: datetime | None
    shift_name: str
    tz: str | None = None
    """The plant's zone, once a board told it."""
    tries: int = 0
    """Sign-ins that have ended, well or not."""


@dataclass(frozen=True, slots=True)
class SyncHealthScreen:
    """The picture of Sync health."""

    answer: Answer[SyncHealth]
    now: datetime


class Supervisor:
    """Signs a person in and keeps the reports of all screens.

    Args:
        address: of the hub, as last used here.
        tenant: the plant's short name at the hub, as last used here.
    """

    def __init__(self, hub: Hub, clock: Clock, *, address: str = "", tenant: str = "") -> None:
        self._hub = hub
        self._clock = clock
        self._address = address
        self._tenant = tenant
        self._person: Person | None = None
        self._error: FoodFlowError | None = None
        self._tries = 0
        self.board = BoardStation(hub, clock)
        self.trace = TraceStation(hub, clock)
        self.terminals = TerminalsStation(hub, clock)
        self.health: LiveReport[SyncHealth] = LiveReport(hub.sync_health, clock)
        self.on_signed: Callable[[str, str], None] = lambda _address, _tenant: None

    def sign_in(self, address: str, tenant: str, login: str, password: str, totp: str = "") -> None:
        """Sign a person in; the error stays on the screen. Blocks."""
        self._error = None
        try:
            self._person = self._hub.sign_in(address.strip(), tenant.strip(), login.strip(), password, totp.strip())
        except FoodFlowError as error:
            self._error = error
            return
        finally:
            self._tries += 1
        self._address, self._tenant = address.strip(), tenant.strip()
        self.on_signed(self._address, self._tenant)
        self.refresh()

    def sign_out(self) -> None:
        """Forget the person and everything shown to them."""
        self._hub.sign_out()
        self._person = None
        self.board.forget()
        self.terminals.forget()
        self.trace.forget()
        self.health.forget()

    def refresh(self) -> None:
        """Ask for everything the frame and its open screens show. Blocks."""
        self.board.refresh()
        self.health.refresh()
        self.terminals.refresh()

    def screen(self) -> LaptopScreen:
        """The frame as of now."""
        board = self.board.screen().answer
        value = board.value
        return LaptopScreen(
            person=self._person,
            error=self._error,
            tries=self._tries,
            address=self._address,
            tenant=self._tenant,
            now=self._clock.now(),
            open_deviations=len(value.deviations) if value else 0,
            needs_decision=value.needs_decision if value else 0,
            waiting=value.waiting if value else 0,
            offline=value.terminals - value.terminals_online if value else 0,
            is_heard=board.error is None and not board.is_stale and value is not None,
            heard_at=board.got_at,
            shift_name=value.shift_name if value else "",
            tz=value.tz if value else None,
        )

    def sync_health(self) -> SyncHealthScreen:
        """The picture of Sync health."""
        return SyncHealthScreen(self.health.answer(), self._clock.now())
