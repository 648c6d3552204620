"""Telling people: whoever holds a role at a plant, and the next role when nobody answers."""

from __future__ import annotations

from server.identity.notices.post import New, post

__all__ = ["New", "post"]
