"""The door for letters: SMTP where the settings name a server, else a folder of files.

A letter is sent after the transaction it tells of has committed, never inside it. Its text may
hold a secret: nothing of it is logged.
"""

from __future__ import annotations

import os
import smtplib
import ssl
import uuid
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol

from foodflow_kernel.clock import Clock
from foodflow_kernel.ids import new_id
from server.core.settings import Settings

PATIENCE_S = 20.0
SMTPS_PORT = 465
"""TLS from the first byte (RFC 8314); other ports begin in the clear and switch by STARTTLS."""


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom, and what it says."""

    to: str
    subject: str
    text: str


class Mail(Protocol):
    """What sends letters. Blocking: called in a thread of its own."""

    def send(self, letter: Letter) -> None:
        """Hand a letter over; raises what went wrong."""
        ...


class Outbox:
    """Letters as files in a folder, for its owner only: the default, and what a relay may pick up."""

    def __init__(self, folder: Path, clock: Clock, sender: str) -> None:
        self.folder, self._clock, self._sender = folder, clock, sender

    def send(self, letter: Letter) -> None:
        """Write ``<id>.eml``; it is there whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = new_id(self._clock.now())
        part = self.folder / f".{name}"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(bytes(written(letter, self._sender, self._clock, name)))
        part.replace(self.folder / f"{name}.eml")


class Smtp:
    """Letters by SMTP submission, one connection each: they are few."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    def send(self, letter: Letter) -> None:
        """Hand a letter to the mail server."""
        settings = self._settings
        with _connection(settings) as link:
            if settings.smtp_user:
                link.login(settings.smtp_user, settings.smtp_password)
            link.send_message(written(letter, settings.mail_from, self._clock, new_id(self._clock.now())))


def _connection(settings: Settings) -> smtplib.SMTP:
    if not settings.smtp_tls:
        return smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=PATIENCE_S)
    trust = ssl.create_default_context()
    if settings.smtp_port == SMTPS_PORT:
        return smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=PATIENCE_S, context=trust)
    link = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=PATIENCE_S)
    try:
        link.starttls(context=trust)
    except (smtplib.SMTPException, OSError):
        link.close()
        raise
    return link


def written(letter: Letter, sender: str, clock: Clock, letter_id: uuid.UUID) -> EmailMessage:
    """A letter as RFC 5322 has it; a line break in an address or subject is refused by the library."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{letter_id}@foodflow.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def from_settings(settings: Settings, clock: Clock) -> Mail:
    """SMTP if a server is named, else the outbox in the data folder."""
    if settings.smtp_host:
        return Smtp(settings, clock)
    return Outbox(settings.data_folder / "outbox", clock, settings.mail_from)
