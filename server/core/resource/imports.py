"""A sheet of rows into a table: CSV or XLSX, looked at first (``dry_run``), each bad line named.

What an export writes can be changed and brought back: a line with an ``id`` changes that row (and needs
its ``version``), a line without one makes a row. Columns that cannot be set are named and left alone.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import BaseModel, Field

from foodflow_kernel.errors import Invalid
from server.core.access import Caller
from server.core.resource import bulk, sheets
from server.core.resource.declared import Resource, column_types, plain_type

MAX_BYTES = 10 * 1024 * 1024
MAX_UNPACKED = 100 * 1024 * 1024
"""Of an XLSX, which is a zip: a small file may unpack to any size."""
MAX_LINES = 5_000
MAX_TOLD = 500
"""Bad lines that an answer names; the count tells of the others."""


class LineResult(BaseModel):
    """What is wrong with a line."""

    line: int = Field(description="of the sheet, as its program counts: the heading is line 1 where nothing is above")
    id: uuid.UUID | None = Field(None, description="of the row that the line names")
    status: int = Field(description="as of a request for this row alone")
    errors: list[bulk.RowError]


class ImportAnswer(BaseModel):
    """What became of a sheet; of a dry run, what would."""

    is_written: bool = Field(description="false for a dry run, and where `atomic` refused all")
    created: int = Field(description="lines that made a row, or would")
    updated: int = Field(description="lines that changed a row, or would")
    failed: int
    ignored_columns: list[str] = Field(description="columns of the sheet that cannot be set")
    failures: list[LineResult] = Field(description=f"the first {MAX_TOLD} bad lines")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as text and plain values: line numbers, and for each line its cells by column."""

    names: tuple[str, ...]
    lines: list[tuple[int, dict[str, Any]]]


async def load(
    caller: Caller,
    resource: Resource,
    shapes: tuple[type[BaseModel], type[BaseModel]],
    sheet: Sheet,
    *,
    atomic: bool,
    dry_run: bool,
) -> ImportAnswer:
    """Make and change rows by a sheet.

    Args:
        shapes: of a new row, and of a change (``bulk.patch_model``).

    Raises:
        NotAllowed: `permission_missing` to change rows.
    """
    new, change = shapes
    makes = [(line, row) for line, row in sheet.lines if row.get("id") is None]
    changes = [(line, row) for line, row in sheet.lines if row.get("id") is not None]
    if changes:
        caller.actor.require(f"{resource.code}.update")
    settable = {"create": set(resource.writable), "update": {*resource.writable, "id", "version"} - resource.fixed}
    failures: list[LineResult] = []

    async def run(lines: Sequence[tuple[int, dict[str, Any]]], shape: type[BaseModel], act: bulk.Act, verb: str) -> int:
        for start in range(0, len(lines), bulk.MAX_ROWS):
            part = lines[start : start + bulk.MAX_ROWS]
            rows = [{name: value for name, value in row.items() if name in settable[verb]} for _, row in part]
            said = await act(caller, resource, shape, rows, atomic=False, dry_run=False)
            failures.extend(
                LineResult(line=part[each.index][0], id=each.id, status=each.status, errors=each.errors)
                for each in said.results
                if each.errors
            )
        return len(lines)

    async with bulk.kept_unless(caller.db) as undo:
        # First what is there, then what is new: a code may be freed by one line and taken by another.
        changed = await run(changes, change, bulk.update, "update")
        broken = len(failures)
        made = await run(makes, new, bulk.create, "create")
        is_written = not dry_run and not (atomic and failures)
        if not is_written:
            undo()
    known = {*resource.writable, "id", "version"}
    return ImportAnswer(
        is_written=is_written,
        created=made - (len(failures) - broken),
        updated=changed - broken,
        failed=len(failures),
        ignored_columns=[name for name in sheet.names if name not in known],
        failures=sorted(failures, key=lambda each: each.line)[:MAX_TOLD],
    )


