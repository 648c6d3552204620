"""Wiring of the kiosk: settings -> store -> hardware -> sync -> shell, and back down in that order."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QApplication

from foodflow_desktop import keys as secrets
from foodflow_desktop.hardware import config
from foodflow_desktop.hardware.config import HardwareConfig
from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.pins import Pins
from foodflow_desktop.store import Store
from foodflow_desktop.sync.engine import Engine
from foodflow_desktop.views import i18n, theme
from foodflow_desktop.views.kiosk import build
from foodflow_desktop.views.remote import RemoteDoor
from foodflow_kernel.clock import clock_from_env

REFERENCE = (1280, 800)
"""The 12.1" panel of ux.md, section 8."""


@dataclass(frozen=True, slots=True)
class AppOptions:
    """What the command line may say.

    Args:
        folder: where the store and the keys live.
        hub: address proposed for pairing.
        hardware: the file of devices; None for none.
        remote: a unix socket for the demo's hands and eyes; None in a plant.
    """

    folder: Path
    hub: str = ""
    hardware: Path | None = None
    remote: Path | None = None
    theme: str = "light"
    scale: float = 1.0
    language: str = "en"
    is_full_screen: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the app on a command line."""
    parser.add_argument("--folder", type=Path, default=Path.home() / ".local/share/foodflow-kiosk")
    parser.add_argument("--hub", default="", help="address of the hub, https://host:port")
    parser.add_argument("--hardware", type=Path, help="file that names the devices")
    parser.add_argument("--remote", type=Path, help="unix socket for the demo")
    parser.add_argument("--theme", choices=["light", "dark", "high_contrast"], default="light")
    parser.add_argument("--scale", type=float, choices=[1.0, 1.15, 1.3], default=1.0)
    parser.add_argument("--language", choices=list(i18n.LANGUAGES), default="en")
    parser.add_argument("--full-screen", action="store_true", dest="is_full_screen")
    parser.add_argument("--offscreen", action="store_true", help="no display: draw into memory")


def options_of(given: argparse.Namespace) -> AppOptions:
    """The options from a parsed command line."""
    names = ("folder", "hub", "hardware", "remote", "theme", "scale", "language", "is_full_screen")
    return AppOptions(**{name: getattr(given, name) for name in names})


def main(argv: list[str] | None = None) -> int:
    """Run the kiosk until its window closes."""
    parser = argparse.ArgumentParser(prog="foodflow-kiosk")
    add_arguments(parser)
    given = parser.parse_args(argv)
    if given.offscreen:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return run(options_of(given))


def run(options: AppOptions) -> int:
    """Open everything, show the window, and close everything in reverse order."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    clock = clock_from_env()
    keys = secrets.open_keys(options.folder)
    key = keys.device_key()
    store = Store.open(options.folder, clock, key)
    hardware = Hardware(config.load(options.hardware) if options.hardware else HardwareConfig(), clock)
    context = Context(store, hardware, clock, Pins(clock, keys.pepper() or b""), language=options.language)
    engine = Engine(store, key)
    theme.use(options.theme, options.scale)
    i18n.use(options.language)
    kiosk = build(context, engine, keys, options.hub)
    door = RemoteDoor(options.remote, kiosk.shell) if options.remote else None
    kiosk.shell.resize(*REFERENCE)
    kiosk.shell.showFullScreen() if options.is_full_screen else kiosk.shell.show()
    hardware.start()
    kiosk.start()
    engine.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: app.quit())
    try:
        return app.exec()
    finally:
        if door is not None:
            door.close()
        kiosk.stop()
        hardware.stop()
        engine.stop()
        store.close()


if __name__ == "__main__":
    sys.exit(main())
