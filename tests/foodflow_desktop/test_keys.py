from __future__ import annotations

from pathlib import Path

import pytest

from foodflow_desktop import keys
from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import signing


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keys.BACKEND_ENV, "sealed")


def test_the_device_key_is_made_once_and_stays(tmp_path: Path) -> None:
    first = keys.open_keys(tmp_path)
    public = signing.public_bytes(first.device_key())
    assert first.pepper() is None
    first.set_pepper(b"p" * 32)
    again = keys.open_keys(tmp_path)
    assert signing.public_bytes(again.device_key()) == public
    assert again.pepper() == b"p" * 32
    assert again.kind == "sealed file"


def test_the_files_are_for_their_owner_only_and_hold_no_secret_in_clear(tmp_path: Path) -> None:
    held = keys.open_keys(tmp_path)
    raw = held.device_key().private_bytes_raw()
    for name in (keys.SEALED_NAME, keys.SECRET_NAME):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
        assert raw not in (tmp_path / name).read_bytes()


@pytest.mark.parametrize("harm", ["another_machine", "changed", "no_secret"])
def test_a_sealed_file_opens_only_where_it_was_made(tmp_path: Path, harm: str) -> None:
    keys.open_keys(tmp_path).device_key()
    machine = None
    match harm:
        case "another_machine":
            machine = "a clone"
        case "changed":
            raw = bytearray((tmp_path / keys.SEALED_NAME).read_bytes())
            raw[-1] ^= 1
            (tmp_path / keys.SEALED_NAME).write_bytes(raw)
        case "no_secret":
            (tmp_path / keys.SECRET_NAME).unlink()
    with pytest.raises(Refused) as error:
        keys.Keys(tmp_path, keys.SealedFile(tmp_path, machine)).device_key()
    assert error.value.code == "keys_other_machine"
    assert "Pair it anew" in error.value.sentence
