"""The real server with the demo company, and somebody in it who may do everything a person may."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

TENANT = "harvest"
BADGE = "FFB-99{:02}"
SPARE = 8
"""Further people with the same rights: whoever is locked out by wrong tries is replaced."""
PASSWORD = "a password of the contract"  # noqa: S105  # of a server that lives for one run
PIN = "5836"
PLATFORM, COLLEAGUE = "platform@example.com", "colleague@example.com"
ROLES = ("TA", "QM", "SV", "PL", "WH", "MT", "QT")
API = "/api/v1"


class Person(requests.Session):
    """Signed in, and again, or as the next one, whenever the session was ended."""

    def __init__(self, address: str, data: Path) -> None:
        super().__init__()
        self.address, self.data, self.trust_env = address, data, False
        self.verify = str(data / "tls" / "ca.pem")
        self._sessions = [self._signed_in(BADGE.format(number)) for number in range(1, SPARE + 1)]
        self.use_next()

    def _signed_in(self, badge: str) -> dict[str, str]:
        given = {"tenant": TENANT, "login": badge, "password": PASSWORD}
        answer = self.post(f"{self.address}{API}/auth/login", json=given, timeout=30)
        answer.raise_for_status()
        tokens: dict[str, str] = answer.json()
        return tokens

    def use_next(self) -> None:
        """Go on as the next person whose session still lives."""
        while self._sessions:
            tokens = self._sessions.pop(0)
            given = {"refresh_token": tokens["refresh_token"]}
            answer = self.post(f"{self.address}{API}/auth/refresh", json=given, timeout=30)
            if answer.ok:
                self._refresh = answer.json()["refresh_token"]
                self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
                return
        raise RuntimeError("every session was ended")

    def stay(self) -> None:
        """Keep a session that lives, renew one that ran out, or go on as the next person."""
        if self.ask("GET", "/me").ok:
            return
        answer = self.post(f"{self.address}{API}/auth/refresh", json={"refresh_token": self._refresh}, timeout=30)
        if answer.ok:
            self._refresh = answer.json()["refresh_token"]
            self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        else:
            self.use_next()

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request to the API."""
        return self.request(method, f"{self.address}{API}{path}", timeout=60, **more)


Command = tuple[Sequence[str], str]
"""The arguments of a command of the server, and what it reads from its standard input."""

RUN = """
import io, json, sys
from server import cli
for arguments, said in json.load(sys.stdin):
    sys.stdin = io.StringIO(said)
    assert cli.main(arguments) == 0
"""


def run(folder: Path, *commands: Command) -> None:
    """Run commands of the server on its data folder, one after the other."""
    data = ["--data-folder", str(folder / "data")]
    said = json.dumps([([*data, *arguments], said) for arguments, said in commands])
    subprocess.run(
        [sys.executable, "-c", RUN], input=said, text=True, check=True, capture_output=True, env=_environment()
    )


def _environment() -> dict[str, str]:
    limits = {"FOODFLOW_ANONYMOUS_PER_MINUTE": "0", "FOODFLOW_REQUESTS_PER_MINUTE": "0", "FOODFLOW_FSYNC": "false"}
    # Not watched, as what asks it is not.
    mine = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    return {**mine, **limits}


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
                people: list[Command] = [
                    (
                        ["user", "create", TENANT, BADGE.format(n), f"99{n:02}", f"Contract {n}", *roles],
                        f"{PASSWORD}\n{PIN}\n",
                    )
                    for n in range(1, SPARE + 1)
                ]
                people += [
                    (["platform", "user", "create", email, "Platform"], f"{PASSWORD}\n")
                    for email in (PLATFORM, COLLEAGUE)
                ]
                run(folder, *people)
                yield Person(ready.read_text(), folder / "data")
            finally:
                process.terminate()
                process.wait()
