from __future__ import annotations

import gc
import threading

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from foodflow_desktop.views import i18n, jobs, theme


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp):
    """A timer that still ticks, a thread or a window left over fails the test that made it."""
    theme.use("light")
    i18n.use("en")
    jobs.prepare()
    threads = set(threading.enumerate())
    windows = set(QApplication.topLevelWidgets())
    yield
    i18n.use("en")
    for window in set(QApplication.topLevelWidgets()) - windows:
        window.close()
        window.deleteLater()
    for _ in range(3):
        qapp.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
        qapp.processEvents()
    gc.collect()
    ticking = [timer.parent() for timer in qapp.findChildren(QTimer) if timer.isActive()]
    left = [thread.name for thread in threading.enumerate() if thread not in threads and not thread.daemon]
    assert ticking == []
    assert left == []
    assert jobs.running() == 0
