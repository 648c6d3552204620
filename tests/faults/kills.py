"""Killing real processes at random moments, and keeping what they had called saved."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Forker:
    """Starts the processes of one module, one at a time, and kills them."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forker", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self._hear("loaded")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def start(self, *args: str) -> int:
        """Start a process and return its id when it is at work."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(args) + "\n")
        self._process.stdin.flush()
        return self._hear("ready")

    def kill(self, process: int) -> None:
        """SIGKILL, and wait until it is gone."""
        os.kill(process, signal.SIGKILL)
        assert self._hear("ended") == -signal.SIGKILL

    def _hear(self, word: str) -> int:
        assert self._process.stdout is not None
        said = self._process.stdout.readline().split()
        assert said[:1] == [word], said
        return int(said[1])


def record_until_killed(forker: Forker, folder: Path, after_s: float, *more: str) -> list[str]:
    """Run a recorder, SIGKILL it after some time, and return the lines it had written whole."""
    said = folder.parent / "said"
    said.unlink(missing_ok=True)
    process = forker.start(str(folder), str(said), *more)
    time.sleep(after_s)
    forker.kill(process)
    return [line.strip() for line in said.read_text().splitlines(keepends=True) if line.endswith("\n")]


def a_moment() -> float:
    """A random time, most often short: also inside the first commits."""
    return random.choice((random.uniform(0, 0.02), random.uniform(0, 0.3)))  # noqa: S311  # moments, not secrets
