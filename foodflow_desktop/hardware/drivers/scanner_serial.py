"""Scanners on a serial port or TCP (USB virtual COM): codes ended by CR, LF or both.

Spec: AIM symbology identifiers, ISO/IEC 15424: ``]``, a letter for the symbology, a modifier.
``]C1`` is GS1-128, ``]d2`` GS1 DataMatrix, ``]Q3`` GS1 QR, ``]e0`` GS1 DataBar, ``]E0`` EAN-13,
``]C0`` Code 128. FNC1 in mid-code arrives as GS (0x1D); scanners that cannot send it are set to a
substitute, named in ``gs``.

Serial settings: as set on the scanner; factory 9600 8N1 with most makes.

A scanner is silent for as long as nobody scans, so only the port tells whether it is there.

Verified on: the shipped simulator and recordings of it. Not yet verified on a real scanner.
"""

from __future__ import annotations

import re
from typing import ClassVar

from foodflow_desktop.hardware.drivers.driver import Bench, Driver, Options
from foodflow_desktop.hardware.readings import Scan
from foodflow_kernel.errors import Garbled

LONGEST_CODE = 2000
"""More than the largest GS1 DataMatrix holds: it is no code."""
GS = "\x1d"

_IDENTIFIER = re.compile(r"\][A-Za-z][0-9a-zA-Z]")


class ScannerOptions(Options):
    """Options of a scanner section.

    Args:
        prefix: what the scanner is set to send before each code.
        suffix: what it sends after it, besides CR and LF.
        gs: what it sends for FNC1, if not GS itself.
    """

    prefix: str = ""
    suffix: str = ""
    gs: str = ""
    silent_after_s: float | None = None


class ScannerSerial(Driver):
    """One scanner; emits a ``Scan`` for each code."""

    options_type: ClassVar[type[Options]] = ScannerOptions

    def __init__(self, device: str, options: ScannerOptions, bench: Bench) -> None:
        super().__init__(device, options, bench)
        self._buffer = b""

    def open(self) -> None:
        """Open the port; what was scanned while nobody listened is gone."""
        super().open()
        self._buffer = b""

    def step(self) -> None:
        """Take what came and emit each complete code."""
        self._buffer += self.transport.read().replace(b"\r", b"\n")
        while b"\n" in self._buffer:
            raw, self._buffer = self._buffer.split(b"\n", 1)
            if raw:
                self._take(raw)
        if len(self._buffer) > LONGEST_CODE:
            dropped, self._buffer = self._buffer, b""
            self.complain(Garbled("scan_garbled", shown=dropped[:16].hex(" ")))

    def _take(self, raw: bytes) -> None:
        try:
            text = raw.decode("ascii")
        except UnicodeDecodeError:
            self.complain(Garbled("scan_garbled", shown=raw[:16].hex(" ")))
            return
        code, symbology = strip(text, prefix=self.options.prefix, suffix=self.options.suffix, gs=self.options.gs)
        if any(not character.isprintable() and character != GS for character in code):
            self.complain(Garbled("scan_garbled", shown=raw[:16].hex(" ")))
            return
        if code:
            now, now_ns = self.clock.now(), self.clock.mono_ns()
            self.emit(Scan(now, code, symbology, now_ns, self.device))


def strip(text: str, *, prefix: str = "", suffix: str = "", gs: str = "") -> tuple[str, str | None]:
    r"""A scanned text without what the scanner added, and its AIM symbology identifier.

    >>> strip("]C10109501101530003")
    ('0109501101530003', ']C1')
    >>> strip("*FFB-1041#", prefix="*", suffix="#")
    ('FFB-1041', None)
    """
    text = text.removeprefix(prefix).removesuffix(suffix)
    match = _IDENTIFIER.match(text)
    symbology = match[0] if match else None
    code = text[len(symbology or "") :]
    return (code.replace(gs, GS) if gs else code), symbology
