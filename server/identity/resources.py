"""What the API may do with people and roles."""

from __future__ import annotations

from server.core.resource import ANY, Resource
from server.identity import accounts
from server.identity.models import Role, User

USER = Resource(
    model=User,
    owner="V",
    path="users",
    code="identity.user",
    hidden={
        "password_hash",
        "is_password_short",
        "pin_base",
        "token_epoch",
        "failed_attempts",
        "totp_secret",
        "totp_last_step",
    },
    filters={"status": ANY, "login_code": ANY},
    sorts=("printed_name", "short_no"),
    search=("printed_name", "login_code"),
    actions=accounts.ACTIONS,
)
ROLE = Resource(model=Role, owner="V", path="roles", code="identity.role", filters={"key": ANY}, sorts=("key",))

RESOURCES = (USER, ROLE)
