"""Statements that go to the database in one packet, their answers in one back.

For what every request asks and every commit writes. Waiting for each answer before the next statement cost more
than the statements; and what the last ones lock stays locked for as long as the event loop is busy in between.
"""

# ruff: noqa: SLF001  psycopg's generators say what to send and when to wait; there is no other way to put them together

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg import AsyncPipeline, waiting
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Row = tuple[Any, ...]

_GUARD = "guard"


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
        if len(said) > 1 or commit or driver.pgconn.transaction_status != TransactionStatus.INTRANS:
            async with driver.lock:
                cursors = await driver.wait(_packet(driver, said, commit=commit))
        else:
            cursors = [await driver.execute(sql, values) for sql, values in said]
        asked_for = cursors[1:-1] if guarded else cursors
        return [await each.fetchall() if each.pgresult and each.pgresult.nfields else () for each in asked_for]

    async def undo(driver: psycopg.AsyncConnection[Any]) -> None:
        if driver.pgconn.transaction_status in (TransactionStatus.INERROR, TransactionStatus.INTRANS):
            await driver.execute(f"ROLLBACK TO SAVEPOINT {_GUARD}; RELEASE SAVEPOINT {_GUARD}")

    connection = session.connection()
    try:
        return connection.connection.dbapi_connection.run_async(run)  # type: ignore[union-attr, no-any-return]
    except Exception as error:
        if guarded:  # also of a value that cannot be sent: what was before it is written
            connection.connection.dbapi_connection.run_async(undo)  # type: ignore[union-attr]
        if not isinstance(error, psycopg.Error):
            raise
        raise DBAPIError.instance(
            None, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


def _packet(
    driver: psycopg.AsyncConnection[Any], said: Sequence[tuple[str, Mapping[str, Any]]], *, commit: bool
) -> PQGen[list[psycopg.AsyncCursor[Any]]]:
    pipeline = driver._pipeline = _Packet(driver)
    cursors = [driver.cursor() for _ in said]
    try:
        yield from pipeline._enter_gen()
        try:
            for cursor, (sql, values) in zip(cursors, said, strict=True):
                yield from cursor._execute_gen(sql, values)
            if commit:
                yield from driver._commit_gen()
        finally:
            yield from pipeline._exit_gen()
    finally:
        driver._pipeline = None
        pipeline._exit(None)
    return cursors


class _Packet(AsyncPipeline):
    """A pipeline that keeps its statements until it ends, and sends them at once.

    psycopg's own sends each by itself, which wakes PostgreSQL for each, and waits after BEGIN and COMMIT. And at its
    end it flushes once and then only reads, so what the socket did not take of a large one is never sent.
    """

    def _communicate_gen(self) -> PQGen[None]:
        while self.command_queue:
            self.command_queue.popleft()()  # into libpq's buffer
        yield from ()

    def _sync_gen(self) -> PQGen[None]:
        """After BEGIN and COMMIT: it need not wait for them."""
        return self._communicate_gen()

    def _exit_gen(self) -> PQGen[None]:
        self._enqueue_sync()
        yield from self._communicate_gen()
        while self.pgconn.flush():
            # What comes meanwhile is read, else both sides wait. After a cancellation nobody says what is ready.
            if ((yield waiting.Wait.RW) or 0) & waiting.Ready.R:
                self.pgconn.consume_input()
        yield from self._fetch_gen(flush=False)
