"""The audit trail: written in the transaction that changes, never changed after.

INSERT-only by grant and by trigger. Rows are numbered when their transaction commits, under the
lock of one counter row, so numbers have no hole and their order is commit order: a row that is
missing, moved or put in later shows by its number (decision 23). Each row carries the SHA-256 of
its own content and number; ``seals`` bind them together. Secrets never enter a row.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import json
import operator
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from pydantic_core import to_json
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    bindparam,
    column,
    event,
    func,
    insert,
    literal_column,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from foodflow_kernel.clock import Clock
from server.core.actor import Actor
from server.core.db.base import TenantBase
from server.core.db.given import is_shared
from server.core.db.together import Asked, ready
from server.core.feed import FeedSession

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the running HTTP request; joins log lines and audit rows."""
address: ContextVar[str | None] = ContextVar("address", default=None)
"""Where the running HTTP request came from."""

_SECRET = re.compile(
    r"password|secret|pepper|credential|sealed|code_sha256"
    r"|(^|_)(pin|pins|token|tokens|api_key|apikey|private_key|t?otp)(_(hash|base|sha256))?$"
)
"""Names of fields that are never kept: passwords, PINs, tokens, TOTP secrets, keys, and their hashes."""

_PENDING, _MARKS = "audit_pending", "audit_marks"


