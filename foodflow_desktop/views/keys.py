"""Keys of a keyboard as names: what the shell and the views listen to."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

_NAMED = {
    Qt.Key.Key_Return: "enter",
    Qt.Key.Key_Enter: "enter",
    Qt.Key.Key_Backspace: "back",
    Qt.Key.Key_Escape: "escape",
    Qt.Key.Key_Period: ".",
    Qt.Key.Key_Comma: ".",
    Qt.Key.Key_Minus: "-",
}


def name_of(event: QKeyEvent) -> str:
    """``0`` to ``9``, ``.``, ``-``, ``enter``, ``back``, ``escape``, ``rail1`` to ``rail7``, ``lock``; else empty."""
    key, is_control = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
    if is_control:
        return "lock" if key == Qt.Key.Key_L else ""
    if Qt.Key.Key_F1 <= key <= Qt.Key.Key_F7:
        return f"rail{key - Qt.Key.Key_F1 + 1}"
    if Qt.Key.Key_0 <= key <= Qt.Key.Key_9:
        return chr(key)
    return _NAMED.get(Qt.Key(key), "")
