"""A whole list as CSV or XLSX: read by a server-side cursor, sent as it is read, audited before it begins.

Memory holds one chunk of rows whatever the length of the list. XLSX is a zip that ends with its
index, so it is written to an unnamed file on disk first and sent from there.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import anyio
import xlsxwriter
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Select
from starlette.types import Receive, Scope, Send

from server.core import audit
from server.core.access import Caller
from server.core.actor import Actor
from server.core.db.sessions import Database
from server.core.resource import listing, sheets
from server.core.resource.declared import Resource

CHUNK = 1000
"""Rows that are fetched, written and sent at once."""
SHEET = 1_048_575
"""Rows of one XLSX sheet below its heading; what is beyond goes to a further sheet."""
LONGEST = 32_767
"""Characters of an XLSX cell."""
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Mark:
    """Who made an export, of which company, when: in a workbook's properties and on each printed page.

    An auditor's CSV, which leaves the company, says so in its first line too.
    """

    name: str
    company: str
    at: datetime
    is_line: bool = False

    def __str__(self) -> str:
        return f"Exported by {self.name} ({self.company}) on {self.at.isoformat(timespec='seconds')}"


class _Stream(StreamingResponse):
    """A stream that ends what it reads from, also when the reader goes away half way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                body: Any = self.body_iterator
                await body.aclose()


async def answer(request: Request, caller: Caller, resource: Resource, form: str) -> Response:
    """The list that a request asks for, in the form of a sheet.

    Raises:
        NotAllowed: `permission_missing`.
        Invalid: as ``listing.ask``, and `parameter_unknown` for pages.
    """
    query = request.query_params.multi_items()
    caller.actor.require(f"{resource.code}.export")
    listing.refuse_paging(query)
    asked = listing.ask(resource, caller.actor, query, verbs=("read", "export"))
    wanted = listing.statement(resource, asked)
    # A value that the database cannot take is refused here, before half an answer has left.
    await caller.db.execute(wanted.limit(0))
    said = {"format": form, "query": [f"{name}={value}" for name, value in query]}
    audit.write(caller.db, caller.actor, f"{resource.code}.export", resource.code, None, said)
    return sheet(request, caller, resource.path.replace("/", "-"), asked.fields, wanted, form)


def sheet(
    request: Request, caller: Caller, name: str, columns: Sequence[str], wanted: Select[Any], form: str
) -> Response:
    """The rows of a statement as a sheet that is sent as it is read."""
    make, ending = (csv_of, "csv") if form == sheets.CSV else (xlsx_of, "xlsx")
    rows = read(request.app.state.database, caller.actor, wanted)
    mark = Mark(caller.actor.name, caller.db.info["tenant"].name, caller.clock.now(), is_line=caller.actor.reads_only)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{ending}"', "X-Content-Type-Options": "nosniff"}
    return _Stream(make(columns, rows, mark), headers=headers, media_type=form)


async def read(database: Database, actor: Actor, wanted: Select[Any]) -> AsyncGenerator[list[Sequence[Any]], None]:
    """The rows of a statement by chunks, from a cursor that the server keeps."""
    async with database.tenant_session(actor.tenant_id, actor) as db:
        found = await db.stream(wanted, execution_options={"yield_per": CHUNK})
        try:
            async for rows in found.partitions():
                yield list(rows)
        finally:
            await found.close()


async def csv_of(
    names: Sequence[str], rows: AsyncGenerator[list[Sequence[Any]], None], mark: Mark | None = None
) -> AsyncGenerator[bytes, None]:
    """A heading and the rows as CSV (RFC 4180, UTF-8)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    if mark is not None and mark.is_line:
        writer.writerow([f"{sheets.NOTE} {mark}"])
    writer.writerow(names)
    async with aclosing(rows):
        async for chunk in rows:
            writer.writerows([sheets.cell(value) for value in row] for row in chunk)
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


async def xlsx_of(
    names: Sequence[str], rows: AsyncGenerator[list[Sequence[Any]], None], mark: Mark | None = None
) -> AsyncGenerator[bytes, None]:
    """A heading and the rows as XLSX; numbers are numbers, everything else is text."""
    with tempfile.TemporaryFile() as file:
        book = _Book(file, names, mark=mark)
        try:
            async with aclosing(rows):
                async for chunk in rows:
                    await asyncio.to_thread(book.add, chunk)
        finally:
            await asyncio.to_thread(book.close)
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


class _Book:
    """A workbook that keeps one row in memory."""

    def __init__(
        self, file: IO[bytes], names: Sequence[str], sheet_rows: int = SHEET, mark: Mark | None = None
    ) -> None:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(file, options)
        self._names, self._sheet_rows, self._mark = names, sheet_rows, mark
        if mark is not None:
            self._book.set_properties({"author": mark.name, "company": mark.company, "comments": str(mark)})
        self._next_sheet()

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows below what is there."""
        for row in rows:
            if self._row > self._sheet_rows:
                self._next_sheet()
            for column, value in enumerate(row):
                near = sheets.number(value)
                if near is not None:
                    self._sheet.write_number(self._row, column, near)
                elif value is not None:
                    self._sheet.write_string(self._row, column, sheets.cell(value)[:LONGEST])
            self._row += 1

    def close(self) -> None:
        """Write the end of the file."""
        self._book.close()

    def _next_sheet(self) -> None:
        self._sheet = self._book.add_worksheet()
        if self._mark is not None:
            # & begins a code of the page footer, which takes 255 characters.
            self._sheet.set_footer(f"&L{str(self._mark).replace('&', '&&')[:240]}")
        for column, name in enumerate(self._names):
            self._sheet.write_string(0, column, name)
        self._row = 1
