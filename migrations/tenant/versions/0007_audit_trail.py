"""The audit trail by months, numbered at commit, with seals; signatures are used once.

Revision: 0007
After: 0006
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = "at, actor_id, actor_name, device_id, action, entity, entity_id, diff, reason, request_id, row_hash"


def upgrade() -> None:
    op.execute("ALTER TABLE core_audit RENAME TO core_audit_before")
    op.execute("ALTER TABLE core_audit_before RENAME CONSTRAINT pk_core_audit TO pk_core_audit_before")
    op.create_table(
        "core_audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_type", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("plant_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("diff", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.Column("esign_id", sa.Uuid(), nullable=True),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "actor_type in ('user','device','apikey','system','platform')", name=op.f("ck_core_audit_actor_type")
        ),
        sa.PrimaryKeyConstraint("seq", "at", name=op.f("pk_core_audit")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_core_audit_entity", "core_audit", ["entity", "entity_id", sa.text("at DESC")])
    op.create_index("ix_core_audit_actor", "core_audit", ["actor_id", sa.text("at DESC")])
    op.create_index("ix_core_audit_at", "core_audit", ["at"], postgresql_using="brin")
    op.create_table(
        "core_audit_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_core_audit_head_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_audit_head")),
    )
    op.create_table(
        "core_audit_seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("to_seq", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merkle_root", sa.LargeBinary(), nullable=False),
        sa.Column("prev_root", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "number >= 1 and from_seq >= 1 and count = to_seq - from_seq + 1 and count >= 1",
            name=op.f("ck_core_audit_seal_run"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_core_audit_seal")),
        sa.UniqueConstraint("from_seq", name=op.f("uq_core_audit_seal_from_seq")),
        sa.UniqueConstraint("prev_root", name=op.f("uq_core_audit_seal_prev_root")),
    )
    _signatures()
    _partitions()
    _head()
    _guards()
    _bring_over()
    op.execute("DROP TABLE core_audit_before")


def _signatures() -> None:
    op.add_column("core_esignature", sa.Column("session_id", sa.Uuid(), nullable=True))
    op.add_column("core_esignature", sa.Column("tz", sa.Text(), server_default=sa.text("'UTC'"), nullable=False))
    op.create_index("ix_core_esignature_record", "core_esignature", ["record_type", "record_id"])
    op.create_index("ix_core_esignature_series", "core_esignature", ["signer_id", "session_id", "signed_at"])
    op.create_check_constraint(op.f("ck_core_esignature_reason"), "core_esignature", "length(reason) between 5 and 500")
    op.create_check_constraint(
        op.f("ck_core_esignature_meaning"),
        "core_esignature",
        "meaning in ('authored','performed','reviewed','verified','approved','released','rejected','acknowledged')",
    )
    op.create_table(
        "core_esignature_use",
        sa.Column("esignature_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version_after", sa.Integer(), nullable=False),
        sa.Column("sha256_after", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["esignature_id"],
            ["core_esignature.id"],
            name=op.f("fk_core_esignature_use_esignature_id_core_esignature"),
        ),
        sa.PrimaryKeyConstraint("esignature_id", name=op.f("pk_core_esignature_use")),
    )


def _partitions() -> None:
    # The owner calls it. Statement triggers and grants do not reach a partition that is named itself: each has its own.
    op.execute(
        """
        CREATE FUNCTION core_audit_guard(part text) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            EXECUTE format('CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part);
            -- A scratch schema of the revision command has no role of its own.
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
                EXECUTE format('REVOKE ALL ON %I FROM %I', part, current_schema());
            END IF;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION core_audit_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            month timestamp := date_trunc('month', day::timestamp);
            part text := 'core_audit_' || to_char(month, '"y"YYYY"m"MM');
            first timestamptz := month AT TIME ZONE 'UTC';
            beyond timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
        BEGIN
            PERFORM set_config('lock_timeout', '2s', true);
            IF to_regclass(part) IS NOT NULL
               OR EXISTS (SELECT FROM core_audit_default WHERE at >= first AND at < beyond) THEN
                RETURN false;
            END IF;
            EXECUTE format('CREATE TABLE %I PARTITION OF core_audit FOR VALUES FROM (%L) TO (%L)',
                           part, first, beyond);
            PERFORM core_audit_guard(part);
            RETURN true;
        EXCEPTION WHEN lock_not_available OR duplicate_table OR check_violation THEN
            RETURN false;
        END $$
        """
    )
    op.execute(
        """
        DO $$
        DECLARE
            name text;
        BEGIN
            FOREACH name IN ARRAY ARRAY['core_audit_guard(text)', 'core_audit_month(date)'] LOOP
                EXECUTE format('ALTER FUNCTION %s SET search_path = %I, public, pg_temp', name, current_schema());
                EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
            END LOOP;
        END $$
        """
    )
    op.execute("CREATE TABLE core_audit_default PARTITION OF core_audit DEFAULT")
    op.execute("SELECT core_audit_guard('core_audit_default')")
    # PostgreSQL looks through the constraints of every company for each partition it makes: a new company, which has no
    # rows yet, gets its months from their job.
    op.execute("SELECT core_audit_month((now() AT TIME ZONE 'UTC')::date) WHERE EXISTS (SELECT FROM core_audit_before)")


def _head() -> None:
    op.execute(
        """
        CREATE FUNCTION core_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.id <> OLD.id OR NEW.n <= OLD.n THEN
                RAISE EXCEPTION 'the number of audit rows only grows' USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute("INSERT INTO core_audit_head (id, n) VALUES (1, 0)")
    op.execute(
        "CREATE TRIGGER only_grows BEFORE UPDATE ON core_audit_head "
        "FOR EACH ROW EXECUTE FUNCTION core_audit_only_grows()"
    )
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON core_audit_head "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _guards() -> None:
    op.execute(
        """
        DO $$
        DECLARE
            t text;
        BEGIN
            FOREACH t IN ARRAY ARRAY['core_audit', 'core_audit_seal', 'core_esignature_use'] LOOP
                EXECUTE format('CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                                FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
            END LOOP;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
                FOREACH t IN ARRAY ARRAY['core_audit', 'core_audit_seal', 'core_esignature_use'] LOOP
                    EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM %I', t, current_schema());
                END LOOP;
                EXECUTE format('REVOKE DELETE, TRUNCATE ON core_audit_head FROM %I', current_schema());
            END IF;
        END $$
        """
    )


def _bring_over() -> None:
    """Rows of before get their number and the hash that covers it."""
    connection, last, n = op.get_bind(), -1, 0
    rows = sa.text("SELECT * FROM core_audit_before WHERE seq > :last ORDER BY seq LIMIT 1000")
    put = sa.text(
        "INSERT INTO core_audit (seq, at, actor_type, actor_id, actor_name, device_id, action, entity, entity_id, diff,"
        " reason, request_id, row_hash) VALUES (:seq, :at, :actor_type, :actor_id, :actor_name, :device_id, :action,"
        " :entity, :entity_id, CAST(:diff AS jsonb), :reason, :request_id, :row_hash)"
    )
    while found := connection.execute(rows, {"last": last}).mappings().all():
        for each in found:
            n, last = n + 1, each["seq"]
            row: dict[str, Any] = dict(each) | {"seq": n, "diff": _plain(each["diff"])}
            row["actor_type"] = row.pop("actor_kind")
            del row["row_hash"]
            row["row_hash"] = _digest(row | {"plant_id": None, "ip": None, "esign_id": None})
            connection.execute(put, row | {"diff": json.dumps(row["diff"])})
    if n:
        connection.execute(sa.text("UPDATE core_audit_head SET n = :n"), {"n": n})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return repr(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def _digest(row: dict[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(_plain(row), sort_keys=True, separators=(",", ":")).encode()).digest()


def downgrade() -> None:
    op.execute("ALTER TABLE core_audit RENAME TO core_audit_after")
    op.execute("ALTER INDEX pk_core_audit RENAME TO pk_core_audit_after")
    op.create_table(
        "core_audit",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("diff", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("row_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_core_audit")),
    )
    op.execute(
        f"INSERT INTO core_audit (actor_kind, {COLUMNS}) SELECT actor_type, {COLUMNS} FROM core_audit_after ORDER BY seq"
    )
    op.execute(
        "CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON core_audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        """
        DO $$
        BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON core_audit FROM %I', current_schema());
            END IF;
        END $$
        """
    )
    op.drop_table("core_esignature_use")
    op.drop_constraint("ck_core_esignature_meaning", "core_esignature")
    op.drop_constraint("ck_core_esignature_reason", "core_esignature")
    op.drop_index("ix_core_esignature_series", table_name="core_esignature")
    op.drop_index("ix_core_esignature_record", table_name="core_esignature")
    op.drop_column("core_esignature", "tz")
    op.drop_column("core_esignature", "session_id")
    op.execute("DROP TABLE core_audit_after, core_audit_seal, core_audit_head")
    op.execute("DROP FUNCTION core_audit_month(date), core_audit_guard(text), core_audit_only_grows()")
