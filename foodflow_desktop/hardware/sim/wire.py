"""The simulated end of a cable: a pty or a TCP port that can be pulled out, be slow, or lie.

What is written while nobody reads is dropped, as a serial port does with nobody listening.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from foodflow_kernel.clock import Clock

GARBAGE = bytes.fromhex("53 c8 fe 00 9d 17 3f ff 0d 0a")
"""What a loose connector makes of a frame."""
CHUNK = 4096


@dataclass
class Faults:
    """What is wrong with a cable at the moment.

    Args:
        garbage: so many of the next writes arrive as garbage instead.
        noise: so many garbage lines are slipped in between, losing nothing.
        is_mute: nothing is passed on.
        slow_s: each write waits this long before [plant s].
    """

    garbage: int = 0
    noise: int = 0
    is_mute: bool = False
    slow_s: float = 0.0


class Wire(Protocol):
    """The device's end of a cable."""

    faults: Faults
    dropped: int

    @property
    def address(self) -> str:
        """What the hardware file must name to reach this device."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """What came within so many real seconds."""
        ...

    def write(self, data: bytes) -> None:
        """Send, as far as the cable and its faults allow."""
        ...

    def unplug(self) -> None:
        """Pull the cable out."""
        ...

    def plug(self) -> None:
        """Put it back; the address stays the same."""
        ...


class Distortion:
    """Applies the faults of a cable to what is sent through it."""

    def __init__(self, clock: Clock) -> None:
        self.faults = Faults()
        self._clock = clock
        self.idle = threading.Event()
        """Never set: waiting on it is sleeping."""

    def apply(self, data: bytes) -> bytes:
        """What arrives at the other end."""
        faults = self.faults
        if faults.slow_s:
            self.idle.wait(faults.slow_s / self._clock.rate)
        if faults.is_mute:
            return b""
        if faults.garbage > 0:
            faults.garbage -= 1
            return GARBAGE
        if faults.noise > 0:
            faults.noise -= 1
            return GARBAGE + data
        return data


class PtyWire:
    """A pseudo-terminal behind a fixed path: the link leads to the pty of the present plug."""

    def __init__(self, link: Path, clock: Clock) -> None:
        self._link = link
        self._distortion = Distortion(clock)
        self.faults = self._distortion.faults
        self.dropped = 0
        self._lock = threading.Lock()
        self._master: int | None = None
        self._slave: int | None = None
        self.plug()

    @property
    def address(self) -> str:
        """The path of the link."""
        return str(self._link)

    def plug(self) -> None:
        """Make a pty and point the link at it."""
        with self._lock:
            if self._master is not None:
                return
            # The slave stays open here too: closing the kiosk's end is then no hang-up.
            self._master, self._slave = os.openpty()
            tty.setraw(self._master)
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            fresh = self._link.with_name(self._link.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.ttyname(self._slave))
            fresh.replace(self._link)

    def unplug(self) -> None:
        """Close the pty and remove the link."""
        with self._lock:
            self._link.unlink(missing_ok=True)
            for fd in (self._master, self._slave):
                if fd is not None:
                    os.close(fd)
            self._master = self._slave = None

    def read(self, timeout_s: float) -> bytes:
        """What the kiosk sent."""
        master = self._master
        if master is None:
            self._distortion.idle.wait(timeout_s)
            return b""
        try:
            ready, _, _ = select.select([master], [], [], max(0.0, timeout_s))
            return os.read(master, CHUNK) if ready else b""
        except (OSError, ValueError):
            return b""

    def write(self, data: bytes) -> None:
        """Send to the kiosk; dropped when its buffer is full."""
        data = self._distortion.apply(data)
        with self._lock:
            if self._master is None or not data:
                return
            try:
                sent = os.write(self._master, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return
            self.dropped += sent < len(data)


class TcpWire:
    """A TCP port that serves one kiosk at a time, as a serial-to-Ethernet converter does."""

    def __init__(self, port: int, clock: Clock) -> None:
        self._port = port
        self._distortion = Distortion(clock)
        self.faults = self._distortion.faults
        self.dropped = 0
        self._listener: socket.socket | None = None
        self._peer: socket.socket | None = None
        self.plug()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port}"

    def plug(self) -> None:
        """Listen."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self._port))
            self._port = self._listener.getsockname()[1]

    def unplug(self) -> None:
        """Drop the kiosk and stop listening."""
        listener, peer = self._listener, self._peer
        self._listener = self._peer = None
        for end in (peer, listener):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def read(self, timeout_s: float) -> bytes:
        """What the kiosk sent; a newly connected kiosk replaces the one before."""
        ends = [end for end in (self._listener, self._peer) if end is not None]
        if not ends:
            self._distortion.idle.wait(timeout_s)
            return b""
        try:
            ready, _, _ = select.select(ends, [], [], max(0.0, timeout_s))
            if self._listener in ready and self._listener is not None:
                self._accept(self._listener)
                return b""
            return self._receive() if ready else b""
        except (OSError, ValueError):
            return b""

    def write(self, data: bytes) -> None:
        """Send to the kiosk, if one is connected."""
        data = self._distortion.apply(data)
        peer = self._peer
        if peer is None or not data:
            return
        try:
            peer.sendall(data)
        except (BlockingIOError, TimeoutError):
            self.dropped += 1
        except OSError:
            self._hang_up()

    def _accept(self, listener: socket.socket) -> None:
        self._hang_up()
        self._peer, _ = listener.accept()
        self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer.settimeout(0.2)

    def _receive(self) -> bytes:
        data = self._peer.recv(CHUNK) if self._peer else b""
        if not data:
            self._hang_up()
        return data

    def _hang_up(self) -> None:
        if self._peer is not None:
            self._peer.close()
            self._peer = None
