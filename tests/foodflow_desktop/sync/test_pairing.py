"""Pairing and the laptop's live calls with the real server: words on both sides, approval, first sync."""

from __future__ import annotations

from pathlib import Path

import pytest

from foodflow_desktop import keys
from foodflow_desktop.store import Store
from foodflow_desktop.sync.engine import Engine
from foodflow_desktop.sync.live import Live, fetch_ca
from foodflow_desktop.sync.pairing import Pairing
from foodflow_kernel.clock import SystemClock
from foodflow_kernel.errors import Invalid, NotAllowed, NotFound, Unauthorised, Unreachable
from tests.foodflow_desktop.store.terminals import QUIET, weighing
from tests.foodflow_desktop.sync.conftest import eventually
from tests.foodflow_desktop.sync.hub import LOGIN, PASSWORD, Hub

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.BACKEND_ENV, "sealed")


@pytest.fixture
def supervisor(hub: Hub):
    live = Live(hub.address, fetch_ca(hub.address), SystemClock())
    live.sign_in(hub.tenant.slug, LOGIN, PASSWORD)
    yield live
    live.close()


def test_a_terminal_is_paired_by_code_and_words_and_syncs(hub: Hub, supervisor: Live, tmp_path: Path) -> None:
    held = keys.open_keys(tmp_path)
    store = Store.open(tmp_path, SystemClock(), held.device_key(), QUIET)
    engine = Engine(store, held.device_key())
    engine.start()
    pairing = Pairing(hub.address, SystemClock(), held)
    offer = pairing.begin()
    assert pairing.poll().state == "pending"
    with pytest.raises(Invalid, match="pairing_not_approved"):
        pairing.finish(store, pairing.poll())
    (waiting,) = supervisor.get("devices", code=offer.code)
    assert tuple(waiting["words"]) == offer.words
    supervisor.post(
        f"devices/{offer.device}:approve",
        {"plant_id": str(hub.plant_id), "name": "T-07", "area": "Fill hall"},
    )
    paired = pairing.finish(store, pairing.poll())
    assert (paired.device, paired.name, paired.plant_name) == (offer.device, "T-07", "Plant 1")
    assert len(held.pepper()) == 32
    engine.start()
    row = store.record(weighing())
    eventually(lambda: store.status().waiting == 0 and store.master.cursor is not None)
    engine.stop()
    store.close()
    assert [body for *_, body in hub.stored(paired.device)] == [row.raw]


def test_a_wrong_password_and_no_session_are_said_plainly(hub: Hub) -> None:
    live = Live(hub.address, hub.ca_pem, SystemClock())
    with pytest.raises(Unauthorised) as error:
        live.sign_in(hub.tenant.slug, LOGIN, "not this one")
    assert error.value.code == "sign_in_failed"
    with pytest.raises(Unauthorised, match="not_signed_in"):
        live.board()
    live.close()


def test_errors_of_the_server_keep_their_code(supervisor: Live) -> None:
    with pytest.raises(NotFound) as error:
        supervisor.get("devices", code="AAAA-AAAA")
    assert error.value.code == "pairing_code_unknown"
    with pytest.raises((NotFound, NotAllowed)):
        supervisor.get("no/such/thing")
    assert supervisor.heard_at is not None


def test_no_server_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as error:
        Pairing("https://127.0.0.1:1", SystemClock(), keys.open_keys(tmp_path)).begin()
    assert "kept here" in error.value.sentence
