"""Bytes in and out: a serial port, a TCP socket, a recorder around either, or a replay of one.

A transport knows nothing of any dialect. It turns every way a cable can fail into
``Unplugged``, and never blocks for longer than ``SLICE_S`` so that its thread can stop.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections import deque
from pathlib import Path
from typing import Literal, Protocol

import serial
from pydantic import BaseModel, ConfigDict, model_validator

from foodflow_kernel.clock import Clock
from foodflow_kernel.errors import DeviceError, Garbled, Unplugged

SLICE_S = 0.1
"""Longest block of one read, in real seconds."""
CONNECT_S = 2.0
"""A TCP device that does not accept within this is not there, in real seconds."""
CHUNK = 4096


class Transport(Protocol):
    """A two-way stream of bytes to a device."""

    @property
    def name(self) -> str:
        """Port or address, as it is written in the hardware file."""
        ...

    def open(self) -> None:
        """Open, and drop whatever was waiting from before.

        Raises:
            Unplugged: `device_unplugged`.
        """
        ...

    def read(self) -> bytes:
        """What came; empty if nothing did within one slice.

        Raises:
            Unplugged: `device_unplugged`.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send all of it.

        Raises:
            Unplugged: `device_unplugged`.
        """
        ...

    def close(self) -> None:
        """Let go of the port; harmless when it is closed already."""
        ...


class Link(BaseModel):
    """How to reach a device: the part of a hardware section that is the same for all drivers.

    Args:
        port: serial port, such as ``/dev/ttyUSB0``.
        tcp: ``host:port``.
        replay: a recording to play instead of a device.
        record: write everything said on the wire to this file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: str | None = None
    tcp: str | None = None
    replay: Path | None = None
    record: Path | None = None
    baudrate: int = 9600
    bytesize: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1

    @model_validator(mode="after")
    def _names_one_way(self) -> Link:
        if sum(way is not None for way in (self.port, self.tcp, self.replay)) != 1:
            raise ValueError("give exactly one of port, tcp, replay")
        return self


def connect(link: Link, clock: Clock) -> Transport:
    """The transport a section asks for; not opened yet."""
    transport: Transport
    if link.port is not None:
        transport = SerialTransport(link)
    elif link.tcp is not None:
        transport = TcpTransport(link.tcp)
    else:
        transport = Replay(link.replay or Path())
    return Recorder(transport, link.record, clock) if link.record else transport


