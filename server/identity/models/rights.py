"""What people may do: permissions, the roles that bundle them, and who holds which role where and when."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, ExcludeConstraint, aggregate_order_by
from sqlalchemy.orm import Mapped, column_property, mapped_column
from sqlalchemy.types import Text

from foodflow_kernel.machines.identity import PermissionState, RoleState
from server.core.db import MasterRow, TenantBase

NOWHERE = "00000000-0000-0000-0000-000000000000"
"""Stands for "the whole company" where an index needs a value."""


class Permission(MasterRow, TenantBase):
    """One thing that may be allowed: ``context.noun.verb``.

    System permissions are those the program asks for; they come with a release. A company's own
    (``custom.noun.verb``) open nothing here: they are scopes of its API keys, for its own programs.

    Args:
        level: normal, high (approves, ends, hands out) or esign (ends in a person's signature).
    """

    __tablename__ = "identity_permission"
    __table_args__ = (
        Index("uq_identity_permission_code", "code", unique=True),
        CheckConstraint("code ~ '^[a-z_]+\\.[a-z_]+\\.[a-z_]+$'", name="code"),
        CheckConstraint("is_system = (code !~ '^custom\\.')", name="custom"),
        CheckConstraint("level in ('normal', 'high', 'esign')", name="level"),
        CheckConstraint("is_system or level <> 'esign'", name="signed_by_us"),
    )

    code: Mapped[str]
    level: Mapped[str] = mapped_column(default="normal", server_default=text("'normal'"))
    is_system: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    state: Mapped[PermissionState] = mapped_column(default=PermissionState.active, server_default=text("'active'"))


class RolePermission(TenantBase):
    """A role contains a permission, always one that the program asks for."""

    __tablename__ = "identity_role_permission"
    __table_args__ = (
        Index("ix_identity_role_permission_code", "code"),
        CheckConstraint("code !~ '^custom\\.'", name="ours"),
    )

    role_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_role.id"), primary_key=True)
    code: Mapped[str] = mapped_column(ForeignKey("identity_permission.code"), primary_key=True)


class Role(MasterRow, TenantBase):
    """A bundle of permissions under a name people use.

    Args:
        key: how the role is called in files and on badges; never given to another.
        assignable_scope: ``plant``: given at one plant only; ``tenant``: also in the whole company.
        permissions: its codes, as they were when the row was read.
    """

    __tablename__ = "identity_role"
    __table_args__ = (
        Index("uq_identity_role_key", "key", unique=True),
        CheckConstraint("key ~ '^[A-Za-z][A-Za-z0-9_]{0,31}$'", name="key"),
        CheckConstraint("assignable_scope in ('tenant', 'plant')", name="assignable_scope"),
        CheckConstraint("(state = 'retired') = (retired_at is not null)", name="retired"),
    )

    key: Mapped[str]
    name: Mapped[str]
    is_system: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    assignable_scope: Mapped[str] = mapped_column(default="tenant", server_default=text("'tenant'"))
    state: Mapped[RoleState] = mapped_column(default=RoleState.draft, server_default=text("'draft'"))
    if TYPE_CHECKING:
        permissions: Mapped[list[str]]


_codes = func.array_agg(aggregate_order_by(RolePermission.code, RolePermission.code.asc()), type_=ARRAY(Text))
Role.permissions = column_property(
    select(func.coalesce(_codes, literal([], ARRAY(Text))))
    .where(RolePermission.role_id == Role.id)
    .correlate_except(RolePermission)
    .scalar_subquery(),
    expire_on_flush=False,  # what changes it reads it anew; nobody reads it without asking the database
)
Role.__annotations__["permissions"] = "Mapped[list[str]]"  # what the API shows is read from the annotations


class UserRole(MasterRow, TenantBase):
    """A person holds a role, at one plant or at all, for a time.

    Taken away it is ``retired_at``, and stays for the record. It cannot be changed: other terms are
    a new row.

    Args:
        valid_from, valid_to: half-open; no end means until it is taken away.
        told_at: when the terminals were last told that it began or ended by the clock.
    """

    __tablename__ = "identity_user_role"
    __table_args__ = (
        CheckConstraint("valid_to is null or valid_to > valid_from", name="valid"),
        ExcludeConstraint(
            ("user_id", "="),
            ("role_id", "="),
            (text(f"coalesce(plant_id, '{NOWHERE}'::uuid)"), "="),
            (text("tstzrange(valid_from, valid_to)"), "&&"),
            name="ex_identity_user_role_valid",
            using="gist",
            where=text("retired_at IS NULL"),
        ),
        Index("ix_identity_user_role_user_id", "user_id"),
        Index("ix_identity_user_role_role_id", "role_id"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_user.id"))
    role_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("identity_role.id"))
    plant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("core_plant.id"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    told_at: Mapped[datetime | None]


class RightsMark(TenantBase):
    """The transaction that was the last to change what anybody may do.

    Written by triggers of assignments, roles and their permissions as a transaction commits. Who
    remembers somebody's rights reads this one row to know whether they still hold.
    """

    __tablename__ = "identity_rights_mark"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    changed_in: Mapped[int] = mapped_column(BigInteger)
