"""Letters: files for their owner only, or SMTP that never falls back to the clear."""

from __future__ import annotations

import smtplib
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from foodflow_kernel.clock import FakeClock
from foodflow_kernel.ids import new_id
from server.core import mail
from server.core.mail import Letter
from server.core.settings import Settings

ADDRESS = "sv@example.org"
LETTER = Letter(ADDRESS, "Contraseña", "línea uno\n\n.línea dos\n")


class Relay(socketserver.ThreadingTCPServer):
    """A mail server without TLS that notes what it is told."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.said: list[str] = []
        self.letters: list[bytes] = []


class Talk(socketserver.StreamRequestHandler):
    server: Relay

    def handle(self) -> None:
        self.wfile.write(b"220 relay\r\n")
        while line := self.rfile.readline():
            verb = line.split()[0].upper().decode()
            self.server.said.append(verb)
            if verb == "DATA":
                self.wfile.write(b"354 go\r\n")
                self.server.letters.append(b"".join(iter(self.rfile.readline, b".\r\n")).replace(b"\r\n..", b"\r\n."))
            self.wfile.write(b"221 bye\r\n" if verb == "QUIT" else b"250 relay\r\n")
            if verb == "QUIT":
                return


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def smtp(relay: Relay, clock: FakeClock, **more: object) -> mail.Mail:
    given = {"smtp_host": "127.0.0.1", "smtp_port": relay.server_address[1], "mail_from": "hub@example.org"}
    return mail.from_settings(Settings.model_validate(given | more), clock)


def test_the_outbox_keeps_letters_for_its_owner_only(tmp_path: Path, clock: FakeClock) -> None:
    mail.from_settings(Settings(data_folder=tmp_path), clock).send(LETTER)
    (path,) = (tmp_path / "outbox").iterdir()
    assert (path.suffix, path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (".eml", 0o600, 0o700)
    read = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert (read["To"], read["Subject"], read.get_content()) == (ADDRESS, LETTER.subject, LETTER.text)


def test_a_letter_goes_by_smtp(relay: Relay, clock: FakeClock) -> None:
    smtp(relay, clock, smtp_tls=False).send(LETTER)
    (raw,) = relay.letters
    read = message_from_bytes(raw, policy=policy.default)
    assert (read["From"], read["To"], read["Subject"]) == ("hub@example.org", ADDRESS, LETTER.subject)
    assert read.get_content().replace("\r\n", "\n") == LETTER.text


@pytest.mark.parametrize("user", ["", "hub"])
def test_without_tls_nothing_is_sent_and_no_password_said(relay: Relay, clock: FakeClock, user: str) -> None:
    with pytest.raises(smtplib.SMTPNotSupportedError):
        smtp(relay, clock, smtp_user=user, smtp_password=user).send(LETTER)
    assert (relay.letters, set(relay.said) & {"AUTH", "MAIL", "DATA"}) == ([], set())


def test_a_line_break_in_an_address_is_refused(clock: FakeClock) -> None:
    letter = Letter("a@example.org\nBcc: all@example.org", "x", "y")
    with pytest.raises(ValueError, match=r"linefeed|newline|line"):
        mail.written(letter, "b@example.org", clock, new_id(clock.now()))
