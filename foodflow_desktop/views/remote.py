"""A socket through which the demo touches the screen and reads it; opened only with ``--remote``.

One JSON line a message, answered in order. Touches and keys become Qt events on the widgets a
person would touch: a hidden, covered or disabled control refuses. Facts are announced at the
moment the window takes them in as saved, on the UI thread, after their commit.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QPlainTextEdit, QWidget

from foodflow_desktop.store import Recorded
from foodflow_desktop.views import jobs
from foodflow_desktop.views.shell import Shell

if TYPE_CHECKING:
    from foodflow_desktop.views.laptop.window import LaptopWindow

HOLD_MS = 45
"""How long a touch lasts: longer than a splash."""

Reply = Callable[[dict[str, Any]], None]


class RemoteDoor:
    """Listens on a unix socket and acts on the shell."""

    def __init__(self, path: Path, shell: Shell | LaptopWindow) -> None:
        self._shell = shell
        self._clients: list[socket.socket] = []
        self._lock = threading.Lock()
        path.unlink(missing_ok=True)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        os.chmod(path, 0o600)  # noqa: PTH101 - a socket, not a file
        self._server.listen()
        shell.on_saved.append(self._announce)
        threading.Thread(target=self._accept, name="remote", daemon=True).start()

    def close(self) -> None:
        """Hang up on everybody."""
        self._shell.on_saved.remove(self._announce)
        with self._lock:
            for one in (self._server, *self._clients):
                one.close()

    # --- the socket's threads ------------------------------------------------------------

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with self._lock:
                self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,), name="remote client", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client.makefile("rb") as stream, contextlib.suppress(OSError, ValueError):
            for line in stream:
                self._serve_one(client, json.loads(line))
        with self._lock:
            if client in self._clients:
                self._clients.remove(client)

    def _serve_one(self, client: socket.socket, message: dict[str, Any]) -> None:
        answered = threading.Event()

        def reply(answer: dict[str, Any]) -> None:
            self._send(client, {"n": message.get("n"), **answer})
            answered.set()

        jobs.on_ui(lambda: self._act(message, reply))
        answered.wait()

    def _send(self, client: socket.socket, message: dict[str, Any]) -> None:
        raw = json.dumps(message, default=str).encode() + b"\n"
        with self._lock:
            try:
                client.sendall(raw)
            except OSError:
                return

    # --- on the UI thread ----------------------------------------------------------------

    def _announce(self, recorded: Recorded) -> None:
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            self._send(client, {"saved": saved(recorded)})

    def _act(self, message: dict[str, Any], reply: Reply) -> None:
        if isinstance(self._shell, Shell) and ("touch" in message or "keys" in message):
            self._shell.touched()
        try:
            if "touch" in message:
                self._touch(message["touch"], reply)
                return
            reply(self._answer(message))
        except Exception as error:  # noqa: BLE001 - whatever it is, the driving process must hear it
            reply({"error": f"{type(error).__name__}: {error}"})

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if "keys" in message:
            for letter in message["keys"]:
                _key(letter)
            return {"ok": True}
        if "look" in message:
            return {"view": self._shell.view_name(), "texts": texts(self._shell)}
        if "shot" in message:
            return {"ok": self._shell.grab().save(message["shot"])}
        if "history" in message:
            return {"history": self._history(message["history"])}
        return {"error": f"unknown message: {sorted(message)}"}

    def _touch(self, name: str, reply: Reply) -> None:
        found = [one for one in self._shell.findChildren(QWidget, name) if one.isVisible()]
        if not found:
            reply({"error": f"{name} is not on the screen"})
            return
        widget = found[0]
        self._shell.reveal(widget)
        middle = widget.rect().center()
        if not widget.isEnabled():
            reply({"error": f"{name} is disabled"})
            return
        top = self._shell.childAt(widget.mapTo(self._shell, middle))
        if top is None or not (top is widget or widget.isAncestorOf(top)):
            reply({"error": f"{name} is covered by {top.objectName() if top else 'nothing'}"})
            return
        if widget.focusPolicy() & Qt.FocusPolicy.ClickFocus:  # an event sent is not spontaneous: Qt leaves the focus
            widget.setFocus(Qt.FocusReason.MouseFocusReason)
        _mouse(widget, middle, QEvent.Type.MouseButtonPress)

        def release() -> None:
            _mouse(widget, middle, QEvent.Type.MouseButtonRelease)
            reply({"ok": True})

        QTimer.singleShot(HOLD_MS, release)

    def _history(self, after: dict[str, int]) -> list[dict[str, Any]]:
        """What the history lists as saved after these positions, oldest first."""
        if not isinstance(self._shell, Shell):
            return []
        return [saved(one) for one in self._shell.context.store.recorded_after({int(k): v for k, v in after.items()})]


def saved(recorded: Recorded) -> dict[str, Any]:
    """A fact as the witness is told of it."""
    return {
        "lane": int(recorded.lane),
        "seq": recorded.seq,
        "incarnation": str(recorded.incarnation),
        "id": str(recorded.fact.id),
        "kind": recorded.fact.kind,
        "sha256": hashlib.sha256(recorded.raw).hexdigest(),
        "body": recorded.fact.body,
    }


def texts(window: QWidget) -> dict[str, str]:
    """All words on the screen by object name."""
    found: dict[str, str] = {}
    for widget in window.findChildren(QWidget):
        if not widget.objectName() or not widget.isVisible():
            continue
        if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
            found[widget.objectName()] = widget.text()
        elif isinstance(widget, QPlainTextEdit):
            found[widget.objectName()] = widget.toPlainText()
        elif widget.accessibleName():
            found[widget.objectName()] = widget.accessibleName()
    return found


def _mouse(widget: QWidget, at: QPoint, kind: QEvent.Type) -> None:
    is_press = kind is QEvent.Type.MouseButtonPress
    held = Qt.MouseButton.LeftButton if is_press else Qt.MouseButton.NoButton
    event = QMouseEvent(
        kind,
        QPointF(at),
        QPointF(widget.mapToGlobal(at)),
        Qt.MouseButton.LeftButton,
        held,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)


def _key(letter: str) -> None:
    target = QApplication.focusWidget() or QApplication.activeWindow()
    if target is None:
        target = next((one for one in QApplication.topLevelWidgets() if one.objectName() == "window"), None)
    if target is None:
        return
    named = {"\n": Qt.Key.Key_Return, "\b": Qt.Key.Key_Backspace, "\x1b": Qt.Key.Key_Escape}
    code = named.get(letter) or Qt.Key(ord(letter.upper())) if ord(letter) < 128 else Qt.Key.Key_unknown  # noqa: PLR2004
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(target, QKeyEvent(kind, code, Qt.KeyboardModifier.NoModifier, letter))
