"""A terminal that records as fast as it can and says what is saved, until it is killed.

One line in the file SAID per fact, after ``record`` has returned: ``incarnation lane seq sha256``.
With ``sync`` the engine runs too, and recording leaves it time to follow.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
import time
from pathlib import Path

from foodflow_desktop import keys
from foodflow_desktop.store import Options, Recorded, Store
from foodflow_desktop.sync.engine import Engine
from foodflow_kernel.clock import SystemClock
from tests.faults.forker import say_ready
from tests.foodflow_desktop.store.terminals import hold, samples, weighing


def say(said: int, row: Recorded) -> None:
    line = f"{row.incarnation} {int(row.lane)} {row.seq} {hashlib.sha256(row.raw).hexdigest()}\n"
    os.write(said, line.encode())


def work(store: Store, said: int, which: int, pause_s: float) -> None:
    for number in itertools.count():
        match which:
            case 0:
                say(said, store.record(hold()))
            case 1:
                for row in store.record_all([weighing(number), weighing(number)]):
                    say(said, row)
            case _:
                say(said, store.record(samples(50)))
        time.sleep(pause_s)


def main(args: list[str]) -> None:
    folder, said = Path(args[0]), os.open(args[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    key = keys.open_keys(folder).device_key()
    store = Store.open(folder, SystemClock(), key, Options(reserve_bytes=0, witness_s=1.0))
    if "sync" in args:
        Engine(store, key).start()
    say_ready()
    for which in range(3):
        arguments = (store, said, which, 0.01 if "sync" in args else 0)
        threading.Thread(target=work, args=arguments, daemon=True).start()
    threading.Event().wait()
