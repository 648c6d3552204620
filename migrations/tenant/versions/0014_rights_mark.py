"""A mark of the last change of rights, so that a process may remember them

Revision: 0014
After: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("identity_user_role", "identity_role", "identity_role_permission")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "identity_rights_mark",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("changed_in", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_identity_rights_mark_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_rights_mark")),
    )
    op.execute("INSERT INTO identity_rights_mark (id, changed_in) VALUES (1, 0)")
    op.execute(
        """
        CREATE FUNCTION identity_rights_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            this bigint := pg_current_xact_id()::text::bigint;
        BEGIN
            UPDATE identity_rights_mark SET changed_in = this WHERE changed_in <> this;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        DO $$
        BEGIN
            EXECUTE format('ALTER FUNCTION identity_rights_changed() SET search_path = %I, pg_temp', current_schema());
        END $$
        """
    )
    # As the last thing of a transaction: two that change rights wait for each other here and nowhere behind.
    for table in TABLES:
        op.execute(
            f"CREATE CONSTRAINT TRIGGER rights_changed AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION identity_rights_changed()"
        )


def downgrade() -> None:
    """Take back."""
    for table in TABLES:
        op.execute(f"DROP TRIGGER rights_changed ON {table}")
    op.execute("DROP FUNCTION identity_rights_changed()")
    op.drop_table("identity_rights_mark")
