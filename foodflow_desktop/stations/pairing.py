"""Setting up a terminal: language, hub, approval by a supervisor, line and name, devices.

The code and the four words come from the hub's answer and from the keys both sides see
(decision 0012). A code lasts ten minutes; then a new one is asked for by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.hardware.readings import DeviceStatus, ScaleReading, Scan
from foodflow_desktop.keys import Keys
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.sync.pairing import Offer, Pairing
from foodflow_kernel.errors import FoodFlowError, Invalid

POLL_S = 2.0
"""Real seconds between questions whether the terminal is approved."""


class Step(IntEnum):
    """Where the setting up stands; also the number shown."""

    language = 1
    hub = 2
    approve = 3
    line = 4
    devices = 5


@dataclass(frozen=True, slots=True)
class DeviceTest:
    """One device as it answers now.

    Args:
        value: what it says: a weight in grams, the last code; empty while it says nothing.
    """

    device: str
    status: DeviceStatus
    value: str


@dataclass(frozen=True, slots=True)
class PairingScreen:
    """The picture of the Pairing view.

    Args:
        hub: the address typed or proposed.
        error: why the last try failed.
        plant, line, terminal: what the supervisor decided; empty before.
    """

    step: Step
    hub: str
    offer: Offer | None
    now: datetime
    is_busy: bool
    error: FoodFlowError | None
    plant: str
    line: str
    terminal: str
    devices: tuple[DeviceTest, ...]

    @property
    def expires_in_s(self) -> int:
        """Seconds until a new code is shown."""
        return max(0, int((self.offer.expires_at - self.now).total_seconds())) if self.offer else 0


class PairingStation:
    """Walks through the five steps; nothing of it is kept before the approval.

    Args:
        hub: address proposed.
        paired: called on the UI thread once the terminal belongs to a plant; starts the sync.
    """

    def __init__(self, context: Context, keys: Keys, hub: str, paired: Callable[[], None]) -> None:
        self._context = context
        self._keys = keys
        self._hub = hub
        self._paired = paired
        self._step = Step.language
        self._pairing: Pairing | None = None
        self._offer: Offer | None = None
        self._error: FoodFlowError | None = None
        self._is_busy = False
        self._lock = threading.Lock()
        self._values: dict[str, str] = {}
        self.on_changed: Callable[[], None] = lambda: None
        context.hardware.subscribe(ScaleReading, self._on_weight)
        context.hardware.subscribe(Scan, self._on_scan)

    def screen(self) -> PairingScreen:
        """The picture as of now."""
        terminal, context = self._context.store.terminal, self._context
        line = context.store.master.lines.get(context.line_id) if context.line_id else None
        name = terminal.name if terminal else ""
        return PairingScreen(
            step=self._step,
            hub=self._hub,
            offer=self._offer,
            now=context.clock.now(),
            is_busy=self._is_busy,
            error=self._error,
            plant=terminal.plant_name if terminal else "",
            line=context.named(line.names, line.name) if line else "",
            terminal=name,
            devices=self._devices(context.hardware),
        )

    def go(self, step: Step) -> None:
        """Another step; forward only as far as what is known allows."""
        if step > Step.approve and self._context.store.terminal is None:
            return
        self._step, self._error = step, None
        self.on_changed()

    def find_hub(self, address: str) -> Job:
        """Ask the hub for a code; shows the approval step when it answers."""
        self._hub = address.strip()
        self._is_busy, self._error = True, None
        self.on_changed()
        return Job(lambda: self._begin(self._hub), lambda _: self.on_changed(), self._failed)

    def poll(self) -> Job | None:
        """Ask whether a supervisor approved; a code that ran out is replaced. None when nothing waits."""
        offer = self._offer
        if self._step is not Step.approve or offer is None or self._is_busy:
            return None
        self._is_busy = True
        if offer.expires_at <= self._context.clock.now():
            return Job(lambda: self._begin(self._hub), lambda _: self.on_changed(), self._failed)
        return Job(self._ask, self._asked, self._failed)

    def _begin(self, address: str) -> None:
        try:
            if not address:
                raise Invalid("hub_address_missing")
            plain = address.rstrip("/")
            base = plain if plain.startswith("https://") else f"https://{plain.removeprefix('http://')}"
            self._pairing = Pairing(base, self._context.clock, self._keys)
            self._offer = self._pairing.begin()
            self._hub, self._step, self._error = base, Step.approve, None
        finally:
            self._is_busy = False

    def _ask(self) -> bool:
        try:
            if self._pairing is None:
                return False
            status = self._pairing.poll()
            if status.state != "approved":
                self._error = None
                return False
            self._pairing.finish(self._context.store, status)
            self._offer, self._step, self._error = None, Step.line, None
            return True
        finally:
            self._is_busy = False

    def _asked(self, is_paired: bool) -> None:
        if is_paired:
            self._paired()
        self.on_changed()

    def _failed(self, error: BaseException) -> None:
        self._is_busy = False
        self._error = error if isinstance(error, FoodFlowError) else Invalid("pairing_failed")
        self.on_changed()

    def _devices(self, hardware: Hardware) -> tuple[DeviceTest, ...]:
        with self._lock:
            values = dict(self._values)
        found = []
        for device in hardware.devices():
            status = hardware.status(device)
            if status is not None:
                found.append(DeviceTest(device, status, values.get(device, "")))
        return tuple(found)

    def _on_weight(self, reading: ScaleReading) -> None:
        with self._lock:
            self._values[reading.device] = "" if reading.net_g is None else f"{reading.net_g} g"

    def _on_scan(self, scan: Scan) -> None:
        with self._lock:
            self._values[scan.device] = scan.raw[:24]
