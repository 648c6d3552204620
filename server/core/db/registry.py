"""The companies of this server, and how every process learns at once that one was suspended.

What is known of a tenant is kept only while PostgreSQL tells of every change: a trigger notifies,
one connection per process listens. Before it listens, while the link is down, and behind a pooler
that swallows LISTEN, each question reads the row; a beat through the same channel proves the link.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import ARRAY, URL, CheckConstraint, Text, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from foodflow_kernel.errors import NotFound
from foodflow_kernel.machines.identity import TenantState
from server.core.db.base import PlatformBase

log = logging.getLogger(__name__)

CHANNEL = "foodflow_tenant"
"""As the trigger of platform revision 0005 names it."""
BEAT_S = 5.0
RETRY_S = 1.0
RESERVED = (
    "admin",
    "api",
    "foodflow",
    "foodflow_owner",
    "foodflow_platform",
    "information_schema",
    "platform",
    "postgres",
    "public",
    "system",
    "template",
)
REGIMES = (
    "fda_pchf",
    "fsis",
    "fsma204",
    "juice_120",
    "seafood_123",
    "lacf_113",
    "acid_114",
    "eu",
    "dietary_111",
)
"""Which law a company works under: preventive controls (21 CFR 117), meat, traceability, and so on."""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


class Tenant(PlatformBase):
    """A company on this server. Its slug, schema and role never change, and are never given to another."""

    __tablename__ = "tenant"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z][a-z0-9_]{2,30}$'", name="slug"),
        CheckConstraint(f"slug NOT IN ({_listed(RESERVED)})", name="reserved"),
        CheckConstraint("schema_name = 't_' || slug", name="schema_name"),
        CheckConstraint("char_length(legal_name) <= 200 AND btrim(legal_name) <> ''", name="legal_name"),
        CheckConstraint("gs1_company_prefix ~ '^[0-9]{6,12}$'", name="gs1_company_prefix"),
        CheckConstraint(f"regimes <@ ARRAY[{_listed(REGIMES)}]::text[]", name="regimes"),
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    schema_name: Mapped[str] = mapped_column(unique=True)
    legal_name: Mapped[str]
    gs1_company_prefix: Mapped[str]
    default_tz: Mapped[str]
    country: Mapped[str]
    currency: Mapped[str]
    regimes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    schema_revision: Mapped[str | None]
    state: Mapped[TenantState]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    def ref(self) -> TenantRef:
        """What the rest of the server knows of it."""
        return TenantRef(self.id, self.slug, self.schema_name, self.legal_name, self.gs1_company_prefix, self.state,
            tuple(self.regimes),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TenantRef:
    """What a connection needs to know of a tenant."""

    id: uuid.UUID
    slug: str
    schema: str
    name: str
    gs1_company_prefix: str
    state: TenantState
    regimes: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether people, keys and terminals may have its data."""
        return self.state is TenantState.active


Ask = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class Registry:
    """The tenants, as the platform's table has them now.

    Args:
        url: how the platform role logs in, for listening.
        ask: a session of the platform role.
    """

    def __init__(self, url: URL, ask: Ask) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._ask = ask
        self._known: dict[uuid.UUID, TenantRef] = {}
        self._changes = 0
        self._listener: asyncio.Task[None] | None = None
        self.is_listening = False

    async def get(self, tenant_id: uuid.UUID) -> TenantRef:
        """The tenant of an id.

        Raises:
            NotFound: `tenant_unknown`.
        """
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        if tenant_id in self._known:
            return self._known[tenant_id]
        return await self.only(Tenant.id == tenant_id)

    async def only(self, where: Any) -> TenantRef:
        """The one tenant that meets a condition.

        Raises:
            NotFound: `tenant_unknown`.
        """
        found = await self.read(where)
        if not found:
            raise NotFound("tenant_unknown")
        return found[0]

    async def read(self, *where: Any) -> list[TenantRef]:
        """Tenants as they are now, by slug."""
        changes = self._changes
        async with self._ask() as db:
            rows = (await db.scalars(select(Tenant).where(*where).order_by(Tenant.slug))).all()
        found = [row.ref() for row in rows]
        if self.is_listening and changes == self._changes:
            # Else one of them may have changed between the reading and here.
            self._known.update((each.id, each) for each in found)
        return found

    def forget(self, tenant_id: uuid.UUID) -> None:
        """Read this tenant anew next time."""
        self._changes += 1
        self._known.pop(tenant_id, None)

    async def close(self) -> None:
        """Stop listening."""
        task, self._listener = self._listener, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (psycopg.Error, OSError) as error:
                log.info("the registry is read each time: %s", error)
            finally:
                self.is_listening = False
                self._changes += 1
                self._known.clear()
            await asyncio.sleep(RETRY_S)

    async def _hear(self) -> None:
        """Listen until the link fails or a beat is not heard."""
        async with await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, tcp_user_timeout=int(BEAT_S * 1000)
        ) as db:
            beat = secrets.token_hex(8)
            await db.execute(f"LISTEN {CHANNEL}".encode())
            while True:
                await db.execute("SELECT pg_notify(%s, %s)", (CHANNEL, beat))
                is_heard = False
                async for notice in db.notifies(timeout=BEAT_S):
                    if notice.payload == beat:
                        self.is_listening = is_heard = True
                    else:
                        # A channel belongs to no role: whoever may run SQL may say anything here.
                        with contextlib.suppress(ValueError):
                            self.forget(uuid.UUID(notice.payload))
                if not is_heard:
                    raise psycopg.OperationalError("no beat")
