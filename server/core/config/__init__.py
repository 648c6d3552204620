"""Settings of a company that change while it works: who set what, from when, at which place.

What the administrator of the server sets is ``core.settings``; this is what the company's own
people set, with a reason, and what food safety depends on with a QA manager's signature.
"""

from __future__ import annotations

from server.core.config.effective import effective

__all__ = ["effective"]
