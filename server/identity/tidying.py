"""What nobody needs any more: sessions, letters and tries that ended long ago. The audit trail keeps what happened."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import FastAPI
from sqlalchemy import delete, func, select

from server.core.actor import system
from server.core.db.sessions import TenantRef
from server.core.jobs import Periodic
from server.identity.models import Invitation, LoginAttempt, PasswordResetToken, RefreshToken

if TYPE_CHECKING:
    from server.core.db.sessions import Database

KEPT = timedelta(days=30)
"""After the end: long enough to see a used token come back, and what went wrong."""


async def tidy(app: FastAPI, tenant: TenantRef) -> None:
    """Drop whole families of tokens, letters and tries that ended before ``KEPT``."""
    database: Database = app.state.database
    before = database.clock.now() - KEPT
    ended = select(RefreshToken.family_id).group_by(RefreshToken.family_id)
    ended = ended.having(func.max(RefreshToken.expires_at) < before)
    async with database.tenant_session(tenant.id, system(tenant.id, "tidying")) as db:
        for gone in (
            delete(RefreshToken).where(RefreshToken.family_id.in_(ended)),
            delete(PasswordResetToken).where(PasswordResetToken.expires_at < before),
            delete(Invitation).where(Invitation.expires_at < before),
            delete(LoginAttempt).where(LoginAttempt.at < before),
        ):
            await db.execute(gone, execution_options={"synchronize_session": False})


JOBS = (Periodic("identity.tidying", 24 * 3600, tidy),)
