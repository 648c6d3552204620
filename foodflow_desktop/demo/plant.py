"""The demo plant as processes: server with its database, devices, cable, kiosk and laptop."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from foodflow_desktop.demo.network import Cable
from foodflow_desktop.demo.processes import Died, Processes
from foodflow_desktop.demo.remote import Remote, Saved
from foodflow_kernel.clock import CLOCK_ENV, ScaledClock

TENANT = "harvest"
CUPS_PER_MIN = "17.2"
"""Of the filler: a little under the 18 that the line is planned for."""


class TooSlow(Exception):
    """Something did not come up, or did not happen, in time."""


def wait_for(what: str, condition: Callable[[], Any], patience_s: float = 60.0, pause_s: float = 0.05) -> Any:
    """Wait until a condition gives something true, and give it.

    Raises:
        TooSlow: it did not in time; patience is in real seconds.
    """
    deadline = time.monotonic() + patience_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TooSlow(what)
        time.sleep(pause_s)


class Devices:
    """Hands on the simulated devices: puts loads on the scale, scans, stops the line."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._stream = self._socket.makefile("rw")
        self._ids = itertools.count(1)

    def do(self, act: str, **parameters: Any) -> dict[str, Any]:
        """Act on a device; see hardware/sim/control.py."""
        self._stream.write(json.dumps({"n": next(self._ids), "do": act, **parameters}) + "\n")
        self._stream.flush()
        answer: dict[str, Any] = json.loads(self._stream.readline())
        if "error" in answer:
            raise ValueError(f"{act}: {answer['error']}")
        return answer

    def close(self) -> None:
        """Let go."""
        self._stream.close()
        self._socket.close()


class Plant:
    """All processes of the demo, on one clock.

    Args:
        clock: shared by every process; its rate is what the whole plant runs at.
        offscreen: draw the windows into memory.
        folder: where everything is kept; a fresh one below the temporary folder by default.
    """

    def __init__(self, clock: ScaledClock, *, offscreen: bool, folder: Path | None = None) -> None:
        self.clock = clock
        self.offscreen = offscreen
        self.is_temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="foodflow-demo-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        # Short, absolute and private: unix socket paths may have about 100 characters.
        self.environment = {CLOCK_ENV: clock.to_env(), "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}
        self.processes = Processes(self.folder, self.environment)
        self.cable: Cable | None = None
        self.devices: Devices | None = None

    # --- bringing it up ------------------------------------------------------------------

    def start_server(self) -> str:
        """Server and database, migrated and seeded; the address terminals use (through the cable)."""
        ready = self.folder / "address"
        ready.unlink(missing_ok=True)
        self.processes.start(
            "server",
            "server.cli",
            [
                "--data-folder",
                str(self.server_folder),
                "serve",
                "--port",
                "0",
                "--seed-demo",
                "--ready-file",
                str(ready),
            ],
        )
        self._until("the server", ready.exists, 120)
        port = int(ready.read_text().rpartition(":")[2])
        self.cable = Cable(port)
        self.cable.plug()
        return f"https://127.0.0.1:{self.cable.port}"

    def start_devices(self) -> Devices:
        """Scale, scanner, probe and line signal, simulated."""
        control, folder = self.folder / "control.sock", self.folder / "devices"
        self.processes.start(
            "devices",
            "foodflow_desktop.hardware.sim.cli",
            ["plant", "--folder", str(folder), "--control", str(control), "--per-min", CUPS_PER_MIN],
        )
        self._until("the devices", lambda: (folder / "hardware.toml").exists() and control.exists(), 30)
        time.sleep(0.2)
        self.devices = Devices(control)
        return self.devices

    def start_window(self, name: str, hub: str, on_saved: Callable[[Saved], None], *options: str) -> Remote:
        """A window of the product with the demo's hands on it."""
        door = self.folder / f"{name}.sock"
        door.unlink(missing_ok=True)
        arguments = ["--folder", str(self.folder / name), "--hub", hub, "--remote", str(door), *options]
        if self.offscreen:
            arguments.append("--offscreen")
        self.processes.start(name, "foodflow_desktop.cli", arguments)
        self._until(f"the {name}", door.exists, 60)
        return Remote(door, on_saved)

    @property
    def server_folder(self) -> Path:
        """Where the server keeps its data."""
        return self.folder / "server"

    @property
    def hardware_file(self) -> Path:
        """The kiosk's list of devices."""
        return self.folder / "devices" / "hardware.toml"

    def sleep(self, plant_s: float) -> None:
        """Let plant time pass."""
        time.sleep(plant_s / self.clock.rate)

    def _until(self, what: str, condition: Callable[[], bool], patience_s: float) -> None:
        def look() -> bool:
            self.processes.check()
            return condition()

        try:
            wait_for(what, look, patience_s)
        except TooSlow as error:
            logs = "\n".join(f"--- {name}\n{self.processes.tail(name)}" for name in self.processes.running)
            raise Died(f"{what} did not come up in {patience_s:.0f} s\n{logs}") from error

    # --- and down ------------------------------------------------------------------------

    def stop(self, *, keep: bool = False) -> None:
        """End everything; a temporary folder goes too."""
        if self.devices is not None:
            self.devices.close()
        self.processes.stop_all()
        if self.cable is not None:
            self.cable.close()
        if self.is_temporary and not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def kiosk_environment(plant: Plant) -> Mapping[str, str]:
    """What a command of the product needs to run on the plant's clock."""
    return plant.environment
