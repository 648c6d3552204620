"""``make run``: play the scripted shift (no display), or open the demo plant in windows.

Exit status 0 only if the witness's facts and the server's are the same set and every chain
holds. ``--sabotage`` breaks something from outside and must end non-zero.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from foodflow_desktop.demo import ledger, processes
from foodflow_desktop.demo.plant import TENANT, Plant, TooSlow, wait_for
from foodflow_desktop.demo.shift import SUPERVISOR, Shift
from foodflow_desktop.demo.witness import Verdict, Witness, compare, table
from foodflow_kernel.clock import ScaledClock, SystemClock

SHORT_PORTIONS = 4
RATE = 8.0
"""Plant seconds per second of the scripted shift; every frame of every device is really sent."""
PLAY_FOLDER = Path(tempfile.gettempdir()) / f"foodflow-demo-{os.getuid() if hasattr(os, 'getuid') else 'user'}"


def main() -> int:
    """Choose between playing by script and by hand."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--sabotage", choices=("drop", "double", "tamper"), help="break something; must fail")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--outage-min", type=float, default=10.0, help="plant minutes without network")
    parser.add_argument("--short", action="store_true", help="three portions, a short outage, no pictures")
    parser.add_argument("--script", action="store_true", help="play the script even with a display")
    parser.add_argument("--pictures", type=Path, default=Path(".run") / "pictures")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the run")
    given = parser.parse_args()
    has_display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) or sys.platform == "win32"
    if has_display and not given.script:
        return by_hand()
    return by_script(given, offscreen=not has_display)


def clock_at(rate: float) -> ScaledClock:
    """A clock that starts now and runs at a rate."""
    now_s = SystemClock().now().timestamp()
    return ScaledClock(now_s, now_s, rate)


def by_script(given: argparse.Namespace, *, offscreen: bool) -> int:
    """Play the shift, count, and say whether both sides agree."""
    plant = Plant(clock_at(given.rate), offscreen=offscreen)
    witness = Witness(plant.folder / "witness.jsonl")
    if given.short:
        shift = Shift(plant, witness, None, outage_min=1.0, portions=SHORT_PORTIONS, is_short=True)
    else:
        given.pictures.mkdir(parents=True, exist_ok=True)
        shift = Shift(plant, witness, given.pictures, outage_min=given.outage_min)
    if given.sabotage == "tamper":
        shift.after_kill = lambda: shift.say(f"SABOTAGE: {ledger.flip_journal_byte(plant.folder / 'kiosk')}")
    is_good = False
    try:
        try:
            shift.play()
        except TooSlow as error:
            if given.sabotage is None:
                raise
            shift.say(f"the script cannot go on: {str(error)[:160]}")
        is_good = settle(shift, given.sabotage)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the logs must be seen and the exit be non-zero
        sys.stdout.write(f"\nFAILED: {type(error).__name__}: {error}\n")
        for name in plant.processes.running:
            sys.stdout.write(f"--- {name}\n{plant.processes.tail(name)}\n")
    finally:
        witness.close()
        plant.stop(keep=given.keep)
        if given.keep:
            sys.stdout.write(f"kept in {plant.folder}\n")
    sys.stdout.write(f"{'OK' if is_good else 'NOT OK'}\n")
    return 0 if is_good else 1


def settle(shift: Shift, sabotage: str | None) -> bool:
    """Wait until all is sent, stop the line's terminal, compare, print the table."""
    plant, witness = shift.plant, shift.witness
    shift.picture(shift.kiosk, "after")
    plant.processes.stop("devices")  # what is measured would never come to rest
    with ledger.connect(plant.server_folder, TENANT) as db:
        rest(shift, lambda: ledger.facts(db))
        if sabotage == "drop":
            shift.say(f"SABOTAGE: {ledger.drop_one(db)}")
        elif sabotage == "double":
            shift.say(f"SABOTAGE: {ledger.double_one(db)}")
        verdict = compare(witness.seen, ledger.rows(db))
        dead = ledger.count(db, "sync_dead")
        weighings = ledger.count(db, "plant_ops_quality_check")
        first_lane = ledger.first_lane_after(db, shift.back_at)
    plant.processes.stop("kiosk")
    kiosk_chain = processes.run(
        "foodflow_desktop.cli", ["--folder", str(plant.folder / "kiosk"), "verify"], plant.environment
    )
    server_chain = processes.run(
        "server.cli", ["--data-folder", str(plant.server_folder), "verify", "--tenant", TENANT], plant.environment
    )
    more = {
        "in quarantine": dead,
        "weighings in plant_ops": f"{weighings} of {shift.portions}",
        "lane of the first fact after the outage": first_lane,
        "foodflow-kiosk verify": "ok" if kiosk_chain.returncode == 0 else kiosk_chain.stdout.strip()[-200:],
        "foodflow-server verify": "ok" if server_chain.returncode == 0 else server_chain.stdout.strip()[-200:],
        "seconds to drain": f"{shift.drain_s:.1f}",
        "seconds in all": f"{time.monotonic() - shift.started_at:.0f}",
    }
    sys.stdout.write("\n" + table(verdict, more) + "\n\n")
    say_differences(verdict)
    chains_hold = kiosk_chain.returncode == 0 and server_chain.returncode == 0
    as_scripted = weighings == shift.portions and dead == 0 and first_lane == 0
    return verdict.is_equal and chains_hold and as_scripted


def rest(shift: Shift, count: Callable[[], int]) -> None:
    """Wait until nothing moves any more: the witness and the server have stood still, equal, for a while."""
    quiet = [0.0, -1]

    def is_quiet() -> bool:
        now, seen = time.monotonic(), len(shift.witness.seen) + count()
        if seen != quiet[1]:
            quiet[:] = [now, seen]
        return now - quiet[0] > 1.0 and len(shift.witness.seen) == count()

    try:
        wait_for("rest", is_quiet, 25, pause_s=0.02)
    except TooSlow:  # the table shows what is missing
        shift.say("the two sides did not come to rest")


def say_differences(verdict: Verdict) -> None:
    """Name what differs."""
    for name in ("lost", "unexpected", "different", "broken_chains"):
        for one in getattr(verdict, name)[:5]:
            sys.stdout.write(f"  {name.replace('_', ' ')}: {one}\n")


def by_hand() -> int:
    """The demo plant in windows, for a person to play; ends when the kiosk's window is closed."""
    plant = Plant(clock_at(1.0), offscreen=False, folder=PLAY_FOLDER)
    try:
        hub = plant.start_server()
        devices = plant.start_devices()
        devices.do("line.run")
        devices.do("scale.load", g="615.4")
        kiosk = plant.start_window("kiosk", hub, lambda _: None, "--hardware", str(plant.hardware_file))
        laptop = plant.start_window("laptop", hub, lambda _: None, "--mode", "laptop")
        sys.stdout.write(
            f"The demo plant runs. Laptop: tenant {TENANT}, {SUPERVISOR[0]}, {SUPERVISOR[1]}.\n"
            "Kiosk: pair it (Terminals, Add on the laptop), then sign in with PIN 4271 (operators), 5836 (QA).\n"
            f"Devices answer on {plant.folder / 'control.sock'}. Close the kiosk's window to end.\n"
        )
        plant.processes.running["kiosk"].wait()
        kiosk.close()
        laptop.close()
    except KeyboardInterrupt:
        pass
    finally:
        plant.stop(keep=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
