"""The kiosk on line 2 in the states of mockups 04, 05, 07, 08, 09 and a few more, for tests and shots."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from PySide6.QtWidgets import QWidget

from foodflow_desktop.hardware.readings import ProbeReading, Quality, Scan
from foodflow_desktop.keys import Keys, SealedFile
from foodflow_desktop.stations.context import Context, Job
from foodflow_desktop.store import Draft
from foodflow_desktop.sync.engine import Engine
from foodflow_desktop.views import i18n, jobs, kiosk, theme
from foodflow_desktop.views.shell import Shell
from foodflow_kernel.machines.fsq import DeviationState
from foodflow_kernel.machines.plant_ops import BatchState
from foodflow_kernel.rules.ccp import CcpVerdict
from foodflow_kernel.units import Celsius
from foodflow_kernel.wire import bodies, master
from foodflow_kernel.wire.protocol import Lane
from tests.foodflow_desktop.stations import plant

BASIL = "0109506000134352" + "15261214" + "3101000120" + "10BP-261117-A"
PEANUT = "0109506000134369" + "10PP-261109-C"


@dataclass
class Floor:
    """One terminal on line 2, as the mockups found it."""

    context: Context
    shell: Shell

    def at(self, hour: int, minute: int, second: int = 0) -> datetime:
        """Set the clock of the day."""
        self.context.clock.at = plant.AT.replace(hour=hour, minute=minute, second=second)
        return self.context.clock.now()

    def count(self, pieces: int) -> None:
        """The line made some."""
        plant.count(self.context, pieces)

    def record(self, body: Any, who: str = "FFB-2003") -> None:
        """Somebody recorded something earlier."""
        self.context.store.record(Draft(body, performed_by=plant.idof(who), line_id=plant.LINE_2))

    def check(self, version: UUID, value: str | None, due_at: datetime | None = None) -> None:
        """A check was done now."""
        ccp = self.context.store.master.ccps[version]
        pieces = tuple(bodies.DetectorPiece(piece=one, rejected=True) for one in ccp.pieces)
        self.record(
            bodies.CcpReading(
                ccp_version_id=ccp.id, ccp_id=ccp.ccp_id, batch_id=plant.BATCH, lot_id=plant.LOT, due_at=due_at,
                value=Decimal(value) if value else None, unit=ccp.unit, pieces=pieces, source=bodies.Source.sensor,
                verdict=CcpVerdict.ok,
            )
        )  # fmt: skip

    def issue(self, item: UUID, kg: str) -> None:
        """Material went in earlier."""
        amount = bodies.Amount(value=Decimal(kg), uom=self.context.store.master.items[item].base_uom)
        self.record(
            bodies.MaterialIssued(
                batch_id=plant.BATCH, item_id=item, lot_id=item, lot_code="x", amount=amount,
                source=bodies.Source.label, raw_scan="x",
            )
        )  # fmt: skip

    def sent(self) -> None:
        """The hub has acknowledged everything."""
        store = self.context.store
        for log in (store._ops.log, store._telemetry.log):
            if log is None:
                continue
            for lane, state in log.lanes.items():
                at = self.context.clock.now()
                store.outbox.acknowledge(log.incarnation, Lane(lane), state.head, state.hash, at=at)
        store.heard(self.context.clock.now())

    def probe(self, value: str) -> None:
        """Probe P-14 shows a steady value."""
        view = self.shell.view()
        view.station.on_probe(
            ProbeReading(self.context.clock.now(), "P-14", Celsius(Decimal(value)), True, Quality.good)
        )

    def close(self) -> None:
        """Let go of window and files."""
        self.shell.stop()
        self.context.store.close()

    def scan(self, raw: str) -> None:
        """A code was scanned."""
        self.shell.scanned(Scan(self.context.clock.now(), raw, "]C1"))


def floor_of(folder: Path, who: str = "FFB-2003") -> Floor:
    """The whole kiosk on line 2; jobs are done at once."""
    context = plant.open_terminal(folder)
    engine = Engine(context.store, context.store._ops.key)
    made = kiosk.build(context, engine, Keys(folder, SealedFile(folder, "tests")), "")
    context.clock.at = plant.STARTED
    plant.sign_in(context, who)
    return Floor(context, made.shell)


def window(prepare: Callable[[Floor], None], who: str) -> Callable[[], QWidget]:
    """The whole kiosk in a state, for a picture."""

    def build() -> QWidget:
        jobs.run = at_once  # type: ignore[assignment]
        theme.use()
        i18n.use("en")
        floor = floor_of(Path(tempfile.mkdtemp()), who)
        prepare(floor)
        floor.sent()
        floor.shell.refresh()
        return floor.shell

    return build


def at_once(work: Callable[[], Any], done: Callable[[Any], Any], failed: Callable[[BaseException], Any]) -> None:
    """A job done at once: a picture does not wait."""
    plant.run(Job(work, done, failed))


def _morning(floor: Floor) -> None:
    """What happened before the pictures."""
    floor.at(7, 44)
    for hour, minute, value in ((8, 14, "78.2"), (8, 44, "78.9"), (9, 14, "77.6"), (9, 44, "78.4")):
        floor.at(hour, minute)
        floor.check(plant.COOK, value)


def _materials(floor: Floor) -> None:
    _metal(floor)
    for item, amount in (
        (plant.BASE, "1200"),
        (plant.SALT, "9"),
        (plant.BASIL, "156"),
        (plant.CUP, "3400"),
        (plant.FILM, "2"),
    ):
        floor.issue(item, amount)
    plant.change(floor.context.store, "batch", floor.context.store.master.batches[plant.BATCH])
    floor.at(10, 10, 7)
    floor.sent()
    floor.shell.go("materials")


def _metal(floor: Floor) -> None:
    floor.at(9, 37)
    floor.check(plant.METAL, None)
    floor.at(9, 44)
    floor.check(plant.COOK, "78.4")


def issue_material(floor: Floor) -> None:
    """04: basil in hand."""
    _materials(floor)
    floor.scan(BASIL)


def interlock(floor: Floor) -> None:
    """05: peanut paste refused."""
    _materials(floor)
    for item, amount in ((plant.BASIL, "12"),):
        floor.issue(item, amount)
    floor.scan(PEANUT)
    floor.sent()


def checks(floor: Floor) -> None:
    """07: metal late, cook soon, three later."""
    store = floor.context.store
    for name, no, en, es, over in (
        ("chill v1", "CCP-3", "Chill to 5 °C", "Enfriar a 5 °C",
         {"parameter": "time", "unit": "h", "crit_max": Decimal(4), "place": {"en": "blast chiller 1"}, "icon": "snow"}),
        ("seal v1", "QP-6", "Seal strength", "Fuerza del sello",
         {"parameter": "force", "unit": "N", "crit_min": Decimal(18), "place": {"en": "5 cups"}, "icon": "lid"}),
    ):  # fmt: skip
        row = store.master.ccps[plant.PH].model_copy(
            update={
                "id": plant.idof(name), "ccp_id": plant.idof(no), "ccp_no": no, "names": {"en": en, "es": es},
                "crit_max": None, "frequency_min": 180, **over,
            }
        )  # fmt: skip
        plant.change(store, "ccp", row)
    floor.at(7, 30)
    floor.check(plant.PH, "4.21")
    floor.at(9, 10)
    floor.check(plant.idof("chill v1"), "2.8")
    floor.at(9, 45)
    floor.check(plant.idof("seal v1"), "21.5")
    _metal(floor)
    floor.at(10, 10, 30)
    floor.sent()
    floor.shell.go("checks")


def _before_breach(floor: Floor) -> None:
    floor.at(9, 0)
    floor.count(2225)
    _morning(floor)
    floor.at(10, 13)
    floor.check(plant.METAL, None)
    floor.count(443)
    plant.sign_in(floor.context, "FFB-2003")
    floor.context.session.since = floor.at(10, 12)
    floor.at(10, 14, 31)
    floor.shell.go("ccp", plant.COOK)
    floor.probe("71.2")
    floor.sent()


def ccp_entry(floor: Floor) -> None:
    """08: 71.2 under 74.0."""
    _before_breach(floor)


def deviation(floor: Floor) -> None:
    """09: an action chosen, one digit typed."""
    _before_breach(floor)
    store = floor.context.store
    floor.shell.view().do(floor.shell.view().station.save)
    station = floor.shell.view().station
    numbered = master.Deviation(
        id=station.screen().deviation_id, number="DV-0093", state=DeviationState.open, severity="critical",
        ccp_id=None, batch_id=None, line_id=None, summary="", detected_at=floor.context.clock.now(),
    )  # fmt: skip
    plant.change(store, "deviation", numbered)
    station.choose("cook_longer")
    station.digit("5")
    floor.sent()


def sign_in(floor: Floor) -> None:
    """A tile chosen, a wrong PIN typed."""
    floor.context.session.user = None
    floor.shell.go("sign_in")
    station = floor.shell.sign_in
    station.choose(plant.idof("FFB-2003"))
    for digit in "1111":
        floor.shell.view().key(digit)


def find_person(floor: Floor) -> None:
    """Looking for somebody by number."""
    floor.context.session.user = None
    floor.shell.go("sign_in")
    floor.shell.sign_in.find()
    floor.shell.view().key("1")


def check_entered(floor: Floor) -> None:
    """A value in limits, and a far one to be typed again."""
    _before_breach(floor)
    for key in "95.5":
        floor.shell.view().key(key)


def check_at_operating_limit(floor: Floor) -> None:
    """A typed value in limits."""
    _before_breach(floor)
    for key in "75.1":
        floor.shell.view().key(key)


def check_impossible(floor: Floor) -> None:
    """A value the probe cannot read."""
    _before_breach(floor)
    for key in "740":
        floor.shell.view().key(key)


def detector(floor: Floor) -> None:
    """A test piece that was not rejected."""
    floor.at(9, 37)
    floor.shell.go("ccp", plant.METAL)
    floor.shell.view().station.piece(1, rejected=False)


def deviation_with_note(floor: Floor) -> None:
    """Other, with the note still to write."""
    deviation(floor)
    floor.shell.view()._choose(3)


def deviation_signed(floor: Floor) -> None:
    """The action is signed."""
    deviation(floor)
    for digit in plant.QA_PIN[1:]:
        floor.shell.view().key(digit)


def materials_empty(floor: Floor) -> None:
    """Nothing in hand."""
    _materials(floor)


def amount(floor: Floor) -> None:
    """The amount is typed."""
    issue_material(floor)
    floor.shell.view().station.edit_amount()
    for key in "12.5":
        floor.shell.view().key(key)


def over_issue(floor: Floor) -> None:
    """More than the recipe: why?"""
    issue_material(floor)
    station = floor.shell.view().station
    station.edit_amount()
    for key in "80":
        station.digit(key)
    station.accept_amount()


def override(floor: Floor) -> None:
    """QA overrules a wrong line."""
    _materials(floor)
    plant.sign_in(floor.context, "FFB-2003")
    floor.scan("FFL-SA-3")
    station = floor.shell.view().station
    station.start_override()
    station.set_override_reason("Moved here by the supervisor")


def checks_empty(floor: Floor) -> None:
    """No batch."""
    floor.record(bodies.BatchMoved(batch_id=plant.BATCH, move="complete", base_rev=1))
    floor.shell.go("checks")


def checks_done(floor: Floor) -> None:
    """The list of what was done."""
    checks(floor)
    floor.shell.view().station.show_done(True)


def start(floor: Floor) -> None:
    """Nothing scanned yet."""
    _release(floor)
    floor.shell.go("start_batch")


def start_gates(floor: Floor) -> None:
    """A work order scanned, one gate to confirm."""
    _release(floor)
    floor.shell.go("start_batch")
    floor.scan("FFW-WO-261123-02")


def _release(floor: Floor) -> None:
    store = floor.context.store
    batch = store.master.batches[plant.BATCH]
    plant.change(store, "batch", batch.model_copy(update={"status": BatchState.released, "started_at": None}))


def finish(floor: Floor) -> None:
    """Counts proposed."""
    floor.at(10, 0)
    floor.count(2602)
    floor.shell.go("finish_batch")


def finish_sign(floor: Floor) -> None:
    """The PIN is asked."""
    finish(floor)
    floor.shell.view().station.go_sign()


STATES: dict[str, Callable[[Floor], None]] = {
    one.__name__: one
    for one in (
        sign_in, find_person, issue_material, materials_empty, amount, over_issue, interlock, override,
        checks, checks_empty, checks_done, ccp_entry, check_entered, check_at_operating_limit, check_impossible,
        detector, deviation, deviation_with_note, deviation_signed, start, start_gates, finish, finish_sign,
    )
}  # fmt: skip
"""Every state by name."""
