"""Facts and audit rows are never changed: refused by trigger and by grant.

Revision: 0002
After: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The bytes that terminals pushed, and every fact made from them. A table is a fact table when it has a fact's identity (device, incarnation, lane, seq, hash).
FACT_TABLES = """
    SELECT c.table_name FROM information_schema.columns c
    WHERE c.table_schema = current_schema()
      AND c.column_name IN ('device_id', 'incarnation', 'lane', 'seq', 'hash', 'corrects_id')
    GROUP BY c.table_name HAVING count(*) = 6
    UNION SELECT unnest(ARRAY['core_audit', 'core_esignature', 'sync_log', 'sync_telemetry', 'sync_fork'])
"""


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed; a correction is a new row', TG_TABLE_NAME
                USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    op.execute(
        f"""
        DO $$
        DECLARE
            t text;
        BEGIN
            FOR t IN {FACT_TABLES} LOOP
                EXECUTE format('CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                                FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM %I', t, current_schema());
            END LOOP;
        EXCEPTION WHEN undefined_object THEN
            -- A scratch schema of the revision command has no role of its own.
            NULL;
        END $$
        """
    )

    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON identity_user "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION refuse_change() CASCADE")
