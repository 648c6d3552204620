"""Where bytes lie: a folder, or an object store; each tenant below a prefix of its own.

The prefix comes from the session's tenant, never from a request, and a key is a hash or an id that
the server made: no name that a person typed ever reaches the store.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.store import LocalStore, from_url

from server.core.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PIECE = 256 * 1024
"""Bytes that are in memory at once while a file is read."""


PART, PART_HERE = 5 * 1024 * 1024, 1024 * 1024
"""Bytes of a part on its way to an object store (the least that S3 takes) and to a folder of this machine. Two are on
their way at once: the library's default holds sixty megabytes."""


class Files:
    """All bytes of this server.

    Args:
        settings: ``files_url`` names the store; empty: the folder ``files`` of the data folder.
    """

    def __init__(self, settings: Settings) -> None:
        self._url = settings.files_url
        self._folder = settings.data_folder / "files"

    @cached_property
    def store(self) -> ObjectStore:
        """The store, opened when the first file comes."""
        if self._url:
            return from_url(self._url)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalStore(self._folder)

    def of(self, schema: str) -> TenantFiles:
        """The part of one tenant."""
        return TenantFiles(self.store, f"{schema}/", None if self._url else self._folder)


class TenantFiles:
    """The bytes of one tenant.

    Args:
        prefix: what every key begins with.
        folder: where the store lies on this machine, if it does.
    """

    def __init__(self, store: ObjectStore, prefix: str, folder: Path | None) -> None:
        self._store, self._prefix, self._folder = store, prefix, folder
        self._part = PART if folder is None else PART_HERE

    async def put(self, key: str, content: bytes | Path) -> None:
        """Store bytes under a key; they are there whole or not at all, also after a power cut."""
        await self._store.put_async(self._prefix + key, content, chunk_size=self._part, max_concurrency=2)
        if self._folder is not None:
            await asyncio.to_thread(_persist, self._folder / (self._prefix + key))

    async def get(self, key: str) -> bytes:
        """All bytes of a small object.

        Raises:
            FileNotFoundError: there is none.
        """
        found = await self._store.get_async(self._prefix + key)
        return bytes(await found.bytes_async())

    async def has(self, key: str) -> bool:
        """Whether there is an object."""
        try:
            await self._store.head_async(self._prefix + key)
        except FileNotFoundError:
            return False
        return True

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from start up to, not including, end, a piece at a time.

        Raises:
            FileNotFoundError: there is no such object.
        """
        while start < end:
            stop = min(start + PIECE, end)
            # By ranges, not by one stream: no store's own read-ahead decides how much memory a slow reader costs.
            yield bytes(await self._store.get_range_async(self._prefix + key, start=start, end=stop))
            start = stop

    def blob(self, sha256: bytes, size: int) -> Iterator[bytes]:
        """Content by its hash, a piece at a time; for commands that wait for nothing else.

        Raises:
            FileNotFoundError: there is none.
        """
        for start in range(0, size, PIECE):
            end = min(start + PIECE, size)
            yield bytes(self._store.get_range(self._prefix + blob_key(sha256), start=start, end=end))

    def take_blob(self, sha256: bytes, content: Path) -> None:
        """Store a file's content, which has this hash."""
        key = self._prefix + blob_key(sha256)
        self._store.put(key, content, chunk_size=self._part, max_concurrency=2)
        if self._folder is not None:
            _persist(self._folder / key)

    def drop_blob(self, sha256: bytes) -> None:
        """Remove content that nothing refers to."""
        with suppress(FileNotFoundError):
            self._store.delete(self._prefix + blob_key(sha256))

    async def remove(self, *keys: str) -> None:
        """Remove objects; those that are not there do not matter."""
        for key in keys:
            try:
                await self._store.delete_async(self._prefix + key)
            except FileNotFoundError:
                continue

    async def remove_upload(self, upload_id: uuid.UUID) -> None:
        """Remove all pieces of an upload, those of refused requests too."""
        listed = self._store.list(f"{self._prefix}uploads/{upload_id}")
        keys = [each["path"].removeprefix(self._prefix) async for page in listed for each in page]
        await self.remove(*keys)


def _persist(path: Path) -> None:
    for each in (path, path.parent):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def blob_key(sha256: bytes) -> str:
    """Where content lies: by its hash, so the same content has one place."""
    name = sha256.hex()
    return f"blobs/{name[:2]}/{name}"


def chunk_key(upload_id: uuid.UUID, start: int, sha256: bytes) -> str:
    """Where a piece of an upload lies until it is complete."""
    return f"uploads/{upload_id}/{start}-{sha256.hex()[:16]}"
