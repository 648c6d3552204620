"""Several processes that do the same, kept by the first one."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from ctypes import c_uint64
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

log = logging.getLogger(__name__)

Say = Callable[[], None]

Task = Callable[[Say, Say], None]
"""What a process does until SIGTERM; it calls the first of what it is given when it has begun, and the second
again and again as long as it is well. It is pickled to get there."""

_SPAWN = multiprocessing.get_context("spawn")
_LOOK_S = 0.1
_BETWEEN_S = 1.0
"""Real seconds before a process that ended is started anew: one that cannot start must not take the machine."""
_TRIES = 5
"""Times in a row that a process may end before it has begun; its callers wait meanwhile."""
_LOOKS, _LOOKS_AT_START = 30, 300
"""Looks in a row, a second apart, at which a process has not said that it is well, or begun. They are counted, not
timed: the first process stands still when the machine does."""
_TO_END_S = 20.0
"""Real seconds that they have to finish what they had begun."""


@dataclass(slots=True)
class _Hand:
    process: SpawnProcess
    said: c_uint64
    """Shared: how often the process has said that it is well; it begins with the first time."""
    heard: int = 0
    silent: int = 0
    in_vain: int = 0


def keep(tasks: Sequence[Task], begun: Callable[[], None]) -> int:
    """Do each task in a process of its own until this one is told to stop (SIGTERM, SIGINT).

    A process that ends is started anew, and one that says nothing any more is killed first: its callers would
    wait without end. If this one is killed they stop by themselves.

    Args:
        begun: called once all have begun.

    Returns:
        The exit status: 1 if one ended before all had begun, or cannot be started again.
    """
    told, tell = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(tell, b"."))
    hands = [_start(task) for task in tasks]
    try:
        while not all(each.said.value for each in hands):
            ended = wait([told, *(each.process.sentinel for each in hands)], _LOOK_S)
            if ended:
                return int(told not in ended)
        begun()
        while told not in (came := wait([told, *(each.process.sentinel for each in hands)], _BETWEEN_S)):
            for place, each in enumerate(hands):
                if each.process.is_alive():
                    _listen(each, place)
                else:
                    hands[place] = _renewed(each, tasks[place], place)
            if max(each.in_vain for each in hands) == _TRIES:
                log.error("a process cannot be started again: all end")
                return 1
            if came and wait([told], _BETWEEN_S):
                break
        return 0
    finally:
        _end(hands)


def _listen(hand: _Hand, number: int) -> None:
    said = hand.said.value
    hand.silent = hand.silent + 1 if said == hand.heard else 0
    hand.heard = said
    if hand.silent >= (_LOOKS if said else _LOOKS_AT_START):
        log.error("process answers no more and is killed", extra={"number": number})
        hand.process.kill()
        hand.silent = 0  # it may take longer than one look to be gone


def _renewed(ended: _Hand, task: Task, number: int) -> _Hand:
    log.error("process ended and is started anew", extra={"number": number, "status": ended.process.exitcode})
    in_vain = 0 if ended.said.value else ended.in_vain + 1
    try:
        made = _start(task)
    except OSError:  # no memory or no descriptor just now: it is tried again
        log.exception("no process could be started")
        made = ended
    made.in_vain = in_vain
    return made


def _end(hands: Sequence[_Hand]) -> None:
    for each in hands:
        each.process.terminate()
    until = time.monotonic() + _TO_END_S
    for each in hands:
        each.process.join(max(0.0, until - time.monotonic()))
        each.process.kill()


def _start(task: Task) -> _Hand:
    said = _SPAWN.RawValue(c_uint64)
    process = _SPAWN.Process(target=_do, args=(task, said))
    process.start()
    return _Hand(process, said)


def _do(task: Task, said: c_uint64) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the task has its own way
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it goes to the first one too, which tells all
    threading.Thread(target=_stop_with_the_first, daemon=True).start()

    def well() -> None:
        said.value += 1

    task(well, well)


def _stop_with_the_first() -> None:
    first = multiprocessing.parent_process()
    if first is not None:
        first.join()
        os.kill(os.getpid(), signal.SIGTERM)
