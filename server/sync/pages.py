"""Pages of the feed: what changed, and how it looks now, as one terminal may see it.

A page is dense: it holds every number between its first and last, whoever the row is for. Rows of
another plant, and earlier changes of a row that changes again in the page, carry no data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import FoodFlowError
from foodflow_kernel.wire import master as wire_master
from foodflow_kernel.wire.exchange import FeedHeader, FeedState
from server.core import feed
from server.core.db.base import TenantBase
from server.sync import master
from server.sync.stored import Terminal

SNAPSHOT = "/api/v1/sync/snapshot"


class Gone(FoodFlowError):
    """The reader's place is not in this feed any more; a snapshot is: answered 410."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A master row as a terminal sees it now; ``data`` None when it may not."""

    version: int
    retired: bool
    data: str | None


def check(state: FeedState, epoch: str, after: int) -> None:
    """Whether a reader can go on from its place.

    Raises:
        Gone: `feed_gone` when the epoch is another, the rows are dropped already, or never were.
    """
    if epoch != state.epoch or not state.tail <= after <= state.head:
        raise Gone("feed_gone", epoch=state.epoch, tail=state.tail, head=state.head, snapshot=SNAPSHOT)


async def page(db: AsyncSession, terminal: Terminal, state: FeedState, after: int, limit: int) -> bytes:
    """The next rows after a place, framed: a header line, then one line per row."""
    row = feed.FeedRow.__table__.c
    question = (
        # The id as text: it goes out as text, and only what must be drawn needs it as more.
        select(row.seq, row.entity, cast(row.row_id, Text), row.version, row.retired, row.plant_id, row.data)
        .where(row.seq > after, row.seq <= min(state.head, after + limit))
        .order_by(row.seq)
    )
    rows = (await db.execute(question)).all()
    latest = {(entity, row_id): seq for seq, entity, row_id, *_, data in rows if data is None}
    wanted: dict[str, list[UUID]] = {}
    for entity, row_id in latest:
        wanted.setdefault(entity, []).append(UUID(row_id))
    pictures = {
        (entity, str(row_id)): picture
        for entity, ids in wanted.items()
        for row_id, picture in (await render(db, terminal, entity, ids)).items()
    }
    last = rows[-1].seq if rows else after
    header = FeedHeader(epoch=state.epoch, first=after + 1, last=last, more=last < state.head)
    lines = [header.model_dump_json()]
    for seq, entity, row_id, version, retired, plant_id, data in rows:
        picture = pictures.get((entity, row_id)) if latest.get((entity, row_id)) == seq else None
        if picture is not None:
            lines.append(line(seq, entity, row_id, picture.version, picture.data, is_retired=picture.retired))
        else:
            shown = data if plant_id is None or plant_id == terminal.plant_id else None
            lines.append(line(seq, entity, row_id, version, shown, is_retired=retired))
    return ("\n".join(lines) + "\n").encode()


def line(seq: int, entity: str, row_id: UUID | str, version: int, data: str | None, *, is_retired: bool) -> str:
    """One row of the feed as JSON; the data is JSON already and is not read again."""
    retired = "true" if is_retired else "false"
    return (
        f'{{"seq":{seq},"entity":{_quoted(entity)},"id":"{row_id}",'
        f'"version":{version},"retired":{retired},"data":{data or "null"}}}'
    )


_quoted = cache(json.dumps)
"""Names of entities, of which there are few."""


async def render(db: AsyncSession, terminal: Terminal, entity: str, ids: Sequence[UUID] | None) -> dict[UUID, Rendered]:
    """How rows of an entity look to a terminal now, with the version that belongs to the picture."""
    renderer = master.RENDERERS.get(entity)
    if renderer is None:
        return {}
    drawn: Sequence[wire_master.Entity] = await renderer(db, entity, ids, terminal)
    states = await _states(db, entity, [one.id for one in drawn] if ids is None else ids)
    pictures = {row_id: Rendered(version, retired, None) for row_id, (version, retired) in states.items()}
    for one in drawn:
        version, retired = states.get(one.id, (0, False))
        if not retired:
            pictures[one.id] = Rendered(version, False, one.model_dump_json())
    return pictures


async def _states(db: AsyncSession, entity: str, ids: Sequence[UUID]) -> dict[UUID, tuple[int, bool]]:
    """Version and whether retired, by id, of a table that opted into the feed."""
    table = _tables().get(entity)
    if table is None or not ids:
        return {}
    columns: Any = table.__table__.c
    question = select(
        columns.id,
        columns.version if "version" in columns else columns.id,
        columns.retired_at if "retired_at" in columns else columns.id,
    ).where(columns.id.in_(ids))
    has_version, has_retired = "version" in columns, "retired_at" in columns
    return {
        row_id: (version if has_version else 0, has_retired and retired_at is not None)
        for row_id, version, retired_at in await db.execute(question)
    }


def _tables() -> dict[str, type[TenantBase]]:
    return {
        mapper.class_.__feed__: mapper.class_
        for mapper in TenantBase.registry.mappers
        if hasattr(mapper.class_, "__feed__")
    }
