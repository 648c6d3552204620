"""The application's fixtures, for tests over its registries."""

from __future__ import annotations

from tests.server.conftest import anonymous, app, frozen, sign_in

__all__ = ["anonymous", "app", "frozen", "sign_in"]
