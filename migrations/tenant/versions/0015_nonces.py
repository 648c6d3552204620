"""Nonces that terminals said hello with, so that none is good twice in whatever process

Revision: 0015
After: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sync_nonce",
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_sync_nonce")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("sync_nonce")
