"""The application's fixtures, for tests over its registries."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.server.conftest import anonymous, app, frozen, sign_in

__all__ = ["anonymous", "app", "frozen", "sign_in"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Walks over every route and role cover nothing that other tests do not: they are not watched, and take half."""
    plugin = item.config.pluginmanager.getplugin("_cov")
    watcher = getattr(plugin, "cov_controller", None)
    if watcher is None:
        return (yield)
    watcher.pause()
    try:
        return (yield)
    finally:
        watcher.resume()
