"""Who of the platform reads a company's data, why and until when.

Revision: 0006
After: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "break_glass",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("company_id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_as", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "ends_at > opened_at AND ends_at <= opened_at + interval '4 hours'", name=op.f("ck_break_glass_four_hours")
        ),
        sa.CheckConstraint("char_length(reason) BETWEEN 5 AND 500", name=op.f("ck_break_glass_reason")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_as IS NULL) AND ended_at BETWEEN opened_at AND ends_at",
            name=op.f("ck_break_glass_ended"),
        ),
        sa.CheckConstraint(
            "ended_as IN ('time', 'operator', 'company', 'account')", name=op.f("ck_break_glass_ended_as")
        ),
        sa.ForeignKeyConstraint(["company_id"], ["tenant.id"], name=op.f("fk_break_glass_company_id_tenant")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["platform_user.id"], name=op.f("fk_break_glass_operator_id_platform_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_index(
        "uq_break_glass_open",
        "break_glass",
        ["operator_id", "company_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_break_glass_company_id", "break_glass", ["company_id", "opened_at"], unique=False)
    op.execute(
        """
        CREATE FUNCTION break_glass_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND
                   (NEW.id, NEW.company_id, NEW.operator_id, NEW.reason, NEW.opened_at, NEW.ends_at) IS NOT DISTINCT FROM
                   (OLD.id, OLD.company_id, OLD.operator_id, OLD.reason, OLD.opened_at, OLD.ends_at) THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'an access of break_glass is only ended, once' USING ERRCODE = 'insufficient_privilege';
        END $$;
        CREATE TRIGGER only_ends BEFORE UPDATE OR DELETE ON break_glass
            FOR EACH ROW EXECUTE FUNCTION break_glass_only_ends();
        CREATE TRIGGER never_emptied BEFORE TRUNCATE ON break_glass
            FOR EACH STATEMENT EXECUTE FUNCTION break_glass_only_ends();
        DO $$
        BEGIN
            REVOKE DELETE, TRUNCATE ON break_glass FROM foodflow_platform;
        EXCEPTION WHEN undefined_object THEN
            NULL;
        END $$;
        """
    )


def downgrade() -> None:
    op.drop_table("break_glass")
    op.execute("DROP FUNCTION break_glass_only_ends()")
