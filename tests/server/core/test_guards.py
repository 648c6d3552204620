"""What the database refuses beyond the rules of the models: triggers, their functions, and who may do what.

They are in migrations alone, so a line that goes away there is missed here. ``python -m tests.server.core.test_guards``
writes the file anew, to be read before it is committed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from server.core.db import migrate, postgres
from server.core.db.postgres import PLATFORM_SCHEMA, Cluster
from server.core.settings import Settings
from tests.conftest import TEMPLATE, template

KEPT = Path(__file__).parents[2] / "golden" / "guards.sql"
GUARDS = """
    SELECT pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = %(schema)s::text::regnamespace AND proname NOT LIKE 'procrastinate%%'
    UNION ALL SELECT pg_get_triggerdef(t.oid) || ' -- ' || tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE relnamespace = %(schema)s::text::regnamespace AND NOT tgisinternal AND NOT relispartition
        AND relname NOT LIKE 'procrastinate%%'
    UNION ALL SELECT format('GRANT %%s ON %%s TO %%s', string_agg(privilege_type, ', ' ORDER BY privilege_type), relname,
                            grantee::regrole)
    FROM pg_class, aclexplode(relacl)
    WHERE relnamespace = %(schema)s::text::regnamespace AND grantee <> relowner AND NOT relispartition
        AND relname NOT LIKE 'procrastinate%%'
    GROUP BY relname, grantee
    UNION ALL SELECT format('GRANT %%s (%%s) ON %%s TO %%s', privilege_type, attname, attrelid::regclass, grantee::regrole)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid, aclexplode(attacl)
    WHERE relnamespace = %(schema)s::text::regnamespace
"""


def guards(cluster: Cluster) -> str:
    """All of it, of the platform and of a company, as PostgreSQL writes it."""
    template(cluster)
    found = []
    with postgres.connect(cluster.owner) as db:
        for schema in (PLATFORM_SCHEMA, TEMPLATE):
            said = sorted(str(each) for (each,) in db.execute(GUARDS, {"schema": schema}).fetchall())
            found += [f"-- {schema}", *(each.replace(f"{schema}.", "").rstrip() for each in said)]
    return "\n\n".join(found) + "\n"


def test_no_trigger_function_or_right_has_gone_or_changed(cluster: Cluster) -> None:
    assert guards(cluster).splitlines() == KEPT.read_text().splitlines()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="foodflow-guards-") as folder:
        made = postgres.open_cluster(Settings(data_folder=Path(folder) / "data", fsync=False, backup=False))
        migrate.upgrade(made.owner, "platform", PLATFORM_SCHEMA)
        KEPT.write_text(guards(made))
