"""What was made of the store, kept until the store may say otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """A picture that is made once and shown until it is forgotten, by any thread, also while it is being made."""

    def __init__(self) -> None:
        self._age = object()
        self._kept: tuple[object, T] | None = None

    def forget(self) -> None:
        """Make it anew next time."""
        self._age = object()

    def get(self, make: Callable[[], T]) -> T:
        """The picture, made now if there is none or what it was made of may have changed."""
        age, kept = self._age, self._kept
        if kept is None or kept[0] is not age:
            # With the age of before: what changes while it is made is not in it.
            kept = self._kept = (age, make())
        return kept[1]
