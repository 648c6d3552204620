"""The tests. What the environment must say before anything of the product is imported."""

import os
import tempfile

from hypothesis import settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
# The embedded PostgreSQL locks a file there; without it a warning, which fails a test.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="foodflow-run-"))
# Tests assert what happens, never how fast; a busy machine fails nothing.
settings.register_profile("foodflow", deadline=None, database=None)
settings.load_profile("foodflow")
