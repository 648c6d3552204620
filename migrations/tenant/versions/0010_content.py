"""Settings, notifications, files, and what open screens follow.

Revision: 0010
After: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0011"
branch_labels = None
depends_on = None


_STAMPS = "'version', 'updated_at', 'updated_by'"
# Table, trigger, rows it is for, the columns of those that may still change.
_FIXED = (
    (
        "core_system_config",
        "proposed_fixed",
        "OLD.state = 'proposed'",
        f"'state', 'valid_from', 'valid_to', 'signed_by', 'signed_at', {_STAMPS}",
    ),
    ("core_system_config", "value_fixed", "OLD.state IN ('scheduled', 'effective')", f"'state', 'valid_to', {_STAMPS}"),
    ("core_system_config", "ended_fixed", "OLD.state IN ('superseded', 'withdrawn')", _STAMPS),
    ("core_notification", "closed_fixed", "OLD.state IN ('acked', 'expired')", _STAMPS),
    (
        "core_attachment",
        "open_fixed",
        "OLD.state = 'open'",
        "'state', 'received', 'touched_at', 'media_type', 'blob_sha256', 'completed_at'",
    ),
    (
        "core_attachment",
        "stored_fixed",
        "OLD.state IN ('pending', 'failed')",
        "'state', 'finding', 'scanned_at', 'scan_tries'",
    ),
    ("core_attachment", "judged_fixed", "OLD.state IN ('clean', 'infected')", "'scan_tries'"),
)


def guards() -> None:
    op.execute(
        """
        CREATE FUNCTION only_changes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF to_jsonb(OLD) - TG_ARGV::text[] <> to_jsonb(NEW) - TG_ARGV::text[] THEN
                RAISE EXCEPTION 'this of % is never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    for table, name, when, columns in _FIXED:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when}) "
            f"EXECUTE FUNCTION only_changes({columns})"
        )
    # What a person did with a notification is a fact.
    undone = " OR ".join(
        f"(OLD.{name} IS NOT NULL AND NEW.{name} IS DISTINCT FROM OLD.{name})"
        for name in ("delivered_at", "read_at", "acked_at")
    )
    op.execute(
        f"CREATE TRIGGER never_undone BEFORE UPDATE ON core_notification_recipient FOR EACH ROW WHEN ({undone}) "
        "EXECUTE FUNCTION refuse_change()"
    )
    for table, events in (
        ("core_system_config", "DELETE OR TRUNCATE"),
        ("core_notification", "DELETE OR TRUNCATE"),
        ("core_notification_recipient", "DELETE OR TRUNCATE"),
        ("core_attachment", "TRUNCATE"),
        ("core_attachment_link", "UPDATE OR TRUNCATE"),
        ("core_blob", "UPDATE OR DELETE OR TRUNCATE"),
    ):
        op.execute(
            f"CREATE TRIGGER never_changed BEFORE {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER stored_kept BEFORE DELETE ON core_attachment FOR EACH ROW WHEN (OLD.state <> 'open') "
        "EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        CREATE FUNCTION refuse_detaching() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM core_esignature WHERE record_type = OLD.entity AND record_id = OLD.entity_id) THEN
                RAISE EXCEPTION 'a file is not taken away from a signed record' USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN OLD;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER signed_keeps_files BEFORE DELETE ON core_attachment_link FOR EACH ROW "
        "EXECUTE FUNCTION refuse_detaching()"
    )


