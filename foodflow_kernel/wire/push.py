"""One push: a header line, then one body per line, all of one lane. Compression is the caller's.

The framing is read without interpreting a single fact: the server stores bytes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import Field, ValidationError

from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire.facts import Wire
from foodflow_kernel.wire.protocol import MAX_BATCH_LINES, MAX_LINE_BYTES, Lane

HexHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PushHeader(Wire):
    """What a batch claims to be; the server recomputes all of it.

    Args:
        first: sequence of the first body.
        count: number of bodies.
        prev: chain hash before the first body.
        last: chain hash of the last body.
        sig: the device's signature of the last row (hex); a batch ends at a signed row.
    """

    device: UUID
    incarnation: UUID
    lane: Lane
    first: int = Field(ge=1)
    count: int = Field(ge=1, le=MAX_BATCH_LINES)
    prev: HexHash
    last: HexHash
    sig: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class PushAnswer(Wire):
    """The durable answer: everything up to ``acked`` is committed under ``hash``."""

    acked: int
    hash: HexHash
    dead: tuple[int, ...] = ()
    parked: int = 0


class PushConflict(Wire):
    """The server's log differs from what the batch assumes."""

    reason: str = Field(description="behind or fork")
    have: int
    hash: HexHash


@dataclass(frozen=True, slots=True)
class Push:
    """A decoded batch: header and exact body bytes."""

    header: PushHeader
    bodies: list[bytes]


def pack(header: PushHeader, bodies: Sequence[bytes]) -> bytes:
    """The batch as bytes, each line ended by a newline."""
    return b"\n".join([header.model_dump_json().encode(), *bodies, b""])


def unpack(raw: bytes) -> Push:
    """Read a batch; every line must be whole.

    Raises:
        Invalid: `push_torn` when lines are missing or cut, `push_header_bad`, `push_line_too_long`.
    """
    if not raw.endswith(b"\n"):
        raise Invalid("push_torn")
    head, *bodies = raw[:-1].split(b"\n")
    try:
        header = PushHeader.model_validate_json(head)
    except ValidationError as error:
        raise Invalid("push_header_bad", why=error.errors(include_url=False, include_input=False)[0]["msg"]) from error
    if len(bodies) != header.count:
        raise Invalid("push_torn", expected=header.count, got=len(bodies))
    for offset, body in enumerate(bodies):
        if len(body) > MAX_LINE_BYTES:
            raise Invalid("push_line_too_long", seq=header.first + offset, bytes=len(body))
    return Push(header, bodies)