class AuditRow(TenantBase):
    """Who did what to which record, when, why.

    Args:
        seq: from 1, without a hole, in the order of commits.
        plant_id: where the record belongs; None: to the whole company.
        esign_id: the signature under which it was done.
    """

    __tablename__ = "core_audit"
    __table_args__ = (
        CheckConstraint("actor_type in ('user','device','apikey','system','platform')", name="actor_type"),
        Index("ix_core_audit_entity", "entity", "entity_id", text("at DESC")),
        Index("ix_core_audit_actor", "actor_id", text("at DESC")),
        Index("ix_core_audit_at", "at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    actor_type: Mapped[str]
    actor_id: Mapped[uuid.UUID | None]
    actor_name: Mapped[str]
    device_id: Mapped[uuid.UUID | None]
    plant_id: Mapped[uuid.UUID | None]
    action: Mapped[str]
    entity: Mapped[str]
    entity_id: Mapped[uuid.UUID | None]
    diff: Mapped[dict[str, Any]]
    reason: Mapped[str | None]
    request_id: Mapped[str | None]
    ip: Mapped[str | None]
    esign_id: Mapped[uuid.UUID | None]
    row_hash: Mapped[bytes]


class AuditHead(TenantBase):
    """The one counter of a tenant's trail: how many rows there are. It only grows."""

    __tablename__ = "core_audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(BigInteger)


class Act(NamedTuple):
    """What one act did to records: the texts that its rows share, and of each row what is its own."""

    rows: int
    shared: tuple[str, ...]
    diffs: str
    entity_ids: str
    plant_ids: str
    """A line a row, each as it stands in canonical JSON."""


_SHARED = ("who", "what", "whence", "why")
"""The texts that the rows of an act share: fields and values of canonical JSON, in the order of their names."""
_OWN = ("diff", "entity_id", "plant_id")
"""What a row has of its own."""


def _write_statement() -> Any:
    """One statement: take k numbers, store k rows under them in the order given, hash each with its number.

    What ``digest`` hashes is put together here: the shared texts and between them what is a row's own, ``seq``
    at last. The columns that an act's rows share are read out of its texts, once. Without a counter the number
    is NULL, and refused.
    """
    head, table = cast("Table", AuditHead.__table__), cast("Table", AuditRow.__table__)
    k = bindparam("k", type_=BigInteger)
    taken = update(head).where(head.c.id == literal_column("1")).values(n=head.c.n + k).returning(head.c.n)
    counter = taken.cte("counter")
    texts = _lines("acts", "act", *_SHARED)
    names = [name for name in table.columns.keys() if name not in ("seq", "row_hash", *_OWN)]  # noqa: SIM118  a collection
    who, what, whence, why = (texts.c[name] for name in _SHARED)
    read = (
        func.jsonb_to_record(_joined("{", who, ",", what, ",", whence, ",", why, "}").cast(JSONB))
        .table_valued(*(column(name, table.c[name].type) for name in names), name="read")
        .render_derived(with_types=True)
        .lateral()
    )
    acts = select(texts, *(read.c[name] for name in names)).select_from(texts.join(read, true())).cte("acts")
    acts = acts.prefix_with("MATERIALIZED")  # read once an act, not once a row
    who, what, whence, why = (acts.c[name] for name in _SHARED)
    rows = _lines("rows", "place", "of_act", *_OWN)
    seq = counter.c.n - k + rows.c.place
    whole = _joined(
        *("{", who, ',"diff":', rows.c.diff, ",", what, ',"entity_id":', rows.c.entity_id, ","),
        *(whence, ',"plant_id":', rows.c.plant_id, ",", why, ',"seq":', seq.cast(Text), "}"),
    )
    ids = (func.nullif(func.btrim(rows.c[name], literal_column("'\"'")), literal_column("'null'")) for name in _OWN[1:])
    numbered = select(
        seq,
        *(acts.c[name] for name in names),
        rows.c.diff.cast(JSONB),
        *(each.cast(Uuid) for each in ids),
        func.sha256(func.convert_to(whole, literal_column("'UTF8'"))),
    ).select_from(rows.outerjoin(counter, true()).join(acts, acts.c.act == rows.c.of_act.cast(BigInteger)))
    return insert(table).from_select(["seq", *names, *_OWN, "row_hash"], numbered)


def _lines(name: str, place: str, *columns: str) -> Any:
    """Texts with a line for each row, side by side as the columns of a table."""
    end: Any = literal_column("E'\\n'")
    arrays = (func.string_to_array(bindparam(each, type_=Text), end) for each in columns)
    table = func.unnest(*arrays).table_valued(*(column(each, Text) for each in columns), with_ordinality=place)
    return table.render_derived(name=name)


def _joined(*parts: ColumnElement[Any] | str) -> ColumnElement[Any]:
    """One text of what rows hold and of what stands between."""
    return functools.reduce(
        operator.add, (literal_column(f"'{part}'", Text) if isinstance(part, str) else part for part in parts)
    )


_WRITE = ready(_write_statement())


def write(
    db: AsyncSession,
    actor: Actor,
    action: str,
    entity: str,
    entity_id: uuid.UUID | None,
    diff: Mapping[str, Any] | None = None,
    reason: str | None = None,
    *,
    plant_id: uuid.UUID | None = None,
    esign_id: uuid.UUID | None = None,
) -> None:
    """Add an audit row to the running transaction; it goes with its savepoint if that is undone.

    Args:
        action: permission code or event, such as ``fsq.hold.release`` or ``auth.login_failed``.
        diff: field to new value, or field to [old, new]; secrets are cut out.
        plant_id: the record's plant; a supervisor sees the rows of their own plant.
    """
    write_many(db, actor, action, entity, [(entity_id, plant_id, said(diff or {}))], reason, esign_id=esign_id)


Entry = tuple[uuid.UUID | None, uuid.UUID | None, str]
"""What is an audit row's own among many that are written at once: record, its plant, what is ``said`` of it."""


def said(diff: Mapping[str, Any]) -> str:
    """A diff in words, without secrets."""
    return _written(_mapping(diff))


def said_of_each(rows: Sequence[Mapping[str, Any]], names: tuple[str, ...]) -> Iterator[str]:
    """What is not empty of some fields of each row, as ``said``; what the rows share is put into words once."""
    fields: list[list[str]] = []
    for label, at in _labels(names):
        name = names[at]
        values = [row[name] for row in rows]
        if values.count(None) == len(values):
            continue
        if is_shared(values):
            fields.append([label + _written(plain(values[0]))] * len(values))
        else:
            fields.append(["" if value is None else label + _written(plain(value)) for value in values])
    for parts in zip(*fields, strict=True) if fields else [()] * len(rows):
        yield "{" + ",".join(filter(None, parts)) + "}"


def write_many(
    db: AsyncSession,
    actor: Actor,
    action: str,
    entity: str,
    entries: Iterable[Entry],
    reason: str | None = None,
    *,
    esign_id: uuid.UUID | None = None,
) -> None:
    """Add the audit rows of one act on many records, as ``write`` does; what they share is put into words once."""
    clock: Clock = db.info["clock"]
    who = {
        "action": action,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "actor_type": actor.kind.value,
        "at": clock.now(),
        "device_id": actor.device_id,
    }
    whence = {"esign_id": esign_id, "ip": address.get()}
    why = {"reason": reason, "request_id": request_id.get()}
    shared = tuple(_written(_mapping(part))[1:-1] for part in (who, {"entity": entity}, whence, why))
    rows = tuple(entries)
    if rows:
        entity_ids, plant_ids, diffs = zip(*rows, strict=True)
        act = Act(len(rows), shared, "\n".join(diffs), _id_lines(entity_ids), _id_lines(plant_ids))
        db.info.setdefault(_PENDING, []).append(act)


def _id_lines(ids: Sequence[uuid.UUID | None]) -> str:
    """Of each row one, or null; in one call for all of them, where each would take four times as long."""
    return to_json(ids).decode()[1:-1].replace(",", "\n")


def take(db: AsyncSession) -> list[Act]:
    """Take the rows out of a session that cannot write them."""
    acts: list[Act] = db.info.pop(_PENDING, [])
    return acts


def give(db: AsyncSession, acts: Sequence[Act]) -> None:
    """Write rows that were taken out of another session."""
    db.info.setdefault(_PENDING, []).extend(acts)


def number(session: Session) -> Asked | None:
    """What gives the rows of this transaction their numbers and stores them, just before the commit.

    It waits for the counter row, so a transaction in front has either committed (its numbers stand) or
    rolled back (its numbers never were). What waits for other rows was flushed before.
    """
    acts: list[Act] = session.info.pop(_PENDING, [])
    if not acts:
        return None
    counts, shared, *own = zip(*acts, strict=True)
    lines: dict[str, Sequence[str]] = dict(zip((*_SHARED, *_OWN), (*zip(*shared, strict=True), *own), strict=True))
    lines["of_act"] = [str(number) for number, count in enumerate(counts, 1) for _ in range(count)]
    return _WRITE, {"k": sum(counts)} | {name: "\n".join(each) for name, each in lines.items()}


@event.listens_for(FeedSession, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, WeakKeyDictionary())[transaction] = len(session.info.get(_PENDING, ()))


@event.listens_for(FeedSession, "after_soft_rollback")
def _take_back(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        del session.info.get(_PENDING, [])[session.info[_MARKS][transaction] :]
    elif transaction.parent is None:
        session.info.pop(_PENDING, None)


@functools.lru_cache(4096)
def is_secret(name: str) -> bool:
    """Whether a field of this name is never kept in the trail and never shown."""
    return _SECRET.search(name) is not None


def _kept(names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """Fields of these names in the order of the trail, and their places; what is never kept is left out."""
    return _known(names) if len(names) <= _FEW else _ordered(names)


_FEW = 32
"""Names of a table, or of what a verb says; more of them come from callers, and are not remembered."""


def _ordered(names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((_clean(name), at) for at, name in enumerate(names) if not is_secret(name)))


_known = functools.lru_cache(512)(_ordered)


@functools.lru_cache(512)
def _labels(names: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """As ``_kept``, of a table: its names as they stand in the trail, up to the value."""
    return tuple((_written(name) + ":", at) for name, at in _kept(names))


def plain(value: Any) -> Any:
    """A value as JSON can hold it, without secrets; the same for equal values, whatever their scale or time zone.

    Names are in order, as ``digest`` wants them.

    >>> plain({"pin": "1234", "qty": Decimal("1.50"), "share": 0.1})
    {'qty': '1.5', 'share': '0.1'}
    """
    return _way(value)(value)


def _way(value: Any) -> Callable[[Any], Any]:
    """How a value is made plain."""
    known = _PLAIN.get(type(value))
    return known or next((way for kind, way in _PLAIN.items() if isinstance(value, kind)), _text)


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    given = tuple(value.values())
    return {
        name: (_PLAIN.get(type(each := given[at])) or _way(each))(each) for name, at in _kept(tuple(map(str, value)))
    }


def _itself(value: Any) -> Any:
    return value


def _sequence(value: Iterable[Any]) -> list[Any]:
    return [plain(each) for each in value]


def _set(value: Iterable[Any]) -> list[Any]:
    return sorted(map(plain, value), key=str)


def _number_text(value: Decimal) -> str:
    return format((value + 0).normalize(), "f") if value.is_finite() else str(value)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _text(value: Any) -> str:
    return _clean(str(value))


def _clean(given: str) -> str:
    """Text that PostgreSQL can store: an audit row is never refused for a character."""
    if given.isascii() and "\0" not in given:
        return given
    return given.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


_PLAIN: dict[type[Any], Callable[[Any], Any]] = {
    enum.Enum: lambda value: plain(value.value),  # before its value's type: an enum may be a string too
    str: _clean,
    uuid.UUID: str,
    **dict.fromkeys((type(None), bool, int), _itself),
    datetime: _moment,
    dict: _mapping,
    list: _sequence,
    Mapping: _mapping,
    tuple: _sequence,
    set: _set,
    frozenset: _set,
    float: repr,  # jsonb would make another number of 1e22, and refuse nan
    Decimal: _number_text,
    bytes: bytes.hex,
}


def digest(row: Mapping[str, Any]) -> bytes:
    """SHA-256 of the canonical JSON of a row, shape (32,): keys in order, no blanks (as RFC 8785 for our types)."""
    return hashlib.sha256(_canonical(plain(row)).encode()).digest()


def _canonical(given: Any) -> str:
    return json.dumps(given, sort_keys=True, separators=(",", ":"))


def _written(given: Any) -> str:
    """The canonical JSON of what is plain, names in order: where all can be printed, any JSON of it is."""
    written = to_json(given)
    return written.decode() if written.isascii() and b"\x7f" not in written else _canonical(given)
