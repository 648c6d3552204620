"""``make test``: the whole suite on both cores, with coverage of every process it starts.

What failed is tried once more, alone: a test that passes only then is named as shaky and must be
mended, but does not hide what really broke. A crashed run is never tried again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS_FAILED = 1
"""pytest's exit status when tests ran and some failed."""

LONGEST_S = 400
"""Of one test; the longest takes 94 s. What hangs is named with its stacks and ends as a crash: CPython 3.11 spins for
ever, holding the lock, when a second thread that used greenlets ends while the first one's end is traced."""


def main() -> int:
    """Run pytest, combine the coverage of all processes, print the share, fail under the floor."""
    root = Path(__file__).parents[1]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_API": "pyside6"}

    def python(*arguments: str) -> int:
        return subprocess.run([sys.executable, "-m", *arguments], cwd=root, env=environment, check=False).returncode

    python("coverage", "erase")
    marks = ["-m", "not faults", *sys.argv[1:], "-o", f"faulthandler_timeout={LONGEST_S}"]
    marks += ["-o", "faulthandler_exit_on_timeout=true"]
    cover = ["--cov", "--cov-report="]
    status = python("pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-rfE", *cover, *marks)
    if status == TESTS_FAILED:
        sys.stdout.write("\nWhat failed, once more and alone (shaky if it passes now):\n")
        sys.stdout.flush()
        again = ["--last-failed", "--last-failed-no-failures", "none", "-rA", "--cov-append"]
        status = python("pytest", *again, *cover, *marks)
    return status or python("coverage", "report", "--format=total")


if __name__ == "__main__":
    sys.exit(main())
