"""Every fact says at which plant it was taken, so that rights which end at a plant end for facts too.

Revision: 0011
After: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0004"
branch_labels = None
depends_on = None

FACT_TABLES = (
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
)


def upgrade() -> None:
    for table in FACT_TABLES:
        op.execute(f"ALTER TABLE {table} ADD COLUMN plant_id uuid")
    # The plant of a fact is its terminal's; a scratch schema of the revision command has no platform beside it.
    for table in FACT_TABLES:
        op.execute(
            f"""
            DO $$
            BEGIN
                IF to_regclass('platform.device') IS NOT NULL THEN
                    ALTER TABLE {table} DISABLE TRIGGER USER;
                    UPDATE {table} f SET plant_id = d.plant_id FROM platform.device d WHERE d.id = f.device_id;
                    ALTER TABLE {table} ENABLE TRIGGER USER;
                END IF;
            END $$
            """
        )


def downgrade() -> None:
    for table in FACT_TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN plant_id")
