"""People at the door: signing keys, second factors, invitations, names that are never given to another.

Revision: 0005
After: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0007"
branch_labels = None
depends_on = None


CHECKS = {
    "totp": "totp_confirmed_at IS NULL OR totp_secret IS NOT NULL",
    "password_short": "NOT is_password_short OR totp_confirmed_at IS NOT NULL",
    "locked_until": "locked_until IS NULL OR status = 'locked'",
    "identity_check": "(identity_check IS NULL) = (identity_checked_at IS NULL)",
    "fda_letter": "fda_letter_on IS NULL OR identity_check IS NOT NULL",
    "pcqi": "NOT is_pcqi OR (pcqi_valid_to IS NOT NULL AND ((pcqi_training_on IS NOT NULL AND "
    "length(pcqi_training_type) >= 5) IS TRUE OR (length(pcqi_experience) >= 5) IS TRUE))",
}


def upgrade() -> None:
    op.create_table(
        "identity_signing_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("private_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verifies_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("algorithm = 'EdDSA'", name=op.f("ck_identity_signing_key_algorithm")),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (private_sealed IS NOT NULL)", name=op.f("ck_identity_signing_key_private_half")
        ),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (verifies_until IS NULL)", name=op.f("ck_identity_signing_key_verifies_until")
        ),
        sa.CheckConstraint("octet_length(public_key) = 32", name=op.f("ck_identity_signing_key_public_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_signing_key")),
    )
    op.create_index(
        "uq_identity_signing_key_signs",
        "identity_signing_key",
        ["algorithm"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "identity_invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > issued_at", name=op.f("ck_identity_invitation_expires")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity_user.id"], name=op.f("fk_identity_invitation_user_id_identity_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_invitation")),
    )
    op.create_index(
        "uq_identity_invitation_open",
        "identity_invitation",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_index("uq_identity_invitation_token_sha256", "identity_invitation", ["token_sha256"], unique=True)
    op.create_table(
        "identity_login_name",
        sa.Column("name", postgresql.CITEXT(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity_user.id"], name=op.f("fk_identity_login_name_user_id_identity_user")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_identity_login_name")),
    )
    op.create_table(
        "identity_recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity_user.id"], name=op.f("fk_identity_recovery_code_user_id_identity_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_recovery_code")),
    )
    op.create_index(
        "uq_identity_recovery_code_sha256", "identity_recovery_code", ["user_id", "code_sha256"], unique=True
    )
    op.create_index("ix_identity_login_attempt_address_at", "identity_login_attempt", ["address", "at"], unique=False)
    op.create_index("ix_identity_login_attempt_at", "identity_login_attempt", ["at"], unique=False)
    op.add_column("identity_user", sa.Column("totp_secret", sa.LargeBinary(), nullable=True))
    op.add_column("identity_user", sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("identity_user", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.add_column(
        "identity_user", sa.Column("is_password_short", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("identity_user", sa.Column("pin_set_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("identity_user", sa.Column("pin_wait_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "identity_user", sa.Column("is_pin_one_use", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("identity_user", sa.Column("is_pcqi", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("identity_user", sa.Column("pcqi_valid_to", sa.Date(), nullable=True))
    op.add_column("identity_user", sa.Column("pcqi_training_on", sa.Date(), nullable=True))
    op.add_column("identity_user", sa.Column("pcqi_training_type", sa.Text(), nullable=True))
    op.add_column("identity_user", sa.Column("pcqi_experience", sa.Text(), nullable=True))
    op.add_column("identity_user", sa.Column("identity_check", sa.Text(), nullable=True))
    op.add_column("identity_user", sa.Column("identity_checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("identity_user", sa.Column("fda_letter_on", sa.Date(), nullable=True))
    for name, rule in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_identity_user_{name}"), "identity_user", rule)
    # AFTER: the name refers to the person.
    op.execute(
        """
        CREATE FUNCTION claim_login_names() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            claimed text;
        BEGIN
            FOREACH claimed IN ARRAY ARRAY[NEW.login_code, NEW.email::text] LOOP
                CONTINUE WHEN claimed IS NULL;
                INSERT INTO identity_login_name (name, user_id) VALUES (claimed, NEW.id) ON CONFLICT (name) DO NOTHING;
                IF NOT EXISTS (SELECT 1 FROM identity_login_name WHERE name = claimed::citext AND user_id = NEW.id) THEN
                    RAISE EXCEPTION 'this badge or e-mail is or was another person''s'
                        USING ERRCODE = 'unique_violation', CONSTRAINT = 'uq_identity_user_login_name';
                END IF;
            END LOOP;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "INSERT INTO identity_login_name (name, user_id) "
        "SELECT login_code, id FROM identity_user UNION ALL "
        "SELECT email, id FROM identity_user WHERE email IS NOT NULL ON CONFLICT DO NOTHING"
    )
    op.execute(
        "CREATE TRIGGER claim_login_names AFTER INSERT OR UPDATE OF login_code, email ON identity_user "
        "FOR EACH ROW EXECUTE FUNCTION claim_login_names()"
    )
    op.execute(
        "CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_login_name "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        DO $$ BEGIN
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON identity_login_name FROM %I', current_schema());
        EXCEPTION WHEN undefined_object THEN
            NULL;  -- a scratch schema has no role of its own
        END $$
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER claim_login_names ON identity_user")
    op.execute("DROP FUNCTION claim_login_names()")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_identity_user_{name}"), "identity_user", type_="check")
    op.drop_column("identity_user", "fda_letter_on")
    op.drop_column("identity_user", "identity_checked_at")
    op.drop_column("identity_user", "identity_check")
    op.drop_column("identity_user", "pcqi_experience")
    op.drop_column("identity_user", "pcqi_training_type")
    op.drop_column("identity_user", "pcqi_training_on")
    op.drop_column("identity_user", "pcqi_valid_to")
    op.drop_column("identity_user", "is_pcqi")
    op.drop_column("identity_user", "is_pin_one_use")
    op.drop_column("identity_user", "pin_wait_until")
    op.drop_column("identity_user", "pin_set_at")
    op.drop_column("identity_user", "is_password_short")
    op.drop_column("identity_user", "totp_last_step")
    op.drop_column("identity_user", "totp_confirmed_at")
    op.drop_column("identity_user", "totp_secret")
    op.drop_index("ix_identity_login_attempt_at", table_name="identity_login_attempt")
    op.drop_index("ix_identity_login_attempt_address_at", table_name="identity_login_attempt")
    op.drop_index("uq_identity_recovery_code_sha256", table_name="identity_recovery_code")
    op.drop_table("identity_recovery_code")
    op.drop_table("identity_login_name")
    op.drop_index("uq_identity_invitation_token_sha256", table_name="identity_invitation")
    op.drop_index(
        "uq_identity_invitation_open",
        table_name="identity_invitation",
        postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
    )
    op.drop_table("identity_invitation")
    op.drop_index(
        "uq_identity_signing_key_signs",
        table_name="identity_signing_key",
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.drop_table("identity_signing_key")
