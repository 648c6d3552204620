"""One device's life on its own thread: open, step, fail, wait, open again.

Keeps the status and the last good reading. The first failure and the recovery are logged,
what lies between is not.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from foodflow_desktop.hardware.config import Section
from foodflow_desktop.hardware.drivers.driver import Bench, Driver
from foodflow_desktop.hardware.readings import (
    DeviceState,
    DeviceStatus,
    ProbeReading,
    Quality,
    Reading,
    SensorSample,
)
from foodflow_desktop.hardware.transport import connect
from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import DeviceError, Garbled, Silent, Unplugged

log = logging.getLogger(__name__)

BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between attempts to open [plant s]; the last one repeats."""
COMPLAINT_HOLDS_S = 1.0
"""A complaint stands until readings have been good for this long [plant s]."""
SILENT_FLOOR_REAL_S = 0.5
"""On a fast demo clock, a busy machine must not look like a silent device [real s]."""
STOP_S = 5.0
"""Longest wait for the thread to end [real s]."""

_STATES: tuple[tuple[type[DeviceError], DeviceState], ...] = (
    (Silent, DeviceState.silent),
    (Garbled, DeviceState.garbled),
    (Unplugged, DeviceState.unplugged),
    (DeviceError, DeviceState.faulty),
)


class DeviceLoop:
    """The thread of one device.

    Args:
        publish: takes every reading and every change of status, on the device's thread.
    """

    def __init__(self, section: Section, clock: Clock, publish: Callable[[Reading | DeviceStatus], None]) -> None:
        self.device = section.device
        self._options = section.options
        self._clock = clock
        self._publish = publish
        self._stop = threading.Event()
        self._commands: deque[tuple[Callable[[Driver], Any], Future[Any]]] = deque()
        self.status = DeviceStatus(self.device, DeviceState.connecting, clock.now())
        self.latest: Reading | None = None
        self._last_good_at: datetime | None = None
        self._heard_ns = clock.mono_ns()
        self._complained_ns: int | None = None
        self._attempts = 0
        self._faults: dict[str, ProbeReading | None] = {}
        bench = Bench(connect(section.options, clock), clock, self._on_reading, self._on_complaint)
        self._driver = section.driver(section.device, section.options, bench)
        self._thread = threading.Thread(target=self._run, name=f"device-{section.device}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the device."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def ask(self, command: Callable[[Driver], Any]) -> Future[Any]:
        """Run a command on the device's thread, between two steps.

        The future fails with `device_unplugged` or the like when the device is not there.
        """
        future: Future[Any] = Future()
        self._commands.append((command, future))
        return future

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._connect()
                while not self._stop.is_set():
                    self._serve()
                    self._driver.step()
                    self._check_heard()
            except DeviceError as error:
                self._failed(error)
            finally:
                self._driver.close()
        self._refuse_commands(Unplugged("device_unplugged", port=self.device, why="stopped"))
        self._set(DeviceState.stopped, None)

    def _connect(self) -> None:
        self._heard_ns, self._complained_ns = self._clock.mono_ns(), None
        self._driver.open()
        if self._options.silent_after_s is None:
            self._set(DeviceState.connected, None)
            self._attempts = 0

    def _serve(self) -> None:
        while self._commands:
            command, future = self._commands.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(command(self._driver))
            except DeviceError as error:
                future.set_exception(error)
                if isinstance(error, Unplugged):
                    raise

    def _refuse_commands(self, error: DeviceError) -> None:
        while self._commands:
            _, future = self._commands.popleft()
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _check_heard(self) -> None:
        limit_s = self._options.silent_after_s
        if limit_s is None:
            return
        limit_s = max(limit_s, SILENT_FLOOR_REAL_S * self._clock.rate)
        quiet_s = (self._clock.mono_ns() - self._heard_ns) / 1e9
        if quiet_s < limit_s:
            return
        if self._complained_ns is not None and isinstance(self.status.error, Garbled):
            raise self.status.error
        raise Silent("device_silent", device=self.device, seconds=round(limit_s, 1))

    def _on_reading(self, reading: Reading) -> None:
        now_ns = self._clock.mono_ns()
        self._heard_ns = now_ns
        self._attempts = 0
        if not isinstance(reading, SensorSample):
            self._settle(reading, now_ns)
        self._publish(reading)

    def _settle(self, reading: Reading, now_ns: int) -> None:
        """What a reading says of the device: one bad point of several is the device's fault."""
        fault = None
        if isinstance(reading, ProbeReading):
            self._faults[reading.tag] = reading if reading.error else None
            worst = next((r for r in self._faults.values() if r is not None), None)
            fault = worst.error if worst else None
        if not isinstance(reading, ProbeReading) or reading.quality is not Quality.bad:
            self.latest, self._last_good_at = reading, reading.at
        if fault is not None:
            is_bad = any(r is not None and r.quality is Quality.bad for r in self._faults.values())
            self._set(DeviceState.faulty if is_bad else DeviceState.connected, fault)
            return
        is_quiet = self._complained_ns is None or now_ns - self._complained_ns >= COMPLAINT_HOLDS_S * 1e9
        if self.status.state is not DeviceState.connected or is_quiet:
            self._complained_ns = None
            self._set(DeviceState.connected, None)

    def _on_complaint(self, error: DeviceError) -> None:
        self._complained_ns = self._clock.mono_ns()
        self._set(self.status.state, error)

    def _failed(self, error: DeviceError) -> None:
        self._set(next(state for kind, state in _STATES if isinstance(error, kind)), error)
        self._refuse_commands(error)
        wait_s = BACKOFF_S[min(self._attempts, len(BACKOFF_S) - 1)]
        self._attempts += 1
        wait_s *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter, so that devices on one bus do not retry in step
        self._stop.wait(wait_s / self._clock.rate)

    def _set(self, state: DeviceState, error: DeviceError | None) -> None:
        before = self.status
        code = error.code if error else None
        if before.state is state and (before.error.code if before.error else None) == code:
            return
        since = before.since if before.state is state else self._clock.now()
        self.status = DeviceStatus(self.device, state, since, error, self._last_good_at)
        if error is not None and before.error is None:
            log.warning("%s: %s", self.device, error)
        elif error is None and before.error is not None and state is DeviceState.connected:
            log.info("%s: works again", self.device)
        self._publish(self.status)
