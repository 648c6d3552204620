"""Every error code that is raised anywhere has its sentence, and no sentence is left over."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from foodflow_kernel import errors, sentences

ROOT = Path(__file__).parents[2]
KINDS = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.FoodFlowError)
}
OURS = {"Unresolved", "TooLarge", "Revoked"}
"""Subclasses that live beside their raisers."""


def raised() -> Iterator[tuple[str, str]]:
    for folder in ("foodflow_kernel", "foodflow_desktop", "server"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                    continue
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                code = node.args[0].value
                if name in KINDS - {"IllegalMove"} and isinstance(code, str):
                    yield code, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_every_code_that_is_raised_has_a_sentence() -> None:
    missing = {code: where for code, where in raised() if code not in sentences.SENTENCES}
    assert missing == {}


def test_sentences_are_sorted_and_say_something() -> None:
    assert list(sentences.SENTENCES) == sorted(sentences.SENTENCES)
    assert all(text.endswith((".", "?", "}")) and len(text) > 10 for text in sentences.SENTENCES.values())
