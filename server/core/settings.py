"""Settings of the server: declared once, read from the environment, documented from here.

Every field may be set as ``FOODFLOW_<NAME>``. Secrets come from the environment or from a file
that the server makes for itself in its data folder, readable by its owner only.
"""

from __future__ import annotations

import difflib
import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from foodflow_kernel.errors import Invalid

PREFIX = "FOODFLOW_"
ELSEWHERE: dict[str, str] = {
    "folder": "data folder of a terminal",
    "keys": "where a terminal keeps its keys",
    "clock": "the shared clock of the demo plant",
}
"""Variables with our prefix that other programs read."""


def default_folder() -> Path:
    """Where the server keeps its data when nobody says otherwise.

    As root the embedded PostgreSQL makes the parents of its folder world-readable, so it never
    lies below a home: /var/lib for root, the user's own data folder for others.
    """
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/foodflow")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "foodflow"


class Settings(BaseModel):
    """What an administrator may set; each field says what it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_folder: Path = Field(default_factory=default_folder, description="database, certificates, secrets, documents")
    database_url: str = Field(
        "", description="an external PostgreSQL 18 (owner role, CREATEROLE); empty: the embedded one in the data folder"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8443, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    names: tuple[str, ...] = Field((), description="further host names and addresses for the server's certificate")
    certificate: Path | None = Field(None, description="PEM certificate chain; empty: made by the server's own CA")
    certificate_key: Path | None = Field(None, description="PEM key of the certificate")
    secret_key: str = Field("", description="base of all derived passwords and tokens; empty: kept in the data folder")
    mail_from: str = Field("foodflow@localhost", description="sender of letters (forgotten password)")
    smtp_host: str = Field(
        "", description="mail server; empty: letters are files in the folder outbox of the data folder"
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="of the mail server; 465: TLS from the first byte")
    smtp_user: str = Field("", description="who signs in at the mail server; empty: nobody")
    smtp_password: str = Field("", description="of that user at the mail server", repr=False)
    smtp_tls: bool = Field(True, description="TLS to the mail server; off only for a relay on the same machine")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="processes of `serve` that answer at the one port; about as many as the machine has cores to spare",
    )
    max_connections: int = Field(40, ge=4, description="database connections of all tenants together")
    max_engines: int = Field(50, ge=1, description="tenants whose connections are kept open")
    max_listeners: int = Field(
        40, ge=1, description="companies with open live screens at this process; each costs one more connection"
    )
    idempotency_hours: int = Field(
        24, ge=1, description="hours that the answer to a request with an Idempotency-Key is kept"
    )
    files_url: str = Field(
        "",
        description="where attachments lie: `s3://bucket/prefix` (AWS_* variables); empty: a folder of the data folder",
    )
    files_quota_mb: int = Field(10_240, ge=1, description="MB of attachments that one company may keep")
    files_abandoned_hours: int = Field(24, ge=1, description="hours after which an upload nobody adds to is given up")
    scanner: str = Field(
        "",
        description="ClamAV: `tcp://host:3310` or `unix:///path`; empty: active types are refused, nothing else",
    )
    requests_per_minute: int = Field(6000, ge=0, description="of one signed-in person or key; 0: no limit")
    anonymous_per_minute: int = Field(
        120, ge=0, description="of one address, for what needs nobody signed in (sign-in, invitations); 0: no limit"
    )
    worker: bool = Field(
        True,
        description="whether `serve` does the periodic jobs too; off where `foodflow-server worker` runs beside it",
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65472,
        description="port of Prometheus metrics; 0: none. A second process takes the next port, and so on",
    )
    metrics_host: str = Field("127.0.0.1", description="address of that port; nothing there asks who is reading")
    otlp_endpoint: str = Field(
        "", description="OpenTelemetry collector (OTLP over HTTP), such as http://host:4318/v1/traces; empty: no traces"
    )
    backup: bool = Field(
        True,
        description="embedded PostgreSQL only: whether its log is archived and base backups are taken and verified",
    )
    backup_folder: Path | None = Field(
        None, description="where backups go, best on another disk; empty: the folder backup of the data folder"
    )
    backup_hour: int = Field(1, ge=0, le=23, description="hour (UTC) from which the base backup of a day is taken")
    backup_verify_minutes: int = Field(
        60, ge=10, description="minutes between two restores that verify the newest backup with all of the log"
    )
    backup_keep: int = Field(3, ge=1, description="base backups that are kept, besides the last verified one")
    fsync: bool = Field(True, description="embedded PostgreSQL only; off is for tests, a power cut then loses data")

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        """What only makes sense together is given together."""
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key are given together or not at all")
        for path in (self.certificate, self.certificate_key):
            if path is not None and not path.is_file():
                raise ValueError(f"there is no file {path}")
        if self.processes > 1 and not hasattr(socket, "SO_REUSEPORT"):
            raise ValueError("several processes cannot share a port on this system")
        if self.smtp_user and not self.smtp_host:
            raise ValueError("smtp_user without smtp_host signs in nowhere")
        return self

    def secret(self) -> bytes:
        """The server's secret: from the environment, or from its own 0600 file, made when first needed."""
        if self.secret_key:
            return self.secret_key.encode()
        path = self.data_folder / "secret.key"
        if not path.exists():
            self.data_folder.mkdir(parents=True, exist_ok=True)
            handle, made = tempfile.mkstemp(dir=self.data_folder)
            with os.fdopen(handle, "w") as stream:
                stream.write(secrets.token_hex(32))
            Path(made).replace(path)
        return path.read_text().strip().encode()


def from_environment(environment: Mapping[str, str], **over: object) -> Settings:
    """Read the settings; what the command line says goes over the environment.

    Raises:
        Invalid: `setting_unknown` for a variable that nothing reads, `setting_invalid` naming the variable and
            what is wrong with it.
    """
    for name in environment:
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields | ELSEWHERE:
            near = difflib.get_close_matches(name, [PREFIX + each.upper() for each in Settings.model_fields], 1)
            raise Invalid("setting_unknown", name=name, near=near[0] if near else "")
    given: dict[str, object] = {}
    for name in Settings.model_fields:
        raw = environment.get(PREFIX + name.upper())
        if raw is not None:
            given[name] = tuple(part.strip() for part in raw.split(",") if part.strip()) if name == "names" else raw
    try:
        return Settings.model_validate(given | over)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else f"{PREFIX}..."
        raise Invalid("setting_invalid", name=name, why=first["msg"].removeprefix("Value error, ")) from error
