"""What the API may do with people and roles."""

from __future__ import annotations

from server.core.actions import Action
from server.core.resource import ANY, Resource
from server.identity import people
from server.identity.models import Role, User

USER = Resource(
    model=User,
    owner="V",
    path="users",
    code="identity.user",
    hidden={"password_hash", "pin_base", "token_epoch", "failed_attempts", "locked_until"},
    filters={"status": ANY, "login_code": ANY},
    sorts=("printed_name", "short_no"),
    search=("printed_name", "login_code"),
    actions=(Action("disable", people.disable, people.Disable, risk="approve"),),
)
ROLE = Resource(model=Role, owner="V", path="roles", code="identity.role", filters={"key": ANY}, sorts=("key",))

RESOURCES = (USER, ROLE)
