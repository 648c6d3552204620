"""What a record says, in one line, from its kind and body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from foodflow_desktop.stations.history import HistoryRow
from foodflow_desktop.views.i18n import number, tr

KINDS = {
    "weighing": lambda: tr("Weight"),
    "material_issued": lambda: tr("Material issued"),
    "interlock_stopped": lambda: tr("Material refused"),
    "scrap_recorded": lambda: tr("Scrap"),
    "ccp_reading": lambda: tr("Critical check"),
    "deviation_opened": lambda: tr("Deviation opened"),
    "hold_placed": lambda: tr("Hold placed"),
    "deviation_action": lambda: tr("Action signed"),
    "test_weight": lambda: tr("Test weight"),
    "batch_moved": lambda: tr("Batch"),
    "stop_opened": lambda: tr("Line stopped"),
    "stop_explained": lambda: tr("Stop reason"),
    "stop_closed": lambda: tr("Line runs again"),
    "voided": lambda: tr("Taken back"),
    "session_started": lambda: tr("Signed in"),
    "session_ended": lambda: tr("Signed out"),
    "line_state": lambda: tr("Line state"),
    "line_count": lambda: tr("Count"),
    "sensor_latest": lambda: tr("Sensor value"),
    "clock_jumped": lambda: tr("Clock changed"),
    "witness": lambda: tr("Log check"),
}
ICONS = {
    "weighing": "scale",
    "material_issued": "box",
    "interlock_stopped": "crit",
    "scrap_recorded": "trash",
    "ccp_reading": "clipboard",
    "deviation_opened": "octagon",
    "hold_placed": "lock",
    "deviation_action": "pencil",
    "test_weight": "scale",
    "batch_moved": "flag",
    "stop_opened": "pause",
    "stop_explained": "pause",
    "stop_closed": "play",
    "voided": "undo",
    "session_started": "user",
    "session_ended": "user",
}
MOVES = {
    "start": lambda: tr("started"),
    "pause": lambda: tr("paused"),
    "resume": lambda: tr("resumed"),
    "complete": lambda: tr("finished"),
    "abort": lambda: tr("aborted"),
}
WHY = {
    "undo_10s": lambda: tr("undone at once"),
    "reason_changed": lambda: tr("another reason given"),
    "typed_wrong": lambda: tr("Typed wrong"),
    "twice": lambda: tr("Recorded twice"),
    "wrong_batch": lambda: tr("Wrong batch"),
    "was_a_test": lambda: tr("Was only a test"),
}
UNITS = {"KGM": "kg", "GRM": "g", "LTR": "l", "MLT": "ml", "CEL": "°C"}


def kind(name: str) -> str:
    """What a kind of record is called."""
    words = KINDS.get(name)
    return words() if words else name.replace("_", " ")


def why(code: str) -> str:
    """Why a record was taken back."""
    words = WHY.get(code)
    return words() if words else code.replace("_", " ")


def said(row: HistoryRow) -> str:
    """The record in a few words: value first, then what it is about."""
    parts: Mapping[str, Any] = row.parts
    found = [_value(row.kind, parts), str(parts.get("what", "")), str(parts.get("lot_code") or parts.get("lot", ""))]
    return " · ".join(part for part in found if part)


def _value(name: str, parts: Mapping[str, Any]) -> str:
    say = VALUES.get(name)
    return say(parts) if say else ""


def _checked(parts: Mapping[str, Any]) -> str:
    """A reading with its unit, or the test pieces that were rejected."""
    if parts.get("value") is None:
        return ", ".join(f"{one['piece']} {'✓' if one['rejected'] else '✗'}" for one in parts.get("pieces", ()))
    unit = str(parts.get("unit") or "")
    return f"{number(str(parts['value']))} {UNITS.get(unit, unit)}".strip()


def _moved(parts: Mapping[str, Any]) -> str:
    words = MOVES.get(str(parts["move"]))
    return words() if words else ""


def _jumped(jump_ms: int) -> str:
    """How far the terminal's clock was moved, to the minute (seconds below one)."""
    seconds = round(abs(jump_ms) / 1000)
    hours, minutes = divmod(seconds // 60, 60)
    far = f"{seconds} s" if seconds < 60 else f"{hours} h {minutes} min" if hours else f"{minutes} min"  # noqa: PLR2004
    return tr("set back by {far}", far=far) if jump_ms < 0 else tr("set ahead by {far}", far=far)


def _amount(amount: Mapping[str, Any]) -> str:
    uom = str(amount["uom"])
    return f"{number(str(amount['value']))} {tr('pieces') if uom == 'H87' else UNITS.get(uom, uom)}"


VALUES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "weighing": lambda parts: f"{number(str(parts['net_g']))} g",
    "test_weight": lambda parts: f"{number(str(parts['shown_g']))} g",
    "material_issued": lambda parts: _amount(parts["amount"]),
    "scrap_recorded": lambda parts: _amount(parts["amount"]),
    "ccp_reading": _checked,
    "batch_moved": _moved,
    "line_count": lambda parts: f"+{number(int(parts['delta']))}",
    "deviation_opened": lambda parts: str(parts.get("local_no", "")),
    "clock_jumped": lambda parts: _jumped(int(parts["jump_ms"])),
    "voided": lambda parts: f"{kind(str(parts['target_kind']))}, {why(str(parts['reason']))}",
}
"""The value a kind of record is about."""
