"""Cold start: from the command to a window that answers, beside a bare Qt window in the same run."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figure import Figure, percentile

WHERE = """## Where a cold start goes
Shares of one profiled start with its files in the disk cache, 2026-11-24. Not waited for any more: httpx, keyring, pymodbus, sqlite-utils (loaded when used), 14 of the 16 views (made in the quiet after the window is up), the search for garbage.

| Part | Share |
|---|---|
| Python itself | 4 % |
| SQLAlchemy and the SQLite driver | 19 % |
| pydantic, and building the wire's types | 14 % |
| the kiosk's store and keys | 7 % |
| Qt | 7 % |
| hardware, stations, sync, theme, first views: loading | 37 % |
| secrets and store opened | 1 % |
| window built, fonts | 8 % |
| shown, first paint | 3 % |
"""
"""Goes below the table of ``docs/benchmarks.md``: by hand, from the clock between the imports and calls of a start."""

TIMES = 5
BUDGET_S = 2.0
"""A cold start to a usable window (issue 2, bench)."""
PATIENCE_S = 60.0
BARE = (
    "from PySide6.QtWidgets import QApplication, QWidget; app = QApplication([]); w = QWidget(); w.resize(1280, 800);"
    "w.show(); app.processEvents(); w.grab()"
)


def measure() -> list[Figure]:
    """Start the kiosk, ask its window what it shows, end it; several times on the same folder."""
    with tempfile.TemporaryDirectory(prefix="foodflow-start-") as name:
        first = _started(Path(name))
        ours = [_started(Path(name)) for _ in range(TIMES)]
    bare = [_bare() for _ in range(TIMES)]
    note = "processes start with their files in the disk cache; the floor is python, PySide6 and one empty window"
    return [
        Figure(
            "cold start to a usable window, p50", percentile(ours, 0.5), "s", percentile(bare, 0.5), BUDGET_S, note=note
        ),
        Figure("first start ever, data files made", first, "s"),
        Figure("cold start to a usable window, worst", max(ours), "s", max(bare)),
    ]


def _environment() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


def _started(folder: Path) -> float:
    path = folder / "remote.sock"
    command = [sys.executable, "-m", "foodflow_desktop.cli", "--folder", str(folder / "kiosk"), "--remote", str(path)]
    began = time.perf_counter()
    child = subprocess.Popen(command, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answer = _ask(path, {"n": 1, "look": True})
        took = time.perf_counter() - began
        assert answer["view"], answer
    finally:
        child.terminate()
        child.wait()
    return took


def _ask(path: Path, message: dict[str, object]) -> dict[str, object]:
    deadline = time.perf_counter() + PATIENCE_S
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(str(path))
        except OSError:
            client.close()
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.005)
            continue
        with client, client.makefile("rb") as stream:
            client.sendall(json.dumps(message).encode() + b"\n")
            answer: dict[str, object] = json.loads(stream.readline())
            return answer


def _bare() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE], env=_environment(), check=True, capture_output=True)
    return time.perf_counter() - began
