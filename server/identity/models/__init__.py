"""Tables of identity in a tenant's schema."""

from __future__ import annotations

from server.identity.models.people import LoginAttempt, Role, User, UserRole
from server.identity.models.sessions import PasswordResetToken, RefreshToken
from server.identity.models.tickets import WsTicket

__all__ = ["LoginAttempt", "PasswordResetToken", "RefreshToken", "Role", "User", "UserRole", "WsTicket"]
