"""A terminal that records as fast as it can and says what is saved, until it is killed.

``python -m tests.faults.recorder FOLDER [sync]``: one line on standard output per fact, after
``record`` has returned: ``incarnation lane seq sha256``. With ``sync`` the engine runs too.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import threading
from pathlib import Path

from foodflow_desktop import keys
from foodflow_desktop.store import Options, Recorded, Store
from foodflow_desktop.sync.engine import Engine
from foodflow_kernel.clock import SystemClock
from tests.foodflow_desktop.store.terminals import hold, samples, weighing

_LOCK = threading.Lock()


def say(row: Recorded) -> None:
    line = f"{row.incarnation} {int(row.lane)} {row.seq} {hashlib.sha256(row.raw).hexdigest()}\n"
    with _LOCK:
        sys.stdout.write(line)
        sys.stdout.flush()


def work(store: Store, which: int) -> None:
    for number in itertools.count():
        match which:
            case 0:
                say(store.record(hold()))
            case 1:
                for row in store.record_all([weighing(number), weighing(number)]):
                    say(row)
            case _:
                say(store.record(samples(50)))


def main() -> None:
    folder = Path(sys.argv[1])
    key = keys.open_keys(folder).device_key()
    store = Store.open(folder, SystemClock(), key, Options(reserve_bytes=1 << 20, witness_s=1.0))
    if "sync" in sys.argv:
        Engine(store, key).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for which in range(3):
        threading.Thread(target=work, args=(store, which), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
