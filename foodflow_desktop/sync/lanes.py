"""Sending one lane: batch after batch, oldest incarnation first, and what to do with each answer."""

from __future__ import annotations

import asyncio
import logging
import time
from uuid import UUID

from foodflow_desktop.store import Store
from foodflow_desktop.store.journal import LogState
from foodflow_desktop.store.outbox import Batch, Broken
from foodflow_desktop.sync import transport
from foodflow_desktop.sync.backoff import BatchSize
from foodflow_desktop.sync.client import Client
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire.protocol import MAX_BATCH_LINES, Lane
from foodflow_kernel.wire.push import PushAnswer

_log = logging.getLogger(__name__)

LEAST_ROWS = 200
"""Never smaller because the server is slow: below this a batch costs what its round trip and commit cost,
so cutting it further only slows the drain (on a machine with load 10: 90 facts a second with 20, 530 with 200)."""
RAW_BYTES = 3 << 20
"""Raw size of a batch: packs to well under the limit of 1 MiB."""


class LaneSender:
    """The sending side of one lane."""

    def __init__(self, store: Store, lane: Lane) -> None:
        self._store = store
        self.lane = lane
        self.size = BatchSize(MAX_BATCH_LINES if lane is Lane.urgent else LEAST_ROWS, LEAST_ROWS, MAX_BATCH_LINES)

    async def drain(self, client: Client) -> int:
        """Send until nothing is left; how many rows were acknowledged.

        Raises:
            SyncError: the way is blocked; nothing is lost.
        """
        sent = 0
        while pending := self._store.outbox.pending(self.lane):
            sent += await self._send(client, pending[0])
        return sent

    async def _send(self, client: Client, log: LogState) -> int:
        batch = await self._next(log.incarnation)
        if batch is None:
            return 0
        if isinstance(batch, Broken):
            await asyncio.to_thread(self._store.salvage_lane, log.incarnation, self.lane, batch.seq)
            return 0
        started = time.perf_counter()
        answer = await self._push(client, log.incarnation, batch)
        if answer is None:
            return 0
        self.size.took(time.perf_counter() - started, len(batch.rows))
        now = self._store.clock.now()
        hash_ = bytes.fromhex(answer.hash)
        if await asyncio.to_thread(self._store.outbox.hash_at, log.incarnation, self.lane, answer.acked) != hash_:
            await self._forked(log.incarnation)
            return 0
        await asyncio.to_thread(
            self._store.outbox.acknowledge,
            log.incarnation,
            self.lane,
            answer.acked,
            hash_,
            at=now,
            dead=answer.dead,
            parked=answer.parked,
        )
        self._store.heard(now)
        return len(batch.rows)

    async def _push(self, client: Client, incarnation: UUID, batch: Batch) -> PushAnswer | None:
        """The answer to a batch; None where the refusal itself was settled."""
        try:
            return await client.push(batch, unsent_header(self._store))
        except transport.TooLarge:
            if len(batch.rows) == 1:
                await self._mark(incarnation, "push_too_large")
            self.size.refused()
        except transport.Conflict as conflict:
            await self._settle_conflict(incarnation, conflict)
        except Invalid as error:
            # Our own bytes verify, so trying again at once would only repeat it: a person must look.
            _log.error("push refused", extra={"lane": int(self.lane), "code": error.code})
            await self._mark(incarnation, error.code)
        return None

    async def _next(self, incarnation: UUID) -> Batch | Broken | None:
        outbox, rows = self._store.outbox, self.size.rows
        return await asyncio.to_thread(outbox.next_batch, incarnation, self.lane, max_rows=rows, max_bytes=RAW_BYTES)

    async def _settle_conflict(self, incarnation: UUID, conflict: transport.Conflict) -> None:
        """Behind: the server lost rows (a restore), so send them again. Fork: two logs bear one name."""
        have, hash_ = int(conflict.data["have"]), bytes.fromhex(conflict.data["hash"])
        is_behind = conflict.data.get("reason") == "behind"
        if is_behind and await asyncio.to_thread(self._store.outbox.rewind, incarnation, self.lane, have, hash_):
            return
        await self._forked(incarnation)

    async def _forked(self, incarnation: UUID) -> None:
        await asyncio.to_thread(set_aside, self._store, incarnation, self.lane)

    async def _mark(self, incarnation: UUID, problem: str) -> None:
        await asyncio.to_thread(self._store.outbox.mark, incarnation, self.lane, problem)


def set_aside(store: Store, incarnation: UUID, lane: Lane) -> None:
    """A forked log stays as it is for a person; nothing is dropped. New work goes under a new incarnation.

    New work finds a log of its own first; then the old one is marked, so that nothing lands in it.
    """
    if store.status().incarnation == incarnation:
        store.begin_incarnation("fork")
    store.outbox.mark(incarnation, lane, "fork")


def unsent_header(store: Store) -> str:
    """What waits per lane, for the supervisor's "waiting" column between hellos."""
    return ",".join(f"{lane.lane}={lane.unsent}" for lane in store.status().lanes)
