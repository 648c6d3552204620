"""The laptop's stations on a hub that answers, refuses and falls silent."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest

from foodflow_desktop.stations.hub import DeviceRow, LineChoice, LotHit, PalletRow, Pending, Person
from foodflow_desktop.stations.hub_client import HubClient
from foodflow_desktop.stations.hub_client import spelled as address
from foodflow_desktop.stations.supervisor import Supervisor
from foodflow_desktop.stations.terminals import spelled
from foodflow_desktop.stations.trace import to_csv
from foodflow_desktop.stations.trace_layout import place
from foodflow_kernel.clock import FakeClock
from foodflow_kernel.errors import FoodFlowError, NotAllowed, NotFound, Refused, Unreachable
from foodflow_kernel.units import Uom
from foodflow_kernel.wire.reports import Board, SyncHealth, Trace, TraceEdge, TraceNode

AT = datetime(2026, 11, 23, 10, 42, tzinfo=UTC)
LOT = LotHit(UUID(int=2), "TBS-261123-02", "Tomato Basil Soup 600 g", {}, "finished", Decimal(4800), Uom.H87)


def node(name: str, column: int, kind: str = "lot", **over) -> TraceNode:
    return TraceNode(id=name, kind=kind, column=column, title=name, code=name, **over)


def edge(source: str, target: str) -> TraceEdge:
    return TraceEdge(source=source, target=target, cte="transforming", qty=Decimal("12.5"), uom=Uom.KGM, at=AT)


class Hub:
    """A hub as the stations see it; ``error`` makes it fail."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked: list[tuple] = []
        self.approved: tuple | None = None

    def _ask(self, *what) -> None:
        self.asked.append(what)
        if self.error is not None:
            raise self.error

    def sign_in(self, address, tenant, login, password, totp="") -> Person:
        self._ask("sign_in", address, tenant, login, *([totp] if totp else []))
        if password != "right":  # noqa: S105 - a fixture
            raise NotAllowed("sign_in_failed")
        return Person("Supervisor 3001", "3001", ("SV",), (), "Plant 1")

    def sign_out(self) -> None:
        self._ask("sign_out")

    def board(self) -> Board:
        self._ask("board")
        return Board(
            at=AT, plant_name="Plant 1", shift_name="Shift A", shift_from=AT, shift_to=AT, lines=(), deviations=(),
            terminals_online=1, terminals=2, waiting=3, needs_decision=0,
        )  # fmt: skip

    def sync_health(self) -> SyncHealth:
        self._ask("sync_health")
        return SyncHealth(at=AT, terminals=(), received_today=0, quarantine=())

    def find_lots(self, text) -> tuple[LotHit, ...]:
        self._ask("find_lots", text)
        return tuple(hit for hit in (LOT, replace(LOT, code="TBS-261123-03")) if text.lower() in hit.code.lower())

    def trace(self, lot_id, direction) -> Trace:
        self._ask("trace", lot_id, direction)
        return Trace(lot_id=lot_id, direction=direction, as_of=AT, nodes=(node("A", 1, is_seed=True),), edges=())

    def pallets(self, lot_id) -> tuple[PalletRow, ...]:
        self._ask("pallets", lot_id)
        return (PalletRow(UUID(int=5), "395012345600000019", Decimal(48), Uom.H87),)

    def pack(self, lot_id, qty, uom) -> str:
        self._ask("pack", lot_id, qty, uom)
        return "395012345600000019"

    def ship(self, *given) -> None:
        self._ask("ship", *given)

    def devices(self) -> tuple[DeviceRow, ...]:
        self._ask("devices")
        return (DeviceRow(UUID(int=7), "T-07", "approved", "Line 2"),)

    def lines(self) -> tuple[LineChoice, ...]:
        return (LineChoice(UUID(int=1), "Line 1", {}),)

    def pending(self, code) -> Pending:
        self._ask("pending", code)
        return Pending(UUID(int=9), code, ("amber", "ladle", "north", "fig"))

    def approve(self, *given) -> None:
        self._ask("approve")
        self.approved = given

    def revoke(self, *given) -> None:
        self._ask("revoke", *given)


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def clock():
    return FakeClock(AT)


