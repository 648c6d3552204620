"""Several processes at one address: all answer, one that dies is replaced, all go together; nothing is kept in one."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from foodflow_kernel import sentences
from foodflow_kernel.errors import Invalid
from server.core.processes import Say
from server.core.settings import from_environment

PROCESSES = 2
START_S = 60.0


def free_ports() -> int:
    """The first of so many ports in a row that nobody has."""
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            try:
                for number in range(1, PROCESSES):
                    held.enter_context(socket.create_server(("127.0.0.1", first + number)))
            except (OSError, OverflowError):
                continue
            return int(first)


class Served:
    """The command as an administrator starts it, with two processes."""

    def __init__(self, folder: Path) -> None:
        self.folder, ready = folder, folder / "ready"
        command = [sys.executable, "-m", "server.cli", "--data-folder", str(folder / "data")]
        command += ["serve", "--port", "0", "--ready-file", str(ready)]
        self.metrics = free_ports()
        own = {"PROCESSES": PROCESSES, "METRICS_PORT": self.metrics, "BACKUP": 0, "FSYNC": 0}
        environment = os.environ | {f"FOODFLOW_{name}": str(value) for name, value in own.items()}
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.until(lambda: ready.exists() and bool(ready.read_text()))
        self.address = ready.read_text()
        self.trust = ssl.create_default_context(cafile=str(folder / "data/tls/ca.pem"))

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that must come."""
        end = time.monotonic() + START_S
        while not is_so():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.05)

    def ask(self) -> int:
        """Ask over a new connection."""
        with urlopen(f"{self.address}/api/v1/health/live", context=self.trust, timeout=30) as answer:  # noqa: S310
            return int(answer.status)

    def counts(self) -> list[int]:
        """How often each process was asked; -1: it does not answer."""
        return [self._count(self.metrics + number) for number in range(PROCESSES)]

    def _count(self, port: int) -> int:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                told = answer.read().decode()
        except URLError:
            return -1
        found = re.search(r'request_seconds_count\{method="GET",route="/api/v1/health/live",status="200"\} (\d+)', told)
        return int(found[1]) if found else 0

    def hands(self) -> list[psutil.Process]:
        """The processes that answer."""
        return [each for each in psutil.Process(self.process.pid).children() if "spawn_main" in str(each.cmdline())]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A server with several processes."""
    made = Served(tmp_path)
    hands = made.hands()
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.terminate()
            made.process.wait(60)
        psutil.wait_procs(hands, 10)


def test_all_answer_and_one_that_dies_is_replaced_while_nobody_is_turned_away(served: Served) -> None:
    """Forty new connections reach each of two; with one killed every further one is answered all the same."""
    for _ in range(40):
        assert served.ask() == 200
    assert sum(served.counts()) == 40
    assert min(served.counts()) > 0
    killed = served.hands()[1]
    killed.kill()
    assert [served.ask() for _ in range(20)] == [200] * 20
    served.until(lambda: -1 not in served.counts())
    assert len(served.hands()) == PROCESSES
    assert killed.pid not in {each.pid for each in served.hands()}
    assert "process ended and is started anew" in (served.folder / "log").read_text()


def test_who_is_told_to_stop_takes_all_along_and_the_database(served: Served) -> None:
    hands = served.hands()
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(60) == 0
    assert not psutil.wait_procs(hands, 10)[1]
    assert not (served.folder / "data/postgres/postmaster.pid").exists()


def test_none_goes_on_when_the_first_was_killed(served: Served) -> None:
    """Else nobody would start them anew, and the next start would find the port taken."""
    hands = served.hands()
    assert len(hands) == PROCESSES
    served.process.kill()
    served.process.wait()
    assert not psutil.wait_procs(hands, 20)[1]
    database = int((served.folder / "data/postgres/postmaster.pid").read_text().split()[0])
    psutil.Process(database).terminate()
    psutil.wait_procs([psutil.Process(database)], 20)


def test_a_port_where_somebody_listens_is_not_shared_with_a_stranger(served: Served) -> None:
    """SO_REUSEPORT would let a second server in, and split the callers between the two."""
    port = served.address.rpartition(":")[2]
    environment = os.environ | {"FOODFLOW_PROCESSES": "2", "FOODFLOW_BACKUP": "0", "FOODFLOW_FSYNC": "0"}
    command = [sys.executable, "-m", "server.cli", "--data-folder", str(served.folder / "other"), "serve"]
    second = subprocess.run(
        [*command, "--port", port], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert second.returncode == 1
    assert "port" in second.stderr
    assert "Traceback" not in second.stderr
    assert served.ask() == 200


def refused(folder: Path, *command: str, **own: str) -> str:
    """What is said when the server does not start."""
    whole = [sys.executable, "-m", "server.cli", "--data-folder", str(folder / "data"), *command]
    environment = os.environ | {"FOODFLOW_BACKUP": "0", "FOODFLOW_FSYNC": "0"}
    environment |= {f"FOODFLOW_{name}": value for name, value in own.items()}
    ended = subprocess.run(whole, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_an_address_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    first = free_ports()
    with socket.create_server(("127.0.0.1", first + 1)):
        said = refused(tmp_path, "serve", "--port", "0", PROCESSES="2", METRICS_PORT=str(first))
        worker = refused(tmp_path, "worker", METRICS_PORT=str(first + 1))
    names = "FOODFLOW_METRICS_HOST or FOODFLOW_METRICS_PORT"
    taken = {"host": "127.0.0.1", "port": first + 1, "why": "Address already in use", "settings": names}
    assert said == worker == f"{sentences.sentence('address_not_free', taken)}\n"
    said = refused(tmp_path, "serve", HOST="no-such-host.invalid")
    assert "no-such-host.invalid" in said
    assert "Unknown error" not in said


def ends_at_once(began: Path, begun: Say, _well: Say) -> None:
    """Answers the first time and never again."""
    if began.exists():
        sys.exit(3)
    began.touch()
    begun()
    time.sleep(0.1)


def answers(begun: Say, well: Say) -> None:
    """Answers until it is told to stop."""
    begun()
    for _ in range(6_000):
        well()
        time.sleep(0.01)


def hangs(began: Path, begun: Say, well: Say) -> None:
    """The first time it says nothing any more and cannot be told to stop."""
    begun()
    if not began.exists():
        began.touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    os.kill(os.getppid(), signal.SIGTERM)
    answers(begun, well)


def hangs_at_start(began: Path, begun: Say, well: Say) -> None:
    """The second time it does not come to its beginning."""
    if not began.exists():
        began.touch()
        begun()
        time.sleep(0.1)
        sys.exit(3)
    again = began.with_suffix(".again")
    if not again.exists():
        again.touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    os.kill(os.getppid(), signal.SIGTERM)
    answers(begun, well)


def leaves_no_room(began: Path, begun: Say, well: Say) -> None:
    """The first time it ends when the process that keeps it has no descriptor left for another, for a second."""
    begun()
    if not began.exists():
        began.touch()
        first = os.getppid()
        had = resource.prlimit(first, resource.RLIMIT_NOFILE)
        resource.prlimit(first, resource.RLIMIT_NOFILE, (4, had[1]))
        if os.fork():
            os._exit(3)
        time.sleep(1)
        resource.prlimit(first, resource.RLIMIT_NOFILE, had)
        os._exit(0)
    os.kill(os.getppid(), signal.SIGTERM)
    answers(begun, well)


def kept(bad: str, began: Path) -> subprocess.CompletedProcess[str]:
    """How it ends when one of two processes is a bad one."""
    code = (
        "import functools, pathlib, sys; from server.core import processes; from tests.server import test_serving as t;"
        "processes._BETWEEN_S, processes._LOOKS_AT_START = 0.05, 100; bad = functools.partial(getattr(t, sys.argv[1]), pathlib.Path(sys.argv[2]));"
        "sys.exit(processes.keep([t.answers, bad], lambda: print('begun', flush=True)))"
    )
    command = [sys.executable, "-c", code, bad, str(began)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_one_that_cannot_be_started_again_ends_all(tmp_path: Path) -> None:
    """Else its callers would wait without end, and whoever watches the service would not know."""
    ended = kept("ends_at_once", tmp_path / "began")
    assert (ended.returncode, ended.stdout) == (1, "begun\n"), ended.stderr
    assert "cannot be started again" in ended.stderr


def test_one_that_says_nothing_any_more_is_killed_and_started_anew(tmp_path: Path) -> None:
    """A stopped process, or one whose loop hangs, would keep its share of the callers waiting for ever."""
    ended = kept("hangs", tmp_path / "began")
    assert (ended.returncode, ended.stdout) == (0, "begun\n"), ended.stderr
    assert ended.stderr.count("process answers no more and is killed") == 1
    assert ended.stderr.count("process ended and is started anew") == 1


def test_one_that_hangs_before_it_answers_again_is_killed_too(tmp_path: Path) -> None:
    ended = kept("hangs_at_start", tmp_path / "began")
    assert (ended.returncode, ended.stdout) == (0, "begun\n"), ended.stderr
    assert ended.stderr.count("process answers no more and is killed") == 1
    assert ended.stderr.count("process ended and is started anew") == 2


def test_one_that_cannot_be_started_just_now_is_started_later(tmp_path: Path) -> None:
    ended = kept("leaves_no_room", tmp_path / "began")
    assert (ended.returncode, ended.stdout) == (0, "begun\n"), ended.stderr
    assert ended.stderr.count("no process could be started") >= 2
    assert "Too many open files" in ended.stderr


def test_a_number_of_processes_that_cannot_be_is_refused() -> None:
    with pytest.raises(Invalid, match="FOODFLOW_PROCESSES"):
        from_environment({"FOODFLOW_PROCESSES": "0"})
