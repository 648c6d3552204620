"""A terminal as the server meets it: a key, logs of bytes, batches that end signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from foodflow_kernel.ids import new_id
from foodflow_kernel.wire import chain, facts, signing
from foodflow_kernel.wire import push as wire_push
from foodflow_kernel.wire.bodies import KIND_OF, ClockJumped, LaneHead, Witness
from foodflow_kernel.wire.facts import Wire
from foodflow_kernel.wire.push import PushAnswer, PushConflict
from server.core.db.sessions import Database, TenantRef
from server.sync import batch, packing, parking, push
from server.sync.stored import Terminal

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def a_fact(body: Wire | dict[str, Any] | None = None, **over: Any) -> bytes:
    """The bytes of one fact; by default a clock jump, which needs nothing else to exist."""
    body = body or ClockJumped(wall_before=AT, wall_after=AT, jump_ms=0)
    kind = KIND_OF[type(body)] if isinstance(body, Wire) else None
    values: dict[str, Any] = {
        "id": new_id(AT),
        "kind": kind.name if kind else "unheard_of",
        "ver": kind.ver if kind else 1,
        "at": AT,
        "occurred_at": AT,
        "mono_ns": 1,
        "boot_id": "boot",
        "hlc": 1,
        "body": body.model_dump(mode="json") if isinstance(body, Wire) else body,
    }
    return facts.encode(facts.Fact(**(values | over)))


@dataclass
class Device:
    """A terminal with its own logs; it decides where batches are cut."""

    tenant: TenantRef
    device: UUID = field(default_factory=uuid4)
    incarnation: UUID = field(default_factory=uuid4)
    plant: UUID = field(default_factory=uuid4)
    key: Any = field(default_factory=signing.generate_key)
    logs: dict[int, list[bytes]] = field(default_factory=dict)
    is_revoked: bool = False
    clock_skew_ms: int = 0

    @property
    def terminal(self) -> Terminal:
        return Terminal(
            device_id=self.device,
            tenant_id=self.tenant.id,
            plant_id=self.plant,
            line_id=None,
            name="T-07",
            public_key=signing.public_bytes(self.key),
            is_revoked=self.is_revoked,
            clock_skew_ms=self.clock_skew_ms,
        )

    @property
    def terminal_key(self) -> bytes:
        return signing.public_bytes(self.key)

    def record(self, *bodies: bytes, lane: int = 0) -> int:
        """Append to a lane; the sequence of the last row."""
        log = self.logs.setdefault(lane, [])
        log.extend(bodies)
        return len(log)

    def hashes(self, lane: int = 0) -> list[bytes]:
        """The chain of a lane; place 0 is the genesis."""
        start = chain.genesis(self.device, self.incarnation, lane)
        return [start, *chain.links(start, self.logs.get(lane, []))]

    def witness(self) -> bytes:
        """A witness fact that names the heads of all lanes as they are now."""
        heads = {lane: LaneHead(seq=len(log), hash=self.hashes(lane)[-1].hex()) for lane, log in self.logs.items()}
        return a_fact(Witness(heads=heads, app="0.1.0"))

    def pack(self, first: int = 1, count: int | None = None, lane: int = 0, **header: Any) -> bytes:
        """A batch of a lane as it goes out, not compressed."""
        log, hashes = self.logs[lane], self.hashes(lane)
        count = len(log) - first + 1 if count is None else count
        last = first + count - 1
        values = {
            "device": self.device,
            "incarnation": self.incarnation,
            "lane": lane,
            "first": first,
            "count": count,
            "prev": hashes[first - 1].hex(),
            "last": hashes[last].hex(),
            "sig": signing.sign_row(self.key, lane, last, hashes[last]).hex(),
        }
        return wire_push.pack(wire_push.PushHeader(**(values | header)), log[first - 1 : last])

    async def push(
        self, database: Database, first: int = 1, count: int | None = None, lane: int = 0, now: datetime = AT
    ) -> PushAnswer | PushConflict:
        """Send a batch through the server's own write path, as the route does."""
        return await self.send(database, self.pack(first, count, lane), now)

    async def send(self, database: Database, raw: bytes, now: datetime = AT) -> PushAnswer | PushConflict:
        """Send bytes as they are."""
        proven = batch.prove(packing.unpack(raw, None), self.terminal.public_key)
        async with database.tenant_session(self.tenant.id) as db:
            answer = await push.accept(db, self.terminal, proven, now)
            await parking.wake(db)
        return answer
