"""Where the terminal's secrets live: the Ed25519 device key and the PIN pepper.

The desktop's own key store if there is one (Secret Service, Windows Credential Locker), else a
sealed file of our own. What each protects against, and what not: ``docs/decisions/0011``. The
choice is made here and nowhere else; no third-party keyring backend is ever picked by itself.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from foodflow_desktop.store import incarnation, terminal
from foodflow_kernel.errors import Refused
from foodflow_kernel.wire import signing

BACKEND_ENV = "FOODFLOW_KEYS"
"""``sealed`` or ``desktop`` forces a backend; empty chooses."""

SEALED_NAME = "keys.sealed"
SECRET_NAME = "keys.secret"  # noqa: S105  # a file name

_SERVICE = "foodflow-kiosk"
_NONCE_BYTES = 12


class Vault(Protocol):
    """What keyring's backends and our file have in common."""

    @property
    def name(self) -> str:
        """What ``doctor`` calls it."""

    def get_password(self, service: str, username: str) -> str | None:
        """A secret, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""


class SealedFile:
    """A file sealed with ChaCha20-Poly1305 under a key from the machine id and a secret file (mode 0600)."""

    name = "sealed file"

    def __init__(self, folder: Path, machine: str | None = None) -> None:
        self._folder = folder
        self._machine = machine or incarnation.machine_id()

    def get_password(self, service: str, username: str) -> str | None:
        """A secret, or None.

        Raises:
            Refused: `keys_other_machine` when the file was sealed elsewhere or changed.
        """
        return self._open().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""
        self._seal({**self._open(), f"{service}/{username}": password})

    def _open(self) -> dict[str, str]:
        path = self._folder / SEALED_NAME
        if not path.exists():
            return {}
        sealed = path.read_bytes()
        try:
            opened = self._cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], SEALED_NAME.encode())
        except InvalidTag as error:
            raise Refused("keys_other_machine") from error
        found: dict[str, str] = json.loads(opened)
        return found

    def _seal(self, kept: dict[str, str]) -> None:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher().encrypt(nonce, json.dumps(kept).encode(), SEALED_NAME.encode())
        terminal.write_whole(self._folder / SEALED_NAME, nonce + sealed, mode=0o600)

    def _cipher(self) -> ChaCha20Poly1305:
        path = self._folder / SECRET_NAME
        if not path.exists():
            if (self._folder / SEALED_NAME).exists():
                raise Refused("keys_other_machine")
            terminal.write_whole(path, secrets.token_bytes(32), mode=0o600)
        derive = HKDF(hashes.SHA256(), 32, salt=self._machine.encode(), info=b"foodflow-sealed-1")
        return ChaCha20Poly1305(derive.derive(path.read_bytes()))


class Keys:
    """The secrets of one data folder."""

    def __init__(self, folder: Path, backend: Vault) -> None:
        self._prefix = str(folder.resolve())
        self.backend = backend

    @property
    def kind(self) -> str:
        """``sealed file`` or the desktop key store's own name, for ``doctor``."""
        return self.backend.name

    def device_key(self) -> Ed25519PrivateKey:
        """The terminal's key; made at first use."""
        raw = self._get("device-key")
        if raw is None:
            key = signing.generate_key()
            self._set("device-key", key.private_bytes_raw())
            return key
        return Ed25519PrivateKey.from_private_bytes(raw)

    def pepper(self) -> bytes | None:
        """The PIN pepper given at pairing; None before."""
        return self._get("pin-pepper")

    def set_pepper(self, pepper: bytes) -> None:
        """Keep the pepper."""
        self._set("pin-pepper", pepper)

    def _get(self, name: str) -> bytes | None:
        kept = self.backend.get_password(_SERVICE, f"{self._prefix}:{name}")
        return None if kept is None else base64.b64decode(kept)

    def _set(self, name: str, value: bytes) -> None:
        self.backend.set_password(_SERVICE, f"{self._prefix}:{name}", base64.b64encode(value).decode())


def open_keys(folder: Path) -> Keys:
    """The key store of a data folder: what sealed it before, else the desktop's, else a sealed file.

    Raises:
        Refused: `keys_other_machine` when the sealed file comes from another machine.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = os.environ.get(BACKEND_ENV, "")
    if wanted != "sealed" and not (folder / SEALED_NAME).exists():
        desktop = _desktop_backend()
        if desktop is not None:
            return Keys(folder, desktop)
        if wanted == "desktop":
            raise Refused("keys_no_desktop")
    return Keys(folder, SealedFile(folder))


def _desktop_backend() -> Vault | None:
    """The desktop's key store if it answers without asking anybody."""
    if sys.platform != "win32" and not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return None
    # Loaded only where there is such a store: 60 ms that a terminal with a sealed file need not wait for.
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        if sys.platform == "win32":
            from keyring.backends.Windows import WinVaultKeyring  # noqa: PLC0415

            return WinVaultKeyring()
        from keyring.backends.SecretService import Keyring  # noqa: PLC0415

        backend: Vault = Keyring()  # type: ignore[no-untyped-call]
        backend.get_password(_SERVICE, "probe")
    except (KeyringError, ImportError, RuntimeError, OSError):
        return None
    return backend
