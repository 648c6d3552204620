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

# The bytes that terminals pushed, every fact made from them, and who did and signed what.
NEVER_CHANGED = (
    "core_audit",
    "core_esignature",
    "core_voided_fact",
    "fsq_ccp_monitoring",
    "fsq_deviation_step",
    "fsq_interlock_stop",
    "fsq_trace_link",
    "plant_ops_batch_move",
    "plant_ops_line_count",
    "plant_ops_line_event",
    "plant_ops_quality_check",
    "plant_ops_scrap_event",
    "plant_ops_sensor_block",
    "plant_ops_stop_fact",
    "plant_ops_terminal_event",
    "plant_ops_test_weight",
    "sync_fork",
    "sync_log",
    "sync_telemetry",
)


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
    for table in NEVER_CHANGED:
        op.execute(
            f"CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    # Tables by name: to look for them in the catalog is to look through those of every company.
    op.execute(
        f"""
        DO $$
        BEGIN
            -- A scratch schema of the revision command has no role of its own.
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
                EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON {", ".join(NEVER_CHANGED)} FROM %I', current_schema());
            END IF;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON identity_user "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION refuse_change() CASCADE")
