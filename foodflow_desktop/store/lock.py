"""One program per folder: two writers would tear the sequence."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from foodflow_kernel.errors import Refused

FILE_NAME = "in-use.lock"


def take(folder: Path) -> IO[bytes]:
    """Hold the folder until the returned file is closed; the system frees it if the program dies.

    Raises:
        Refused: `folder_in_use`.
    """
    held = (folder / FILE_NAME).open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            held.seek(0)
            msvcrt.locking(held.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        raise Refused("folder_in_use", folder=str(folder), pid=os.getpid()) from error
    return held
