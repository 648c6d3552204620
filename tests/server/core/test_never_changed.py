"""Rows that stay as they are stay so for the owner too, who migrates and mends: by a trigger on each table."""

from __future__ import annotations

from itertools import product

import pytest
from psycopg.errors import InsufficientPrivilege

from server.core.db import postgres
from server.core.db.sessions import Database, TenantRef

ALL = ("UPDATE", "DELETE", "TRUNCATE")
NEVER: dict[tuple[str, ...], tuple[str, ...]] = {
    ALL: (
        "core_audit", "core_audit_default", "core_audit_seal", "core_blob", "core_esignature", "core_esignature_use",
        "core_note", "core_voided_fact", "fsq_ccp_monitoring", "fsq_deviation_step", "fsq_interlock_stop",
        "fsq_trace_link", "identity_login_name", "plant_ops_batch_move", "plant_ops_line_count", "plant_ops_line_event",
        "plant_ops_quality_check", "plant_ops_scrap_event", "plant_ops_sensor_block", "plant_ops_stop_fact",
        "plant_ops_terminal_event", "plant_ops_test_weight", "sync_fork", "sync_log", "sync_telemetry",
    ),
    ("DELETE", "TRUNCATE"): (
        "core_audit_head", "core_notification", "core_notification_recipient", "core_system_config", "core_tag",
        "identity_api_key", "identity_user", "identity_user_role",
    ),
    ("UPDATE", "TRUNCATE"): ("core_attachment_link",),
    ("TRUNCATE",): ("core_attachment", "core_tag_link"),
}  # fmt: skip
"""What is refused on which tables, whatever rows they have."""
CASES = [pair for refused, tables in NEVER.items() for pair in product(refused, tables)]


@pytest.mark.parametrize(("what", "table"), CASES)
def test_the_owner_may_not_either(database: Database, tenant: TenantRef, what: str, table: str) -> None:
    with postgres.connect(database.cluster.owner) as owner:
        owner.execute(f"SET search_path = {tenant.schema}".encode())
        first = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1"
        column = owner.execute(first, [table]).fetchall()[0][0]
        said = {
            "UPDATE": f"UPDATE {table} SET {column} = {column}",
            "DELETE": f"DELETE FROM {table}",
            "TRUNCATE": f"TRUNCATE {table} CASCADE",
        }
        with pytest.raises(InsufficientPrivilege, match=f"rows of {table} are never changed"):
            owner.execute(said[what].encode())
