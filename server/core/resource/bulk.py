"""Many rows in one request: each has its own fate, or all share one (``atomic``), or none is kept (``dry_run``).

Rows run as one group. A group that fails when it is written leaves nothing and is halved until the
row that fails is alone: log n runs for one bad row in many, and n good rows cost one.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model
from sqlalchemy.ext.asyncio import AsyncSession

from foodflow_kernel.errors import FoodFlowError, Invalid, NotFound
from server.core import access, feed, http
from server.core.access import Caller
from server.core.actions import values
from server.core.resource import writing
from server.core.resource.declared import Resource

MAX_ROWS = 500
ONLY_WAYS = access.only({"atomic", "dry_run"})
"""The dependency of a route that takes many rows: a misspelt ``atomic`` would write what was not to be written."""
NOT_WRITTEN = 424
"""Of a row that was good in an atomic request that failed."""


class RowError(BaseModel):
    """One thing that is wrong with a row."""

    code: str
    detail: str
    where: str | None = Field(None, description="the field, where one is at fault")
    constraint: str | None = Field(None, description="the rule of the database, where one refused")


@dataclass(slots=True, kw_only=True)
class RowResult:
    """What became of a row."""

    index: int
    id: Annotated[
        uuid.UUID | None, Field(description="of the row that was made or changed; none for a dry run's new rows")
    ] = None
    status: Annotated[
        int,
        Field(description="as of a request for this row alone; 424: good, but not written because others failed"),
    ]
    errors: list[RowError] = field(default_factory=list)


class BulkAnswer(BaseModel):
    """What became of each row, in the order they were sent."""

    results: list[RowResult]

    @property
    def has_failed(self) -> bool:
        """Whether any row was refused."""
        return any(result.errors for result in self.results)


REFUSED_TOGETHER: dict[str, Any] = {
    "description": "A value cannot be right; `atomic`: a row was refused, so none was written",
    "model": BulkAnswer,
    "content": access.PROBLEMS[422]["content"],
}
"""The 422 of a route that takes many rows, for the document."""


class _Rows(BaseModel, extra="forbid"):
    rows: list[Any] = Field(min_length=1, max_length=MAX_ROWS)


Step = tuple[int, BaseModel]
"""The place of a row in the request, and what it says."""
Run = Callable[[Sequence[Step]], Awaitable[dict[int, RowResult]]]
"""Does it to a group. One that raises leaves nothing behind: only its last step writes, or it is ``undoing``."""


class Act(Protocol):
    """``create`` or ``update``."""

    async def __call__(
        self,
        caller: Caller,
        resource: Resource,
        shape: type[BaseModel],
        rows: Sequence[Any],
        *,
        atomic: bool,
        dry_run: bool,
    ) -> BulkAnswer:
        """Do it to many rows."""
        ...


class _UndoError(Exception):
    """Everything that was written shall be taken back."""


def rows_of(body: Any) -> list[Any]:
    """The rows of a request's body.

    Raises:
        RequestValidationError: no list of 1 to ``MAX_ROWS`` rows.
    """
    try:
        return _Rows.model_validate(body if isinstance(body, dict) else {}).rows
    except ValidationError as error:
        found = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(found) from error


def patch_model(resource: Resource, patch: type[BaseModel]) -> type[BaseModel]:
    """A change in a list: which row, which version of it, and what of it."""
    made: type[BaseModel] = create_model(
        f"{resource.name}BulkPatch", __base__=patch, id=(uuid.UUID, ...), version=(int | None, None)
    )
    return made


async def create(
    caller: Caller, resource: Resource, shape: type[BaseModel], rows: Sequence[Any], *, atomic: bool, dry_run: bool
) -> BulkAnswer:
    """Make many rows."""

    async def run(steps: Sequence[Step]) -> dict[int, RowResult]:
        fates: dict[int, RowResult] = {}
        made: dict[int, Any] = {}
        make = writing.maker(caller, resource)
        for index, given in _given(shape, steps):
            try:
                made[index] = make(given)
            except FoodFlowError as error:
                fates[index] = refused(index, None, error)
        await writing.bear(caller.db, resource, list(made.values()))
        writing.note_made(caller, resource, made.values())
        for index, row in made.items():
            fates[index] = RowResult(index=index, id=None if dry_run else row.id, status=201)
        return fates

    return await run_all(caller.db, shape, rows, run, atomic=atomic, dry_run=dry_run)


async def update(
    caller: Caller, resource: Resource, shape: type[BaseModel], rows: Sequence[Any], *, atomic: bool, dry_run: bool
) -> BulkAnswer:
    """Change many rows."""
    first: dict[uuid.UUID, int] = {}

    async def run(steps: Sequence[Step]) -> dict[int, RowResult]:
        fates: dict[int, RowResult] = {}
        changed: dict[int, tuple[Any, dict[str, Any]]] = {}
        given = dict(_given(shape, steps))
        there = await writing.locked(caller, resource, [each["id"] for each in given.values()])
        for index, each in given.items():
            row_id, version = each.pop("id"), each.pop("version", None)
            row = there.get(row_id)
            try:
                if first.setdefault(row_id, index) != index:
                    raise Invalid("row_repeated", id=row_id)
                if row is None:
                    raise NotFound("record_unknown", id=row_id)
                if version is None:
                    raise Invalid("row_version_missing", id=row_id)
                writing.same_version(row, version)
                before = values(row)
                writing.change(caller.actor, resource, row, each)
                changed[index] = (row, before)
            except FoodFlowError as error:
                fates[index] = refused(index, row_id, error)
        await writing.save(caller.db, resource, [row for row, _ in changed.values()])
        for index, (row, before) in changed.items():
            writing.note_changed(caller, resource, row, before)
            fates[index] = RowResult(index=index, id=row.id, status=200)
        return fates

    return await run_all(caller.db, shape, rows, undoing(caller.db, run), atomic=atomic, dry_run=dry_run)


def refused(index: int, row_id: uuid.UUID | None, error: Exception) -> RowResult:
    """The fate of a row that an error stopped; one that nobody meant is raised again."""
    told = http.told(error)
    if told is None:
        raise error
    status, code, detail, data = told
    return RowResult(
        index=index,
        id=row_id,
        status=status,
        errors=[RowError(code=code, detail=detail, where=data.get("where"), constraint=data.get("constraint"))],
    )


def _malformed(index: int, error: ValidationError) -> RowResult:
    errors = [
        RowError(code="request_invalid", detail=each["msg"], where=".".join(map(str, each["loc"])))
        for each in error.errors(include_url=False, include_context=False)
    ]
    return RowResult(index=index, status=422, errors=errors)


async def run_all(
    db: AsyncSession, shape: type[BaseModel], rows: Sequence[Any], run: Run, *, atomic: bool, dry_run: bool
) -> BulkAnswer:
    """Check the shape of each row and run them as one group."""
    steps, fates = _checked(shape, rows)
    async with kept_unless(db) if atomic or dry_run else nullcontext(_kept) as undo:
        fates |= await _group(steps, run)
        answer = BulkAnswer(results=[fates[index] for index in range(len(rows))])
        if dry_run or (atomic and answer.has_failed):
            undo()
    if atomic and answer.has_failed:
        for result in answer.results:
            if not result.errors:
                result.status, result.id = NOT_WRITTEN, result.id if result.status != 201 else None  # noqa: PLR2004
    return answer


@functools.cache
def _many(shape: type[BaseModel]) -> TypeAdapter[list[BaseModel]]:
    """Rows of a shape, checked and taken apart in one call: a call each took twice as long."""
    return TypeAdapter(list[shape])  # type: ignore[valid-type]


def _checked(shape: type[BaseModel], rows: Sequence[Any]) -> tuple[list[Step], dict[int, RowResult]]:
    """The rows that have the shape, and what is wrong with the others."""
    try:
        return list(enumerate(_many(shape).validate_python(rows))), {}
    except ValidationError:
        steps: list[Step] = []
        fates: dict[int, RowResult] = {}
    for index, row in enumerate(rows):
        try:
            steps.append((index, shape.model_validate(row)))
        except ValidationError as error:
            fates[index] = _malformed(index, error)
    return steps, fates


def _given(shape: type[BaseModel], steps: Sequence[Step]) -> Iterator[tuple[int, dict[str, Any]]]:
    """What each row says."""
    said = _many(shape).dump_python([row for _, row in steps], exclude_unset=True)
    return zip((index for index, _ in steps), said, strict=True)


def undoing(db: AsyncSession, run: Run) -> Run:
    """A run whose changes are taken back where it raises."""

    async def whole(steps: Sequence[Step]) -> dict[int, RowResult]:
        async with feed.savepoint(db):
            fates = await run(steps)
            await db.flush()
            return fates

    return whole


def _kept() -> None:
    """What need not be undone: each row has its own fate."""


async def _group(steps: Sequence[Step], run: Run) -> dict[int, RowResult]:
    if not steps:
        return {}
    try:
        return await run(steps)
    except Exception as error:
        if http.told(error) is None:
            raise
        if len(steps) == 1:
            index, said = steps[0]
            return {index: refused(index, getattr(said, "id", None), error)}
    half = len(steps) // 2
    return await _group(steps[:half], run) | await _group(steps[half:], run)


@asynccontextmanager
async def kept_unless(db: AsyncSession) -> AsyncIterator[Callable[[], None]]:
    """A block whose work is kept unless it calls what it is given."""
    is_undone = False

    def undo() -> None:
        nonlocal is_undone
        is_undone = True

    try:
        async with feed.savepoint(db):
            yield undo
            if is_undone:
                raise _UndoError  # noqa: TRY301  # only an exception rolls a savepoint back
    except _UndoError:
        return
