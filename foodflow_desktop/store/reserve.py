"""The 64 MB kept back for food safety: when the disk is full, lanes 0 and 1 still have room (sync.md, T8)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FILE_NAME = "reserve.bin"
DEFAULT_BYTES = 64 << 20


class Reserve:
    """A pre-allocated file that is given up when a compliance record would not fit otherwise."""

    def __init__(self, folder: Path, size: int = DEFAULT_BYTES) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._size = size

    @property
    def is_held(self) -> bool:
        """Whether the room is still kept back."""
        return self._size == 0 or self._path.exists()

    def free_bytes(self) -> int:
        """Room on the disk besides the reserve [bytes]."""
        return shutil.disk_usage(self._folder).free

    def hold(self) -> bool:
        """Allocate the file if there is room for it twice over; whether it is held now."""
        if self.is_held:
            return True
        if self.free_bytes() < 2 * self._size:
            return False
        staged = self._path.with_suffix(".new")
        try:
            _allocate(staged, self._size)
        except OSError:
            staged.unlink(missing_ok=True)
            return False
        staged.replace(self._path)
        return True

    def release(self) -> bool:
        """Give the room to the journal; False if it was given already."""
        if not self._path.exists():
            return False
        self._path.unlink()
        return True

    def telemetry_mode(self) -> str:
        """``kept``, ``thinned`` when room gets short, ``stopped`` before it touches what safety needs."""
        if not self.is_held or (self._size and self.free_bytes() < self._size // 2):
            return "stopped"
        return "thinned" if self.free_bytes() < 2 * self._size else "kept"


def _allocate(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            block = bytes(1 << 20)
            for _ in range(-(-size // len(block))):
                os.write(descriptor, block)
    finally:
        os.close(descriptor)
