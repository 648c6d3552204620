"""From facts to ``entry``: what the screens query, written in the fact's own transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert

from foodflow_desktop.store import journal
from foodflow_desktop.store.drafts import Recorded
from foodflow_desktop.store.tables import ENTRY
from foodflow_kernel.errors import Invalid
from foodflow_kernel.wire import facts
from foodflow_kernel.wire.facts import Fact
from foodflow_kernel.wire.protocol import OPS_LANES

REF: dict[str, str] = {
    "ccp_reading": "ccp_id",
    "deviation_opened": "deviation_id",
    "deviation_action": "deviation_id",
    "hold_placed": "hold_id",
    "interlock_stopped": "item_id",
    "session_started": "user_id",
    "session_ended": "user_id",
    "batch_moved": "work_order_id",
    "weighing": "check_id",
    "test_weight": "equipment_id",
    "material_issued": "item_id",
    "stop_opened": "stop_id",
    "stop_explained": "stop_id",
    "stop_closed": "stop_id",
    "line_state": "line_id",
    "line_count": "line_id",
}
"""By kind, the field of the body that ``entry.ref_id`` holds."""

NOT_PROJECTED = frozenset({"witness", "telemetry", "sensor_latest"})
"""Kinds that no screen asks the store for."""


def project(db: Connection, log: int, rows: Sequence[Recorded]) -> None:
    """Make the rows visible to the screens."""
    entries = [to_entry(log, int(row.lane), row.seq, row.fact) for row in rows if row.fact.kind not in NOT_PROJECTED]
    if entries:
        db.execute(_INSERT, entries)


def move(db: Connection, log: int, rows: Sequence[Recorded]) -> None:
    """Entries whose facts now stand at another place in the journal; made if they are missing."""
    for row in rows:
        if row.fact.kind not in NOT_PROJECTED:
            db.execute(_INSERT.prefix_with("OR REPLACE"), to_entry(log, int(row.lane), row.seq, row.fact))


def rebuild(db: Connection) -> int:
    """Make ``entry`` anew from the journal; how many rows it has then."""
    db.execute(delete(ENTRY))
    count = 0
    for log in journal.load(db, OPS_LANES):
        for lane in OPS_LANES:
            for row in journal.walk(db, log.id, int(lane)):
                try:
                    fact = facts.decode(row.body)
                except Invalid:
                    continue
                if fact.kind not in NOT_PROJECTED:
                    db.execute(_INSERT.prefix_with("OR IGNORE"), to_entry(log.id, row.lane, row.seq, fact))
                    count += 1
    return count


def to_entry(log: int, lane: int, seq: int, fact: Fact) -> dict[str, Any]:
    """One row of ``entry``."""
    body = fact.body
    return {
        "id": str(fact.id),
        "log": log,
        "lane": lane,
        "seq": seq,
        "kind": fact.kind,
        "batch_id": body.get("batch_id"),
        "lot_id": body.get("lot_id"),
        "line_id": str(fact.line_id) if fact.line_id else body.get("line_id"),
        "ref_id": body.get(REF.get(fact.kind, "")),
        "recorded_at": fact.at.isoformat(),
        "occurred_at": fact.occurred_at.isoformat(),
        "performed_by": str(fact.performed_by) if fact.performed_by else None,
        "corrects_id": str(fact.corrects_id) if fact.corrects_id else None,
        "flags": json.dumps(fact.flags),
        "body": json.dumps(body, separators=(",", ":")),
    }


_INSERT = insert(ENTRY)
