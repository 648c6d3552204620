"""Mettler-Toledo scales in the MT-SICS dialect (levels 0 and 1).

Spec: "MT-SICS Interface Commands", reference manual 11781363. ASCII lines ended by CR LF.
Serial settings: as set on the scale; factory 9600 8N1, no handshake.

Commands used: ``SIR`` (weights on their own, about 10/s) or ``SI`` (asked for), ``TA`` (read or
preset the tare), ``T``/``TI`` (tare), ``TAC`` (clear it), ``Z``/``ZI`` (zero), ``I2`` ``I3`` ``I4``
(who are you). ``SIR`` goes on through Z, T and TA; only S, SI, SR, @ end it.

SIR lines carry the net weight only. The tare is asked for after each movement, and a weight is
called steady only once the tare it belongs to is known: a record must not pair a net weight with
the tare of the portion before.

Verified on: the shipped simulator and recordings of it. Not yet verified on a real scale.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import ClassVar, Literal

from foodflow_desktop.hardware.drivers import mt_sics_frames as frames
from foodflow_desktop.hardware.drivers.driver import Bench, Driver, Options
from foodflow_desktop.hardware.readings import ScaleReading, ScaleState
from foodflow_kernel.errors import DeviceError, Garbled, Silent
from foodflow_kernel.units import Grams, Quantity, Uom, convert

COMMAND_S = 6.0
"""A scale gives up waiting for stability after a few seconds; then it answers I [plant s]."""
COMMAND_FLOOR_REAL_S = 3.0
TARE_EVERY_S = 2.0
"""A tare set on the scale's own keys is noticed within this [plant s]."""
TARE_PATIENCE_S = 1.0
"""A tare question unanswered for this long is asked again [plant s]."""
JUMP_G = Decimal(1)
"""Two stable weights further apart [g] than this: perhaps tared on its keys, ask."""
LONGEST_LINE = 160
ZERO_G = Grams(Decimal(0))

_STATES = {"S": ScaleState.steady, "D": ScaleState.moving, "+": ScaleState.over, "-": ScaleState.under}


class MtSicsOptions(Options):
    """Options of the scale section.

    Args:
        mode: ``stream`` asks once with SIR; ``poll`` asks with SI, for models without SIR.
        period_s: time between two SI questions [plant s].
    """

    mode: Literal["stream", "poll"] = "stream"
    period_s: float = 0.1


