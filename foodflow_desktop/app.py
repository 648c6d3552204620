"""Wiring of the kiosk: settings -> store -> hardware -> sync -> shell, and back down in that order."""

from __future__ import annotations

import gc
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from foodflow_desktop import keys as secrets
from foodflow_desktop.hardware import config
from foodflow_desktop.hardware.config import HardwareConfig
from foodflow_desktop.hardware.hub import Hardware
from foodflow_desktop.stations.context import Context
from foodflow_desktop.stations.pins import Pins
from foodflow_desktop.store import Options, Store
from foodflow_desktop.store.reserve import DEFAULT_BYTES
from foodflow_desktop.sync.engine import Engine
from foodflow_desktop.views import i18n, jobs, theme
from foodflow_desktop.views.kiosk import build
from foodflow_desktop.views.remote import RemoteDoor
from foodflow_kernel.clock import clock_from_env

REFERENCE = (1280, 800)
"""The 12.1" panel of ux.md, section 8."""
LAPTOP = (1440, 900)


@dataclass(frozen=True, slots=True)
class AppOptions:
    """What the command line may say.

    Args:
        folder: where the store and the keys live.
        hub: address proposed for pairing.
        hardware: the file of devices; None for none.
        remote: a unix socket for the demo's hands and eyes; None in a plant.
        mode: ``kiosk`` at the line, ``laptop`` for supervisors.
        reserve_bytes: disk kept back for food safety.
    """

    folder: Path
    hub: str = ""
    hardware: Path | None = None
    remote: Path | None = None
    theme: str = "light"
    scale: float = 1.0
    language: str = "en"
    is_full_screen: bool = False
    mode: str = "kiosk"
    reserve_bytes: int = DEFAULT_BYTES


def run(options: AppOptions) -> int:
    """Open everything, show the window, and close everything in reverse order."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    QTimer.singleShot(0, _collect_again)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: app.quit())
    return run_laptop(app, options) if options.mode == "laptop" else run_kiosk(app, options)


def _collect_again() -> None:
    """The window stands: what was made so far stays as well and need not be looked through again."""
    gc.freeze()
    gc.enable()


def run_laptop(app: QCoreApplication, options: AppOptions) -> int:
    """The supervisor's window; everything comes live from the hub."""
    # Loaded only here: a terminal at the line must not wait for them at its start.
    from foodflow_desktop.stations.hub_client import HubClient  # noqa: PLC0415
    from foodflow_desktop.stations.supervisor import Supervisor  # noqa: PLC0415
    from foodflow_desktop.views.laptop.window import LaptopWindow  # noqa: PLC0415

    clock = clock_from_env()
    theme.use(options.theme, options.scale)
    i18n.use(options.language)
    jobs.prepare()
    hub = HubClient(options.folder, clock)
    known = hub.known
    supervisor = Supervisor(hub, clock, address=options.hub or known.address, tenant=known.tenant)
    window = LaptopWindow(supervisor, clock.rate)
    door = RemoteDoor(options.remote, window) if options.remote else None
    window.resize(*LAPTOP)
    window.showFullScreen() if options.is_full_screen else window.show()
    window.start()
    try:
        return app.exec()
    finally:
        if door is not None:
            door.close()
        hub.sign_out()


def run_kiosk(app: QCoreApplication, options: AppOptions) -> int:
    """The terminal at the line."""
    clock = clock_from_env()
    keys = secrets.open_keys(options.folder)
    key = keys.device_key()
    store = Store.open(options.folder, clock, key, Options(reserve_bytes=options.reserve_bytes))
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
    try:
        return app.exec()
    finally:
        if door is not None:
            door.close()
        kiosk.stop()
        hardware.stop()
        engine.stop()
        store.close()
