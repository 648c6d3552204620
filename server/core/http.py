"""Problems in and out: the one place that knows HTTP status codes for the product's errors.

Every error answer is RFC 9457 ``application/problem+json`` with a stable ``code``, a sentence
for a person, and the data of the case. What we did not foresee is a 500 that says only its
request id; the log says the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

from fastapi import FastAPI, Request, WebSocket
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg.errors import CheckViolation, DeadlockDetected, ForeignKeyViolation, InsufficientPrivilege
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from foodflow_kernel import sentences
from foodflow_kernel.errors import FoodFlowError, Invalid, NotAllowed, NotFound, Refused
from server.core.audit import request_id
from server.core.db.postgres import is_unavailable

log = logging.getLogger(__name__)

STATUS: dict[type[FoodFlowError], int] = {NotFound: 404, NotAllowed: 403, Invalid: 422, Refused: 409}
STATUS_OF_CODE: dict[str, int] = {
    "not_signed_in": 401,
    "token_bad": 401,
    "ticket_bad": 401,
    "break_glass_over": 401,
    "token_expired": 401,
    "sign_in_failed": 401,
    "signature_failed": 401,
    "if_match_missing": 428,
    "row_version_missing": 428,
    "version_stale": 412,
    "import_too_large": 413,
    "import_type_unknown": 415,
    "push_too_large": 413,
    "push_line_too_long": 413,
    "protocol_too_old": 426,
    "nonce_bad": 401,
    "signature_bad": 401,
    "terminal_unknown": 401,
    "device_revoked": 403,
    "feed_gone": 410,
    "file_too_large": 413,
    "chunk_too_large": 413,
    "files_full": 413,
    "uploads_open": 429,
    "lane_over_budget": 429,
    "totp_needed": 401,
    "totp_wrong": 401,
    "pin_wait": 429,
    "sign_in_locked": 429,
    "too_many_requests": 429,
}
PROBLEM = "application/problem+json"


def status_of(error: FoodFlowError) -> int:
    """The status of an error: by its code where that says more, else by its class."""
    by_code = STATUS_OF_CODE.get(error.code)
    if by_code is not None:
        return by_code
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def problem(
    status: int, code: str, detail: str, data: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A problem answer; the case's data are extension members."""
    body = {
        "type": f"urn:foodflow:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id.get(),
        **jsonable_encoder({k: v for k, v in (data or {}).items() if k not in ("type", "title", "status", "code")}),
    }
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=PROBLEM)


def install(app: FastAPI) -> None:
    """Give an application the product's answers to errors."""
    app.add_exception_handler(FoodFlowError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(StaleDataError, _told)
    app.add_exception_handler(IntegrityError, _told)
    app.add_exception_handler(DataError, _told)
    app.add_exception_handler(ProgrammingError, _told)
    app.add_exception_handler(OperationalError, _no_database)
    app.add_exception_handler(InterfaceError, _no_database)


# Starlette hands each handler the kind of error it was added for, and types it as any.


async def _refused(request: Request, any_error: Exception) -> JSONResponse:
    error = cast("FoodFlowError", any_error)
    headers = {"WWW-Authenticate": "Bearer"} if status_of(error) == 401 else {}  # noqa: PLR2004
    if "retry_after" in error.data:
        headers["Retry-After"] = str(error.data["retry_after"])
    answer = problem(status_of(error), error.code, error.sentence, error.data, headers)
    if isinstance(request, WebSocket):
        # Refused at the door: an answer in place of the handshake (RFC 6455, 4.2.2).
        await request.send_denial_response(answer)
    return answer


async def _invalid(_request: Request, any_error: Exception) -> JSONResponse:
    error = cast("RequestValidationError", any_error)
    found = [
        {"where": ".".join(str(part) for part in each["loc"]), "why": each["msg"], "kind": each["type"]}
        for each in error.errors()
    ]
    is_not_json = any(each["kind"] == "json_invalid" for each in found)
    sentence = "; ".join(f"{each['where']}: {each['why']}" for each in found)
    return problem(400 if is_not_json else 422, "request_invalid", sentence, {"errors": found})


async def _http(_request: Request, any_error: Exception) -> JSONResponse:
    error = cast("HTTPException", any_error)
    codes = {404: "route_unknown", 405: "method_unknown", 400: "request_unreadable", 413: "body_too_large"}
    code = codes.get(error.status_code, "http_error")
    return problem(error.status_code, code, str(error.detail), headers=error.headers)


def told(error: Exception) -> tuple[int, str, str, dict[str, Any]] | None:  # noqa: PLR0911  # a table of errors
    """Status, code, sentence and data of an error that a caller may be told of; None for any other."""
    if isinstance(error, FoodFlowError):
        return status_of(error), error.code, error.sentence, error.data
    if isinstance(error, StaleDataError):
        return 412, "version_stale", sentences.sentence("version_stale", {}), {}
    if isinstance(error, IntegrityError):
        # The constraint's name says which rule of the database refused; its values stay in the log.
        name = getattr(getattr(getattr(error, "orig", None), "diag", None), "constraint_name", None)
        log.info("refused by constraint", extra={"constraint": name})
        if isinstance(error.orig, ForeignKeyViolation):
            return 422, "reference_unknown", sentences.sentence("reference_unknown", {}), {"constraint": name}
        if isinstance(error.orig, CheckViolation) and error.orig.diag.table_name:
            # Of the row alone. A trigger that compares it with others names a rule, but no table.
            return 422, "value_refused", sentences.sentence("value_refused", {}), {"constraint": name}
        return 409, "constraint_violated", sentences.sentence("constraint_violated", {}), {"constraint": name}
    if isinstance(error, ProgrammingError) and isinstance(error.orig, InsufficientPrivilege):
        # A guard of the database (a trigger, a missing grant) keeps what must not change.
        log.info("refused by a guard", exc_info=error)
        return 409, "record_fixed", sentences.sentence("record_fixed", {}), {}
    if isinstance(error, DataError) or (isinstance(error, OperationalError) and not is_unavailable(error)):
        log.info("a value the database cannot hold", exc_info=error)
        return 422, "value_out_of_range", sentences.sentence("value_out_of_range", {}), {}
    return None


async def _told(_request: Request, error: Exception) -> JSONResponse:
    said = told(error)
    if said is None:
        raise error
    status, code, detail, data = said
    return problem(status, code, detail, data)


async def _no_database(request: Request, error: Exception) -> JSONResponse:
    if not is_unavailable(error):
        return await _told(request, error)
    if isinstance(error, OperationalError) and isinstance(error.orig, DeadlockDetected):
        # Two requests wanted each other's rows; PostgreSQL ended this one so that the other could go on.
        log.info("ended by a deadlock", exc_info=error)
        return problem(503, "database_busy", sentences.sentence("database_busy", {}), headers={"Retry-After": "1"})
    log.error("the database does not answer", exc_info=error)
    detail = "The server cannot reach its database. Nothing was changed; try again in a moment."
    return problem(503, "database_unreachable", detail, headers={"Retry-After": "5"})


def bug(error: Exception) -> JSONResponse:
    """The answer to what nobody foresaw; it is logged and told, never leaked."""
    log.error("unforeseen error", exc_info=error)
    return problem(500, "internal_error", "Something went wrong on the server. Nothing was changed; try again.")
