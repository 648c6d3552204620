"""The outer door of the application: what holds for every request, whatever its route.

A request id, a limit of its size, the headers that browsers and proxies obey, one log line, one
measurement, and the last answer to what nobody foresaw.
"""

from __future__ import annotations

import logging
import time
from uuid import uuid4

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.core import http, metrics, traces
from server.core.audit import address, request_id
from server.core.db.sessions import current_tenant
from server.core.room import PREFIX

log = logging.getLogger(__name__)

HEADERS: dict[str, str] = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""On every answer that does not say otherwise (OWASP REST security cheat sheet, security headers)."""

MAX_BODY_BYTES = 12 * 1024 * 1024
"""A sheet of 10 MiB and what comes around it; a push has limits of its own."""

_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
_LONGEST_ID = 64


class Door:
    """The middleware around the whole application."""

    def __init__(self, app: ASGIApp, measures: metrics.Measures, tracer: traces.Tracer) -> None:
        self.app, self.measures, self.tracer = app, measures, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in and its answer out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("ascii", "ignore")
        chosen = given if given.replace("-", "").isalnum() and len(given) <= _LONGEST_ID else uuid4().hex
        token, nobody = request_id.set(chosen), current_tenant.set(None)
        address.set((scope.get("client") or ("", 0))[0] or None)
        started, status, read = time.perf_counter(), 0, 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                said = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", chosen.encode()),
                    *(each for each in _HEADERS if each[0] not in said),
                ]
            await send(message)

        with self.tracer.request(scope, headers, chosen) as span, self.measures.in_flight():
            try:
                await self.app(scope, limited, answer)
            except Exception as error:
                if status:
                    raise  # half an answer has left; the server cuts the connection
                await http.bug(error)(scope, receive, answer)
            finally:
                took_s = time.perf_counter() - started
                route = template(scope)
                span.end(route, status, current_tenant.get())
                self.measures.request(scope["method"], route, status, took_s)
                said = {
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "ms": round(took_s * 1000, 1),
                }
                log.info("request", extra=said)
                request_id.reset(token)
                current_tenant.reset(nobody)


def template(scope: Scope) -> str:
    """The route's own path, with names instead of ids; ``unknown`` where no route answered."""
    path = str(getattr(scope.get("route"), "path", ""))
    if not path:
        return "unknown"
    return path if path.startswith(PREFIX) else PREFIX + path


def install(app: FastAPI, measures: metrics.Measures, tracer: traces.Tracer) -> None:
    """Put the door before an application."""
    app.add_middleware(Door, measures=measures, tracer=tracer)
