"""Tables that every context may name."""

from __future__ import annotations

from server.core.models.plant import Plant

__all__ = ["Plant"]
