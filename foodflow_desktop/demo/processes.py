"""Child processes of the demo: started with their own log file, ended in reverse order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class Died(Exception):
    """A process of the demo ended when it should not have."""


@dataclass
class Processes:
    """The running children, by name.

    Args:
        folder: where each child's output goes, as ``<name>.log``.
        environment: added to this process's own for every child.
    """

    folder: Path
    environment: Mapping[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, module: str, arguments: Sequence[str], **extra: str) -> subprocess.Popen[bytes]:
        """Start ``python -m module`` in the background."""
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603  # our own modules, with this interpreter
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, **extra},
                start_new_session=True,
            )
        self.running[name] = child
        return child

    def kill(self, name: str) -> None:
        """SIGKILL: no goodbye, no flush."""
        child = self.running.pop(name)
        child.send_signal(signal.SIGKILL)
        child.wait()

    def check(self) -> None:
        """Raise if a child has ended by itself.

        Raises:
            Died: with the end of its log.
        """
        for name, child in self.running.items():
            if child.poll() is not None:
                raise Died(f"{name} ended with {child.returncode}\n{self.tail(name)}")

    def tail(self, name: str, lines: int = 15) -> str:
        """The last lines of a child's log."""
        text = (self.folder / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, name: str, patience_s: float = 15.0) -> None:
        """Ask one child to end, and insist if it does not."""
        child = self.running.pop(name)
        child.terminate()
        try:
            child.wait(patience_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def stop_all(self) -> None:
        """End all children, last started first."""
        for name in reversed(list(self.running)):
            self.stop(name)


def run(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the product to its end and keep what it printed."""
    return subprocess.run(  # noqa: S603  # our own modules, with this interpreter
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
