"""A company has a name.

Revision: 0008
After: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The command line looked at none: a blank name becomes the slug, and one too long is cut.
    op.execute("UPDATE tenant SET legal_name = slug WHERE btrim(legal_name) = ''")
    op.execute("UPDATE tenant SET legal_name = left(btrim(legal_name), 200) WHERE char_length(legal_name) > 200")
    op.create_check_constraint(
        op.f("ck_tenant_legal_name"), "tenant", "char_length(legal_name) <= 200 AND btrim(legal_name) <> ''"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_tenant_legal_name"), "tenant", type_="check")
