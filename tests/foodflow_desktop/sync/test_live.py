"""The laptop's session: refreshed by one thread at a time, ended at the server, nothing on the disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from foodflow_desktop.sync.live import Live
from foodflow_kernel.clock import SystemClock
from foodflow_kernel.errors import Unauthorised, Unreachable
from tests.foodflow_desktop.sync.hub import LOGIN, PASSWORD, Hub

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

CALLERS = 8


class Ahead(SystemClock):
    """The laptop's own clock: it can be put forward, the hub's stays."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


class Counted(Live):
    """Counts what it asks the hub."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.asked: list[str] = []

    def _call(self, method: str, path: str, **more: Any) -> Any:
        self.asked.append(path.removeprefix("/api/v1"))
        return super()._call(method, path, **more)


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
def live(hub: Hub, clock: Ahead) -> Iterator[Counted]:
    made = Counted(hub.address, hub.ca_pem, clock)
    made.sign_in(hub.tenant.slug, LOGIN, PASSWORD)
    yield made
    made.close()


def all_at_once(live: Live) -> list[Any]:
    gate = threading.Barrier(CALLERS)

    def ask() -> Any:
        gate.wait()
        return live.get("me")

    with ThreadPoolExecutor(CALLERS) as threads:
        return [each.result() for each in [threads.submit(ask) for _ in range(CALLERS)]]


@pytest.mark.parametrize("minutes", [6, 20], ids=["while the token holds", "after it has ended"])
def test_many_threads_refresh_once_and_the_session_lives(live: Counted, clock: Ahead, minutes: int) -> None:
    for round_no in range(1, 4):
        clock.ahead = timedelta(minutes=minutes * round_no)
        assert len(all_at_once(live)) == CALLERS
        assert live.asked.count("/auth/refresh") == round_no
    assert live.get("me")["roles"]


def test_nothing_is_refreshed_before_a_third_of_its_time(live: Counted, clock: Ahead) -> None:
    clock.ahead = timedelta(minutes=4)
    live.get("me")
    assert live.asked.count("/auth/refresh") == 0


def test_signing_out_ends_the_session_at_the_hub(live: Counted, hub: Hub) -> None:
    access, last = live._token, live._refresh_token
    live.sign_out()
    assert (live.me, live._token, live._refresh_token) == (None, "", "")
    with pytest.raises(Unauthorised, match="not_signed_in"):
        live.get("me")
    thief = Live(hub.address, hub.ca_pem, SystemClock())
    thief._token, thief._ends_at = access, SystemClock().now() + timedelta(minutes=9)
    thief._refresh_at = thief._ends_at
    with pytest.raises(Unauthorised, match="token_bad"):
        thief.get("me")
    thief._refresh_token, thief._refresh_at = last, SystemClock().now()
    with pytest.raises(Unauthorised, match="token_bad"):
        thief.get("me")
    thief.close()


def test_signing_out_without_a_hub_forgets_all_the_same(live: Counted, hub: Hub) -> None:
    hub.stop()
    live.sign_out()
    assert (live._token, live._refresh_token) == ("", "")


def test_a_session_that_was_ended_elsewhere_is_forgotten_here(live: Counted, hub: Hub, clock: Ahead) -> None:
    other = Live(hub.address, hub.ca_pem, SystemClock())
    other.sign_in(hub.tenant.slug, LOGIN, PASSWORD)
    other.post("auth/logout-all")
    other.close()
    clock.ahead = timedelta(minutes=6)
    with pytest.raises(Unauthorised, match="token_bad"):
        live.get("me")
    assert (live._token, live._refresh_token) == ("", "")


def test_a_hub_that_is_away_ends_no_session(live: Counted, hub: Hub, clock: Ahead) -> None:
    hub.stop()
    clock.ahead = timedelta(minutes=6)
    with pytest.raises(Unreachable):
        live.get("me")
    hub.start()
    assert live.get("me")["roles"]
