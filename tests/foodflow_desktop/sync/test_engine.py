"""The sync client against the real server application, over TLS on a real socket."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import pytest

from foodflow_desktop.demo.network import Cable
from foodflow_desktop.store import incarnation as side
from foodflow_desktop.sync.engine import Engine
from foodflow_desktop.sync.status import PillState, pill
from foodflow_kernel.clock import SystemClock
from foodflow_kernel.machines.identity import DeviceState
from foodflow_kernel.wire.protocol import Lane
from server.core import tls
from tests.foodflow_desktop.store.terminals import KEY, hold, samples, weighing
from tests.foodflow_desktop.sync.conftest import Desk, eventually

# A server or cable cut in the middle leaves its sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def state(desk: Desk) -> PillState:
    return pill(desk.store.status(), desk.store.clock.now()).state


def all_acknowledged(desk: Desk) -> bool:
    return all(lane.unsent == 0 for lane in desk.store.status().lanes)


def test_everything_recorded_reaches_the_server_once_and_the_pill_says_so(desk: Desk) -> None:
    rows = desk.store.record_all([hold(), weighing(), weighing()])
    desk.engine.start()
    eventually(lambda: state(desk) is PillState.all_sent)
    rows += [desk.store.record(weighing(n)) for n in range(20)] + [desk.store.record(samples())]
    eventually(lambda: all_acknowledged(desk))
    for lane in (Lane.urgent, Lane.events, Lane.telemetry):
        assert desk.bodies_on_server(lane) == [row.raw for row in rows if row.lane is lane]


def test_the_snapshot_brings_the_terminals_master_data(desk: Desk) -> None:
    desk.engine.start()
    eventually(lambda: desk.store.master.cursor is not None)
    assert set(desk.store.master.plants) == {desk.hub.plant_id}


def test_a_cut_network_loses_nothing_and_sends_nothing_twice(desk: Desk) -> None:
    cable = Cable(desk.hub.port)
    cable.plug()
    desk.store.pair(desk.terminal.model_copy(update={"hub": f"https://127.0.0.1:{cable.port}"}), KEY)
    desk.engine.start()
    rows = [desk.store.record(weighing())]
    eventually(lambda: all_acknowledged(desk))
    for _ in range(3):
        cable.cut()
        rows += [desk.store.record(weighing(n)) for n in range(5)]
        assert not all_acknowledged(desk)
        cable.plug()
        rows.append(desk.store.record(weighing()))
        desk.engine.send_now()
    eventually(lambda: all_acknowledged(desk))
    desk.engine.stop()
    cable.close()
    assert desk.bodies_on_server(Lane.events) == [row.raw for row in rows]


def test_an_acknowledgement_that_was_lost_is_settled_by_hello(desk: Desk) -> None:
    desk.engine.start()
    rows = [desk.store.record(weighing(n)) for n in range(5)]
    eventually(lambda: all_acknowledged(desk))
    desk.engine.stop()
    incarnation = rows[0].incarnation
    assert desk.store.outbox.rewind(incarnation, Lane.events, 1, rows[0].hash)
    assert desk.store.status().waiting == 4
    desk.restart()
    desk.engine.start()
    eventually(lambda: all_acknowledged(desk))
    assert desk.bodies_on_server(Lane.events) == [row.raw for row in rows]


def test_t4_the_same_batch_pushed_again_is_stored_once(desk: Desk) -> None:
    rows = [desk.store.record(weighing(n)) for n in range(6)]
    for _ in range(3):
        desk.engine.start()
        eventually(lambda: all_acknowledged(desk))
        desk.engine.stop()
        # Forgotten here, known there: the next engine sends from the start unless hello settles it.
        genesis = desk.store.outbox.hash_at(rows[0].incarnation, Lane.events, 0)
        assert desk.store.outbox.rewind(rows[0].incarnation, Lane.events, 0, genesis)
        desk.restart()
    assert desk.bodies_on_server(Lane.events) == [row.raw for row in rows]


def test_a_server_that_dies_and_comes_back_gets_everything_once(desk: Desk) -> None:
    desk.engine.start()
    rows = [desk.store.record(weighing())]
    eventually(lambda: all_acknowledged(desk))
    for _ in range(2):
        desk.hub.stop()
        rows += [desk.store.record(weighing(n)) for n in range(4)] + [desk.store.record(hold())]
        eventually(lambda: desk.store.status().last_error == "hub_unreachable")
        desk.hub.start()
        desk.engine.send_now()
        eventually(lambda: all_acknowledged(desk))
    for lane in (Lane.urgent, Lane.events):
        assert desk.bodies_on_server(lane) == [row.raw for row in rows if row.lane is lane]


def test_another_certificate_is_refused_with_a_plain_sentence(desk: Desk, tmp_path: Path) -> None:
    stranger = tls.ensure(tmp_path / "stranger", ["127.0.0.1"], SystemClock())
    desk.store.pair(desk.terminal.model_copy(update={"ca_pem": stranger.ca.read_text()}), KEY)
    desk.engine.start()
    desk.store.record(weighing())
    eventually(lambda: desk.store.status().last_error == "certificate_untrusted")
    assert desk.bodies_on_server(Lane.events) == []
    assert desk.store.status().waiting == 1


def test_a_revoked_terminal_deposits_its_evidence_and_is_told(desk: Desk) -> None:
    row = desk.store.record(weighing())
    desk.hub.set_state(desk.terminal.device, DeviceState.revoked)
    desk.engine.start()
    eventually(lambda: all_acknowledged(desk))
    assert desk.store.status().is_revoked
    assert state(desk) is PillState.needs_help
    assert desk.bodies_on_server(Lane.events) == [row.raw]
    assert desk.store.master.cursor is None


def test_a_clone_is_a_fork_that_drops_nothing(desk: Desk, caplog) -> None:
    """T12: the same files written in two places: both versions end up on the server, a person is asked."""
    first = desk.store.record(weighing(1))
    desk.engine.start()
    eventually(lambda: all_acknowledged(desk))
    desk.engine.stop()
    twin = Desk.__new__(Desk)
    twin.folder, twin.hub, twin.terminal = desk.folder.with_name("twin"), desk.hub, desk.terminal
    twin.store = twin._open()
    twin.store.pair(twin.terminal, KEY)
    graft(twin, desk, first.incarnation)
    twins = twin.store.record(weighing(2))
    desk.restart()
    ours = desk.store.record(weighing(3))
    assert (ours.seq, twins.seq) == (2, 2)
    desk.engine.start()
    eventually(lambda: all_acknowledged(desk))
    marked_while: list[UUID | None] = []
    twin.store.on_status(lambda now: marked_while.append(now.incarnation) if now.lanes[1].problem else None)
    twin.engine = Engine(twin.store, KEY)
    twin.engine.start()
    eventually(lambda: twin.store.status().lanes[1].problem == "fork")
    assert first.incarnation not in marked_while  # new facts had a log of their own before the old one was stopped
    fresh = twin.store.record(weighing(4))
    assert (fresh.seq, fresh.incarnation != first.incarnation) == (1, True)
    eventually(lambda: fresh.raw in twin.bodies_on_server(1))
    assert twin.store.status().needs_help == 1
    eventually(lambda: twin.store.status().waiting == 1)
    assert ours.raw in desk.bodies_on_server(1)
    assert twins.raw not in desk.bodies_on_server(1)
    twin.close()
    caplog.clear()


def graft(twin: Desk, desk: Desk, incarnation: UUID) -> None:
    """Make the twin's files a true clone: same rows, same incarnation, side file in order."""
    twin.store.close()
    desk.store.close()
    for name in ("ops.db", "telemetry.db"):
        shutil.copy(desk.folder / name, twin.folder / name)
    side.keep(twin.folder, incarnation)
    twin.store = twin._open()
    desk.store = desk._open()
    assert twin.store.status().incarnation == incarnation
