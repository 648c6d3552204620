"""The first words: who, how far, what the clock says; and comparing both ends of each lane."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from foodflow_desktop.store import Store
from foodflow_desktop.sync.client import Client
from foodflow_desktop.sync.lanes import set_aside
from foodflow_kernel.errors import Unreachable
from foodflow_kernel.wire.bodies import LaneHead, max_versions
from foodflow_kernel.wire.exchange import HelloAnswer, HelloRequest
from foodflow_kernel.wire.protocol import PROTOCOL, Lane

KEEPS = ("fork", "chain_broken")
"""Problems that a new hello does not clear."""


async def greet(client: Client, store: Store, key: Ed25519PrivateKey, app: str, lanes: Sequence[Lane]) -> HelloAnswer:
    """Say hello and settle what the server has of these lanes.

    Raises:
        SyncError: no answer, no trust, or no welcome.
    """
    status = store.status()
    if status.device is None or status.incarnation is None:
        raise Unreachable("hub_unreachable")
    states = {int(lane): store.outbox.state(status.incarnation, lane) for lane in Lane}
    request = HelloRequest(
        device=status.device,
        incarnation=status.incarnation,
        nonce="",
        sig="",
        protocol=PROTOCOL,
        app=app,
        kinds=max_versions(),
        heads={lane: LaneHead(seq=state.head, hash=state.hash.hex()) for lane, state in states.items()},
        feed=store.master.cursor,
        unsent={lane.lane: lane.unsent for lane in status.lanes},
        now=store.clock.now(),
        mono_ns=store.clock.mono_ns(),
        boot_id=store.boot_id,
    )
    answer = await client.hello(key, status.device, request)
    store.heard(store.clock.now())
    store.set_revoked(is_revoked=answer.revoked)
    await asyncio.to_thread(_settle, store, answer, request, lanes)
    return answer


def _settle(store: Store, answer: HelloAnswer, request: HelloRequest, lanes: Sequence[Lane]) -> None:
    """Acknowledge what an earlier answer was lost for; send again what a restored server lost."""
    outbox, incarnation = store.outbox, request.incarnation
    for lane in lanes:
        state = outbox.state(incarnation, lane)
        for log in outbox.logs(lane):
            problem = log.lanes[int(lane)].problem
            if problem is not None and problem not in KEEPS:
                outbox.mark(log.incarnation, lane, None)
        if state.problem in KEEPS:
            continue
        there = answer.heads.get(int(lane), LaneHead(seq=0, hash=(outbox.hash_at(incarnation, lane, 0) or b"").hex()))
        hash_ = bytes.fromhex(there.hash)
        if outbox.hash_at(incarnation, lane, there.seq) != hash_:
            set_aside(store, incarnation, lane)
        elif there.seq > state.acked:
            outbox.acknowledge(incarnation, lane, there.seq, hash_, at=store.clock.now())
        elif there.seq < state.acked:
            outbox.rewind(incarnation, lane, there.seq, hash_)
