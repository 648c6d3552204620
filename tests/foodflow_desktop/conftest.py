"""What every test of the kiosk leaves behind: nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from foodflow_desktop.store import Store


@pytest.fixture(autouse=True)
def stores_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test opened: two threads that look for work four times a second for each store add up."""
    opened, real = [], Store.open

    def noted(*given: Any, **more: Any) -> Store:
        opened.append(real(*given, **more))
        return opened[-1]

    monkeypatch.setattr(Store, "open", noted)
    yield
    for store in opened:
        store.close()
