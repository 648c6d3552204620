"""Traces by OpenTelemetry, off until an endpoint is named: one span a request, one for each time in the database.

The SDK is loaded only when traces are on.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from starlette.types import Scope

SERVICE = "foodflow-server"
SCOPE = "foodflow"


class RequestSpan(Protocol):
    """The span of one request."""

    def end(self, route: str, status: int, tenant_id: uuid.UUID | None) -> None:
        """Say what is known only when the request is over."""
        ...


class Tracer(Protocol):
    """Where spans go."""

    def request(
        self, scope: Scope, headers: Mapping[bytes, bytes], request_id: str
    ) -> AbstractContextManager[RequestSpan]:
        """The span of a request, below the caller's if the caller has one (W3C Trace Context)."""
        ...

    def part(self, name: str) -> AbstractContextManager[object]:
        """A span below the running one."""
        ...

    def close(self) -> None:
        """Send what is not sent yet."""
        ...


class Off:
    """No traces."""

    def request(self, *_said: object) -> AbstractContextManager[RequestSpan]:
        """Nothing."""
        return nullcontext(self)

    def part(self, _name: str) -> AbstractContextManager[object]:
        """Nothing."""
        return nullcontext()

    def end(self, *_said: object) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class On:
    """Traces that an OpenTelemetry provider takes."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415  # see the module

        self._provider = provider
        self._tracer = provider.get_tracer(SCOPE)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, scope: Scope, headers: Mapping[bytes, bytes], request_id: str) -> Iterator[RequestSpan]:
        """The span of a request, below the caller's if the caller has one."""
        from opentelemetry.trace import SpanKind  # noqa: PLC0415  # see the module

        caller = {
            name: headers[name.encode()].decode("latin-1")
            for name in ("traceparent", "tracestate")
            if name.encode() in headers
        }
        said = {"http.request.method": scope["method"], "foodflow.request_id": request_id}
        context = self._propagator.extract(caller)
        with self._tracer.start_as_current_span(scope["method"], context, SpanKind.SERVER, said) as span:
            yield _Request(span)

    def part(self, name: str) -> AbstractContextManager[object]:
        """A span below the running one."""
        return self._tracer.start_as_current_span(name)

    def close(self) -> None:
        """Send what is not sent yet."""
        self._provider.shutdown()


class _Request:
    def __init__(self, span: Any) -> None:
        self._span = span

    def end(self, route: str, status: int, tenant_id: uuid.UUID | None) -> None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415  # see the module

        self._span.set_attribute("http.route", route)
        self._span.set_attribute("http.response.status_code", status)
        if tenant_id is not None:
            self._span.set_attribute("foodflow.tenant_id", str(tenant_id))
        if status >= 500 or not status:  # noqa: PLR2004
            self._span.set_status(StatusCode.ERROR)


def to(endpoint: str) -> Tracer:
    """The tracer of these settings.

    Args:
        endpoint: OTLP over HTTP, such as ``http://collector:4318/v1/traces``; empty: no traces.
    """
    if not endpoint:
        return Off()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # see the module
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
    return On(provider)
