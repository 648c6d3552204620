"""Notes about records, and tags with the records they mark.

Revision: 0012
After: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None

_STAMPS = "'version', 'updated_at', 'updated_by'"


def upgrade() -> None:
    _notes()
    _tags()
    _guards()


def _notes() -> None:
    op.create_table(
        "core_note",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("mentions", postgresql.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("incarnation", sa.Uuid(), nullable=True),
        sa.Column("lane", sa.SmallInteger(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.Column("hlc", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_skew_ms", sa.Integer(), nullable=True),
        sa.Column("performed_by", sa.Uuid(), nullable=True),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind in ('comment', 'handover', 'observation')", name=op.f("ck_core_note_kind")),
        sa.CheckConstraint("visibility in ('plant', 'tenant', 'qa_only')", name=op.f("ck_core_note_visibility")),
        sa.CheckConstraint("char_length(body) between 1 and 8000", name=op.f("ck_core_note_body")),
        sa.CheckConstraint("cardinality(mentions) <= 20", name=op.f("ck_core_note_mentions")),
        sa.CheckConstraint("visibility <> 'plant' or plant_id is not null", name=op.f("ck_core_note_plant")),
        sa.CheckConstraint("supersedes_id <> id", name=op.f("ck_core_note_supersedes_another")),
        sa.CheckConstraint("entity ~ '^[a-z_]+\\.[a-z_]+$'", name=op.f("ck_core_note_entity")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["core_note.id"], name=op.f("fk_core_note_supersedes_id_core_note")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_note")),
        sa.UniqueConstraint("supersedes_id", name=op.f("uq_core_note_supersedes_id")),
        sa.UniqueConstraint(
            "device_id", "incarnation", "lane", "seq", name=op.f("uq_core_note_device_id_incarnation_lane_seq")
        ),
    )
    op.create_index("ix_core_note_entity", "core_note", ["entity", "entity_id", sa.text("occurred_at DESC")])
    op.create_index(
        "ix_core_note_body",
        "core_note",
        [sa.text("to_tsvector('simple'::regconfig, body)")],
        postgresql_using="gin",
    )


def _tags() -> None:
    op.create_table(
        "core_tag",
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("colour", sa.Text(), nullable=True),
        sa.Column("is_system", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "state",
            sa.Enum("active", "merged", "retired", name="tagstate", native_enum=False, length=32),
            server_default=sa.text("'active'"),
            nullable=False,
        ),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(key) between 1 and 50 and key = btrim(key)", name=op.f("ck_core_tag_key")),
        sa.CheckConstraint("char_length(value) <= 100 and value = btrim(value)", name=op.f("ck_core_tag_value")),
        sa.CheckConstraint("colour ~ '^#[0-9a-f]{6}$'", name=op.f("ck_core_tag_colour")),
        sa.CheckConstraint("(state = 'active') = (retired_at is null)", name=op.f("ck_core_tag_retired")),
        sa.CheckConstraint("(state = 'merged') = (merged_into_id is not null)", name=op.f("ck_core_tag_merged")),
        sa.CheckConstraint("merged_into_id <> id", name=op.f("ck_core_tag_merged_into_another")),
        sa.CheckConstraint("not is_system or (state = 'active' and plant_id is null)", name=op.f("ck_core_tag_system")),
        sa.ForeignKeyConstraint(["plant_id"], ["core_plant.id"], name=op.f("fk_core_tag_plant_id_core_plant")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["core_tag.id"], name=op.f("fk_core_tag_merged_into_id_core_tag")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_tag")),
    )
    op.create_index("uq_core_tag_key_value", "core_tag", [sa.text("lower(key)"), sa.text("lower(value)")], unique=True)
    op.create_table(
        "core_tag_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["tag_id"], ["core_tag.id"], name=op.f("fk_core_tag_link_tag_id_core_tag")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_tag_link")),
        sa.UniqueConstraint("tag_id", "entity", "entity_id", name=op.f("uq_core_tag_link_tag_id_entity_entity_id")),
    )
    op.create_index("ix_core_tag_link_entity", "core_tag_link", ["entity", "entity_id"])


def _guards() -> None:
    for table, events in (
        ("core_note", "UPDATE OR DELETE OR TRUNCATE"),
        ("core_tag", "DELETE OR TRUNCATE"),
        ("core_tag_link", "TRUNCATE"),
    ):
        op.execute(
            f"CREATE TRIGGER never_changed BEFORE {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table, name, when, columns in (
        ("core_tag", "system_fixed", "OLD.is_system", f"'colour', {_STAMPS}"),
        ("core_tag", "ended_fixed", "OLD.state <> 'active'", _STAMPS),
        (
            "core_tag",
            "origin_fixed",
            "true",
            f"'key', 'value', 'colour', 'state', 'merged_into_id', 'retired_at', {_STAMPS}",
        ),
        ("core_tag_link", "only_repointed", "true", "'tag_id'"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when}) "
            f"EXECUTE FUNCTION only_changes({columns})"
        )
    # A scratch schema of the revision command has no role of its own.
    op.execute(
        """
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON core_note FROM %I', current_schema());
                EXECUTE format('REVOKE DELETE, TRUNCATE ON core_tag FROM %I', current_schema());
            END IF;
        END $$
        """
    )
    # What is said anew is about the same record, for the same eyes, by the same person.
    op.execute(
        """
        CREATE FUNCTION core_note_says_anew() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM core_note before WHERE before.id = NEW.supersedes_id
                   AND (before.entity, before.entity_id, before.kind, before.visibility)
                     = (NEW.entity, NEW.entity_id, NEW.kind, NEW.visibility)
                   AND (before.plant_id, before.performed_by) IS NOT DISTINCT FROM (NEW.plant_id, NEW.performed_by)
            ) THEN
                RAISE EXCEPTION 'a note is said anew by its author, about the same record, for the same people'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER says_the_same_record BEFORE INSERT ON core_note FOR EACH ROW "
        "WHEN (NEW.supersedes_id IS NOT NULL) EXECUTE FUNCTION core_note_says_anew()"
    )


def downgrade() -> None:
    op.drop_table("core_tag_link")
    op.drop_table("core_tag")
    op.drop_table("core_note")
    op.execute("DROP FUNCTION core_note_says_anew()")
