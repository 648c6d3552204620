"""One tenant in one file: a zip of COPY texts and a manifest, with a SHA-256 of it all at its end.

The file is not trusted: whoever reads it takes names only from its own schema. What is not whole is
refused before anything is made.
"""

from __future__ import annotations

import hashlib
import os
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foodflow_kernel.errors import Invalid

FORMAT = "foodflow-tenant"
VERSION = 2
"""Raised when an older server could no longer read the file."""
MANIFEST = "manifest.json"
BLOCK_BYTES = 1 << 20
MAX_MANIFEST_BYTES = 16 << 20
_TRAILER = b"FFSHA256"
_TRAILER_BYTES = len(_TRAILER) + 32


class Part(BaseModel):
    """One table's rows, or one tenant's part of a platform table.

    Args:
        sha256: of the COPY text, hexadecimal.
    """

    model_config = ConfigDict(extra="forbid")

    columns: list[str]
    rows: int
    sha256: str


class Partition(BaseModel):
    """A partition, and the bounds as PostgreSQL writes them."""

    model_config = ConfigDict(extra="forbid")

    table: str = Field(pattern="^[a-z][a-z0-9_]{0,62}$")
    parent: str = Field(pattern="^[a-z][a-z0-9_]{0,62}$")
    bounds: str = Field(
        pattern=r"^(DEFAULT|FOR VALUES FROM \('[-0-9 :.+]+'\) TO \('[-0-9 :.+]+'\)"
        r"|FOR VALUES WITH \(modulus [0-9]+, remainder [0-9]+\))$"
    )


class Counter(BaseModel):
    """Where a sequence stands."""

    model_config = ConfigDict(extra="forbid")

    last: int
    is_called: bool


class Company(BaseModel):
    """The registry's entry."""

    model_config = ConfigDict(extra="forbid")

    id: uuid.UUID
    slug: str
    legal_name: str
    gs1_company_prefix: str
    default_tz: str
    country: str
    currency: str
    regimes: list[str]


class Manifest(BaseModel):
    """What is in the file; all tables as of one instant.

    Args:
        files: content of attached files that is in it: SHA-256, hexadecimal, to size [byte].
        missing: content that the store had not, or not as it was given.
    """

    model_config = ConfigDict(extra="forbid")

    format: str = FORMAT
    version: int = VERSION
    revision: str
    made_at: str
    tenant: Company
    tables: dict[str, Part] = {}
    platform: dict[str, Part] = {}
    counters: dict[str, Counter] = {}
    partitions: list[Partition] = []
    files: dict[str, int] = {}
    missing: list[str] = []


class Blobs(Protocol):
    """Where the content of a tenant's files lies, by SHA-256."""

    def blob(self, sha256: bytes, size: int) -> Iterator[bytes]:
        """Content, a piece at a time; FileNotFoundError if there is none."""
        ...

    def take_blob(self, sha256: bytes, content: Path) -> None:
        """Store content."""
        ...

    def drop_blob(self, sha256: bytes) -> None:
        """Remove content again."""
        ...


BlobsOf = Callable[[str], Blobs]
"""By the name of the tenant's schema."""


@contextmanager
def written(path: Path) -> Iterator[zipfile.ZipFile]:
    """A file to fill; it takes its name only when it is whole, and only its owner may read it."""
    beside = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as parcel:
                yield parcel
            stream.seek(0)
            digest = _digest(stream, None)
            stream.seek(0, os.SEEK_END)
            stream.write(_TRAILER + digest)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)  # noqa: PTH105  # atomic on the same file system
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A file that is whole, and what it says is in it.

    Raises:
        Invalid: `export_missing`, `export_foreign`, `export_damaged`, `export_too_new`.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Invalid("export_missing", file=str(path)) from error
    with stream:
        _check(stream, path)
        try:
            with zipfile.ZipFile(stream) as parcel:
                if parcel.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
                    raise Invalid("export_foreign", file=path.name)
                manifest = Manifest.model_validate_json(parcel.read(MANIFEST))
                if manifest.format != FORMAT:
                    raise Invalid("export_foreign", file=path.name)
                if manifest.version > VERSION:
                    raise Invalid("export_too_new", file=path.name)
                yield parcel, manifest
        except (zipfile.BadZipFile, KeyError, ValidationError) as error:
            raise Invalid("export_foreign", file=path.name) from error


def _check(stream: IO[bytes], path: Path) -> None:
    size = path.stat().st_size
    if stream.read(4) != b"PK\3\4":
        raise Invalid("export_foreign", file=path.name)
    stream.seek(max(0, size - _TRAILER_BYTES))
    trailer = stream.read()
    stream.seek(0)
    if not trailer.startswith(_TRAILER) or _digest(stream, size - _TRAILER_BYTES) != trailer[len(_TRAILER) :]:
        raise Invalid("export_damaged", file=path.name)
    stream.seek(0)


def _digest(stream: IO[bytes], size: int | None) -> bytes:
    found, left = hashlib.sha256(), size
    while block := stream.read(BLOCK_BYTES if left is None else min(BLOCK_BYTES, left)):
        found.update(block)
        left = None if left is None else left - len(block)
    return found.digest()
