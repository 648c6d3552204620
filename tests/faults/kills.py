"""Killing a recorder at random moments, and keeping what it had called saved."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path


def record_until_killed(folder: Path, after_s: float, *more: str) -> list[str]:
    """Run a recorder, SIGKILL it after some time, and return the lines it had written whole."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.recorder", str(folder), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        timer = threading.Timer(after_s, child.send_signal, (signal.SIGKILL,))
        timer.start()
        lines = child.stdout.read().splitlines(keepends=True)
        timer.join()
    assert child.returncode == -signal.SIGKILL
    return [line.strip() for line in lines if line.endswith("\n")]


def a_moment() -> float:
    """A random time, most often short: also inside the first commits."""
    return random.choice((random.uniform(0, 0.02), random.uniform(0, 0.3)))  # noqa: S311  # moments, not secrets
