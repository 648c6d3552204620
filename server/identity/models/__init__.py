"""Tables of identity in a tenant's schema."""

from __future__ import annotations

from server.identity.models.api_keys import ApiKey
from server.identity.models.keys import SigningKey
from server.identity.models.people import LoginAttempt, LoginName, User
from server.identity.models.rights import Permission, RightsMark, Role, RolePermission, UserRole
from server.identity.models.sessions import Invitation, PasswordResetToken, RecoveryCode, RefreshToken
from server.identity.models.tickets import WsTicket

__all__ = [
    "ApiKey",
    "Invitation",
    "LoginAttempt",
    "LoginName",
    "PasswordResetToken",
    "Permission",
    "RecoveryCode",
    "RefreshToken",
    "RightsMark",
    "Role",
    "RolePermission",
    "SigningKey",
    "User",
    "UserRole",
    "WsTicket",
]
