"""What busy threads say reaches the UI thread once for a burst, in order, and nothing is left behind."""

from __future__ import annotations

import threading
from typing import Any

from foodflow_desktop.views import jobs


def test_a_burst_is_one_call_in_order(qtbot: Any) -> None:
    calls: list[list[int]] = []
    take = jobs.gathered(calls.append)
    burst = threading.Thread(target=lambda: [take(number) for number in range(1000)])
    burst.start()
    burst.join()
    qtbot.waitUntil(lambda: bool(calls))
    assert calls == [list(range(1000))]
    take(1000)
    qtbot.waitUntil(lambda: len(calls) == 2)
    assert calls[1] == [1000]


def test_none_is_lost_while_the_ui_thread_takes_them(qtbot: Any) -> None:
    came: list[tuple[int, int]] = []
    take = jobs.gathered(came.extend)
    threads = [threading.Thread(target=lambda n=n: [take((n, at)) for at in range(500)]) for n in range(4)]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: len(came) == 2000)
    for n in range(4):
        assert [at for who, at in came if who == n] == list(range(500))