async def read(resource: Resource, form: str, raw: bytes) -> Sheet:
    """The rows of a sheet, each value as the API would take it.

    Args:
        form: ``sheets.CSV`` or ``sheets.XLSX``.

    Raises:
        Invalid: `import_unreadable`, `import_empty`, `import_too_large`, `import_column_unknown`,
            `import_column_repeated`.
    """
    if len(raw) > MAX_BYTES:
        raise Invalid("import_too_large", most=MAX_BYTES)
    return await asyncio.to_thread(_read, resource, form, raw)


def _read(resource: Resource, form: str, raw: bytes) -> Sheet:
    lines = ((number, row) for number, row in (_csv(raw) if form == sheets.CSV else _xlsx(raw)) if any(map(_said, row)))
    _, heading = next(((number, row) for number, row in lines if not str(row[0]).startswith(sheets.NOTE)), (0, []))
    names = [str(cell).strip() if cell is not None else "" for cell in heading]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise Invalid("import_empty")
    for name in names:
        if name not in resource.shown and name not in resource.writable:
            raise Invalid("import_column_unknown", name=name[:80], allowed=list(resource.writable))
        if names.count(name) > 1:
            raise Invalid("import_column_repeated", name=name)
    types = column_types(resource.model)
    found: list[tuple[int, dict[str, Any]]] = []
    for number, row in lines:
        if len(found) >= MAX_LINES:
            raise Invalid("import_too_large", most=MAX_LINES)
        cells = dict(zip(names, row, strict=False))
        found.append((number, dict(_values(resource, types, cells))))
    if not found:
        raise Invalid("import_empty")
    return Sheet(tuple(names), found)


def _said(cell: Any) -> bool:
    return cell is not None and cell != ""


def _csv(raw: bytes) -> Iterator[tuple[int, list[Any]]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("import_unreadable", why="it is not UTF-8") from error
    top = next((line for line in text.splitlines() if line and not line.startswith(sheets.NOTE)), "")
    delimiter = max(",;\t", key=top.count)  # programs set to a comma as decimal sign write semicolons
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, [sheets.unescaped(cell) for cell in row]
    except csv.Error as error:
        raise Invalid("import_unreadable", why=str(error)) from error


def _xlsx(raw: bytes) -> Iterator[tuple[int, list[Any]]]:
    try:
        _refuse_bomb(raw)
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        rows: Iterable[Sequence[Any]] = book.worksheets[0].iter_rows(values_only=True)
        for number, row in enumerate(rows, 1):
            yield number, [sheets.unescaped(cell) if isinstance(cell, str) else cell for cell in row]
    except Invalid:
        raise
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, SyntaxError, OSError) as error:
        raise Invalid("import_unreadable", why="it is no XLSX workbook") from error


def _refuse_bomb(raw: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        if sum(each.file_size for each in packed.infolist()) > MAX_UNPACKED:
            raise Invalid("import_too_large", most=MAX_BYTES)


def _values(resource: Resource, types: Mapping[str, Any], cells: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The cells of a line as values; an empty cell of a new row says nothing, of a changed one it empties."""
    is_change = _said(cells.get("id"))
    for name, cell in cells.items():
        kind = plain_type(types[name])
        if _said(cell):
            yield name, _value(kind, cell)
        elif name in ("id", "version"):
            continue
        elif is_change:
            yield name, None if resource.is_nullable(name) else "" if kind is str else None


def _value(kind: Any, cell: Any) -> Any:  # noqa: PLR0911  # a table of types, written as returns
    """A cell as the API would take it; what does not fit is left for the shape to refuse."""
    if isinstance(cell, str):
        if kind in (list, dict):
            try:
                return json.loads(cell)
            except ValueError:
                return cell
        return cell
    if isinstance(cell, datetime):
        return cell.date().isoformat() if kind is date else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float):
        is_whole = isinstance(cell, int) or cell.is_integer()
        if kind is str:
            return str(int(cell)) if is_whole else str(cell)
        if kind is int and is_whole:
            return int(cell)
        return Decimal(str(cell)) if kind is Decimal else cell
    return str(cell)
