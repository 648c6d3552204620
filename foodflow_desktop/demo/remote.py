"""The demo's hands and eyes: one JSON line a message to a kiosk's remote socket.

The kiosk opens the socket only when started with ``--remote``. Touches and keys become Qt
events on the widgets a person would touch; a widget that is hidden or disabled refuses.
"""

from __future__ import annotations

import itertools
import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Saved = Mapping[str, Any]
"""``{lane, seq, incarnation, id, kind, sha256, body}`` of a fact the screen called saved."""


class Gone(Exception):
    """The kiosk closed the connection: it was killed, or it ended."""


class Untouchable(Exception):
    """The screen has no such control now, or it is disabled."""


class Remote:
    """One connection to a kiosk; messages answered in order, saved facts as they come.

    Args:
        path: the unix socket the kiosk opened.
        on_saved: called on the reading thread for every fact the screen calls saved.
    """

    def __init__(self, path: Path, on_saved: Callable[[Saved], None]) -> None:
        self._socket = _connect(path)
        self._on_saved = on_saved
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._ids = itertools.count(1)
        threading.Thread(target=self._read, name=f"remote {path.name}", daemon=True).start()

    def _read(self) -> None:
        with self._socket.makefile("rb") as stream:
            try:
                for line in stream:
                    message = json.loads(line)
                    if "saved" in message:
                        self._on_saved(message["saved"])
                    else:
                        self._answers.put(message)
            except (OSError, ValueError):  # cut in the middle of a line: the process was killed
                pass
        self._answers.put(None)

    def ask(self, **message: Any) -> dict[str, Any]:
        """Send one message and wait for its answer.

        Raises:
            Gone: the kiosk is not there any more.
            Untouchable: it answered with an error.
        """
        try:
            self._socket.sendall(json.dumps({"n": next(self._ids), **message}).encode() + b"\n")
            answer = self._answers.get(timeout=30)
        except (OSError, queue.Empty) as error:
            raise Gone(str(error)) from error
        if answer is None:
            raise Gone("connection closed")
        if "error" in answer:
            raise Untouchable(f"{message}: {answer['error']}")
        return answer

    def touch(self, name: str) -> None:
        """Touch the control with this object name."""
        self.ask(touch=name)

    def keys(self, text: str) -> None:
        """Type on the keyboard."""
        self.ask(keys=text)

    def look(self) -> dict[str, Any]:
        """What is on the screen: ``view`` and ``texts`` by object name."""
        return self.ask(look=True)

    def shot(self, path: Path) -> None:
        """Save a picture of the window."""
        self.ask(shot=str(path))

    def history(self, after: Mapping[str, int]) -> list[Saved]:
        """What the history screen lists as saved after these positions, by lane."""
        found: list[Saved] = self.ask(history=dict(after))["history"]
        return found

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _connect(path: Path, patience_s: float = 40.0) -> socket.socket:
    deadline = time.monotonic() + patience_s
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(str(path))
        except OSError:
            client.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return client
