"""Tables of identity in a tenant's schema."""

from __future__ import annotations

from server.identity.models.api_keys import ApiKey
from server.identity.models.people import LoginAttempt, User
from server.identity.models.rights import Permission, Role, RolePermission, UserRole
from server.identity.models.sessions import PasswordResetToken, RefreshToken
from server.identity.models.tickets import WsTicket

__all__ = [
    "ApiKey",
    "LoginAttempt",
    "PasswordResetToken",
    "Permission",
    "RefreshToken",
    "Role",
    "RolePermission",
    "User",
    "UserRole",
    "WsTicket",
]
