"""Spanish of downtime, scrap, history, sync details and pairing."""

from __future__ import annotations

TABLE: dict[str, str] = {}
