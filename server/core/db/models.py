"""Which modules hold the tables of each tree. The one place that names all contexts from below.

Imported by name, so that the import rules (core is the lowest room) stay true: nothing here runs
a context's code, it only lets the declarative bases know their tables.
"""

from __future__ import annotations

import importlib
import importlib.util

from sqlalchemy import MetaData

from server.core.db.base import PlatformBase, TenantBase

PLATFORM_MODULES = ("server.core.db.registry", "server.identity.platform", "server.identity.operators")
TENANT_MODULES = (
    "server.core.feed",
    "server.core.audit",
    "server.core.seals",
    "server.core.esign",
    "server.core.corrections",
    "server.core.idempotency",
    "server.core.models",
    "server.core.config.model",
    "server.core.live.log",
    "server.identity.models",
    "server.planning.models",
    "server.plant_ops.models",
    "server.fsq.models",
    "server.sync.models",
)


def load(tree: str) -> MetaData:
    """The metadata of ``platform`` or ``tenant`` with all tables declared."""
    modules, base = (PLATFORM_MODULES, PlatformBase) if tree == "platform" else (TENANT_MODULES, TenantBase)
    for name in modules:
        if importlib.util.find_spec(name.rpartition(".")[0]) and importlib.util.find_spec(name):
            importlib.import_module(name)
    metadata: MetaData = base.metadata
    return metadata
