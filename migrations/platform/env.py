from __future__ import annotations

from alembic import context

from server.core.db.migrate import options

context.configure(connection=context.config.attributes["connection"], **options("platform"))
with context.begin_transaction():
    context.run_migrations()
