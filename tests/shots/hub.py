"""A hub that answers with the mockups' own data: 10:42 of the pictured shift."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from foodflow_desktop.stations.hub import DeviceRow, LineChoice, LotHit, PalletRow, Pending, Person
from foodflow_kernel.units import Uom
from foodflow_kernel.wire.reports import (
    Board,
    DeviationLine,
    LineCard,
    MassBalance,
    QuarantineLine,
    StripPart,
    SyncHealth,
    TerminalLine,
    Trace,
    TraceEdge,
    TraceNode,
)

D = Decimal


def at(hour: int, minute: int) -> datetime:
    """A time of the pictured day."""
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


NOW = at(10, 42)


def strip(text: str) -> tuple[StripPart, ...]:
    """``06:00 running 07:34 stopped ...``, ended by a time."""
    words = text.split()
    times = [at(*map(int, word.split(":"))) for word in words[::2]]
    return tuple(
        StripPart(from_at=start, to_at=end, state=state)
        for start, end, state in zip(times, times[1:], words[1::2], strict=False)
    )


def line(number: int, **given: object) -> LineCard:
    return LineCard(
        line_id=UUID(int=number),
        name=f"Line {number}",
        names={"en": f"Line {number}", "es": f"Línea {number}"},
        **given,
    )


BOARD = Board(
    at=NOW, plant_name="Plant 1", shift_name="A", shift_from=at(6, 0), shift_to=at(14, 0), terminals_online=6,
    terminals=7, waiting=3, needs_decision=3,
    lines=(
        line(1, product="Chicken Pot Pie 400 g", state="running", state_since=at(8, 54), availability=0.985,
             effectiveness=0.813, quality=0.99, oee=0.79, made=5210, planned=8400, plan_now=5050,
             next_check_at=at(10, 55), terminal_name="T-01",
             strip=strip("06:00 running 07:34 stopped 07:37 running 08:38 planned 08:54 running 10:42")),
        line(2, product="Tomato Basil Soup 600 g", state="running", as_of=at(10, 31), availability=0.87,
             effectiveness=0.911, quality=0.991, oee=0.79, made=2946, planned=4800, plan_now=3300,
             held_since=at(10, 14), held_deviation="DV-0093", is_check_late=True,
             next_check_names={"en": "Metal check", "es": "Control de metales"}, terminal_name="T-07",
             offline_since=at(10, 31),
             strip=strip("06:00 planned 07:04 running 08:00 stopped 08:23 running 09:57 stopped 10:00 running"
                         " 10:31 not_heard 10:42")),
        line(3, product="Peanut Satay Sauce 250 g", state="stopped", state_since=at(10, 28), stop_reason="Breakdown",
             stop_reason_names={"en": "Breakdown", "es": "Avería"}, stop_detail="filler head 4", availability=0.77,
             effectiveness=0.83, quality=0.985, oee=0.63, made=4018, planned=7200, plan_now=4900,
             next_check_at=at(11, 5), terminal_name="T-09", needs_help=2,
             strip=strip("06:00 running 07:09 stopped 07:55 running 09:31 stopped 09:36 running 10:28 stopped 10:42")),
        line(4, product="Fruit Yogurt 150 g", state="changeover", state_since=at(10, 33), availability=0.936,
             effectiveness=0.803, quality=0.994, oee=0.75, made=6480, planned=9600, plan_now=6300,
             next_check_names={"en": "Start-up check", "es": "Control de arranque"}, terminal_name="T-11",
             strip=strip("06:00 running 08:09 planned 08:25 running 09:53 stopped 09:59 running 10:33 setup 10:42")),
    ),
    deviations=(
        DeviationLine(deviation_id=UUID(int=93), number="DV-0093", title="CCP-1 cook too low",
                      title_names={"en": "CCP-1 cook too low", "es": "CCP-1 cocción baja"},
                      detail="71.2 °C at 10:14 · Line 2", detail_names={"es": "71,2 °C a las 10:14 · Línea 2"}, line_name="Line 2", severity="critical", state="contained",
                      is_held=True, lot_codes=("TBS-261123-02",), detected_at=at(10, 14),
                      actions=("Cook longer, re-check",)),
        DeviationLine(deviation_id=UUID(int=92), number="DV-0092", title="Wrong allergen label",
                      title_names={"en": "Wrong allergen label", "es": "Etiqueta de alérgenos errónea"},
                      detail="Line 3 · 48 cases on hold", detail_names={"es": "Línea 3 · 48 cajas retenidas"}, line_name="Line 3", severity="major", state="contained",
                      is_held=True, lot_codes=("PSS-261123-01",), detected_at=at(7, 37)),
    ),
)  # fmt: skip


def node(name: str, column: int, title: str, code: str, detail: str, **over: object) -> TraceNode:
    return TraceNode(
        id=name, kind=name.split(":", maxsplit=1)[0], column=column, title=title, code=code, detail=detail, **over
    )


def edge(source: str, target: str) -> TraceEdge:
    return TraceEdge(source=source, target=target, cte="transforming", qty=D(60), uom=Uom.KGM, at=at(9, 0))


TRACE = Trace(
    lot_id=UUID(int=17), direction="forward", as_of=NOW,
    nodes=(
        node("supplier_lot:1", 0, "Supplier lot", "S-88213", "480 kg sent"),
        node("lot:1", 1, "Basil purée", "BP-261117-A", "480 kg", is_seed=True, qty=D(480), uom=Uom.KGM),
        node("batch:415", 2, "Soup 600 g", "B-2611-0415", "180 kg used"),
        node("batch:418", 2, "Soup 600 g", "B-2611-0418", "168 kg used"),
        node("batch:411", 2, "Pie 400 g", "B-2611-0411", "60 kg used"),
        node("pallet:1", 3, "4 pallets", "PAL-5501…04", "Shipped"),
        node("pallet:2", 3, "2 pallets", "PAL-5505…06", "In warehouse"),
        node("lot:2", 3, "On the line", "TBS-261123-02", "On hold", is_held=True),
        node("pallet:3", 3, "2 pallets", "PAL-5490…91", "Shipped"),
        node("customer:1", 4, "Depot North", "114", "96 cases"),
        node("customer:2", 4, "Depot East", "131", "96 cases"),
        node("customer:3", 4, "Depot North", "114", "120 cases"),
    ),
    edges=(
        edge("supplier_lot:1", "lot:1"), edge("lot:1", "batch:415"), edge("lot:1", "batch:418"),
        edge("lot:1", "batch:411"), edge("batch:415", "pallet:1"), edge("batch:415", "pallet:2"),
        edge("batch:418", "lot:2"), edge("batch:411", "pallet:3"), edge("pallet:1", "customer:1"),
        edge("pallet:1", "customer:2"), edge("pallet:3", "customer:3"),
    ),
    balance=MassBalance(received=D(480), used=D(408), in_store=D(66), waste=D("4.8"), not_found=D("1.2"), uom=Uom.KGM),
    not_heard=("T-07 on Line 2 was last heard at 10:31. Up to 11 minutes of its scans may be missing here.",),
)  # fmt: skip


def terminal(name: str, where: str, state: str, waiting: int | None, offset: float, **over: object) -> TerminalLine:
    heard = over.pop("heard_at", NOW)
    return TerminalLine(
        device_id=UUID(int=int(name[2:])), name=name, line_name=where, state=state, waiting=waiting,
        clock_offset_s=offset, heard_at=heard, **over,
    )  # fmt: skip


HEALTH = SyncHealth(
    at=NOW, received_today=4182,
    terminals=(
        terminal("T-01", "Line 1 fill", "all_sent", 0, 0.1),
        terminal("T-02", "Line 1 pack", "all_sent", 0, 0.0),
        terminal("T-07", "Line 2 cook and fill", "offline", None, 0.4, heard_at=at(10, 31)),
        terminal("T-08", "Line 2 pack", "sending", 3, 0.0),
        terminal("T-09", "Line 3 fill", "needs_help", 0, 0.2, needs_help=2),
        terminal("T-11", "Line 4 fill", "all_sent", 0, 0.0),
        terminal("T-12", "QA lab", "needs_help", 0, 142, needs_help=1),
    ),
    quarantine=(
        QuarantineLine(device_id=UUID(int=9), device_name="T-09", lane=1, seq=4182, kind="batch_moved",
                       reason="illegal_move", sentence="This cannot be done now: batch is completed.",
                       received_at=at(10, 24), raw='{"id":"01936f4e-8a51-7c20-9d10-5b7c1f0a8e22","kind":"batch_moved",'
                       '"ver":1,"at":"2026-11-23T09:58:11.402Z","body":{"move":"complete","good":2364,"scrap":41}}'),
        QuarantineLine(device_id=UUID(int=9), device_name="T-09", lane=1, seq=4190, kind="material_issued",
                       reason="lot_held", sentence="Lot PP-261109-C is on hold: nothing was issued.",
                       received_at=at(10, 16), raw='{"kind":"material_issued"}'),
        QuarantineLine(device_id=UUID(int=12), device_name="T-12", lane=0, seq=311, kind="ccp_reading",
                       reason="clock_doubtful", sentence="This reading's time is in the future.",
                       received_at=at(10, 1), raw='{"kind":"ccp_reading"}'),
    ),
)  # fmt: skip


class PicturedHub:
    """Answers like the hub of the pictures."""

    def __init__(self, *, person: str = "Supervisor 3001", short_no: str = "3001") -> None:
        self.person = Person(person, short_no, ("SV",), (), "Plant 1")

    def sign_in(self, *_: str) -> Person:
        return self.person

    def sign_out(self) -> None:
        pass

    def board(self) -> Board:
        return BOARD

    def sync_health(self) -> SyncHealth:
        return HEALTH

    def find_lots(self, text: str) -> tuple[LotHit, ...]:
        names = {"en": "Basil purée", "es": "Puré de albahaca"}
        return (LotHit(UUID(int=17), text, "Basil purée", names, "raw", D(480), Uom.KGM, supplier_lot="S-88213"),)

    def trace(self, lot_id: UUID, direction: str) -> Trace:
        return TRACE.model_copy(update={"direction": direction, "lot_id": lot_id})

    def pallets(self, _: UUID) -> tuple[PalletRow, ...]:
        return (PalletRow(UUID(int=1), "395011010000055057", D(576), Uom.H87),)

    def pack(self, *_: object) -> str:
        return "395011010000055064"

    def ship(self, *_: object) -> None:
        pass

    def devices(self) -> tuple[DeviceRow, ...]:
        rows = (("T-01", "Line 1"), ("T-02", "Line 1"), ("T-07", "Line 2"), ("T-08", "Line 2"), ("T-09", "Line 3"))
        return tuple(DeviceRow(UUID(int=n), name, "approved", where, at(6, 0)) for n, (name, where) in enumerate(rows))

    def lines(self) -> tuple[LineChoice, ...]:
        return tuple(LineChoice(one.line_id, one.name, one.names) for one in BOARD.lines)

    def pending(self, code: str) -> Pending:
        return Pending(UUID(int=5), code, ("amber", "ladle", "north", "fig"))

    def approve(self, *_: object) -> None:
        pass

    def revoke(self, *_: object) -> None:
        pass
