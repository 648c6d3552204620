"""What every station is given, and the job a gesture returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.stations.pins import Pins
from foodflow_desktop.store import Store
from foodflow_kernel.clock import Clock
from foodflow_kernel.wire import master


@dataclass(frozen=True, slots=True)
class Job:
    """Work a gesture asks for: ``work`` runs off the UI thread, the rest on it."""

    work: Callable[[], Any]
    done: Callable[[Any], Any] = lambda _: None
    failed: Callable[[BaseException], Any] | None = None

    def then(self, after: Callable[[], Any]) -> Job:
        """The same job with something more to do once it is done."""
        first = self.done

        def both(result: Any) -> None:
            first(result)
            after()

        return replace(self, done=both)


@dataclass
class Session:
    """Who is signed in at this terminal, and how they said so."""

    user: master.User | None = None
    identified_by: str | None = None
    since: datetime | None = None


@dataclass
class Context:
    """The terminal as stations see it.

    Args:
        language: of the screen; names that are data follow it.
    """

    store: Store
    hardware: Hardware
    clock: Clock
    pins: Pins
    session: Session = field(default_factory=Session)
    language: str = "en"

    @property
    def terminal(self) -> master.Terminal | None:
        """This terminal's own master row, once it is paired."""
        paired = self.store.terminal
        return self.store.master.terminals.get(paired.device) if paired else None

    @property
    def line_id(self) -> UUID | None:
        """The line this terminal serves."""
        return self.terminal.line_id if self.terminal else None

    @property
    def terminal_name(self) -> str:
        """The terminal's short name, T-07."""
        return self.terminal.name if self.terminal else "T"

    @property
    def zone(self) -> ZoneInfo:
        """The plant's time zone."""
        plant = next(iter(self.store.master.plants.values()), None)
        return ZoneInfo(plant.tz if plant else "UTC")

    def today(self) -> date:
        """The date at the plant."""
        return self.clock.now().astimezone(self.zone).date()

    def day_start(self) -> datetime:
        """When the plant's business day began."""
        plant = next(iter(self.store.master.plants.values()), None)
        local = self.clock.now().astimezone(self.zone)
        start = datetime.combine(local.date(), plant.day_start if plant else local.time().min, self.zone)
        return start if start <= local else start - timedelta(days=1)

    def named(self, names: Mapping[str, str], fallback: str = "") -> str:
        """A name that is data, in the screen's language, else the plant's."""
        return names.get(self.language) or names.get("en") or fallback
