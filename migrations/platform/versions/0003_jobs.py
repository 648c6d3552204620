"""The job queue's own tables, as procrastinate 3.10 ships them.

Revision: 0003
After: 0001
"""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def downgrade() -> None:
    op.execute(
        """
        DO $$
        DECLARE
            it record;
        BEGIN
            FOR it IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace
                      AND c.relkind = 'r' AND c.relname LIKE 'procrastinate%' LOOP
                EXECUTE format('DROP TABLE %I CASCADE', it.relname);
            END LOOP;
            FOR it IN SELECT p.oid::regprocedure AS name FROM pg_proc p
                      WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'procrastinate%' LOOP
                EXECUTE format('DROP FUNCTION %s CASCADE', it.name);
            END LOOP;
            FOR it IN SELECT t.typname FROM pg_type t WHERE t.typnamespace = current_schema()::regnamespace
                      AND t.typname LIKE 'procrastinate%' AND t.typtype IN ('e', 'c') LOOP
                EXECUTE format('DROP TYPE IF EXISTS %I CASCADE', it.typname);
            END LOOP;
        END $$
        """
    )
