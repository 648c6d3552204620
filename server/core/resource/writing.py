"""Rows that are made and changed: whose they are, the last check, the audit row. One row or many."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import DateTime, Numeric, inspect, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import make_transient_to_detached

from foodflow_kernel.errors import Invalid, NotFound
from foodflow_kernel.ids import new_ids
from server.core import audit
from server.core.access import Caller
from server.core.actions import changes, columns_of, on_record, seen, values
from server.core.actor import Actor
from server.core.db import MasterRow, births, plant_column, plant_of
from server.core.resource.declared import Resource

_STAMPS = frozenset(MasterRow.__annotations__)
"""What every record has: its id, version and stamps."""


def make(caller: Caller, resource: Resource, given: Mapping[str, Any]) -> Any:
    """A new row, not yet written.

    Raises:
        NotFound: `record_unknown` for a plant the actor does not see.
        NotAllowed: `permission_missing` at that plant, or over all of them for what all share.
    """
    return maker(caller, resource)(given)


def maker(caller: Caller, resource: Resource) -> Callable[[Mapping[str, Any]], Any]:
    """What makes new rows as ``make`` does, all of one moment; rights at a plant are asked once."""
    ids = new_ids(caller.clock.now())

    @functools.cache
    def check(plant: uuid.UUID | None) -> None:
        if not caller.actor.sees(plant):
            raise NotFound("record_unknown", id=plant)
        caller.actor.require_at(f"{resource.code}.create", plant)

    def made(given: Mapping[str, Any]) -> Any:
        check(given.get("plant_id"))
        return births.born(resource.model, id=next(ids), **given)

    return made


def change(actor: Actor, resource: Resource, row: Any, given: Mapping[str, Any]) -> None:
    """Set columns of a row that the actor sees, and may change where it is; no row goes to another plant.

    Raises:
        NotAllowed: `permission_missing` at its plant.
    """
    actor.require_at(f"{resource.code}.update", plant_of(row))
    for name, value in given.items():
        setattr(row, name, value)


async def bear(db: AsyncSession, resource: Resource, rows: Sequence[Any], *, at_commit: bool = False) -> None:
    """Let the resource check new rows, write them, and read back what the database keeps in another way.

    Args:
        at_commit: they may wait for the commit: nothing looks for them before.

    Raises:
        Invalid: `reference_unknown`, `reference_elsewhere`.
    """
    await _check(db, resource, rows, are_new=True)
    births.fill(db, rows)
    other = [row for row in rows if not _stands_as_given(row)]
    if at_commit and not other:
        births.write_last(db, rows)
        return
    await births.write(db, rows)
    for row in other:
        make_transient_to_detached(row)
        db.add(row)
    await _read_back(db, resource, other)


async def save(db: AsyncSession, resource: Resource, rows: Sequence[Any]) -> None:
    """Let the resource check changed rows, write them, and read back what the database keeps in another way.

    Raises:
        Invalid: `reference_unknown`, `reference_elsewhere`.
    """
    await _check(db, resource, rows)
    await db.flush()
    await _read_back(db, resource, [row for row in rows if not _stands_as_given(row)])


async def _check(db: AsyncSession, resource: Resource, rows: Sequence[Any], *, are_new: bool = False) -> None:
    await _check_references(db, resource, rows, are_new=are_new)
    if resource.before_save is not None:
        for row in rows:
            await resource.before_save(db, row)


async def _read_back(db: AsyncSession, resource: Resource, rows: Sequence[Any]) -> None:
    if rows:
        wanted = select(resource.model).where(resource.model.id.in_([row.id for row in rows]))
        await db.scalars(wanted.execution_options(populate_existing=True))


def _stands_as_given(row: Any) -> bool:
    """Whether a written row holds what a read of it would show.

    Numbers get their column's scale, moments come back in UTC, and what is computed was never given.
    """
    model: Any = type(row)
    known = row.__dict__
    if not known.keys() >= _columns(model):
        return False
    given = (each for name in _scaled(model) if (each := known[name]) is not None)
    return not any(isinstance(each, Decimal) or (isinstance(each, datetime) and each.utcoffset()) for each in given)


@functools.cache
def _told(model: Any) -> tuple[str, ...]:
    """The columns that a birth's audit row tells of."""
    return tuple(sorted(_columns(model) - _STAMPS))


@functools.cache
def _columns(model: Any) -> frozenset[str]:
    return frozenset(columns_of(model))


