"""Routers that are asked only for paths that can be their own.

FastAPI tries one route after the other; with hundreds of them that took a fifth of a request.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

PREFIX = "/api/v1"
"""Of all routes; an included one knows only what comes after it."""

_WORD = re.compile(rf"{PREFIX}/([a-z-]+)")


class Room(APIRouter):
    """Routes that belong together, below ``PREFIX``; complete before the first request."""

    @cached_property
    def _beginnings(self) -> tuple[str, ...]:
        """How the paths of these routes begin, up to the first thing that varies."""
        paths = [route.path for route in self.routes if isinstance(route, APIRoute | APIWebSocketRoute)]
        return tuple({PREFIX + path.partition("{")[0] for path in paths})

    def words(self) -> set[str]:
        """The first words of these paths."""
        return {_word(each) for each in self._beginnings}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route of this room takes a request."""
        return super().matches(scope) if scope["path"].startswith(self._beginnings) else (Match.NONE, {})


class House(APIRouter):
    """All rooms, found by the first word of a path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._rooms: dict[str, list[BaseRoute]] = defaultdict(list)

    def add(self, room: Room) -> None:
        """Put a room, which is complete, into the house."""
        self.include_router(room, prefix=PREFIX)
        for word in room.words():
            self._rooms[word].append(self.routes[-1])

    def asked(self, path: str) -> Sequence[BaseRoute]:
        """The rooms that may have a path, in their order."""
        return self._rooms.get(_word(path), ())

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the room answer that has such a route; what none has goes FastAPI's way."""
        for route in self.asked(scope.get("path", "")):
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.setdefault("router", self)
                scope.update(found)
                await route.handle(scope, receive, send)
                return
        await super().app(scope, receive, send)


def _word(path: str) -> str:
    found = _WORD.match(path)
    return found[1] if found else ""
