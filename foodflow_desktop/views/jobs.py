"""Work off the UI thread and results on it: the only door between threads and widgets."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, Slot

_log = logging.getLogger(__name__)

T = TypeVar("T")


class _Door(QObject):
    """Lives on the UI thread; whatever it is given is called there."""

    passed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.passed.connect(self._call, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _call(self, callback: Callable[[], None]) -> None:
        callback()


class _Now:
    door: _Door | None = None
    running = 0


def _door() -> _Door:
    if _Now.door is None:
        _Now.door = _Door()
    return _Now.door


def prepare() -> None:
    """Make the door; called on the UI thread before any other thread may need it."""
    _door()


def on_ui(callback: Callable[[], None]) -> None:
    """Call back on the UI thread soon. Safe from any thread after ``prepare``."""
    _door().passed.emit(callback)


def coalesced(callback: Callable[[], None]) -> Callable[[], None]:
    """A callback for device threads: however often it is called, at most one call waits for the UI thread."""
    waiting = threading.Event()

    def call() -> None:
        waiting.clear()
        callback()

    def ask() -> None:
        if not waiting.is_set():
            waiting.set()
            on_ui(call)

    return ask


def gathered(callback: Callable[[list[T]], None]) -> Callable[[T], None]:
    """A callback for busy threads: what comes while the UI thread is occupied reaches it in one call, in order."""
    waiting: list[T] = []
    lock = threading.Lock()

    def call() -> None:
        with lock:
            came = waiting.copy()
            waiting.clear()
        callback(came)

    def take(one: T) -> None:
        with lock:
            waiting.append(one)
            is_first = len(waiting) == 1
        if is_first:
            on_ui(call)

    return take


class _Work(QRunnable):
    def __init__(
        self, work: Callable[[], Any], done: Callable[[Any], Any], failed: Callable[[BaseException], Any]
    ) -> None:
        super().__init__()
        self._work, self._done, self._failed = work, done, failed

    def run(self) -> None:
        try:
            result = self._work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the screen must say it
            failure = error
            on_ui(lambda: self._end(lambda: self._failed(failure)))
        else:
            on_ui(lambda: self._end(lambda: self._done(result)))

    @staticmethod
    def _end(callback: Callable[[], Any]) -> None:
        _Now.running -= 1
        callback()


def _log_failure(error: BaseException) -> None:
    _log.error("a job failed", exc_info=error)


def run(
    work: Callable[[], T],
    done: Callable[[T], Any] = lambda _: None,
    failed: Callable[[BaseException], Any] | None = None,
) -> None:
    """Run work on a thread of the pool; then ``done`` or ``failed`` on the UI thread."""
    _door()
    _Now.running += 1
    QThreadPool.globalInstance().start(_Work(work, done, failed or _log_failure))


def running() -> int:
    """Jobs whose result has not been applied yet; tests wait for 0."""
    return _Now.running
