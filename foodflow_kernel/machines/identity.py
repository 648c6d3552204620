"""States and moves of identity: tenant, user, role, permission, API key, device (identity_core.md)."""

from __future__ import annotations

from enum import StrEnum

from foodflow_kernel.machines.machine import Machine


class TenantState(StrEnum):
    """A company on this server."""

    provisioning = "provisioning"
    active = "active"
    suspended = "suspended"
    offboarding = "offboarding"
    archived = "archived"


_T = TenantState
TENANT: Machine[TenantState] = Machine(
    "tenant",
    start=_T.provisioning,
    moves={
        (_T.provisioning, "activate"): _T.active,
        (_T.active, "suspend"): _T.suspended,
        (_T.suspended, "activate"): _T.active,
        (_T.active, "offboard"): _T.offboarding,
        (_T.suspended, "offboard"): _T.offboarding,
        (_T.offboarding, "archive"): _T.archived,
    },
)


class UserState(StrEnum):
    """A person's account. It is never deleted and its codes are never given to another."""

    invited = "invited"
    active = "active"
    locked = "locked"
    disabled = "disabled"


_U = UserState
USER: Machine[UserState] = Machine(
    "user",
    start=_U.invited,
    moves={
        (_U.invited, "activate"): _U.active,
        (_U.active, "lock"): _U.locked,
        (_U.locked, "unlock"): _U.active,
        (_U.active, "disable"): _U.disabled,
        (_U.locked, "disable"): _U.disabled,
        (_U.disabled, "enable"): _U.active,
    },
)


class RoleState(StrEnum):
    """A bundle of permissions: filled as a draft, given while active, kept for the record after."""

    draft = "draft"
    active = "active"
    retired = "retired"


_R = RoleState
ROLE: Machine[RoleState] = Machine(
    "role",
    start=_R.draft,
    moves={
        (_R.draft, "activate"): _R.active,
        (_R.active, "retire"): _R.retired,
    },
)


class PermissionState(StrEnum):
    """A permission that is asked for, or one that nothing asks for any more."""

    active = "active"
    deprecated = "deprecated"


_P = PermissionState
PERMISSION: Machine[PermissionState] = Machine(
    "permission", start=_P.active, moves={(_P.active, "deprecate"): _P.deprecated}
)


class ApiKeyState(StrEnum):
    """A program's key. A rotating one still opens until its successor has taken over."""

    active = "active"
    rotating = "rotating"
    revoked = "revoked"
    expired = "expired"


_K = ApiKeyState
API_KEY: Machine[ApiKeyState] = Machine(
    "API key",
    start=_K.active,
    moves={
        (_K.active, "rotate"): _K.rotating,
        (_K.active, "revoke"): _K.revoked,
        (_K.rotating, "revoke"): _K.revoked,
        (_K.active, "expire"): _K.expired,
    },
)


class DeviceState(StrEnum):
    """A terminal, from showing its pairing code to being revoked."""

    pending = "pending"
    approved = "approved"
    revoked = "revoked"


_E = DeviceState
DEVICE: Machine[DeviceState] = Machine(
    "terminal",
    start=_E.pending,
    moves={
        (_E.pending, "approve"): _E.approved,
        (_E.pending, "revoke"): _E.revoked,
        (_E.approved, "revoke"): _E.revoked,
    },
)
