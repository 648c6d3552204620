"""Statements that go to the database in one packet, their answers in one back.

For what every request asks and every commit writes. Waiting for each answer before the next statement cost more
than the statements; and what the last ones lock stays locked for as long as the event loop is busy in between.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Row = tuple[Any, ...]

SMALL_BYTES, LARGEST_BYTES = 16 * 1024, 256 * 1024
"""What any socket takes at once, and what one is asked to. At the end of a pipeline psycopg 3.3 flushes once and then
only reads: what the socket did not take is never sent. So whatever does not fit goes statement by statement."""
_ITEM_BYTES = 40
_GUARD = "guard"
_ROOM = 3
"""A socket counts its own bookkeeping as sent, up to as much again (socket(7), SO_SNDBUF)."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A statement as psycopg takes it, put into words once."""

    sql: str
    constants: Mapping[str, Any]
    processors: Mapping[str, Callable[[Any], Any]]

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters, as their columns' types send them."""
        found = {**self.constants, **given}
        for name, process in self.processors.items():
            found[name] = process(found[name])
        return found


Asked = tuple[Ready, Mapping[str, Any]]
"""A statement with the values of its parameters."""


def ready(statement: ClauseElement) -> Ready:
    """Put a statement into words; what is no constant of it is given by name each time."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    compiled = cast("SQLCompiler", statement.compile(dialect=dialect))
    constants, processors = {}, {}
    for bind, name in compiled.bind_names.items():
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if not bind.required:
            constants[name] = process(bind.value) if process else bind.value
        elif process is not None:
            processors[name] = process
    return Ready(str(compiled), constants, processors)


def send(session: Session, *asked: Asked, commit: bool = False, guarded: bool = False) -> list[Sequence[Row]]:
    """Run statements in this order in the session's transaction, and end it if asked.

    Args:
        guarded: a refusal leaves the transaction as it was, and open.

    Returns:
        The rows of each.

    Raises:
        DBAPIError: of the first statement that was refused, or of the commit; nothing is written then.
    """
    said = [(one.sql, one.values(given)) for one, given in asked]
    if guarded:
        said = [(f"SAVEPOINT {_GUARD}", {}), *said, (f"RELEASE SAVEPOINT {_GUARD}", {})]

    async def run(driver: psycopg.AsyncConnection[Any]) -> list[Sequence[Row]]:
        is_open = driver.pgconn.transaction_status == TransactionStatus.INTRANS
        is_packet = (len(said) > 1 or commit or not is_open) and _takes(driver, sum(map(_size, said)))
        async with driver.pipeline() if is_packet else nullcontext():
            cursors = [await driver.execute(sql, values) for sql, values in said]
            if commit:
                await driver.commit()
        asked_for = cursors[1:-1] if guarded else cursors
        return [await each.fetchall() if each.description else () for each in asked_for]

    async def undo(driver: psycopg.AsyncConnection[Any]) -> None:
        if driver.pgconn.transaction_status == TransactionStatus.INERROR:
            await driver.execute(f"ROLLBACK TO SAVEPOINT {_GUARD}; RELEASE SAVEPOINT {_GUARD}")

    connection = session.connection()
    try:
        return connection.connection.dbapi_connection.run_async(run)  # type: ignore[union-attr, no-any-return]
    except psycopg.Error as error:
        if guarded:
            connection.connection.dbapi_connection.run_async(undo)  # type: ignore[union-attr]
        raise DBAPIError.instance(
            None, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


def _takes(driver: psycopg.AsyncConnection[Any], size: int) -> bool:
    """Whether the connection's socket takes so many bytes at once; it is given more room for them if it may be."""
    if size <= SMALL_BYTES:
        return True
    if size > LARGEST_BYTES:
        return False
    with socket.socket(fileno=os.dup(driver.pgconn.socket)) as pipe:
        if pipe.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < _ROOM * size:
            pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM * size)
        return pipe.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) >= _ROOM * size


def _size(said: tuple[str, Mapping[str, Any]]) -> int:
    """About how many bytes a statement takes."""
    sql, values = said
    texts = sum(len(value) for value in values.values() if isinstance(value, str | bytes))
    return len(sql) + texts + sum(_ITEM_BYTES * len(value) for value in values.values() if isinstance(value, list))