class SerialTransport:
    """A serial port, opened for this program alone (another one would eat half the bytes)."""

    def __init__(self, link: Link) -> None:
        self.name = link.port or ""
        self._link = link
        self._port: serial.Serial | None = None

    def open(self) -> None:
        """Open exclusively and drop stale input."""
        link = self._link
        try:
            self._port = serial.Serial(
                self.name,
                link.baudrate,
                bytesize=link.bytesize,
                parity=link.parity,
                stopbits=link.stopbits,
                timeout=SLICE_S,
                write_timeout=CONNECT_S,
                exclusive=True,
            )
            self._port.reset_input_buffer()
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise self._gone(error) from error

    def read(self) -> bytes:
        """What came within one slice."""
        port = self._opened()
        try:
            return port.read(port.in_waiting or 1)
        except (OSError, TypeError) as error:  # TypeError: closed by another thread in mid-read
            raise self._gone(error) from error

    def write(self, data: bytes) -> None:
        """Send all of it."""
        port = self._opened()
        try:
            port.write(data)
        except OSError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the port."""
        if self._port is not None:
            with contextlib.suppress(OSError):
                self._port.close()
            self._port = None

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise Unplugged("device_unplugged", port=self.name)
        return self._port

    def _gone(self, error: Exception) -> DeviceError:
        self.close()
        return Unplugged("device_unplugged", port=self.name, why=str(error))


class TcpTransport:
    """A TCP connection, as serial-to-Ethernet converters and newer devices offer."""

    def __init__(self, address: str) -> None:
        self.name = address
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Connect."""
        host, _, port = self.name.rpartition(":")
        try:
            self._socket = socket.create_connection((host, int(port)), timeout=CONNECT_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.settimeout(SLICE_S)
        except (OSError, ValueError) as error:
            raise self._gone(error) from error

    def read(self) -> bytes:
        """What came within one slice."""
        try:
            data = self._opened().recv(CHUNK)
        except TimeoutError:
            return b""
        except OSError as error:
            raise self._gone(error) from error
        if not data:
            raise self._gone(EOFError("the device closed the connection"))
        return data

    def write(self, data: bytes) -> None:
        """Send all of it."""
        try:
            self._opened().sendall(data)
        except OSError as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise Unplugged("device_unplugged", port=self.name)
        return self._socket

    def _gone(self, error: Exception) -> DeviceError:
        self.close()
        return Unplugged("device_unplugged", port=self.name, why=str(error))


class Recorder:
    """Passes everything through and appends it to a file, one JSON line for each chunk.

    Each line: ``t_ms`` since opening, ``way`` (``rx`` from the device, ``tx`` to it), ``hex``.
    """

    def __init__(self, inner: Transport, path: Path, clock: Clock) -> None:
        self.name = inner.name
        self._inner = inner
        self._path = path
        self._clock = clock
        self._opened_ns = 0

    def open(self) -> None:
        """Open the device and note the start."""
        self._inner.open()
        self._opened_ns = self._clock.mono_ns()
        self._note("open", self.name.encode())

    def read(self) -> bytes:
        """Read and keep a copy."""
        data = self._inner.read()
        if data:
            self._note("rx", data)
        return data

    def write(self, data: bytes) -> None:
        """Write and keep a copy."""
        self._inner.write(data)
        self._note("tx", data)

    def close(self) -> None:
        """Close the device; the recording is complete line by line."""
        self._inner.close()

    def _note(self, way: str, data: bytes) -> None:
        t_ms = (self._clock.mono_ns() - self._opened_ns) // 1_000_000
        with self._path.open("a", encoding="ascii") as file:
            file.write(json.dumps({"t_ms": t_ms, "way": way, "hex": data.hex()}) + "\n")


class Replay:
    """Plays a recording: gives the received chunks, and insists that what is sent was sent then.

    A question is answered only after it was asked; one that the driver does not ask this time
    (its timing differs) is passed over after a while. At the end the device counts as unplugged.
    """

    PATIENCE = 3
    """Empty reads before an unasked question is passed over."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._turns: deque[tuple[str, bytes]] = deque()
        self._sayable: frozenset[bytes] = frozenset()
        self._waited = 0

    def open(self) -> None:
        """Read the recording from its start; lines of other ways are notes for people."""
        try:
            rows = [json.loads(line) for line in self._path.read_text(encoding="ascii").splitlines()]
            turns = [(row["way"], bytes.fromhex(row["hex"])) for row in rows if row["way"] in ("rx", "tx")]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unplugged("device_unplugged", port=self.name, why=str(error)) from error
        self._turns, self._waited = deque(turns), 0
        self._sayable = frozenset(data for way, data in turns if way == "tx")

    def read(self) -> bytes:
        """The next received chunk; nothing while a recorded question waits to be asked."""
        while self._turns and self._turns[0][0] == "tx":
            self._waited += 1
            if self._waited < self.PATIENCE:
                return b""
            self._turns.popleft()
        self._waited = 0
        if not self._turns:
            raise Unplugged("device_unplugged", port=self.name, why="end of the recording")
        return self._turns.popleft()[1]

    def write(self, data: bytes) -> None:
        """Check that the driver says what was said when it was recorded.

        Raises:
            Garbled: `recording_differs`; Unplugged: at the end of the recording.
        """
        if not self._turns:
            raise Unplugged("device_unplugged", port=self.name, why="end of the recording")
        if data not in self._sayable:
            raise Garbled("recording_differs", port=self.name, sent=data.hex())
        if ("tx", data) in self._turns:
            # Received chunks interleave with questions by timing; their own order stays.
            self._turns.remove(("tx", data))

    def close(self) -> None:
        """Forget the rest."""
        self._turns.clear()
