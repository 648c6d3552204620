"""Spanish of the laptop screens."""

from __future__ import annotations

TABLE: dict[str, str] = {}
