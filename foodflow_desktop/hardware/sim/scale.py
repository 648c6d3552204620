"""A simulated Mettler-Toledo scale: MT-SICS levels 0 and 1 over a pty or a TCP port.

Source of the language: reference manual 11781363, as for the driver, but written from the
scale's side and sharing no code with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from foodflow_desktop.hardware.sim.balance import Balance, Motion, Weight
from foodflow_desktop.hardware.sim.machine import SimDevice
from foodflow_desktop.hardware.sim.wire import Wire
from foodflow_kernel.clock import Clock

PATIENCE_S = 5.0
"""How long S, Z and T wait for rest before they answer I [plant s]."""

GRAMS_PER_UNIT = {
    "g": Decimal(1),
    "kg": Decimal(1000),
    "lb": Decimal("453.59237"),
    "oz": Decimal("28.349523125"),
}
_PLACES = {"g": Decimal("0.1"), "kg": Decimal("0.0001"), "lb": Decimal("0.0001"), "oz": Decimal("0.001")}

_IDENTITY = {
    "I0": ['I0 B 0 "I0"', 'I0 B 0 "S"', 'I0 B 0 "SIR"', 'I0 B 0 "Z"', 'I0 A 1 "TA"'],
    "I1": ['I1 A "01" "2.30" "2.20" "" ""'],
    "I2": ['I2 A "ICS425 simulated 6000.0 g"'],
    "I3": ['I3 A "1.00 00.00.00.00000"'],
    "I4": ['I4 A "B012345678"'],
}


@dataclass
class _Waiting:
    command: str
    since_ns: int


class ScaleSim(SimDevice):
    """The scale. ``load`` is called from any thread; all else happens on the device's own."""

    def __init__(self, wire: Wire, clock: Clock, *, balance: Balance | None = None, unit: str = "g") -> None:
        super().__init__(wire, clock)
        self.balance = balance or Balance()
        self.unit = unit
        self.frames_sent = 0
        self.is_overloaded = False
        self.fault = ""
        self._stuck_frame: str | None = None
        self._is_streaming = False
        self._buffer = b""
        self._waiting: list[_Waiting] = []
        self._now_ns = clock.mono_ns()
        self._commands: dict[str, Callable[[], None]] = {
            "S": lambda: self._wait("S"),
            "SI": self._send_once,
            "SIR": self._stream,
            "Z": lambda: self._wait("Z"),
            "ZI": lambda: self._zero("ZI", self._weigh()),
            "T": lambda: self._wait("T"),
            "TI": lambda: self._tare("TI", self._weigh()),
            "TA": lambda: self._say(f"TA A {self._shown(self.balance.tare_g)}"),
            "TAC": self._clear_tare,
            "@": self._reset,
        }

    def load(self, load_g: Decimal) -> None:
        """Put a load on the pan, replacing what lay there [g, gross]."""
        self.balance.put(load_g, self.clock.mono_ns())

    def stick(self, *, is_stuck: bool) -> None:
        """Go on showing the present weight, whatever lies on the pan."""
        weight = self.balance.weigh(self.clock.mono_ns())
        self._stuck_frame = f"S {weight.motion} {self._shown(weight.net_g)}" if is_stuck else None

    def receive(self, data: bytes) -> None:
        """Take command lines."""
        self._now_ns = self.clock.mono_ns()
        self._buffer += data
        while b"\n" in self._buffer:
            raw, self._buffer = self._buffer.split(b"\n", 1)
            self._obey(raw.decode("ascii", "replace").strip())

    def tick(self, at_ns: int) -> None:
        """Answer what waited for rest, then send the next weight of the stream."""
        self._now_ns = at_ns
        if self._waiting:
            self._resolve(self._weigh())
        if self._is_streaming:
            self._say(self._weight_line("S", self._weigh()))
            self.frames_sent += 1

    def _obey(self, text: str) -> None:
        if text in self._commands:
            if text in ("S", "SI", "@"):
                self._is_streaming = False
            self._commands[text]()
        elif text in _IDENTITY:
            for line in _IDENTITY[text]:
                self._say(line)
        elif text.startswith("TA "):
            self._preset_tare(text.split()[1:])
        elif text:
            self._say("ES")

    def _weigh(self) -> Weight:
        weight = self.balance.weigh(self._now_ns)
        return Weight(Motion.over, weight.net_g, weight.gross_g) if self.is_overloaded else weight

    def _wait(self, command: str) -> None:
        self._waiting.append(_Waiting(command, self._now_ns))
        self._resolve(self._weigh())

    def _resolve(self, weight: Weight) -> None:
        done: dict[str, Callable[[str, Weight], None]] = {"S": self._send, "Z": self._zero, "T": self._tare}
        still: list[_Waiting] = []
        for waiting in self._waiting:
            if weight.motion is not Motion.moving:
                done[waiting.command](waiting.command, weight)
            elif self._now_ns - waiting.since_ns >= PATIENCE_S * 1e9:
                self._say(f"{waiting.command} I")
            else:
                still.append(waiting)
        self._waiting = still

    def _send(self, command: str, weight: Weight) -> None:
        self._say(self._weight_line(command, weight))

    def _send_once(self) -> None:
        self._say(self._weight_line("S", self._weigh()))
        self.frames_sent += 1

    def _stream(self) -> None:
        self._is_streaming = True

    def _zero(self, command: str, weight: Weight) -> None:
        refused = self.balance.zero(weight) if weight.motion in (Motion.steady, Motion.moving) else weight.motion
        good = "A" if command == "Z" else weight.motion
        self._say(f"{command} {refused or good}")

    def _tare(self, command: str, weight: Weight) -> None:
        if weight.motion in (Motion.over, Motion.under) or weight.gross_g < 0:
            self._say(f"{command} {Motion.over if weight.motion is Motion.over else Motion.under}")
            return
        self.balance.tare_g = weight.gross_g
        self._say(f"{command} {weight.motion} {self._shown(weight.gross_g)}")

    def _preset_tare(self, words: list[str]) -> None:
        try:
            tare_g = Decimal(words[0]) * GRAMS_PER_UNIT[words[1]]
        except (ArithmeticError, LookupError):
            self._say("TA L")
            return
        if not 0 <= tare_g <= self.balance.max_g:
            self._say("TA L")
            return
        self.balance.tare_g = tare_g
        self._say(f"TA A {self._shown(tare_g)}")

    def _clear_tare(self) -> None:
        self.balance.tare_g = Decimal(0)
        self._say("TAC A")

    def _reset(self) -> None:
        self._waiting.clear()
        self._say(_IDENTITY["I4"][0])

    def _weight_line(self, command: str, weight: Weight) -> str:
        if self.fault:
            return f"S S Error {self.fault}"
        if weight.motion in (Motion.over, Motion.under):
            return f"{command} {weight.motion}"
        line = f"{command} {weight.motion} {self._shown(weight.net_g)}"
        return self._stuck_frame or line

    def _shown(self, value_g: Decimal) -> str:
        value = (value_g / GRAMS_PER_UNIT[self.unit]).quantize(_PLACES[self.unit])
        return f"{value:>10} {self.unit}"

    def _say(self, line: str) -> None:
        self.wire.write(f"{line}\r\n".encode())
