"""Each setting is read from the environment, says what it is for, and stands in the administrators' page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from foodflow_kernel.errors import Invalid
from server import docgen
from server.core.settings import PREFIX, Settings, from_environment

ROOT = Path(__file__).parents[2]
FIELDS = Settings.model_fields.items()

every_setting = pytest.mark.parametrize(("name", "field"), FIELDS, ids=list(Settings.model_fields))


@every_setting
def test_setting_says_what_it_is_for(name: str, field: FieldInfo) -> None:
    assert field.description
    assert len(field.description) > 10, name


@every_setting
def test_setting_stands_in_the_page(name: str, field: FieldInfo) -> None:
    row = next(line for line in docgen.settings().splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` |"))
    assert row.endswith(f"| {field.description} |")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_read_from_the_environment(name: str, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    with_it = {"certificate": "certificate_key", "certificate_key": "certificate", "smtp_user": "smtp_host"}
    default = getattr(Settings(), name)
    match default:
        case bool():
            value, read = str(not default).lower(), not default
        case int():
            value, read = str(default + 1), default + 1
        case tuple():
            value, read = "hub.example,10.1.2.3", ("hub.example", "10.1.2.3")
        case Path() | None:
            value, read = str(there), there
        case _:
            value = read = "DEBUG" if name == "log_level" else "given"
    given = {PREFIX + name.upper(): value}
    if name in with_it:
        given[PREFIX + with_it[name].upper()] = value
    assert getattr(from_environment(given), name) == read


def test_value_that_does_not_fit_names_the_variable() -> None:
    with pytest.raises(Invalid) as caught:
        from_environment({"FOODFLOW_PORT": "many"})
    assert "port" in str(caught.value.data).lower()


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"FOODFLOW_PROT": "8443"}, "setting_unknown", "FOODFLOW_PORT"),
        ({"FOODFLOW_CERTIFICATE": "/nowhere.pem"}, "setting_invalid", "together"),
        (
            {"FOODFLOW_CERTIFICATE": "/nowhere.pem", "FOODFLOW_CERTIFICATE_KEY": "/nowhere.key"},
            "setting_invalid",
            "no file /nowhere.pem",
        ),
        ({"FOODFLOW_SMTP_USER": "hub"}, "setting_invalid", "smtp_host"),
        ({"FOODFLOW_LOG_LEVEL": "LOUD"}, "setting_invalid", "FOODFLOW_LOG_LEVEL"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(given: dict[str, str], code: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        from_environment(given)
    assert caught.value.code == code
    assert said in caught.value.sentence


def test_what_other_programs_read_is_no_mistake() -> None:
    assert from_environment({"FOODFLOW_FOLDER": "/x", "FOODFLOW_KEYS": "sealed", "FOODFLOW_CLOCK": "1", "OTHER": "1"})


def test_no_variable_is_read_that_no_page_explains() -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
    read = set()
    for folder in ("foodflow_kernel", "foodflow_desktop", "server"):
        for path in (ROOT / folder).rglob("*.py"):
            read |= set(re.findall(r'"(FOODFLOW_[A-Z_]+[A-Z])"', path.read_text(encoding="utf-8")))
    assert {name for name in read if name not in pages} == set()
