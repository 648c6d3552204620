"""The scripted shift: one line, one morning, one network outage, played by touch and by device.

Each step says what it does and looks at the screen to see that it happened. Nothing is written
but by the windows and the devices.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from foodflow_desktop.demo.plant import TENANT, Devices, Plant, TooSlow, wait_for
from foodflow_desktop.demo.remote import Remote, Saved, Untouchable
from foodflow_desktop.demo.witness import Witness
from foodflow_kernel.gs1.check_digits import build_gtin

GS = "\u001d"
PREFIX = "9501101"
BASIL, PEANUT = build_gtin(PREFIX, 2003), build_gtin(PREFIX, 2007)
BASIL_LABEL = f"01{BASIL}15261214310301200010BP-261117-A"
PEANUT_LABEL = f"01{PEANUT}15270214310301000010PP-261109-C"
SUPERVISOR = ("FFB-3001", "demo-supervisor-of-the-shift")
QA_PIN, CUP_G = "5836", Decimal("12.0")
PORTIONS_G = [Decimal(600) + Decimal(n) / 10 for n in (14, -12, 34, 8, -21, 0, 17, 26, -8, 5, 11, -17, 29, 3)]
TEST_WEIGHT_G = "500"
PICTURED, PACK_TRIES, TOUCHES = 3, 12, 6
SETTLE_S = 0.4
"""A picture is taken once the screen has drawn itself."""
TOO_HEAVY_G, TOO_LIGHT_G = Decimal("628.2"), Decimal("584.6")
LOT, WORK_ORDER = "TBS-261123-02", "WO-261123-02"


@dataclass
class Shift:
    """One run of the script.

    Args:
        plant: the processes.
        witness: what the screens called saved.
        pictures: where a picture of each screen goes; None for none.
        outage_min: plant minutes without network.
        portions: weighed before the outage; the 2nd and the 3rd of a short run, else the 11th and 23rd, are wrong.
        is_short: without the stop of the line, which takes two plant minutes.
    """

    plant: Plant
    witness: Witness
    pictures: Path | None
    outage_min: float = 10.0
    portions: int = 30
    is_short: bool = False
    started_at: float = field(default_factory=time.monotonic)
    kiosk: Remote = field(init=False)
    laptop: Remote = field(init=False)
    devices: Devices = field(init=False)
    hub: str = field(init=False, default="")
    drain_s: float = 0.0
    back_at: datetime | None = None
    after_kill: Callable[[], None] | None = None
    """Called while the kiosk is dead: the place for a tampering hand."""

    # --- telling and looking ---------------------------------------------------------------

    def say(self, text: str) -> None:
        """Print a step with the seconds since the start."""
        sys.stdout.write(f"{time.monotonic() - self.started_at:6.1f} s  {text}\n")
        sys.stdout.flush()

    def picture(self, window: Remote, name: str) -> None:
        """Save a picture of a window."""
        if self.pictures is not None:
            time.sleep(SETTLE_S)
            window.shot(self.pictures / f"{name}.png")

    def until(
        self, window: Remote, what: str, right: Callable[[dict[str, str], str], Any], patience_s: float = 25
    ) -> Any:
        """Look at a window until it shows what is expected.

        Raises:
            TooSlow: with what is shown instead.
        """

        def look() -> Any:
            self.plant.processes.check()
            seen = window.look()
            return right(seen["texts"], seen["view"])

        try:
            return wait_for(what, look, patience_s)
        except TooSlow as error:
            seen = window.look()
            shown = {name: text for name, text in seen["texts"].items() if text}
            raise TooSlow(f"{what}; the screen shows {seen['view']}: {shown}") from error

    def view(self, name: str) -> None:
        """Wait until the kiosk shows a view."""
        self.until(self.kiosk, f"view {name}", lambda _texts, view: view == name)

    def touch(self, window: Remote, name: str, patience_s: float = 20) -> None:
        """Touch a control as soon as it can be touched."""

        def attempt() -> bool:
            try:
                window.touch(name)
            except Untouchable as error:
                self.plant.processes.check()
                attempt.why = str(error)  # type: ignore[attr-defined]  # for the message below
                return False
            return True

        try:
            wait_for(name, attempt, patience_s)
        except TooSlow as error:
            seen = window.look()
            why = getattr(attempt, "why", "")
            raise TooSlow(f"touch {name}: {why}; {seen['view']}: {seen['texts']}") from error

    def fill(self, window: Remote, name: str, text: str) -> None:
        """Touch a field and type into it."""
        self.touch(window, name)
        window.keys(text)

    def saw(self, kind: str, at_least: int = 1, patience_s: float = 25) -> None:
        """Wait until the screen called so many facts of a kind saved."""

        def enough() -> bool:
            self.plant.processes.check()
            return self.witness.kinds[kind] >= at_least

        try:
            wait_for(kind, enough, patience_s)
        except TooSlow as error:
            seen = self.kiosk.look()
            raise TooSlow(f"{at_least} x {kind}, seen {dict(self.witness.kinds)}; {seen}") from error

    # --- the story -------------------------------------------------------------------------

    def play(self) -> None:
        """The whole shift."""
        self.bring_up()
        self.pair()
        self.start_batch()
        self.issue_material()
        self.weigh_portions()
        self.pack_first_pallet()
        self.breach()
        self.work_through_outage()
        self.come_back()
        self.look_from_the_office()

    def bring_up(self) -> None:
        """Server, devices, two windows."""
        self.say("starting PostgreSQL and the server, seeding two companies")
        self.hub = self.plant.start_server()
        self.say("starting scale, scanner, probe and line signal")
        self.devices = self.plant.start_devices()
        self.say("opening the kiosk and the supervisor's laptop")
        self.open_kiosk()
        self.laptop = self.plant.start_window("laptop", self.hub, _nobody, "--mode", "laptop")

    def open_kiosk(self) -> None:
        """Start the kiosk's process; the witness listens."""
        options = ("--hardware", str(self.plant.hardware_file))
        self.kiosk = self.plant.start_window("kiosk", self.hub, self.witness.saw, *options)

    def pair(self) -> None:
        """The terminal shows code and words, the supervisor compares and approves."""
        self.view("pairing")
        self.touch(self.kiosk, "pairing.language.en")
        self.touch(self.kiosk, "pairing.find")
        code = self.until(self.kiosk, "pairing code", lambda texts, _: texts.get("pairing.code"))
        words = self.until(self.kiosk, "pairing words", lambda texts, _: _words(texts, "pairing.word."))
        self.picture(self.kiosk, "pairing")
        self.say(f"the terminal shows code {code} and the words {' '.join(words)}")
        login, password = SUPERVISOR
        self.fill(self.laptop, "laptop.tenant", TENANT)
        self.fill(self.laptop, "laptop.login", login)
        self.fill(self.laptop, "laptop.password", password)
        self.touch(self.laptop, "laptop.sign_in")
        self.touch(self.laptop, "nav.terminals")
        self.touch(self.laptop, "terminals.add")
        self.fill(self.laptop, "terminals.code", code)
        self.touch(self.laptop, "terminals.find")
        theirs = self.until(self.laptop, "the four words", lambda texts, _: _words(texts, "terminals.word."))
        if theirs != words:
            raise AssertionError(f"the laptop shows other words: {theirs}")
        self.say("the laptop shows the same four words: approved as T-07 on Line 2")
        line = self.until(self.laptop, "Line 2", lambda texts, _: _named(texts, "terminals.line.", "Line 2"))
        self.touch(self.laptop, line)
        self.fill(self.laptop, "terminals.name", "T-07")
        self.touch(self.laptop, "terminals.approve")
        self.touch(self.kiosk, "pairing.line.next")
        self.touch(self.kiosk, "pairing.done")
        self.until(self.kiosk, "people of the line", lambda texts, _: texts.get("sign_in.tile.0"), 60)
        self.picture(self.kiosk, "sign-in")

    def start_batch(self) -> None:
        """An operator signs in by badge and starts the batch after its gates."""
        self.devices.do("scan", code="FFB-1041")
        self.saw("session_started")
        self.say("Operator 1041 signed in by badge")
        self.devices.do("scan", code=f"FFW-{WORK_ORDER}")
        self.view("start_batch")
        self.touch(self.kiosk, "start_batch.clear")
        self.touch(self.kiosk, "start_batch.start")
        self.saw("batch_moved")
        self.devices.do("line.run")
        self.say("batch B-2611-0418 started: gates passed, line running")

    def issue_material(self) -> None:
        """A GS1-128 label of the basil purée; one touch issues it."""
        self.devices.do("scan", code=BASIL_LABEL, symbology="]C1")
        self.until(self.kiosk, "the right material", lambda texts, _: texts.get("materials.item") == "Basil purée")
        self.picture(self.kiosk, "materials")
        self.touch(self.kiosk, "materials.issue")
        self.saw("material_issued")
        self.say("12 kg of basil purée, lot BP-261117-A, issued from its label")

    def weigh_portions(self) -> None:
        """Thirty portions, two of them out of tolerance."""
        self.touch(self.kiosk, "rail.weigh")
        self.view("weigh")
        self.test_scale()
        self.until(self.kiosk, "an empty pan", lambda texts, _: "weigh.tare" in texts and not _weight_of(texts))
        self.touch_until(self.kiosk, "weigh.tare", self.is_tared)
        heavy, light = (2, 3) if self.is_short else (11, 23)
        for number in range(1, self.portions + 1):
            net_g = {heavy: TOO_HEAVY_G, light: TOO_LIGHT_G}.get(number, PORTIONS_G[number % len(PORTIONS_G)])
            self.weigh_one(number, net_g)
            if number == PICTURED:
                self.picture(self.kiosk, "weigh")
        self.devices.do("scale.load", g="0")
        self.say(f"{self.portions} portions weighed through MT-SICS, 2 of them out of tolerance, with their reasons")

    def test_scale(self) -> None:
        """The scale's test weight is due: nothing is recorded before it passes."""
        self.touch(self.kiosk, "weigh.do_test")
        self.devices.do("scale.load", g=TEST_WEIGHT_G)
        self.picture(self.kiosk, "test-weight")
        self.touch(self.kiosk, "weigh.test.save")
        self.saw("test_weight")
        self.devices.do("scale.load", g="0")
        self.say("test weight passed")

    def weigh_one(self, number: int, net_g: Decimal) -> None:
        """Load, wait until the button says the weight, record; a reason where one is asked."""
        self.devices.do("scale.load", g=str(net_g + CUP_G))
        wanted = f"{net_g:.1f}"
        self.until(self.kiosk, f"steady {wanted} g", lambda texts, _: wanted in texts.get("weigh.record", ""), 40)
        if net_g in (TOO_HEAVY_G, TOO_LIGHT_G):
            reason = "weigh.reason.filler_high" if net_g == TOO_HEAVY_G else "weigh.reason.filler_low"
            self.touch_until(self.kiosk, "weigh.record", lambda: reason in self.kiosk.look()["texts"])
            self.picture(self.kiosk, "weigh-reason")
            self.touch(self.kiosk, reason)
            self.saw("weighing", number)
        else:
            self.touch_until(self.kiosk, "weigh.record", lambda: self.witness.kinds["weighing"] >= number)
        self.devices.do("scale.load", g="0")

    def is_tared(self) -> bool:
        """Whether the screen shows the cup's tare."""
        return f"tare {CUP_G} g" in self.kiosk.look()["texts"].get("weigh.tare_chip.text", "")

    def touch_until(self, window: Remote, name: str, done: Callable[[], bool]) -> None:
        """Touch a control again when a touch had no effect: something moved under the finger."""
        for _ in range(TOUCHES):
            self.touch(window, name)
            try:
                wait_for(name, done, 3.0)
            except TooSlow:
                continue
            return
        raise TooSlow(f"{name} was touched {TOUCHES} times: {window.look()}")

    def pack_first_pallet(self) -> None:
        """The supervisor packs what is made so far on a pallet, before anything is held."""
        self.touch(self.laptop, "nav.trace")
        self.find_lot(LOT)
        self.fill(self.laptop, "trace.pack_qty", "48")
        for _ in range(PACK_TRIES):
            # Refused as long as the hub has not heard of 48 cups: a supervisor would try again, too.
            self.touch(self.laptop, "trace.pack")
            try:
                pallet = self.until(self.laptop, "the pallet", lambda texts, _: texts.get("trace.pallet.1"), 5)
            except TooSlow:
                continue
            self.say(f"48 cups of {LOT} packed: pallet {pallet}")
            return
        raise TooSlow(f"no pallet: {self.laptop.look()['texts'].get('trace.notice.text')}")

    def trace_notice(self) -> str:
        """What the trace screen last said."""
        return str(self.laptop.look()["texts"].get("trace.notice.text", ""))

    def find_lot(self, code: str) -> None:
        """Search a lot on the laptop and open it."""
        self.fill(self.laptop, "trace.search", code)
        self.touch(self.laptop, "trace.find")
        self.until(
            self.laptop,
            f"lot {code}",
            lambda texts, _: code in texts.get("trace.code", "") or f"trace.hit.{code}" in texts,
        )
        if f"trace.hit.{code}" in self.laptop.look()["texts"]:
            self.touch(self.laptop, f"trace.hit.{code}")

    def breach(self) -> None:
        """QA reads a cook temperature under the critical limit: deviation and hold, on the kiosk."""
        self.devices.do("kettle.heat", c="71.2", lag_s=0)
        self.devices.do("scan", code="FFB-2003")
        self.saw("session_started", 2)
        self.open_check("Cook temperature")
        self.until(self.kiosk, "71.2 from the probe", lambda texts, _: "71.2" in texts.get("ccp.value", ""), 40)
        self.picture(self.kiosk, "ccp")
        self.touch(self.kiosk, "ccp.save")
        self.saw("hold_placed")
        self.saw("deviation_opened")
        self.picture(self.kiosk, "deviation")
        self.say(f"CCP-1 reads 71.2 °C, limit 74.0: deviation opened, {LOT} on hold")

    def open_check(self, title: str) -> None:
        """Open a check by its name."""
        self.touch(self.kiosk, "rail.checks")
        self.view("checks")

        def row(texts: dict[str, str], _view: str) -> str | None:
            names = (
                n for n, text in texts.items() if n.startswith("checks.") and n.endswith(".name") and text == title
            )
            return next(names, None)

        name = self.until(self.kiosk, title, row)
        self.touch(self.kiosk, f"{name.removesuffix('.name')}.open")
        self.view("ccp")

    def work_through_outage(self) -> None:
        """The cable is cut; the line goes on for the rest of the outage, and the kiosk is killed once."""
        cable = self.plant.cable
        if cable is None:
            raise AssertionError("no cable")
        cable.cut()
        cut_at = time.monotonic()
        self.say("NETWORK CUT")
        self.sign_action()
        if not self.is_short:
            self.stop_the_line()
        self.record_scrap()
        self.refuse_allergen()
        self.second_check()
        self.until(self.kiosk, "offline on the pill", lambda texts, _: "Offline" in texts.get("bar.sync", ""), 60)
        self.picture(self.kiosk, "offline")
        self.kill_kiosk()
        rest_s = self.outage_min * 60 / self.plant.clock.rate - (time.monotonic() - cut_at)
        if rest_s > 0:
            self.say(f"the line goes on for {rest_s * self.plant.clock.rate / 60:.1f} more plant minutes")
            time.sleep(rest_s)

    def sign_action(self) -> None:
        """The corrective action, signed with the PIN, offline."""
        if self.kiosk.look()["view"] != "deviation":
            self.touch(self.kiosk, "rail.checks")
            self.touch(self.kiosk, "checks.open_deviation")
        self.touch(self.kiosk, "deviation.action.0")
        for digit in QA_PIN:
            self.touch(self.kiosk, f"deviation.pin.{digit}")
        self.saw("deviation_action")
        self.touch(self.kiosk, "deviation.done")
        self.say("corrective action chosen and signed with the PIN")

    def stop_the_line(self) -> None:
        """The line stops for longer than a micro-stop: the screen opens by itself and asks why."""
        self.devices.do("scan", code="FFB-1041")
        self.devices.do("line.stop")
        self.saw("stop_opened", patience_s=60)
        self.view("downtime")
        self.picture(self.kiosk, "downtime")
        self.touch(self.kiosk, "downtime.reason.1")
        self.saw("stop_explained")
        self.devices.do("line.run")
        self.saw("stop_closed", patience_s=60)
        self.say("a stop of the line: found by its signal, explained with one touch, ended by the signal")

    def record_scrap(self) -> None:
        """Four cups scrapped."""
        self.touch(self.kiosk, "rail.run")
        self.view("run")
        self.picture(self.kiosk, "run")
        self.touch(self.kiosk, "run.scrap")
        self.touch(self.kiosk, "scrap.reason.1")
        self.touch(self.kiosk, "scrap.key.4")
        self.picture(self.kiosk, "scrap")
        self.touch(self.kiosk, "scrap.record")
        self.saw("scrap_recorded")
        self.say("4 cups scrapped")

    def refuse_allergen(self) -> None:
        """Peanut paste is scanned for a peanut-free batch."""
        self.devices.do("scan", code=PEANUT_LABEL, symbology="]C1")
        self.until(self.kiosk, "the interlock", lambda texts, _: "interlock.title" in texts)
        self.saw("interlock_stopped")
        self.picture(self.kiosk, "interlock")
        self.touch(self.kiosk, "interlock.put_back")
        self.say("peanut paste refused: nothing issued, the attempt is a record")

    def second_check(self) -> None:
        """The kettle is hot again; the check passes."""
        self.devices.do("kettle.heat", c="78.4", lag_s=0)
        self.devices.do("scan", code="FFB-2003")
        self.open_check("Re-check: Cook temperature")
        self.until(self.kiosk, "78.4 from the probe", lambda texts, _: "78.4" in texts.get("ccp.value", ""), 40)
        before = self.witness.kinds["ccp_reading"]
        self.touch(self.kiosk, "ccp.save")
        self.saw("ccp_reading", before + 1)
        self.say("second check: 78.4 °C, passed")

    def kill_kiosk(self) -> None:
        """SIGKILL in the middle of work, and a new start; the history says what it kept."""
        seen = len(self.witness.seen)
        self.plant.processes.kill("kiosk")
        self.say(f"KIOSK KILLED (SIGKILL) after {seen} facts called saved")
        if self.after_kill is not None:
            self.after_kill()
        after = self.witness.position()
        self.open_kiosk()
        for saved in self.kiosk.history(after):
            self.witness.saw(saved)
        self.devices.do("scan", code="FFB-1041")
        self.until(self.kiosk, "signed in again", lambda _texts, view: view != "sign_in")
        self.say(
            f"kiosk started again: its history lists {len(self.witness.seen) - seen} more that were saved at the kill"
        )

    def come_back(self) -> None:
        """The cable is plugged in; everything drains, holds first."""
        self.back_at, plugged_at = self.plant.clock.now(), time.monotonic()
        self.plant.cable.plug()  # type: ignore[union-attr]  # it was cut above
        self.say("NETWORK BACK")
        self.until(self.kiosk, "All sent", lambda texts, _: texts.get("bar.sync", "").startswith("All sent"), 60)
        self.drain_s = time.monotonic() - plugged_at
        self.say("all sent")

    def look_from_the_office(self) -> None:
        """The board shows the deviation; the lot is traced both ways; shipping it is refused."""
        self.touch(self.laptop, "nav.board")
        self.until(
            self.laptop,
            "the deviation on the board",
            lambda texts, _: any(name.startswith("board.deviation.DV-0093") for name in texts),
            60,
        )
        self.until(self.laptop, "all sent", lambda texts, _: texts["laptop.pill"].startswith("All sent"), 60)
        self.picture(self.laptop, "line-board")
        self.touch(self.laptop, "nav.deviations")
        self.picture(self.laptop, "deviations")
        self.touch(self.laptop, "nav.trace")
        self.find_lot(LOT)
        self.picture(self.laptop, "trace")
        self.say("the board shows the open deviation; the lot traces to its ingredient and its pallet")
        self.fill(self.laptop, "trace.partner_code", "114")
        self.fill(self.laptop, "trace.partner", "Depot North")
        self.fill(self.laptop, "trace.document", "DN-1041")
        self.touch_until(self.laptop, "trace.ship", lambda: "hold" in self.trace_notice())
        self.say(f"shipping is refused: {self.trace_notice()}")
        self.touch(self.laptop, "nav.sync_health")
        self.picture(self.laptop, "sync-health")


def _words(texts: dict[str, str], prefix: str) -> list[str] | None:
    found = [texts.get(f"{prefix}{place}.text", "") for place in range(1, 5)]
    return found if all(found) else None


def _named(texts: dict[str, str], prefix: str, text: str) -> str | None:
    """The control with this text among those whose name starts so."""
    return next((name for name, shown in texts.items() if name.startswith(prefix) and shown == text), None)


def _weight_of(texts: dict[str, str]) -> bool:
    """Whether the readout shows a load: with the cup's tare set an empty pan reads below zero."""
    digits = texts.get("weigh.digits", "").removesuffix(" g").replace(",", "")
    try:
        return Decimal(digits) > 1
    except ArithmeticError:
        return True  # still moving


def _nobody(_saved: Saved) -> None:
    """The laptop takes no facts."""
