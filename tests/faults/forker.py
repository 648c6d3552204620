"""Starts processes quickly: imports once, then forks one child per line on standard input.

``python -m tests.faults.forker MODULE``: each line is a JSON list of arguments for ``MODULE.main``.
The child says ``ready`` with its process id when it is at work; how it ended is said as ``ended``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def say_ready() -> None:
    """Called by the child when it is at work."""
    os.write(1, f"ready {os.getpid()}\n".encode())


def main() -> None:
    module = importlib.import_module(sys.argv[1])
    os.write(1, b"loaded 0\n")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.close(0)
            module.main(json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        os.write(1, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main()
