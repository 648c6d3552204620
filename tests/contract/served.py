"""The real server with the demo company, and somebody in it who may do everything a person may."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

TENANT = "harvest"
BADGE = "FFB-9901"
PASSWORD = "a password of the contract"  # noqa: S105  # of a server that lives for one run
PIN = "5836"
ROLES = ("TA", "QM", "SV", "PL", "WH", "MT", "QT")
API = "/api/v1"


class Person(requests.Session):
    """Signed in, and again whenever the session was ended."""

    def __init__(self, address: str, ca: Path) -> None:
        super().__init__()
        self.address, self.verify, self.trust_env = address, str(ca), False
        self.sign_in()

    def sign_in(self) -> None:
        """A new session."""
        self.headers.pop("Authorization", None)
        given = {"tenant": TENANT, "login": BADGE, "password": PASSWORD}
        answer = self.post(f"{self.address}{API}/auth/login", json=given, timeout=30)
        answer.raise_for_status()
        self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request to the API."""
        return self.request(method, f"{self.address}{API}{path}", timeout=60, **more)


def cli(folder: Path, *arguments: str, said: str = "") -> None:
    """Run a command of the server on its data folder."""
    command = [sys.executable, "-m", "server.cli", "--data-folder", str(folder / "data"), *arguments]
    subprocess.run(command, input=said, text=True, check=True, capture_output=True, env=_environment())


def _environment() -> dict[str, str]:
    limits = {"FOODFLOW_ANONYMOUS_PER_MINUTE": "0", "FOODFLOW_REQUESTS_PER_MINUTE": "0", "FOODFLOW_FSYNC": "false"}
    return {**os.environ, **limits}


@contextmanager
def a_server() -> Iterator[Person]:
    """The server as ``foodflow-server serve --seed-demo`` starts it."""
    with tempfile.TemporaryDirectory(prefix="foodflow-contract-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        ready = folder / "ready"
        serve = ["serve", "--port", "0", "--seed-demo", "--ready-file", str(ready)]
        command = [sys.executable, "-m", "server.cli", "--data-folder", str(folder / "data"), *serve]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment())
            try:
                while not ready.exists() or not ready.read_text():
                    try:
                        process.wait(0.1)
                    except subprocess.TimeoutExpired:
                        continue
                    raise RuntimeError((folder / "log").read_text())
                roles = [part for role in ROLES for part in ("--role", role)]
                cli(folder, "user", "create", TENANT, BADGE, "9901", "Contract", *roles, said=f"{PASSWORD}\n{PIN}\n")
                yield Person(ready.read_text(), folder / "data" / "tls" / "ca.pem")
            finally:
                process.terminate()
                process.wait()
