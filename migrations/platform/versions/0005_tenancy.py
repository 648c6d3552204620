"""What a tenant may be called and be, who runs the platform, and what they did.

Revision: 0005
After: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RESERVED = (
    "admin api foodflow foodflow_owner foodflow_platform information_schema platform postgres public system template"
)
REGIMES = "fda_pchf fsis fsma204 juice_120 seafood_123 lacf_113 acid_114 eu dietary_111"


def listed(names: str) -> str:
    return ", ".join(f"'{name}'" for name in names.split())


CHECKS = {
    "slug": "slug ~ '^[a-z][a-z0-9_]{2,30}$'",
    "reserved": f"slug NOT IN ({listed(RESERVED)})",
    "schema_name": "schema_name = 't_' || slug",
    "gs1_company_prefix": "gs1_company_prefix ~ '^[0-9]{6,12}$'",
    "regimes": f"regimes <@ ARRAY[{listed(REGIMES)}]::text[]",
    "country": "country ~ '^[A-Z]{2}$'",
    "currency": "currency ~ '^[A-Z]{3}$'",
}


def upgrade() -> None:
    op.add_column("tenant", sa.Column("regimes", sa.ARRAY(sa.Text()), nullable=False, server_default="{}"))
    op.add_column("tenant", sa.Column("schema_revision", sa.Text(), nullable=True))
    op.add_column("tenant", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    for name, check in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_tenant_{name}"), "tenant", check)
    op.execute(
        """
        CREATE FUNCTION tenant_keeps_its_name() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF OLD.state <> 'provisioning' THEN
                    RAISE EXCEPTION 'tenant % is never deleted: its names are not given to another', OLD.slug
                        USING ERRCODE = 'insufficient_privilege';
                END IF;
                RETURN OLD;
            END IF;
            IF (NEW.id, NEW.slug, NEW.schema_name) IS DISTINCT FROM (OLD.id, OLD.slug, OLD.schema_name) THEN
                RAISE EXCEPTION 'id, slug and schema of tenant % never change', OLD.slug
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER keeps_its_name BEFORE UPDATE OR DELETE ON tenant
            FOR EACH ROW EXECUTE FUNCTION tenant_keeps_its_name();
        CREATE FUNCTION tenant_told() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('foodflow_tenant', COALESCE(NEW.id, OLD.id)::text);
            RETURN NULL;
        END $$;
        CREATE TRIGGER told AFTER INSERT OR UPDATE OR DELETE ON tenant
            FOR EACH ROW EXECUTE FUNCTION tenant_told();
        """
    )

    op.create_table(
        "platform_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("printed_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("token_epoch", sa.Integer(), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_user")),
        sa.UniqueConstraint("email", name=op.f("uq_platform_user_email")),
    )
    op.create_table(
        "platform_audit",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("diff", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_platform_audit")),
    )
    op.execute(
        """
        CREATE FUNCTION platform_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$;
        CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON platform_audit
            FOR EACH STATEMENT EXECUTE FUNCTION platform_audit_stays();
        DO $$
        BEGIN
            REVOKE UPDATE, DELETE, TRUNCATE ON platform_audit FROM foodflow_platform;
        EXCEPTION WHEN undefined_object THEN
            NULL;
        END $$;
        """
    )


def downgrade() -> None:
    op.drop_table("platform_audit")
    op.execute("DROP FUNCTION platform_audit_stays()")
    op.drop_table("platform_user")
    op.execute("DROP FUNCTION tenant_told() CASCADE; DROP FUNCTION tenant_keeps_its_name() CASCADE")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_tenant_{name}"), "tenant", type_="check")
    for name in ("version", "schema_revision", "regimes"):
        op.drop_column("tenant", name)
