"""Settings of the server: declared once, read from the environment, documented from here.

Every field may be set as ``FOODFLOW_<NAME>``. Secrets come from the environment or from a file
that the server makes for itself in its data folder, readable by its owner only.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foodflow_kernel.errors import Invalid

PREFIX = "FOODFLOW_"


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
    smtp_port: int = Field(587, ge=1, le=65534, description="of the mail server; 465: TLS from the first byte")
    smtp_user: str = Field("", description="who signs in at the mail server; empty: nobody")
    smtp_password: str = Field("", description="of that user at the mail server", repr=False)
    smtp_tls: bool = Field(True, description="TLS to the mail server; off only for a relay on the same machine")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    max_connections: int = Field(40, ge=4, description="database connections of all tenants together")
    max_engines: int = Field(50, ge=1, description="tenants whose connections are kept open")
    idempotency_hours: int = Field(
        24, ge=1, description="hours that the answer to a request with an Idempotency-Key is kept"
    )
    requests_per_minute: int = Field(6000, ge=0, description="of one signed-in person or key; 0: no limit")
    anonymous_per_minute: int = Field(
        120, ge=0, description="of one address, for what needs nobody signed in (sign-in, invitations); 0: no limit"
    )
    worker: bool = Field(
        True,
        description="whether `serve` does the periodic jobs too; off where `foodflow-server worker` runs beside it",
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="port of Prometheus metrics; 0: none")
    metrics_host: str = Field("127.0.0.1", description="address of that port; nothing there asks who is reading")
    otlp_endpoint: str = Field(
        "", description="OpenTelemetry collector (OTLP over HTTP), such as http://host:4318/v1/traces; empty: no traces"
    )
    fsync: bool = Field(True, description="embedded PostgreSQL only; off is for tests, a power cut then loses data")

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
        Invalid: `setting_invalid`, naming the variable and what is wrong with it.
    """
    given: dict[str, object] = {}
    for name in Settings.model_fields:
        raw = environment.get(PREFIX + name.upper())
        if raw is not None:
            given[name] = tuple(part.strip() for part in raw.split(",") if part.strip()) if name == "names" else raw
    try:
        return Settings.model_validate(given | over)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Invalid("setting_invalid", name=PREFIX + str(first["loc"][0]).upper(), why=first["msg"]) from error