@pytest.fixture
def laptop(hub, clock):
    found = Supervisor(hub, clock, address="https://hub", tenant="northfield")
    found.sign_in("https://hub", "northfield", "s@x", "right")
    return found


def test_a_wrong_password_signs_nobody_in_and_says_why(hub, clock):
    laptop = Supervisor(hub, clock)
    laptop.sign_in("https://hub", "northfield", "s@x", "wrong")
    assert laptop.screen().person is None
    assert (laptop.screen().error.code, laptop.screen().tries) == ("sign_in_failed", 1)
    laptop.sign_in("https://hub", "northfield", "s@x", "right")
    assert laptop.screen().person.name == "Supervisor 3001"
    assert laptop.screen().error is None


@pytest.mark.parametrize("typed", ["hub:port", "[::1", "https://h\u00f6b..x", " "])
def test_an_address_that_is_none_is_said(tmp_path, clock, typed):
    laptop = Supervisor(HubClient(tmp_path, clock), clock)
    laptop.sign_in(typed, "acme", "amy", "right")
    assert isinstance(laptop.screen().error, FoodFlowError)
    assert laptop.screen().tries == 1


def test_the_code_of_an_app_is_handed_to_the_hub(hub, clock):
    laptop = Supervisor(hub, clock)
    laptop.sign_in("https://hub", "northfield", "s@x", "right", " 123456 ")
    assert ("sign_in", "https://hub", "northfield", "s@x", "123456") in hub.asked


def test_old_figures_stay_with_their_age_when_the_hub_falls_silent(hub, clock, laptop):
    assert laptop.screen().is_heard
    hub.error = Unreachable("hub_unreachable")
    clock.advance(12)
    laptop.refresh()
    screen = laptop.board.screen()
    assert (screen.answer.value.waiting, screen.answer.got_at, screen.answer.error.code) == (3, AT, "hub_unreachable")
    assert not laptop.screen().is_heard
    assert not screen.answer.is_stale
    clock.advance(30)
    assert laptop.board.screen().answer.is_stale
    hub.error = None
    laptop.refresh()
    assert laptop.screen().is_heard
    assert laptop.screen().offline == 1


def test_signing_out_leaves_nothing_of_the_person_before(laptop):
    laptop.trace.search("TBS-261123-02")
    laptop.sign_out()
    assert laptop.screen().person is None
    assert laptop.board.screen().answer.value is None
    assert laptop.trace.screen().lot is None


def test_an_exact_code_is_traced_at_once_and_a_part_gives_a_choice(hub, laptop):
    trace = laptop.trace
    trace.search("tbs-261123-02")
    assert trace.screen().lot == LOT
    assert hub.asked[-2:] == [("trace", LOT.lot_id, "both"), ("pallets", LOT.lot_id)]
    assert [pallet.sscc for pallet in trace.screen().pallets] == ["395012345600000019"]
    trace.turn("forward")
    assert ("trace", LOT.lot_id, "forward") in hub.asked
    trace.search("TBS")
    assert [hit.code for hit in trace.screen().hits] == ["TBS-261123-02", "TBS-261123-03"]
    trace.search("nothing like it")
    assert trace.screen().hits == ()


def test_a_held_lot_is_refused_with_the_hubs_own_sentence(hub, laptop):
    trace = laptop.trace
    trace.search("TBS-261123-02")
    trace.pack(Decimal(96))
    assert trace.screen().notice_data == {"sscc": "395012345600000019"}
    hub.error = Refused("lot_held", lot_code="TBS-261123-02")
    trace.ship(UUID(int=5), "114", "Depot North", "DN-1")
    screen = trace.screen()
    assert screen.notice is None
    assert screen.notice_error.code == "lot_held"
    assert "TBS-261123-02" in screen.notice_error.sentence


