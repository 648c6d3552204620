"""A second factor of those who run the platform.

Revision: 0007
After: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("platform_user", sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
    op.add_column("platform_user", sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("platform_user", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_platform_user_totp"), "platform_user", "totp_confirmed_at IS NULL OR totp_secret IS NOT NULL"
    )
    op.create_table(
        "platform_recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["platform_user.id"], name=op.f("fk_platform_recovery_code_user_id_platform_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_recovery_code")),
        sa.UniqueConstraint("user_id", "code_sha256", name=op.f("uq_platform_recovery_code_user_id_code_sha256")),
    )


def downgrade() -> None:
    op.drop_table("platform_recovery_code")
    op.drop_constraint(op.f("ck_platform_user_totp"), "platform_user", type_="check")
    for name in ("totp_last_step", "totp_confirmed_at", "totp_secret"):
        op.drop_column("platform_user", name)