class MtSics(Driver):
    """One scale. Besides ``step`` it answers the commands ``zero``, ``tare``, ``set_tare``, ``clear_tare``."""

    options_type: ClassVar[type[Options]] = MtSicsOptions

    def __init__(self, device: str, options: MtSicsOptions, bench: Bench) -> None:
        super().__init__(device, options, bench)
        self._buffer = b""
        self._is_first_line = True
        self._outstanding: deque[str] = deque()
        self._answers: dict[str, frames.Line] = {}
        self._tare_g = ZERO_G
        self._tare_is_known = False
        self._tare_asked_ns: int | None = None
        self._tare_told_ns = 0
        self._has_tare_command = True
        self._last_net_g: Grams | None = None
        self._unit = Uom.GRM
        self._asked_ns = 0

    def open(self) -> None:
        """Open the port, ask for the tare, start the stream."""
        super().open()
        self._buffer, self._is_first_line = b"", True
        self._outstanding.clear()
        self._tare_is_known, self._tare_asked_ns, self._has_tare_command = False, None, True
        self._ask_tare()
        if self.options.mode == "stream":
            self.transport.write(b"SIR\r\n")

    def step(self) -> None:
        """Take what came; ask again where asking is due."""
        now_ns = self.clock.mono_ns()
        if self.options.mode == "poll" and (now_ns - self._asked_ns) >= self.options.period_s * 1e9:
            self._asked_ns = now_ns
            self.transport.write(b"SI\r\n")
        if now_ns - self._tare_told_ns >= TARE_EVERY_S * 1e9:
            self._ask_tare()
        self._listen()

    # --- commands -------------------------------------------------------------------------

    def zero(self, *, at_once: bool = False) -> None:
        """Set the present gross weight to zero; this clears the tare.

        Raises:
            DeviceError: `scale_busy` when not stable in time; Overload: `scale_overload`,
                `scale_underload` when outside the zero range.
        """
        self._exchange("ZI" if at_once else "Z")
        self._forget_tare()

    def tare(self, *, at_once: bool = False) -> Grams:
        """Take the present weight as tare [g].

        Raises:
            DeviceError: `scale_busy`; Overload: `scale_overload`, `scale_underload`.
        """
        line = self._exchange("TI" if at_once else "T")
        if line.weight_g is None:
            raise Garbled("scale_frame_garbled", frame=line.text)
        self._forget_tare()
        return line.weight_g

    def set_tare(self, tare_g: Grams) -> Grams:
        """Preset a known tare [g], as printed in the specification; what the scale made of it.

        Raises:
            DeviceError: `scale_parameter_wrong` when outside the tare range, `scale_busy`.
        """
        value = convert(Quantity(tare_g, Uom.GRM), self._unit).value
        unit = next(text for text, uom in frames.UNITS.items() if uom is self._unit)
        line = self._exchange("TA", f"TA {value:f} {unit}")
        return line.weight_g or ZERO_G

    def clear_tare(self) -> None:
        """Empty the tare memory.

        Raises:
            DeviceError: `scale_busy`.
        """
        self._exchange("TAC")
        self._forget_tare()

    def identity(self) -> dict[str, str]:
        """Type, software and serial number, as the scale tells them."""
        questions = {"type": "I2", "software": "I3", "serial": "I4"}
        return {name: " ".join(self._exchange(command).quoted) for name, command in questions.items()}

    def _exchange(self, command: str, written: str | None = None) -> frames.Line:
        """Send a command and wait for its answer; weights that come meanwhile are emitted."""
        self._answers.pop(command, None)
        while command in self._outstanding:  # an earlier question of the same name is answered first
            self._await(command)
            self._answers.pop(command, None)
        self._outstanding.append(command)
        self.transport.write(f"{written or command}\r\n".encode())
        line = self._await(command)
        error = frames.error_of(line)
        if error is not None:
            raise error
        return line

    def _await(self, command: str) -> frames.Line:
        limit_s = max(COMMAND_S, COMMAND_FLOOR_REAL_S * self.clock.rate)
        deadline_ns = self.clock.mono_ns() + int(limit_s * 1e9)
        while command not in self._answers:
            self._listen()
            if self.clock.mono_ns() > deadline_ns:
                self._outstanding.clear()
                raise Silent("device_silent", device=self.device, seconds=round(limit_s, 1))
        return self._answers.pop(command)

    # --- what the scale says --------------------------------------------------------------

    def _listen(self) -> None:
        self._buffer += self.transport.read()
        while b"\n" in self._buffer:
            raw, self._buffer = self._buffer.split(b"\n", 1)
            self._take(raw.rstrip(b"\r"))
        if len(self._buffer) > LONGEST_LINE:
            dropped, self._buffer = self._buffer, b""
            self._complain_garbled(Garbled("scale_frame_garbled", frame=dropped[:32].hex(" ")))

    def _take(self, raw: bytes) -> None:
        if not raw:
            return
        try:
            line = frames.parse(raw)
        except Garbled as error:
            self._complain_garbled(error)
            return
        self._is_first_line = False
        if line.command == "S":
            self._take_weight(line)
        else:
            self._take_answer(line)

    def _complain_garbled(self, error: Garbled) -> None:
        # Opened in mid-stream, the first line may be the tail of a frame: no fault.
        if not self._is_first_line:
            self.complain(error)
        self._is_first_line = False

    def _take_answer(self, line: frames.Line) -> None:
        if line.command in frames.ERROR_FRAMES:
            if not self._outstanding:
                self.complain(frames.error_of(line) or DeviceError("scale_fault", fault=line.command))
                return
            command = self._outstanding.popleft()
        elif line.command in self._outstanding:
            command = line.command
            self._outstanding.remove(command)
        else:
            return  # an answer nobody waits for any more, or a power-on message
        self._answers[command] = line
        if command == "TA":
            self._take_tare(line)

    def _take_tare(self, line: frames.Line) -> None:
        self._tare_asked_ns, self._tare_told_ns = None, self.clock.mono_ns()
        if line.command == "ES":
            self._has_tare_command = False
        elif line.weight_g is not None and line.status == "A":
            self._tare_g, self._tare_is_known = line.weight_g, True

    def _take_weight(self, line: frames.Line) -> None:
        error = frames.error_of(line)
        if line.status == "E" and error is not None:
            raise error
        if line.weight is not None:
            self._unit = line.weight.uom
        state = _STATES.get(line.status, ScaleState.moving)  # I: busy with zero or tare
        self.emit(self._reading(line.weight_g, self._with_tare(state, line.weight_g)))

    def _with_tare(self, state: ScaleState, net_g: Grams | None) -> ScaleState:
        """Steady only when the tare is known that belongs to this weight."""
        last_g, self._last_net_g = self._last_net_g, net_g
        if state is not ScaleState.steady or net_g is None:
            self._tare_is_known = False
            return state
        if last_g is None or abs(net_g - last_g) > JUMP_G:
            self._tare_is_known = False
        if self._tare_is_known or not self._has_tare_command:
            return state
        self._ask_tare()
        return ScaleState.moving

    def _reading(self, net_g: Grams | None, state: ScaleState) -> ScaleReading:
        return ScaleReading(
            at=self.clock.now(),
            mono_ns=self.clock.mono_ns(),
            net_g=net_g,
            tare_g=self._tare_g,
            state=state,
            is_tared=self._tare_g > 0,
            device=self.device,
            tag=self.options.tag,
        )

    def _forget_tare(self) -> None:
        self._tare_is_known = False
        self._ask_tare()

    def _ask_tare(self) -> None:
        now_ns = self.clock.mono_ns()
        is_asked = self._tare_asked_ns is not None and now_ns - self._tare_asked_ns < TARE_PATIENCE_S * 1e9
        if is_asked or not self._has_tare_command:
            return
        self._tare_asked_ns = self._tare_told_ns = now_ns
        self._outstanding.append("TA")
        self.transport.write(b"TA\r\n")
