"""``make test``: the whole suite on both cores, with coverage of every process it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run pytest, combine the coverage of all processes, print the share, fail under the floor."""
    root = Path(__file__).parents[1]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_API": "pyside6"}

    def python(*arguments: str) -> int:
        return subprocess.run([sys.executable, "-m", *arguments], cwd=root, env=environment, check=False).returncode

    python("coverage", "erase")
    marks = ["-m", "not faults"]
    failed = python("pytest", "-n", "2", "--dist", "loadfile", "--cov", "--cov-report=", *marks, *sys.argv[1:])
    return failed or python("coverage", "report", "--format=total")


if __name__ == "__main__":
    sys.exit(main())
