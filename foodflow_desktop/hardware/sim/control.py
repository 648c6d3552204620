"""A unix socket by which the demo and tests act on simulated devices, as hands would.

JSON lines. A request names what to do and its parameters; ``n`` comes back in the answer::

    {"n": 1, "do": "scale.load", "g": "615.4"}      -> {"n": 1, "ok": true}
    {"n": 2, "do": "scan", "code": "FFB-1041"}      -> {"n": 2, "ok": true}
    {"n": 3, "do": "fault", "device": "scale", "fault": "unplugged"}
    {"n": 4, "do": "look"}                          -> {"n": 4, "ok": true, "scale": {...}, ...}
    {"n": 5, "do": "nonsense"}                      -> {"n": 5, "error": "..."}
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from foodflow_desktop.hardware.sim import line as lines
from foodflow_desktop.hardware.sim.line import SimLine
from foodflow_kernel.errors import FoodFlowError, Invalid

Asked = dict[str, Any]
Told = dict[str, Any]


def _load(line: SimLine, asked: Asked) -> Told:
    lines.put_load(line, Decimal(str(asked["g"])))
    return {}


def _scan(line: SimLine, asked: Asked) -> Told:
    line.scanner.scan(str(asked["code"]), str(asked.get("symbology", "")))
    return {}


def _run(line: SimLine, _asked: Asked) -> Told:
    line.filler.run(is_running=True)
    return {}


def _stop(line: SimLine, _asked: Asked) -> Told:
    line.filler.run(is_running=False)
    return {}


def _rate(line: SimLine, asked: Asked) -> Told:
    line.filler.set_rate(float(asked["per_min"]))
    return {}


def _count(line: SimLine, asked: Asked) -> Told:
    line.filler.set_count(int(asked["count"]))
    return {}


def _heat(line: SimLine, asked: Asked) -> Told:
    lag = asked.get("lag_s")
    line.kettle.heat(Decimal(str(asked["c"])), **({} if lag is None else {"tau_s": float(lag)}))
    return {}


def _fault(line: SimLine, asked: Asked) -> Told:
    lines.switch_fault(line, str(asked["device"]), str(asked["fault"]), is_on=bool(asked.get("on", True)))
    return {}


def _heal(line: SimLine, asked: Asked) -> Told:
    lines.heal(line, str(asked["device"]))
    return {}


def _garble(line: SimLine, asked: Asked) -> Told:
    """So many garbage lines slipped in between: nothing of the stream is lost."""
    line.wire(str(asked["device"])).faults.noise += int(asked.get("lines", 1))
    return {}


def _look(line: SimLine, _asked: Asked) -> Told:
    weight = line.scale.balance.weigh(line.scale.clock.mono_ns())
    return {
        "scale": {
            "motion": weight.motion.name,
            "net_g": str(weight.net_g),
            "gross_g": str(weight.gross_g),
            "tare_g": str(line.scale.balance.tare_g),
            "frames_sent": line.scale.frames_sent,
            "dropped": line.scale.wire.dropped,
        },
        "scanner": {"scans_sent": line.scanner.scans_sent},
        "probe": {"celsius": round(line.kettle.celsius(), 2), "answers": line.probe.requests_answered},
        "line": {
            "is_running": line.filler.is_running,
            "count": line.filler.count(),
            "answers": line.line.requests_answered,
        },
    }


ACTS: dict[str, Callable[[SimLine, Asked], Told]] = {
    "scale.load": _load,
    "scan": _scan,
    "line.run": _run,
    "line.stop": _stop,
    "line.rate": _rate,
    "line.count": _count,
    "kettle.heat": _heat,
    "fault": _fault,
    "heal": _heal,
    "garble": _garble,
    "look": _look,
}
"""Everything that can be asked."""


def answer(line: SimLine, text: str) -> Told:
    """Do what one request says; what goes wrong is part of the answer."""
    try:
        asked = json.loads(text)
        if not isinstance(asked, dict):
            raise Invalid("control_unreadable", why="not an object")
        act = ACTS.get(str(asked.get("do")))
        if act is None:
            raise Invalid("control_unreadable", why=f"one of {', '.join(ACTS)}")
        told = act(line, asked)
    except FoodFlowError as error:
        return {"n": _number(text), "error": str(error)}
    except (ValueError, KeyError, ArithmeticError, TypeError) as error:
        return {"n": _number(text), "error": f"{type(error).__name__}: {error}"}
    return {"n": asked.get("n"), "ok": True, **told}


def _number(text: str) -> Any:
    try:
        asked = json.loads(text)
    except ValueError:
        return None
    return asked.get("n") if isinstance(asked, dict) else None


class Control:
    """The socket, served on a thread; every connection on one of its own."""

    def __init__(self, line: SimLine, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for raw in self.rfile:
                    if raw.strip():
                        told = answer(line, raw.decode("utf-8", "replace"))
                        self.wfile.write(json.dumps(told).encode() + b"\n")

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(str(path), Talk)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="control", daemon=True)

    def start(self) -> None:
        """Serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5.0)
        self._path.unlink(missing_ok=True)