def upgrade() -> None:
    op.create_table(
        "core_blob",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_core_blob_sha256")),
        sa.CheckConstraint("size between 1 and 52428800", name=op.f("ck_core_blob_size")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_core_blob")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_core_blob_storage_key")),
    )
    op.create_table(
        "core_live_counter",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("tail", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_core_live_counter_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_live_counter")),
    )
    op.create_table(
        "core_live_row",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_core_live_row")),
    )
    op.create_index("ix_core_live_row_at", "core_live_row", ["at"], unique=False, postgresql_using="brin")
    op.create_table(
        "core_system_config",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("system", "tenant", "plant", "line", "device", name="scope", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("scope_id", sa.Uuid(), nullable=True),
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "scheduled",
                "effective",
                "superseded",
                "withdrawn",
                name="configstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("key"), "="),
            (sa.column("scope"), "="),
            (sa.text("coalesce(scope_id, '00000000-0000-0000-0000-000000000000'::uuid)"), "="),
            (sa.text("tstzrange(valid_from, valid_to)"), "&&"),
            where=sa.text("state NOT IN ('proposed', 'withdrawn')"),
            using="gist",
            name="ex_core_system_config_valid",
        ),
        sa.CheckConstraint(
            "(scope in ('system','tenant')) = (plant_id is null)", name=op.f("ck_core_system_config_plant_id")
        ),
        sa.CheckConstraint(
            "(scope in ('system','tenant')) = (scope_id is null)", name=op.f("ck_core_system_config_scope_id")
        ),
        sa.CheckConstraint(
            "scope in ('system','tenant','plant','line','device')", name=op.f("ck_core_system_config_scope")
        ),
        sa.CheckConstraint(
            "state in ('proposed','withdrawn') or key !~ '^(hold|ccp|retention|oee|esign)\\.' or signed_by is not null",
            name=op.f("ck_core_system_config_signed"),
        ),
        sa.CheckConstraint("(signed_by is null) = (signed_at is null)", name=op.f("ck_core_system_config_signed_at")),
        sa.CheckConstraint("char_length(reason) between 5 and 500", name=op.f("ck_core_system_config_reason")),
        sa.CheckConstraint("signed_by <> proposed_by", name=op.f("ck_core_system_config_proposer_is_not_signer")),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("ck_core_system_config_valid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_system_config")),
    )
    op.create_index("ix_core_system_config_key_valid", "core_system_config", ["key", "valid_from"], unique=False)
    op.create_table(
        "core_attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("open", "pending", "clean", "infected", "failed", name="filestate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("blob_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.Column("scan_tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'open') = (blob_sha256 is null)", name=op.f("ck_core_attachment_has_bytes")),
        sa.CheckConstraint(
            "(state in ('open','pending')) = (scanned_at is null)", name=op.f("ck_core_attachment_scanned_at")
        ),
        sa.CheckConstraint(
            "state in ('open','pending','clean','infected','failed')", name=op.f("ck_core_attachment_state")
        ),
        sa.CheckConstraint("blob_sha256 = sha256", name=op.f("ck_core_attachment_bytes_are_as_announced")),
        sa.CheckConstraint("char_length(filename) between 1 and 200", name=op.f("ck_core_attachment_filename")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_core_attachment_sha256")),
        sa.CheckConstraint("received between 0 and size", name=op.f("ck_core_attachment_received")),
        sa.CheckConstraint("size between 1 and 52428800", name=op.f("ck_core_attachment_size")),
        sa.ForeignKeyConstraint(
            ["blob_sha256"], ["core_blob.sha256"], name=op.f("fk_core_attachment_blob_sha256_core_blob")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_attachment")),
    )
    op.create_index(
        "ix_core_attachment_open",
        "core_attachment",
        ["created_by", "touched_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_core_attachment_sha256", "core_attachment", ["sha256"], unique=False)
    op.create_index(
        "ix_core_attachment_waiting",
        "core_attachment",
        ["completed_at"],
        unique=False,
        postgresql_where=sa.text("state in ('pending','failed')"),
    )
    op.create_table(
        "core_notification",
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "delivered",
                "read",
                "acked",
                "expired",
                name="notificationstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalate_after_min", sa.Integer(), nullable=True),
        sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acked_by", sa.Uuid(), nullable=True),
        sa.Column("acked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'acked') = (acked_by is not null)", name=op.f("ck_core_notification_acked_by_a_person")
        ),
        sa.CheckConstraint(
            "severity <> 'critical' or (state <> 'expired' and expires_at is null)",
            name=op.f("ck_core_notification_critical_never_expires"),
        ),
        sa.CheckConstraint(
            "severity <> 'critical' or escalate_after_min is not null",
            name=op.f("ck_core_notification_critical_escalates"),
        ),
        sa.CheckConstraint("severity in ('info','warn','critical')", name=op.f("ck_core_notification_severity")),
        sa.CheckConstraint("(acked_by is null) = (acked_at is null)", name=op.f("ck_core_notification_acked_at")),
        sa.CheckConstraint("char_length(title) between 1 and 300", name=op.f("ck_core_notification_title")),
        sa.CheckConstraint("count >= 1", name=op.f("ck_core_notification_count")),
        sa.CheckConstraint("escalate_after_min > 0", name=op.f("ck_core_notification_escalate_after_min")),
        sa.CheckConstraint("level between 0 and 3", name=op.f("ck_core_notification_level")),
        sa.ForeignKeyConstraint(
            ["acked_by"], ["identity_user.id"], name=op.f("fk_core_notification_acked_by_identity_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_notification")),
    )
    op.create_index(
        "ix_core_notification_escalate_at",
        "core_notification",
        ["escalate_at"],
        unique=False,
        postgresql_where=sa.text("state in ('pending','delivered','read')"),
    )
    op.create_index(
        "ix_core_notification_expires_at",
        "core_notification",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state in ('pending','delivered','read')"),
    )
    op.create_index(
        "uq_core_notification_dedupe_key",
        "core_notification",
        ["dedupe_key"],
        unique=True,
        postgresql_where=sa.text("state in ('pending','delivered','read')"),
    )
    op.create_table(
        "core_quiet_hours",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("tz", sa.Text(), nullable=False),
        sa.CheckConstraint("starts <> ends", name=op.f("ck_core_quiet_hours_starts")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity_user.id"], name=op.f("fk_core_quiet_hours_user_id_identity_user")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_core_quiet_hours")),
    )
    op.create_table(
        "identity_ws_ticket",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "expires_at > issued_at and expires_at <= issued_at + interval '60 seconds'",
            name=op.f("ck_identity_ws_ticket_a_minute"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity_user.id"], name=op.f("fk_identity_ws_ticket_user_id_identity_user")
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_identity_ws_ticket")),
    )
    op.create_index("ix_identity_ws_ticket_expires_at", "identity_ws_ticket", ["expires_at"], unique=False)
    op.create_table(
        "core_attachment_chunk",
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.CheckConstraint("start >= 0 and size > 0", name=op.f("ck_core_attachment_chunk_place")),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["core_attachment.id"],
            name=op.f("fk_core_attachment_chunk_attachment_id_core_attachment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attachment_id", "start", name=op.f("pk_core_attachment_chunk")),
    )
    op.create_table(
        "core_attachment_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind in ('photo', 'document', 'certificate', 'evidence', 'original')",
            name=op.f("ck_core_attachment_link_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["core_attachment.id"],
            name=op.f("fk_core_attachment_link_attachment_id_core_attachment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_attachment_link")),
        sa.UniqueConstraint(
            "attachment_id",
            "entity",
            "entity_id",
            "kind",
            name=op.f("uq_core_attachment_link_attachment_id_entity_entity_id_kind"),
        ),
    )
    op.create_index("ix_core_attachment_link_entity", "core_attachment_link", ["entity", "entity_id"], unique=False)
    op.create_table(
        "core_notification_recipient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_by_mail", sa.Boolean(), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "acked_at is null or read_at is not null", name=op.f("ck_core_notification_recipient_acked_is_read")
        ),
        sa.CheckConstraint(
            "read_at is null or delivered_at is not null", name=op.f("ck_core_notification_recipient_read_is_delivered")
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["core_notification.id"],
            name=op.f("fk_core_notification_recipient_notification_id_core_notification"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["identity_user.id"], name=op.f("fk_core_notification_recipient_user_id_identity_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_notification_recipient")),
        sa.UniqueConstraint(
            "notification_id", "user_id", name=op.f("uq_core_notification_recipient_notification_id_user_id")
        ),
    )
    op.create_index(
        "ix_core_notification_recipient_due",
        "core_notification_recipient",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("announced_at is null"),
    )
    op.create_index(
        "ix_core_notification_recipient_letters",
        "core_notification_recipient",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("is_by_mail and mailed_at is null"),
    )
    op.create_index(
        "ix_core_notification_recipient_user_id",
        "core_notification_recipient",
        ["user_id", "notification_id"],
        unique=False,
    )
    guards()


def downgrade() -> None:
    op.drop_index("ix_core_notification_recipient_user_id", table_name="core_notification_recipient")
    op.drop_index(
        "ix_core_notification_recipient_letters",
        table_name="core_notification_recipient",
        postgresql_where=sa.text("is_by_mail and mailed_at is null"),
    )
    op.drop_index(
        "ix_core_notification_recipient_due",
        table_name="core_notification_recipient",
        postgresql_where=sa.text("announced_at is null"),
    )
    op.drop_table("core_notification_recipient")
    op.drop_index("ix_core_attachment_link_entity", table_name="core_attachment_link")
    op.drop_table("core_attachment_link")
    op.drop_table("core_attachment_chunk")
    op.drop_index("ix_identity_ws_ticket_expires_at", table_name="identity_ws_ticket")
    op.drop_table("identity_ws_ticket")
    op.drop_table("core_quiet_hours")
    op.drop_index(
        "uq_core_notification_dedupe_key",
        table_name="core_notification",
        postgresql_where=sa.text("state in ('pending','delivered','read')"),
    )
    op.drop_index(
        "ix_core_notification_expires_at",
        table_name="core_notification",
        postgresql_where=sa.text("state in ('pending','delivered','read')"),
    )
    op.drop_index(
        "ix_core_notification_escalate_at",
        table_name="core_notification",
        postgresql_where=sa.text("state in ('pending','delivered','read')"),
    )
    op.drop_table("core_notification")
    op.drop_index(
        "ix_core_attachment_waiting",
        table_name="core_attachment",
        postgresql_where=sa.text("state in ('pending','failed')"),
    )
    op.drop_index("ix_core_attachment_sha256", table_name="core_attachment")
    op.drop_index("ix_core_attachment_open", table_name="core_attachment", postgresql_where=sa.text("state = 'open'"))
    op.drop_table("core_attachment")
    op.drop_index("ix_core_system_config_key_valid", table_name="core_system_config")
    op.drop_table("core_system_config")
    op.drop_index("ix_core_live_row_at", table_name="core_live_row", postgresql_using="brin")
    op.drop_table("core_live_row")
    op.drop_table("core_live_counter")
    op.drop_table("core_blob")
    op.execute("DROP FUNCTION refuse_detaching()")
    op.execute("DROP FUNCTION only_changes()")