@functools.cache
def _scaled(model: Any) -> tuple[str, ...]:
    """The columns of numbers and moments that a caller may give."""
    kinds = {each.key: each.expression.type for each in inspect(model).column_attrs}
    return tuple(name for name, kind in kinds.items() if isinstance(kind, Numeric | DateTime) and name not in _STAMPS)


async def _check_references(db: AsyncSession, resource: Resource, rows: Sequence[Any], *, are_new: bool) -> None:
    """What a row newly refers to must be at a plant that its author sees, and at the row's own.

    That it exists at all is the foreign key's business; both are answered alike.
    """
    actor: Actor | None = db.info.get("actor")
    if actor is None:
        return
    for name, (key, place) in _placed_references(cast("Hashable", resource.model)).items():
        if are_new:  # what was not said is not there, and is slow to ask for
            found = [row for row in rows if row.__dict__.get(name) is not None]
        else:
            found = [row for row in rows if getattr(row, name) is not None and _is_newly_said(row, name)]
        if not found:
            continue
        at = select(key, place).where(key.in_({getattr(row, name) for row in found}))
        with db.no_autoflush:  # the row is written after it was checked
            plants: dict[uuid.UUID, uuid.UUID | None] = {row[0]: row[1] for row in await db.execute(at)}
        for row in found:
            plant, here = plants.get(getattr(row, name)), plant_of(row)
            if getattr(row, name) not in plants or not actor.sees(plant):
                raise Invalid("reference_unknown", where=name, id=getattr(row, name))
            if plant is not None and here is not None and plant != here:
                raise Invalid("reference_elsewhere", where=name, id=getattr(row, name))


def _is_newly_said(row: Any, name: str) -> bool:
    return bool(inspect(row).attrs[name].history.added)


@functools.cache
def _placed_references(model: type[Any]) -> dict[str, tuple[Any, Any]]:
    """Each column that refers to a record at a plant, with that record's key and plant; ``plant_id`` itself is none."""
    models = {mapper.local_table.name: mapper.class_ for mapper in model.registry.mappers}
    found = {}
    for column in inspect(model).columns:
        for key in column.foreign_keys:
            target = models[key.target_fullname.partition(".")[0]]
            if column.key != "plant_id" and plant_column(target) is not None:
                found[column.key] = (target.id, plant_column(target))
    return found


def note_made(caller: Caller, resource: Resource, rows: Iterable[Any]) -> None:
    """The audit rows of births: what is not empty. Which record, by whom and when is said by the audit row itself."""
    known_of = [row.__dict__ for row in rows]  # nothing is missing: what the database fills was read back
    place = getattr(resource.model, "__plant__", "plant_id")
    told = [on_record(resource.model, known) for known in known_of]
    said = audit.said_of_each(told, _told(cast("Hashable", resource.model))) if told else ()
    entries = [(known["id"], known.get(place), each) for known, each in zip(known_of, said, strict=True)]
    audit.write_many(caller.db, caller.actor, f"{resource.code}.create", resource.code, entries)


def note_changed(caller: Caller, resource: Resource, row: Any, before: Mapping[str, Any]) -> None:
    """The audit row of a change."""
    diff = on_record(resource.model, changes(before, values(row)))
    audit.write(caller.db, caller.actor, f"{resource.code}.update", resource.code, row.id, diff, plant_id=plant_of(row))


async def locked(caller: Caller, resource: Resource, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Any]:
    """The rows of these ids that the actor sees, locked in one order so that two requests never block each other."""
    mine = seen(resource.model, caller.actor)
    wanted = select(resource.model).where(resource.model.id.in_(ids), *mine).order_by(resource.model.id)
    plant, plants = plant_column(resource.model), caller.actor.plant_ids
    if plant is not None and plants is not None:
        wanted = wanted.where(or_(plant.is_(None), plant.in_(plants)))
    rows = (await caller.db.scalars(wanted.with_for_update().execution_options(populate_existing=True))).all()
    return {row.id: row for row in rows}


def same_version(row: Any, said: int | str | None) -> None:
    """Refuse a change of a row that its author has not read as it is.

    Raises:
        Invalid: `if_match_missing`, `version_stale`.
    """
    if said is None:
        raise Invalid("if_match_missing")
    if str(said).strip().strip('W/"') != str(row.version):
        raise Invalid("version_stale", version=row.version)