def test_a_terminal_is_let_in_by_code_words_line_and_name(hub, laptop):
    terminals = laptop.terminals
    terminals.add()
    terminals.find("k7qx 42mn")
    assert hub.asked[-1] == ("pending", "K7QX-42MN")
    assert terminals.screen().pending.words == ("amber", "ladle", "north", "fig")
    terminals.approve(UUID(int=1), " T-08 ")
    assert hub.approved == (UUID(int=9), UUID(int=1), "T-08")
    screen = terminals.screen()
    assert (screen.is_adding, screen.notice, screen.notice_name) == (False, "approved", "T-08")


def test_an_unknown_code_keeps_the_panel_open(hub, laptop):
    hub.error = NotFound("pairing_code_unknown", code="AAAA-AAAA")
    laptop.terminals.add()
    laptop.terminals.find("aaaa-aaaa")
    screen = laptop.terminals.screen()
    assert (screen.is_adding, screen.pending, screen.error.code) == (True, None, "pairing_code_unknown")


def test_revoking_takes_a_second_touch_and_a_reason(hub, laptop):
    terminals = laptop.terminals
    terminals.revoke("lost in the yard")
    assert ("revoke", UUID(int=7), "lost in the yard") not in hub.asked
    terminals.ask_revoke(terminals.screen().answer.value[0])
    terminals.revoke("lost in the yard")
    assert ("revoke", UUID(int=7), "lost in the yard") in hub.asked
    assert terminals.screen().notice == "revoked"


@pytest.mark.parametrize(("typed", "known"), [(" k7qx42mn ", "K7QX-42MN"), ("K7QX-42MN", "K7QX-42MN"), ("k7", "K7")])
def test_codes_are_understood_however_typed(typed, known):
    assert spelled(typed) == known


@pytest.mark.parametrize("typed", ["hub:8443", "https://hub:8443/", "http://hub:8443", " hub:8443 "])
def test_addresses_become_https(typed):
    assert address(typed) == "https://hub:8443"


def test_boxes_of_a_column_never_overlap_and_follow_their_lines():
    nodes = [node("S", 0), node("L", 1)] + [node(f"B{n}", 2) for n in range(4)] + [node(f"P{n}", 3) for n in range(7)]
    edges = [edge("S", "L"), *(edge("L", f"B{n}") for n in range(4))]
    edges += [edge("B0", f"P{n}") for n in range(3)] + [edge("B1", "P3"), *(edge("B3", f"P{n}") for n in (4, 5, 6))]
    placed = {one.node.id: one.row for one in place(nodes, edges)}
    for column in range(5):
        rows = sorted(placed[one.id] for one in nodes if one.column == column)
        assert all(later - earlier >= 1 for earlier, later in pairwise(rows))
    assert placed["B0"] == pytest.approx((placed["P0"] + placed["P1"] + placed["P2"]) / 3)
    assert min(placed.values()) == 0
    assert place(nodes, edges) == place(nodes, edges)


def test_a_circle_in_the_records_still_gets_its_places():
    nodes = [node("A", 1), node("B", 2)]
    assert len(place(nodes, [edge("A", "B"), edge("B", "A")])) == 2


def test_the_csv_has_each_movement_and_runs_no_formula():
    trace = Trace(
        lot_id=UUID(int=2), direction="both", as_of=AT,
        nodes=(node("A", 1, is_held=True), node("B", 2), node("=cmd()", 3)), edges=(edge("A", "B"),),
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(to_csv(trace))))
    assert [(row["from_code"], row["to_code"], row["quantity"], row["unit"], row["on_hold"]) for row in rows] == [
        ("A", "B", "12.5", "KGM", "yes"),
        ("'=cmd()", "", "", "", "no"),
    ]
    assert rows[0]["at_utc"] == "2026-11-23T10:42:00+00:00"
