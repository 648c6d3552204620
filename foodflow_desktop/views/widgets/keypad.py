"""The keypad of entry screens: 122x92 keys, 1-2-3 on top, 0 centred, the language's own decimal mark."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QGridLayout, QWidget

from foodflow_desktop.views import i18n
from foodflow_desktop.views.i18n import tr
from foodflow_desktop.views.widgets.kiosk import TouchButton

KEY_W, KEY_H = 88, 92
"""Keys are 122 wide where there is room, never narrower than 88 (ux.md, section 8: 72)."""


class EntryKeys(QWidget):
    """Digits and the decimal mark; Clear and delete stand apart.

    Args:
        on_key: called with a digit, ``.``, ``back`` or ``clear``.
    """

    def __init__(self, name: str, on_key: Callable[[str], object], *, has_mark: bool = True) -> None:
        super().__init__()
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(12)
        self._keys: dict[str, TouchButton] = {}
        places = {f"{n}": ((n - 1) // 3, (n - 1) % 3) for n in range(1, 10)} | {"0": (3, 1)}
        places |= {"clear": (0, 3), "back": (1, 3)} | ({".": (3, 2)} if has_mark else {})
        for key, (line, place) in places.items():
            is_digit = key.isdigit() or key == "."
            button = TouchButton(
                f"{name}.{key}",
                "outline" if is_digit else "key",
                "backspace" if key == "back" else "",
                px=34 if is_digit else 19,
                weight=650,
                height=KEY_H,
                icon_px=30,
                side=4,
            )
            button.setMinimumWidth(KEY_W)
            button.clicked.connect(lambda _=False, k=key: on_key(k))
            self._keys[key] = button
            grid.addWidget(button, line, place)
        self._grid = grid
        self.setLayout(grid)
        self.refresh()

    def add(self, button: QWidget, line: int, place: int, lines: int = 1) -> None:
        """Another control in a free place of the pad: back, or the primary action."""
        self._grid.addWidget(button, line, place, lines, 1)

    def refresh(self) -> None:
        """Words and mark in the language in use."""
        for key, button in self._keys.items():
            if key.isdigit():
                button.say(key)
        if "." in self._keys:
            self._keys["."].say(i18n.mark(), tr("Decimal mark"))
        self._keys["clear"].say(tr("Clear"))
        self._keys["back"].setAccessibleName(tr("Delete"))
