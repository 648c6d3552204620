"""Every refusal that the server says is named by a test: a guard that is gone is then missed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from foodflow_kernel.sentences import SENTENCES

ROOT = Path(__file__).parents[2]
SELF = Path(__file__).name


def words(folder: str) -> Iterator[str]:
    """All that stands in quotes in the code of a folder."""
    for path in (ROOT / folder).rglob("*.py"):
        if path.name != SELF:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_every_refusal_of_the_server_is_named_by_a_test() -> None:
    said = set(words("server")) & SENTENCES.keys()
    asked = {word for text in words("tests") for word in re.findall(r"[a-z_0-9]+", text)}
    assert len(said) > 200
    assert sorted(said - asked) == []
