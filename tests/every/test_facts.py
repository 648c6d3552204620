"""Every fact table refuses change, by trigger and by grant, also one that a later migration brings."""

from __future__ import annotations

from sqlalchemy import text

from server.core.db.sessions import Database, TenantRef

IDENTITY = {"device_id", "incarnation", "lane", "seq", "hash", "corrects_id"}
"""A table with these columns holds facts of terminals."""
OTHERS = {"core_audit", "core_esignature", "sync_log", "sync_telemetry", "sync_fork"}


async def test_each_fact_table_is_guarded(database: Database, tenant: TenantRef) -> None:
    """A migration that adds one gives it the trigger ``never_changed`` and takes UPDATE, DELETE and TRUNCATE away."""
    async with database.tenant_session(tenant.id) as db:
        columns: dict[str, set[str]] = {}
        listed = text("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = :schema")
        for table, column in await db.execute(listed, {"schema": tenant.schema}):
            columns.setdefault(table, set()).add(column)
        facts = {table for table, names in columns.items() if names >= IDENTITY}
        assert len(facts) >= 10
        triggers = text(
            "SELECT relname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid "
            "WHERE tgname = 'never_changed' AND tgenabled = 'O' AND relnamespace = CAST(:schema AS regnamespace)"
        )
        has_trigger = set(await db.scalars(triggers, {"schema": tenant.schema}))
        may = text("SELECT has_table_privilege(:table, 'UPDATE, DELETE, TRUNCATE')")
        changeable = {table for table in facts | OTHERS if await db.scalar(may, {"table": table})}
    assert facts | OTHERS <= has_trigger
    assert changeable == set()
