"""What the server measures of itself, for Prometheus: on a port of its own, never on the API's.

Labels are routes, methods, statuses, jobs and lanes; never a tenant, a person or a record: a graph
must not show one company what another does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

if TYPE_CHECKING:
    from server.core.db.sessions import Database

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    """The measurements of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "foodflow_http_request_seconds",
            "Time from the first byte of a request to the last of its answer",
            ("method", "route", "status"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._in_flight = Gauge(
            "foodflow_http_requests_in_flight", "Requests that are being answered", registry=self.registry
        )
        self._refused = Counter(
            "foodflow_rate_limited_total", "Requests refused because there were too many", registry=self.registry
        )
        self._jobs = Histogram(
            "foodflow_job_seconds",
            "Time of one round of a periodic job over all tenants",
            ("job", "outcome"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._facts = Counter(
            "foodflow_facts_total", "Facts that terminals pushed", ("lane", "fate"), registry=self.registry
        )
        self._connections = Gauge(
            "foodflow_database_connections", "Connections to the database, by state", ("state",), registry=self.registry
        )
        self._engines = Gauge(
            "foodflow_database_engines", "Tenants whose connections are kept open", registry=self.registry
        )
        self._backups = Counter(
            "foodflow_backups_total", "Backups taken or verified", ("what", "outcome"), registry=self.registry
        )
        self._backup_age = Gauge(
            "foodflow_backup_verified_age_seconds",
            "Time since the last good verification of a backup began; +Inf: there was none",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Count a request while it is answered."""
        with self._in_flight.track_inprogress():
            yield

    def request(self, method: str, route: str, status: int, took_s: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, status).observe(took_s)

    def refused(self) -> None:
        """A request was one too many."""
        self._refused.inc()

    def job(self, name: str, *, is_good: bool, took_s: float) -> None:
        """A round of a job is over."""
        self._jobs.labels(name, "ok" if is_good else "failed").observe(took_s)

    def facts(self, lane: int, fate: str, count: int) -> None:
        """Facts were stored (``stored``), set aside (``dead``) or wait (``parked``)."""
        if count:
            self._facts.labels(lane, fate).inc(count)

    def backup(self, what: str, *, is_good: bool) -> None:
        """A backup was taken and verified (``take``), or verified again (``verify``), or was not."""
        self._backups.labels(what, "ok" if is_good else "failed").inc()

    def watch_backups(self, age_s: Callable[[], float]) -> None:
        """Look for the age of the last verified backup whenever somebody asks."""
        self._backup_age.set_function(age_s)

    def watch(self, database: Database) -> None:
        """Read the state of the connections whenever somebody asks."""
        self._engines.set_function(lambda: database.connections().engines)
        self._connections.labels("busy").set_function(lambda: database.connections().busy)
        self._connections.labels("idle").set_function(lambda: database.connections().idle)

    def serve(self, host: str, port: int) -> tuple[WSGIServer, Thread]:
        """Answer Prometheus on a port of its own, from a thread of its own."""
        return start_http_server(port, host, self.registry)
