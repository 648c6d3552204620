"""What the API may do with people and what they may do."""

from __future__ import annotations

from server.core.actions import Action
from server.core.jobs import Periodic
from server.core.resource import ANY, Resource
from server.identity import accounts, api_keys, roles
from server.identity.models import ApiKey, Permission, Role, User, UserRole

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
ROLE = Resource(
    model=Role,
    owner="M",
    path="roles",
    code="identity.role",
    writable=("key", "name", "assignable_scope"),
    fixed={"key", "assignable_scope"},
    filters={"key": ANY, "state": ANY, "is_system": ANY},
    sorts=("key",),
    search=("key", "name"),
    actions=(Action("activate", roles.activate, roles.Activate, risk="approve"),),
    before_save=roles.check,
)
PERMISSION = Resource(
    model=Permission,
    owner="M",
    path="permissions",
    code="identity.permission",
    writable=("code", "level"),
    fixed={"code"},
    filters={"code": ANY, "level": ANY, "is_system": ANY, "state": ANY},
    sorts=("code",),
    search=("code",),
    before_save=roles.check_permission,
)
USER_ROLE = Resource(
    model=UserRole,
    owner="V",
    path="user-roles",
    code="identity.user_role",
    hidden={"told_at"},
    filters={"user_id": ANY, "role_id": ANY, "plant_id": ANY, "valid_from": ANY, "valid_to": ANY},
    sorts=("valid_from",),
    actions=(Action("take", roles.take, roles.Take, risk="approve"),),
)

API_KEY = Resource(
    model=ApiKey,
    owner="V",
    path="api-keys",
    code="identity.api_key",
    hidden={"secret_sha256"},
    filters={"owner_id": ANY, "prefix": ANY, "state": ANY, "expires_at": ANY, "last_used_at": ANY},
    sorts=("expires_at", "name"),
    search=("name",),
    actions=(Action("revoke", api_keys.revoke, api_keys.Revoke, risk="approve"),),
)

JOBS = (
    Periodic("identity.assignments", 60, roles.tell_of_time),
    Periodic("identity.api_keys", 60, api_keys.tidy),
)

RESOURCES = (USER, ROLE, PERMISSION, USER_ROLE, API_KEY)
