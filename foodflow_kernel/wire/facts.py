"""The fact envelope: one immutable statement taken at the line, as the exact bytes that travel.

A fact is known by (device, incarnation, lane, seq) and its chain hash, which are *not* in the
bytes: they belong to the journal row and the batch header. The bytes written here are hashed,
signed, sent and stored as they are; nobody serialises a fact a second time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, ValidationError

from foodflow_kernel.errors import Invalid


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _iso_ms(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[AwareDatetime, AfterValidator(_utc), PlainSerializer(_iso_ms, return_type=str, when_used="json")]
"""An aware UTC instant; on the wire ISO 8601 with milliseconds and ``Z``."""


class Wire(BaseModel):
    """Base of everything that travels: immutable, and unknown fields are ignored.

    Readers ignore what they do not know, so a body may gain fields with defaults and an older
    peer still reads it. Any other change is a new kind or version.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Fact(Wire):
    """Envelope and payload of one fact.

    Args:
        id: UUIDv7, for references only.
        kind: one of ``bodies.KINDS``; an unknown kind is parked, never refused.
        ver: version of the body of that kind.
        at: the wall clock when it was recorded (``recorded_at``).
        occurred_at: when it happened; later corrections and typed entries differ from ``at``.
        mono_ns: the device's monotonic counter [ns] within ``boot_id``.
        hlc: hybrid logical stamp, breaks ties for display.
        performed_by: the signed-in user; None only for sensors, line signals and the device.
        line_id: the line the terminal serves.
        flags: what the recorder already knows to be unusual, ``UPPER_SNAKE``.
        corrects_id: the fact this one corrects; the first entry stays readable.
        body: the payload, by kind and version.
    """

    id: UUID
    kind: str
    ver: int
    at: Instant
    occurred_at: Instant
    mono_ns: int
    boot_id: str
    hlc: int
    performed_by: UUID | None = None
    line_id: UUID | None = None
    flags: tuple[str, ...] = ()
    corrects_id: UUID | None = None
    correction_reason: str | None = None
    body: Mapping[str, Any]


def encode(fact: Fact) -> bytes:
    """The bytes of a fact: one line of JSON, UTF-8, without a newline. Done once, on the device."""
    return fact.model_dump_json(exclude_none=True).encode()


def decode(raw: bytes) -> Fact:
    """Read the envelope; the body stays a mapping until ``bodies.parse`` is asked.

    Raises:
        Invalid: `fact_unreadable` for bytes that are no fact.
    """
    try:
        return Fact.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Invalid("fact_unreadable", where=where, why=first["msg"]) from error
