"""Tables of identity in a tenant's schema."""

from __future__ import annotations

from server.identity.models.people import LoginAttempt, Role, User, UserRole

__all__ = ["LoginAttempt", "Role", "User", "UserRole"]
