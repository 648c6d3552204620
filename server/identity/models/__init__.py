"""Tables of identity in a tenant's schema."""

from __future__ import annotations

from server.identity.models.keys import SigningKey
from server.identity.models.people import LoginAttempt, LoginName, Role, User, UserRole
from server.identity.models.sessions import Invitation, PasswordResetToken, RecoveryCode, RefreshToken
from server.identity.models.tickets import WsTicket

__all__ = [
    "Invitation",
    "LoginAttempt",
    "LoginName",
    "PasswordResetToken",
    "RecoveryCode",
    "RefreshToken",
    "Role",
    "SigningKey",
    "User",
    "UserRole",
    "WsTicket",
]
