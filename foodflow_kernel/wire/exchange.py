"""Hello, feed, snapshot and pairing: the shapes of the other exchanges of sync."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from foodflow_kernel.wire.bodies import LaneHead
from foodflow_kernel.wire.facts import Instant, Wire


class FeedCursor(Wire):
    """Where a reader stands in the tenant's feed."""

    epoch: str
    seq: int = 0


class HelloRequest(Wire):
    """First message of a session: who, what version, how far, and what the clock says."""

    device: UUID
    incarnation: UUID
    nonce: str = Field(description="hex, given by POST /sync/nonce, signed below")
    sig: str
    protocol: int
    app: str
    kinds: dict[str, int]
    heads: dict[int, LaneHead]
    feed: FeedCursor | None = None
    unsent: dict[int, int] = Field(default_factory=dict)
    now: Instant
    mono_ns: int
    boot_id: str


class FeedState(Wire):
    """Bounds of the feed: rows (tail, head] can be read."""

    epoch: str
    tail: int
    head: int


class HelloAnswer(Wire):
    """What the server has, and the short-lived token for the rest."""

    token: str
    token_ttl_s: int
    server_time: Instant
    heads: dict[int, LaneHead] = Field(description="per lane, for this device and incarnation")
    safe: dict[int, int] = Field(default_factory=dict)
    feed: FeedState
    min_app: str = "0"
    orders: tuple[dict[str, Any], ...] = ()
    revoked: bool = False


class FeedHeader(Wire):
    """First line of a feed page; the reader asserts ``first == after + 1`` and the count."""

    epoch: str
    first: int
    last: int
    more: bool


class FeedRow(Wire):
    """One decision of the server. A row the reader does not know is kept raw; the cursor moves on.

    Args:
        entity: name of a master entity (``master.ENTITIES``), or ``command`` for the answer to a command.
        data: the entity as in ``master``; None when retired or out of this device's scope.
    """

    seq: int
    entity: str
    id: UUID
    version: int
    retired: bool = False
    data: dict[str, Any] | None = None


class CommandAnswer(Wire):
    """The server's decision about a command fact (batch moves, corrective actions)."""

    fact_id: UUID
    outcome: str = Field(description="applied, merged, conflict or rejected")
    reason: str | None = None


class SnapshotPart(Wire):
    """One part of a snapshot, named by its content."""

    sha256: str
    bytes: int
    rows: int


class SnapshotManifest(Wire):
    """A whole picture of the master data of one device, made at a feed position."""

    id: str
    epoch: str
    seq: int
    parts: tuple[SnapshotPart, ...]


class EnrolRequest(Wire):
    """A terminal asks to be paired; it has no rights yet and has only committed to its key."""

    commitment: str = Field(pattern=r"^[0-9a-f]{64}$")
    machine_name: str = ""
    app: str = ""


class EnrolAnswer(Wire):
    """The code a supervisor types, and the nonce the terminal must see before it reveals its key."""

    device: UUID
    code: str
    server_nonce: str
    expires_at: Instant


class EnrolReveal(Wire):
    """The key and secret behind the commitment; now both sides can derive the four words."""

    public_key: str = Field(pattern=r"^[0-9a-f]{64}$")
    secret: str = Field(pattern=r"^[0-9a-f]{64}$")


class EnrolStatus(Wire):
    """The state of a pairing, asked by the terminal with its signed nonce."""

    state: str = Field(description="pending, approved or revoked")
    tenant_name: str = ""
    plant_id: UUID | None = None
    plant_name: str = ""
    line_id: UUID | None = None
    terminal_name: str = ""
    pepper: str = Field("", description="hex; given once approved, kept in the terminal's key store (wire.pin)")
