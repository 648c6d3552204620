"""What holds for every request: its id, its size, the headers of its answer, its measurement, its span."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from server.core import door, http, metrics, traces
from server.core.db.sessions import Database, TenantRef
from server.core.limits import Limits
from tests.server.conftest import SignIn


def an_app(tracer: traces.Tracer | None = None) -> tuple[FastAPI, metrics.Measures]:
    app, measures = FastAPI(), metrics.Measures()
    http.install(app)
    door.install(app, measures, tracer or traces.Off())

    @app.post("/api/v1/sized/{name}")
    async def sized(name: str, request: Request) -> int:
        return len(await request.body()) + len(name)

    return app, measures


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://hub")


async def pieces(total: int):
    for _ in range(total // 65_536 + 1):
        yield b"x" * 65_536


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read_whole() -> None:
    app, _ = an_app()
    async with client_of(app) as client:
        small = await client.post("/api/v1/sized/a", content=b"x" * 10)
        large = await client.post("/api/v1/sized/a", content=pieces(door.MAX_BODY_BYTES))
    assert (small.status_code, small.json()) == (200, 11)
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")


async def test_an_answer_that_broke_off_is_cut_and_not_answered_again() -> None:
    app, _ = an_app()

    async def rows() -> AsyncIterator[bytes]:
        yield b"the first row"
        raise ZeroDivisionError

    @app.get("/api/v1/rows")
    async def listed() -> StreamingResponse:
        return StreamingResponse(rows())

    async with client_of(app) as client:
        with pytest.raises(ZeroDivisionError):
            await client.get("/api/v1/rows")


async def test_every_answer_carries_the_headers_also_an_error(anonymous: httpx.AsyncClient) -> None:
    for path in ("/health", "/plants", "/nowhere"):
        answer = await anonymous.get(path)
        assert {name: answer.headers.get(name) for name in door.HEADERS} == door.HEADERS, path


async def test_a_request_is_measured_by_its_route_and_never_by_its_record() -> None:
    app, measures = an_app()
    record = str(uuid.uuid4())
    async with client_of(app) as client:
        await client.post(f"/api/v1/sized/{record}")
        await client.post(f"/nowhere/{record}")
    said = {
        tuple(sample.labels.values())
        for family in measures.registry.collect()
        for sample in family.samples
        if sample.name == "foodflow_http_request_seconds_count"
    }
    assert said == {("POST", "/api/v1/sized/{name}", "200"), ("POST", "unknown", "404")}
    assert measures.registry.get_sample_value("foodflow_http_requests_in_flight") == 0


async def test_prometheus_reads_the_state_of_the_connections(database: Database, tenant: TenantRef) -> None:
    measures = metrics.Measures()
    measures.watch(database)
    async with database.tenant_session(tenant.id):
        busy = measures.registry.get_sample_value("foodflow_database_connections", {"state": "busy"})
    assert busy == 0, "a session takes its connection when it asks something"
    async with database.tenant_session(tenant.id) as db:
        await db.connection()
        assert measures.registry.get_sample_value("foodflow_database_connections", {"state": "busy"}) == 1
    assert measures.registry.get_sample_value("foodflow_database_engines") >= 1


def test_metrics_have_a_port_of_their_own(unused_tcp_port: int) -> None:
    measures = metrics.Measures()
    server, thread = measures.serve("127.0.0.1", unused_tcp_port)
    try:
        page = httpx.get(f"http://127.0.0.1:{unused_tcp_port}/metrics", trust_env=False)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "foodflow_http_requests_in_flight 0.0" in page.text


async def test_a_request_is_a_span_below_its_callers() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = traces.On(provider)
    app, _ = an_app(tracer)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with client_of(app) as client:
        await client.post("/api/v1/sized/a", headers={"traceparent": parent, "X-Request-Id": "abc-1"})
    tracer.close()
    (span,) = kept.get_finished_spans()
    assert span.context.trace_id == 0x0AF7651916CD43DD8448EB211C80319C
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "foodflow.request_id": "abc-1",
        "http.route": "/api/v1/sized/{name}",
        "http.response.status_code": 200,
    }


def test_traces_are_off_until_an_endpoint_is_named() -> None:
    assert isinstance(traces.to(""), traces.Off)
    on = traces.to("http://127.0.0.1:9/v1/traces")
    assert isinstance(on, traces.On)
    on.close()


async def test_a_person_who_asks_too_often_is_told_when_to_come_back(
    app: FastAPI, tenant: TenantRef, sign_in: SignIn
) -> None:
    one, other = await sign_in(tenant, "SV"), await sign_in(tenant, "SV")
    before, app.state.limits = app.state.limits, Limits(3, 0)
    try:
        answers = [await one.get("/me") for _ in range(4)]
        theirs = await other.get("/me")
    finally:
        app.state.limits = before
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert answers[3].json()["code"] == "too_many_requests"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert theirs.status_code == 200


async def test_an_address_that_nobody_is_signed_in_at_is_limited_too(
    app: FastAPI, anonymous: httpx.AsyncClient
) -> None:
    before, app.state.limits = app.state.limits, Limits(0, 2)
    try:
        given = {"tenant": "none", "login": "x", "password": "y"}
        answers = [(await anonymous.post("/auth/login", json=given)).status_code for _ in range(3)]
        health = await anonymous.get("/health")
    finally:
        app.state.limits = before
    assert answers == [401, 401, 429]
    assert health.status_code == 200
