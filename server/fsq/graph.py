"""The graph of material as the links tell it: what can be reached from a node, and the edges between."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Text

from server.core.corrections import is_current
from server.fsq.models import TraceLink

NODE_CAP = 10_000
"""A trace with more nodes says that it is truncated (fsq.md, section 4)."""


def _counts(as_of: datetime | None) -> tuple[ColumnElement[bool], ...]:
    """Links that count; a terminal whose clock runs ahead is only left out when a past instant is asked for."""
    always = (TraceLink.cte != "destroy", is_current(TraceLink))
    return always if as_of is None else (*always, TraceLink.occurred_at <= as_of)


def reachable(seeds: Collection[str], *, is_forward: bool, as_of: datetime | None) -> Select[Any]:
    """Every node that material of the seeds went to, or came from.

    A recursive query whose rows are nodes alone: UNION drops a node that was there already, so a
    circle in the records ends by itself and a node reached on many ways is visited once.
    """
    here, there = (TraceLink.source, TraceLink.target) if is_forward else (TraceLink.target, TraceLink.source)
    first, *others = (select(literal(seed, Text).label("node")) for seed in seeds)
    reach = (first.union(*others) if others else first).cte("reach", recursive=True)
    step = select(there).join(reach, here == reach.c.node).where(*_counts(as_of))
    reach = reach.union(step)
    return select(reach.c.node)


async def nodes_around(
    db: AsyncSession, seeds: Collection[str], direction: str, as_of: datetime | None
) -> tuple[list[str], bool]:
    """The nodes of a trace and whether it was cut off at the cap."""
    found: dict[str, None] = dict.fromkeys(seeds)
    for is_forward in (True, False):
        if direction in ("both", "forward" if is_forward else "backward"):
            statement = reachable(seeds, is_forward=is_forward, as_of=as_of).limit(NODE_CAP + 1)
            found |= dict.fromkeys((await db.scalars(statement)).all())
    keys = list(found)
    return keys[:NODE_CAP], len(keys) > NODE_CAP


async def links_between(db: AsyncSession, keys: Collection[str], as_of: datetime | None) -> Sequence[TraceLink]:
    """The links whose two ends are both among the nodes, oldest first."""
    statement = select(TraceLink).where(
        TraceLink.source.in_(keys),
        TraceLink.target.in_(keys),
        *_counts(as_of),
    )
    return (await db.scalars(statement.order_by(TraceLink.occurred_at, TraceLink.id))).all()


async def waste_of(db: AsyncSession, key: str) -> Sequence[TraceLink]:
    """What of a node's material was destroyed."""
    statement = select(TraceLink).where(TraceLink.source == key, TraceLink.cte == "destroy", is_current(TraceLink))
    return (await db.scalars(statement)).all()


async def links_of(db: AsyncSession, key: str) -> Sequence[TraceLink]:
    """Every link that leaves a node, wherever it goes."""
    statement = select(TraceLink).where(TraceLink.source == key, TraceLink.cte != "destroy", is_current(TraceLink))
    return (await db.scalars(statement)).all()


async def suppliers_of(db: AsyncSession, key: str) -> Sequence[str]:
    """Where a lot was received from: shown with it whichever way the trace goes."""
    statement = select(TraceLink.source).where(TraceLink.target == key, TraceLink.cte == "receive")
    return (await db.scalars(statement.distinct())).all()
