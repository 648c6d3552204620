"""A language is complete or the build is red."""

import ast
import string
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import foodflow_desktop.views
from foodflow_desktop.views import i18n
from foodflow_desktop.views.i18n.spanish import SPANISH
from foodflow_kernel.errors import Invalid
from foodflow_kernel.sentences import SENTENCES

VIEWS = Path(foodflow_desktop.views.__file__).parent


def texts():
    """Every English text the views say, with the file it stands in."""
    for path in sorted(VIEWS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", ""))
            if not isinstance(node, ast.Call) or name not in ("tr", "RailEntry"):
                continue
            place = 0 if name == "tr" else 2
            for constant in ast.walk(node.args[place]):
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                    yield path.name, constant.value


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_every_text_is_translated():
    missing = sorted({(name, text) for name, text in texts() if text not in SPANISH})
    assert missing == []


def test_translations_fill_in_the_same_values():
    wrong = [text for text, spanish in SPANISH.items() if fields(text) != fields(spanish)]
    assert wrong == []


def test_translated_sentences_are_sentences_of_the_kernel():
    for text, spanish in SPANISH.items():
        if text in SENTENCES.values():
            assert fields(text) == fields(spanish)


@pytest.fixture
def spanish():
    i18n.use("es")
    yield
    i18n.use("en")


@pytest.mark.usefixtures("spanish")
def test_numbers_have_the_language_s_own_marks():
    assert i18n.number(3126.4, 1) == "3.126,4"
    assert i18n.percent(0.009) == "0,9 %"
    assert i18n.typed("601.5") == "601,5"
    i18n.use("en")
    assert i18n.number(3126.4, 1) == "3,126.4"
    assert i18n.percent(0.009) == "0.9%"


@pytest.mark.usefixtures("spanish")
def test_days_are_said_in_the_language():
    assert i18n.day_of(date(2027, 1, 12)) == "12 ene"
    assert i18n.day(datetime(2027, 1, 12, tzinfo=UTC)) == "12 ene"
    assert i18n.length(timedelta(minutes=108)) == "1 h 48 min"


@pytest.mark.usefixtures("spanish")
def test_unknown_failure_says_that_nothing_was_lost():
    assert "No se perdió nada" in i18n.sentence(ValueError("x"))
    assert i18n.sentence(Invalid("no_such_code"))
