"""What a file is, by its bytes alone, and whether that may be kept.

Types that can run something in a viewer (HTML, SVG, XML, scripts, macros, programs, old Office
files) are not on the list.
"""

from __future__ import annotations

import codecs
import csv
import re
import struct
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

import puremagic

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/tiff", "image/heif", "image/heic"})
PDF = "application/pdf"
TEXT, CSV = "text/plain", "text/csv"
OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
ALLOWED = frozenset({*IMAGES, PDF, TEXT, CSV, *OFFICE.values()})

_HEAD = 64 * 1024
_MAGIC = 512
"""All signatures of allowed types lie within this; more only makes the library slower."""
_MARKUP = re.compile(
    rb"<\s*(!doctype|html|head|body|script|svg|iframe|object|embed|\?xml|\?php|%)|^\s*#!", re.IGNORECASE
)
_ACTIVE = re.compile(r"vbaproject|vbadata|macrosheets|activex|oleobject|\.(exe|dll|js|vbs|ps1|bin)$", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_MAX_ENTRIES = 10_000
_MAX_DIRECTORY = 4 * 1024 * 1024
_EOCD = struct.Struct("<4s4H2LH")


def kind_of(content: BinaryIO) -> str | None:
    """The media type of a file, None if it may not be kept. Reads it in pieces."""
    content.seek(0)
    head = content.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        return _office(content)
    guessed = _magic(head)
    if guessed in IMAGES or guessed == PDF:
        return guessed
    if _MARKUP.search(head[:_MAGIC]) or not _is_text(content):
        return None
    return CSV if _is_csv(head) else TEXT


def _magic(head: bytes) -> str | None:
    try:
        found = puremagic.magic_string(head[:_MAGIC])
    except (puremagic.PureError, ValueError):
        return None
    return found[0].mime_type if found else None


def _office(content: BinaryIO) -> str | None:
    """A document of Office Open XML (ECMA-376) without macros and embedded programs; any other archive is none."""
    names = _names(content)
    if names is None or "[Content_Types].xml" not in names or any(_ACTIVE.search(name) for name in names):
        return None
    kinds = {kind for part, kind in OFFICE.items() if any(name.startswith(part) for name in names)}
    return kinds.pop() if len(kinds) == 1 else None


def _names(content: BinaryIO) -> frozenset[str] | None:
    """The names in an archive, if there are not too many to hold (a directory may be most of the file)."""
    size = content.seek(0, 2)
    content.seek(max(0, size - 65_557))
    tail = content.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _EOCD.size:
        return None
    entries, directory = _EOCD.unpack_from(tail, at)[4:6]
    if entries > _MAX_ENTRIES or directory > _MAX_DIRECTORY:
        return None
    try:
        with zipfile.ZipFile(content) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None


def _pieces(content: BinaryIO) -> Iterable[bytes]:
    content.seek(0)
    while piece := content.read(_HEAD):
        yield piece


def _is_text(content: BinaryIO) -> bool:
    """UTF-8 from end to end, without control characters."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(content):
            if _CONTROL.search(piece):
                return False
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_csv(head: bytes) -> bool:
    """At least two lines with the same number of cells, more than one."""
    lines = head.decode(errors="replace").splitlines()[:20]
    for delimiter in ",;\t":
        try:
            widths = {len(row) for row in csv.reader(lines, delimiter=delimiter) if row}
        except csv.Error:
            continue
        if len(lines) > 1 and len(widths) == 1 and widths.pop() > 1:
            return True
    return False
