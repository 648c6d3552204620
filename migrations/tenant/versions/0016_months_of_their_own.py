"""A default partition that has rows of one month, or of two in a row, becomes their own.

Revision: 0016
After: 0015
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # A new company has the default partition alone until the job comes round. The parent is locked before anything is
    # read, so that two who make the same month do not wait for each other.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION core_audit_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
        DECLARE
            wanted timestamp := date_trunc('month', day::timestamp);
            earliest timestamp;
            latest timestamp;
            part text := 'core_audit_' || to_char(wanted, '"y"YYYY"m"MM');
            own text;
            index text;
            bounds text := 'FOR VALUES FROM (%L) TO (%L)';
        BEGIN
            IF to_regclass(part) IS NOT NULL THEN
                RETURN false;
            END IF;
            PERFORM set_config('lock_timeout', '2s', true);
            LOCK TABLE ONLY core_audit IN ACCESS EXCLUSIVE MODE;
            SELECT date_trunc('month', min(at) AT TIME ZONE 'UTC'), date_trunc('month', max(at) AT TIME ZONE 'UTC')
                INTO earliest, latest FROM core_audit_default;
            IF latest <= earliest + interval '1 month' THEN
                -- It becomes the partition of its month, or of two if the job came round after the turn of a month; what
                -- has no month gets a new one.
                own := 'core_audit_' || to_char(earliest, '"y"YYYY"m"MM');
                ALTER TABLE core_audit DETACH PARTITION core_audit_default;
                FOR index IN
                    SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'core_audit_default'::regclass
                LOOP
                    EXECUTE format('ALTER INDEX %s RENAME TO %I', index, replace(index, 'core_audit_default', own));
                END LOOP;
                EXECUTE format('ALTER TABLE core_audit_default RENAME TO %I', own);
                EXECUTE format('ALTER TABLE core_audit ATTACH PARTITION %I ' || bounds, own,
                               earliest AT TIME ZONE 'UTC', (latest + interval '1 month') AT TIME ZONE 'UTC');
                CREATE TABLE core_audit_default PARTITION OF core_audit DEFAULT;
                PERFORM core_audit_guard('core_audit_default');
            END IF;
            IF own IS NOT NULL AND wanted BETWEEN earliest AND latest THEN
                RETURN true;
            END IF;
            EXECUTE format('CREATE TABLE %I PARTITION OF core_audit ' || bounds, part,
                           wanted AT TIME ZONE 'UTC', (wanted + interval '1 month') AT TIME ZONE 'UTC');
            PERFORM core_audit_guard(part);
            RETURN true;
        EXCEPTION
            WHEN duplicate_table OR check_violation OR invalid_object_definition THEN
                RETURN false;
            WHEN lock_not_available OR deadlock_detected THEN
                RETURN NULL;
        END $$
        """
    )
    _in_its_own_schema()


def downgrade() -> None:
    """Take back."""
    op.execute(
        """
        CREATE OR REPLACE FUNCTION core_audit_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
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
    _in_its_own_schema()


def _in_its_own_schema() -> None:
    """A function that is replaced forgets its search path."""
    op.execute(
        """
        DO $$
        BEGIN
            EXECUTE format('ALTER FUNCTION core_audit_month(date) SET search_path = %I, public, pg_temp',
                           current_schema());
        END $$
        """
    )
