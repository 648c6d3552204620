"""A simulated serial scanner: it sends a code when somebody pulls its trigger."""

from __future__ import annotations

from foodflow_desktop.hardware.sim.machine import SimDevice


class ScannerSim(SimDevice):
    """The scanner. It sends AIM identifiers if given one, and ends a code with CR LF."""

    period_s = 1.0
    scans_sent = 0

    def scan(self, code: str, symbology: str = "") -> None:
        """Read a code, as if a person had aimed at it. Thread-safe."""
        self.wire.write(f"{symbology}{code}\r\n".encode("latin-1"))
        self.scans_sent += 1

    def receive(self, data: bytes) -> None:
        """A scanner does not listen."""

    def tick(self, at_ns: int) -> None:
        """A scanner does nothing by itself."""
