"""Tables as an API, declared and not written: a resource is a whitelist (decision 4).

``Resource`` (``declared``) says what of a table may be read, set, filtered, sorted and done;
``rooms`` (``routes``) gives the routes of each, permissions and OpenAPI. State never
moves by PATCH, only by an action. A table that needs more leaves this registry for an ordinary
router. A new field of ``Resource`` needs a decision record.
"""

from __future__ import annotations

from server.core.resource.declared import ANY, Resource, column_types
from server.core.resource.routes import rooms

__all__ = ["ANY", "Resource", "column_types", "rooms"]
