"""Batches and pages on the wire: zstd, gzip as fallback, both unpacked under hard limits.

A decompression bomb must cost neither memory nor the lane (sync.md, T21): reading stops at the
first byte over the limit, before anything is stored, and the device is told to cut smaller.
"""

from __future__ import annotations

import zlib

import zstandard

from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import push
from foodflow_kernel.wire.protocol import MAX_BATCH_PACKED_BYTES, MAX_BATCH_RAW_BYTES

ZSTD = "zstd"
GZIP = "gzip"

_LEVEL = 3
"""290 MB/s at 3.9:1 on facts; higher levels cost more than they save on a LAN."""
_WINDOW_BYTES = 8 << 20
"""Largest window a frame may ask for: no more than a whole batch."""
_STEP_BYTES = 1024
"""Input per step of unpacking: at most 32 MiB come out of one before the limit is looked at."""


class TooLarge(Invalid):
    """A batch over a limit of the protocol: answered 413, nothing stored."""


def unpack(packed: bytes, encoding: str | None) -> push.Push:
    """Decompress and frame a batch, within the limits of the protocol.

    Raises:
        TooLarge: `push_too_large`, `push_line_too_long`.
        Invalid: `push_torn`, `push_header_bad`, `push_encoding_unknown`.
    """
    try:
        return push.unpack(inflate(packed, encoding))
    except TooLarge:
        raise
    except Invalid as error:
        if error.code == "push_line_too_long":
            raise TooLarge(error.code, **error.data) from error
        raise


def inflate(packed: bytes, encoding: str | None) -> bytes:
    """The raw bytes of a body; at most ``MAX_BATCH_RAW_BYTES`` are ever unpacked.

    Raises:
        TooLarge: `push_too_large`.
        Invalid: `push_torn` for a frame that ends early or is damaged, `push_encoding_unknown`.
    """
    if len(packed) > MAX_BATCH_PACKED_BYTES:
        raise TooLarge("push_too_large", limit=MAX_BATCH_PACKED_BYTES)
    match encoding:
        case "zstd":
            return _inflate_zstd(packed)
        case "gzip":
            return _inflate_gzip(packed)
        case None | "" | "identity":
            return packed
        case _:
            raise Invalid("push_encoding_unknown", encoding=encoding[:32])


def _inflate_zstd(packed: bytes) -> bytes:
    # In small steps: one call may unpack 128 KiB from each 4 bytes it is given, no more.
    inflator = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES).decompressobj()
    parts, size = [], 0
    try:
        for start in range(0, len(packed), _STEP_BYTES):
            if inflator.eof:
                raise Invalid("push_torn")
            parts.append(inflator.decompress(packed[start : start + _STEP_BYTES]))
            size += len(parts[-1])
            if size > MAX_BATCH_RAW_BYTES:
                raise TooLarge("push_too_large", limit=MAX_BATCH_RAW_BYTES)
    except zstandard.ZstdError as error:
        raise Invalid("push_torn") from error
    if not inflator.eof or inflator.unused_data:
        raise Invalid("push_torn")
    return b"".join(parts)


def _inflate_gzip(packed: bytes) -> bytes:
    inflator = zlib.decompressobj(wbits=31)
    try:
        raw = inflator.decompress(packed, MAX_BATCH_RAW_BYTES + 1)
    except zlib.error as error:
        raise Invalid("push_torn") from error
    if len(raw) > MAX_BATCH_RAW_BYTES:
        raise TooLarge("push_too_large", limit=MAX_BATCH_RAW_BYTES)
    if not inflator.eof or inflator.unused_data:
        raise Invalid("push_torn")
    return raw


def deflate(raw: bytes, accepted: str) -> tuple[bytes, str | None]:
    """Compress an answer in the best way the reader accepts; the name of the way, None for plain."""
    if ZSTD in accepted:
        return zstandard.ZstdCompressor(level=_LEVEL).compress(raw), ZSTD
    if GZIP in accepted:
        packer = zlib.compressobj(level=_LEVEL, wbits=31)
        return packer.compress(raw) + packer.flush(), GZIP
    return raw, None
