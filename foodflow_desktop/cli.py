"""``foodflow-kiosk``: the program itself, and what can be done with its data without it.

Each command opens only what it needs: ``verify``, ``export`` and ``doctor`` read the files as they
are, also while the program runs; ``pair`` and ``repair`` want the folder to themselves.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from foodflow_desktop import keys
from foodflow_desktop.store import Options, Store, check, doctor, files, terminal
from foodflow_desktop.store.reserve import DEFAULT_BYTES
from foodflow_kernel.clock import clock_from_env
from foodflow_kernel.errors import FoodFlowError
from foodflow_kernel.wire import signing

FOLDER_ENV = "FOODFLOW_FOLDER"


def default_folder() -> Path:
    """Where the terminal keeps its data unless told otherwise."""
    if os.environ.get(FOLDER_ENV):
        return Path(os.environ[FOLDER_ENV])
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "FoodFlow" / "kiosk"
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "foodflow-kiosk"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 only if all is well."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except FoodFlowError as error:
        _say(f"{error.sentence} [{error.code}]")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="foodflow-kiosk", description="The terminal at the line, and its data.")
    parser.add_argument("--folder", type=Path, default=default_folder(), help=f"data folder (env {FOLDER_ENV})")
    parser.add_argument("--mode", choices=("kiosk", "laptop"), default="kiosk")
    parser.add_argument("--offscreen", action="store_true", help="draw without a display")
    parser.add_argument("--remote", type=Path, metavar="SOCKET", help="let a demo drive the window through this socket")
    parser.add_argument("--lang", choices=("en", "es"), default="en")
    parser.add_argument("--theme", choices=("light", "dark", "high_contrast"), default="light")
    parser.add_argument("--hub", default="", help="address of the hub, https://host:port")
    parser.add_argument("--hardware", type=Path, metavar="FILE", help="file that names the devices")
    parser.add_argument("--scale", type=float, choices=(1.0, 1.15, 1.3), default=1.0, help="text size")
    parser.add_argument("--full-screen", action="store_true", dest="is_full_screen")
    parser.add_argument("--reserve-mb", type=int, default=DEFAULT_BYTES >> 20, help="disk kept back for food safety")
    parser.set_defaults(command=_run)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(command=command)
        return made

    pair = add("pair", _pair, "pair this terminal with a server; shows the code and the four words")
    pair.add_argument("hub", help="address of the server, https://host:port")
    pair.add_argument("--wait-s", type=float, default=600.0, help="how long to wait for the supervisor")
    add("doctor", _doctor, "check disk, clock, database, keys, server and queue")
    out = add("export", _export, "write the recorded facts as JSON lines or CSV")
    out.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    out.add_argument("--out", type=Path, help="file to write; standard output if absent")
    out.add_argument("--lane", type=int, choices=(0, 1, 2, 3), action="append", help="only these lanes")
    verify = add("verify", _verify, "check chain, signatures and witnesses; names each bad row")
    verify.add_argument("--public-key", help="of the device, hex; taken from the key store if absent")
    add("repair", _repair, "rebuild what screens query from the journal, and forget a salvage that was seen")
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # Nothing that a start makes is garbage: looking for it is a tenth of the time to the first picture.
    gc.disable()
    from foodflow_desktop import app  # noqa: PLC0415  # Qt is loaded only for the window

    return app.run(
        app.AppOptions(
            folder=options.folder,
            hub=options.hub,
            hardware=options.hardware,
            remote=options.remote,
            theme=options.theme,
            scale=options.scale,
            language=options.lang,
            is_full_screen=options.is_full_screen,
            mode=options.mode,
            reserve_bytes=options.reserve_mb << 20,
        )
    )


def _pair(options: argparse.Namespace) -> int:
    from foodflow_desktop.sync.pairing import Pairing  # noqa: PLC0415  # httpx is loaded only here

    clock = clock_from_env()
    held = keys.open_keys(options.folder)
    store = Store.open(options.folder, clock, held.device_key(), _options(options))
    try:
        pairing = Pairing(options.hub, clock, held)
        offer = pairing.begin()
        _say(f"Code    {offer.code}")
        _say(f"Words   {' '.join(offer.words)}")
        _say("A supervisor types the code and compares the words.")
        until = time.monotonic() + options.wait_s
        while (status := pairing.poll()).state == "pending":
            if time.monotonic() > until:
                _say("Nobody approved in time.")
                return 1
            time.sleep(1.0)
        paired = pairing.finish(store, status)
    finally:
        store.close()
    _say(f"Paired as {paired.name or paired.device} with {paired.tenant_name}, {paired.plant_name}.")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    findings = doctor.examine(options.folder, clock_from_env(), options.reserve_mb << 20)
    findings += doctor.examine_keys(lambda: keys.open_keys(options.folder).kind)
    paired = terminal.load(options.folder)
    if paired is not None:
        from foodflow_desktop.sync import reach  # noqa: PLC0415  # httpx is loaded only here

        findings.append(doctor.Finding("hub", *reach.reach(paired.hub, paired.ca_pem)))
    for finding in findings:
        _say(f"{'ok  ' if finding.is_ok else 'BAD '} {finding.what:<10} {finding.text}")
    return 0 if all(finding.is_ok for finding in findings) else 1


def _export(options: argparse.Namespace) -> int:
    from foodflow_desktop.store import export  # noqa: PLC0415  # sqlite-utils is loaded only here

    count = export.export(options.folder, options.out, options.format, options.lane)
    sys.stderr.write(f"{count} facts\n")
    return 0


def _verify(options: argparse.Namespace) -> int:
    if not (options.folder / files.OPS_NAME).exists():
        _say(f"There is no {files.OPS_NAME} in {options.folder}.")
        return 1
    public = bytes.fromhex(options.public_key) if options.public_key else _public_key(options.folder)
    report = check.verify(options.folder, public)
    for fault in report.faults:
        _say(str(fault))
    checked = f"{report.rows} rows, {report.signatures} signatures, {report.witnesses} witnesses checked"
    _say(f"{checked}: {'all hold' if not report.faults else f'{len(report.faults)} faults'}.")
    if public is None:
        _say("Signatures were not checked: no public key is known here. Give --public-key.")
    return 1 if report.faults or public is None else 0


def _repair(options: argparse.Namespace) -> int:
    store = Store.open(options.folder, clock_from_env(), keys.open_keys(options.folder).device_key(), _options(options))
    try:
        count = store.rebuild()
        store.forget_salvage()
    finally:
        store.close()
    _say(f"{count} entries rebuilt from the journal.")
    return 0


def _public_key(folder: Path) -> bytes | None:
    if not ((folder / keys.SEALED_NAME).exists() or terminal.load(folder)):
        return None
    return signing.public_bytes(keys.open_keys(folder).device_key())


def _options(options: argparse.Namespace) -> Options:
    return Options(reserve_bytes=options.reserve_mb << 20)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
