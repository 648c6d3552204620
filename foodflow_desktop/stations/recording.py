"""The thread that writes what devices report by themselves: line signal and telemetry.

Device threads must go on reading, so they only hand over; this thread waits for the disk. What
a full disk refuses stays here and is tried again, newest telemetry given up first, because a
count or a stop is worth more than a sample (sync.md, T8).
"""

from __future__ import annotations

import logging
import threading
from collections import deque

from foodflow_desktop.store import Draft, Store
from foodflow_kernel.errors import StoreError
from foodflow_kernel.wire import bodies

_log = logging.getLogger(__name__)

RETRY_S = 2.0
"""Real seconds between tries while the store refuses."""
PENDING_MAX = 20_000
"""Drafts kept while the store refuses; telemetry beyond it is given up."""
AT_ONCE = 200


class Recorder:
    """Writes drafts in the order they came, many to a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: deque[Draft] = deque()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._is_refused = False
        self._is_writing = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write."""
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits and end; gives up at the first refusal."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def settle(self) -> None:
        """Wait until what was handed over so far is written or refused."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._pending or self._is_writing) or self._is_refused)

    def put(self, drafts: list[Draft]) -> None:
        """Hand over drafts; returns at once. Safe from any thread."""
        with self._changed:
            for draft in drafts:
                if len(self._pending) >= PENDING_MAX and isinstance(draft.body, bodies.Telemetry):
                    continue
                self._pending.append(draft)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Drafts not yet written."""
        with self._changed:
            return len(self._pending)

    def _take(self) -> list[Draft]:
        """The longest run from the front that goes into one file: samples have their own."""
        is_sample = isinstance(self._pending[0].body, bodies.Telemetry)
        taken: list[Draft] = []
        while self._pending and len(taken) < AT_ONCE:
            if isinstance(self._pending[0].body, bodies.Telemetry) is not is_sample:
                break
            taken.append(self._pending.popleft())
        return taken

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._is_stopping)
                if not self._pending:
                    return
                drafts = self._take()
                self._is_writing = True
            try:
                self._store.record_all(drafts)
            except StoreError as error:
                if not self._is_refused:
                    _log.error("device records cannot be saved: %s", error)
                with self._changed:
                    self._is_refused, self._is_writing = True, False
                    self._changed.notify_all()
                    self._pending.extendleft(reversed(drafts))
                    if self._is_stopping:
                        return
                    self._changed.wait_for(lambda: self._is_stopping, timeout=RETRY_S)
            else:
                if self._is_refused:
                    _log.warning("device records are saved again")
                with self._changed:
                    self._is_refused = self._is_writing = False
                    self._changed.notify_all()
