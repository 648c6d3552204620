"""Taking in the server's decisions: feed pages, and a snapshot where the feed cannot go on."""

from __future__ import annotations

import asyncio
import logging

from foodflow_desktop.store import Store
from foodflow_desktop.sync import transport
from foodflow_desktop.sync.client import Client
from foodflow_desktop.sync.lanes import unsent_header
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire.exchange import FeedCursor
from foodflow_kernel.wire.protocol import FEED_WAIT_MAX_S

_log = logging.getLogger(__name__)


class Intake:
    """The receiving side."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parts: dict[str, bytearray] = {}
        """What was fetched of a snapshot already, by content: a cut link goes on in the middle."""

    async def step(self, client: Client) -> None:
        """Wait for one page and apply it, or fetch a snapshot.

        Raises:
            SyncError: the way is blocked; the cursor stays.
        """
        cursor = self._store.master.cursor
        if cursor is None:
            await self.fetch_snapshot(client)
            return
        try:
            page = await client.feed(
                cursor.epoch, cursor.seq, wait_s=FEED_WAIT_MAX_S, unsent=unsent_header(self._store)
            )
            self._store.heard(self._store.clock.now())
            if page.rows or page.header.last != cursor.seq:
                await asyncio.to_thread(self._store.cache.apply, page.header, page.rows)
        except (transport.Gone, Invalid) as error:
            if isinstance(error, Invalid) and error.code not in ("feed_not_dense", "feed_epoch_changed"):
                raise
            _log.warning("the feed cannot go on; fetching a snapshot", extra={"code": error.code})
            await self.fetch_snapshot(client)

    async def fetch_snapshot(self, client: Client) -> None:
        """Stage all parts, then make them the picture in one transaction. Unsent work is not touched."""
        manifest = await client.snapshot()
        wanted = {part.sha256 for part in manifest.parts}
        self._parts = {name: got for name, got in self._parts.items() if name in wanted}
        await asyncio.to_thread(self._store.cache.begin_snapshot)
        for part in manifest.parts:
            got = self._parts.setdefault(part.sha256, bytearray())
            rows = await client.part(manifest, part, got)
            await asyncio.to_thread(self._store.cache.stage, rows)
        await asyncio.to_thread(self._store.cache.swap, FeedCursor(epoch=manifest.epoch, seq=manifest.seq))
        self._parts.clear()
        self._store.heard(self._store.clock.now())
