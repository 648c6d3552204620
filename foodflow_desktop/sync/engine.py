"""Keeps terminal and hub together, on threads of its own: hello, lanes by urgency, feed.

Lane 0 has a thread, a connection and a token of its own and waits for nobody. The others share a
second thread; each lane backs off by itself, so a dead lane never blocks another.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foodflow_desktop.store import Recorded, Store
from foodflow_desktop.sync import transport
from foodflow_desktop.sync.backoff import Backoff
from foodflow_desktop.sync.client import Client
from foodflow_desktop.sync.hello import greet
from foodflow_desktop.sync.intake import Intake
from foodflow_desktop.sync.lanes import LaneSender
from foodflow_kernel.errors import FoodFlowError, SyncError, Unauthorised, Unreachable
from foodflow_kernel.wire.protocol import Lane

_log = logging.getLogger(__name__)

URGENT_FIRST_S = 3.0
"""Real seconds that the other lanes let the urgent one go before them after an outage. Bounded: a dead
lane never blocks another."""
URGENT_LOOK_S = 0.02
LOOK_AGAIN_S = 5.0
"""Plant seconds after which a lane looks at its queue even if nobody called."""


class Engine:
    """Sync of one paired terminal. ``start`` after pairing, ``stop`` before the store is closed."""

    def __init__(self, store: Store, key: Ed25519PrivateKey, app: str = "0.1.0") -> None:
        self._store = store
        self._links = (
            _Link(store, key, app, (Lane.urgent,), takes_feed=False),
            _Link(
                store, key, app, (Lane.events, Lane.bulk, Lane.telemetry), takes_feed=True, before=self._urgent_first
            ),
        )
        self._is_running = False
        store.subscribe(self._on_recorded)

    def start(self) -> None:
        """Begin; does nothing before the terminal is paired, or when running already."""
        if self._is_running or self._store.terminal is None:
            return
        self._is_running = True
        for link in self._links:
            link.start()

    def stop(self) -> None:
        """End all exchanges; what is not acknowledged stays in the journal."""
        if not self._is_running:
            return
        self._is_running = False
        for link in self._links:
            link.stop()

    def send_now(self) -> None:
        """Try at once, whatever the back-off says ("Send now")."""
        for link in self._links:
            link.wake_all()

    async def _urgent_first(self) -> None:
        """Let what is urgent go first: holds leave before counts when the hub is back."""
        for _ in range(int(URGENT_FIRST_S / URGENT_LOOK_S)):
            urgent = next((lane for lane in self._store.status().lanes if lane.lane == Lane.urgent), None)
            if urgent is None or urgent.unsent == 0 or urgent.problem is not None:
                return
            self._links[0].wake(Lane.urgent)
            await asyncio.sleep(URGENT_LOOK_S)

    def _on_recorded(self, row: Recorded) -> None:
        if self._is_running:
            for link in self._links:
                link.wake(row.lane)


class _Link:
    """One thread, one event loop, one connection, one token."""

    def __init__(
        self,
        store: Store,
        key: Ed25519PrivateKey,
        app: str,
        lanes: Sequence[Lane],
        *,
        takes_feed: bool,
        before: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._store = store
        self._key = key
        self._app = app
        self._senders = {lane: LaneSender(store, lane) for lane in lanes}
        self._intake = Intake(store) if takes_feed else None
        self._before = before
        self._name = f"sync-{lanes[0].name}"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wakers: dict[Lane | None, asyncio.Event] = {}
        self._greeting = asyncio.Lock()
        self._client: Client | None = None
        self._is_greeted = False
        self._is_revoked = False
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._loop, self._wakers, self._greeting = asyncio.new_event_loop(), {}, asyncio.Lock()
        self._is_greeted = self._is_revoked = False
        self._thread = threading.Thread(target=self._main, args=(self._loop,), name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._call(self._cancel)
        if self._thread is not None:
            self._thread.join()
        self._loop = self._thread = None

    def wake(self, lane: Lane) -> None:
        if lane in self._senders:
            self._call(lambda: self._set(lane))

    def wake_all(self) -> None:
        self._call(self._set_all)

    def _call(self, what: Callable[[], Any]) -> None:
        loop = self._loop
        with contextlib.suppress(RuntimeError):  # the loop is closed: stopping
            if loop is not None:
                loop.call_soon_threadsafe(what)

    def _set(self, lane: Lane) -> None:
        if lane in self._wakers:
            self._wakers[lane].set()

    def _set_all(self) -> None:
        for waker in self._wakers.values():
            waker.set()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _main(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        self._task = loop.create_task(self._all())
        try:
            with contextlib.suppress(asyncio.CancelledError):
                loop.run_until_complete(self._task)
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    async def _all(self) -> None:
        terminal = self._store.terminal
        if terminal is None:
            return
        self._client = Client(terminal.hub, terminal.ca_pem, self._store.clock)
        try:
            async with asyncio.TaskGroup() as group:
                for lane, sender in self._senders.items():
                    group.create_task(self._repeat(lane, self._draining(sender)))
                if self._intake is not None:
                    group.create_task(self._repeat(None, self._taking_in(self._intake)))
        finally:
            await self._client.close()

    def _draining(self, sender: LaneSender) -> Callable[[Client], Coroutine[Any, Any, bool]]:
        async def step(client: Client) -> bool:
            if self._before is not None:
                await self._before()
            await sender.drain(client)
            return False

        return step

    def _taking_in(self, intake: Intake) -> Callable[[Client], Coroutine[Any, Any, bool]]:
        async def step(client: Client) -> bool:
            if self._is_revoked:
                return False
            await intake.step(client)
            return True

        return step

    async def _repeat(self, name: Lane | None, step: Callable[[Client], Coroutine[Any, Any, bool]]) -> None:
        """Do a step for ever: at once while it wants to go on, else when woken; after a failure, later."""
        waker = self._wakers.setdefault(name, asyncio.Event())
        backoff = Backoff()
        while True:
            waker.clear()
            delay_s = 0.0
            try:
                client = await self._greeted()
                goes_on = await step(client)
                backoff.succeeded()
                delay_s = 0.0 if goes_on else LOOK_AGAIN_S
            except Unauthorised:
                self._is_greeted = False
                delay_s = backoff.failed() if backoff.failures else 0.0
                backoff.failures = max(1, backoff.failures)
            except FoodFlowError as error:
                delay_s = self._failed(error, backoff)
            except Exception:  # noqa: BLE001  # a bug in one lane must not end the others
                _log.exception("sync step failed", extra={"lane": str(name)})
                delay_s = backoff.failed(is_network=False)
            if delay_s:
                await self._wait(waker, delay_s)

    def _failed(self, error: FoodFlowError, backoff: Backoff) -> float:
        is_network = isinstance(error, SyncError)
        self._store.sync_failed(error.code)
        if isinstance(error, Unreachable):
            self._is_greeted = False  # after an outage the first word is hello again
        if backoff.failures == 0:
            _log.warning("sync failed", extra={"code": error.code})
        delay_s = backoff.failed(is_network=is_network)
        if isinstance(error, transport.Throttled):
            delay_s = max(delay_s, float(error.data.get("retry_after", 1)) * self._store.clock.rate)
        return delay_s

    async def _wait(self, waker: asyncio.Event, plant_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(waker.wait(), plant_s / self._store.clock.rate)

    async def _greeted(self) -> Client:
        client = self._client
        if client is None:
            raise Unreachable("hub_unreachable")
        async with self._greeting:
            if not self._is_greeted:
                answer = await greet(client, self._store, self._key, self._app, list(self._senders))
                self._is_revoked = answer.revoked
                self._is_greeted = True
        return client
