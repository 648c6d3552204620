"""The tests. What the environment must say before anything of the product is imported."""

import os
import tempfile

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
# The embedded PostgreSQL locks a file there; without it a warning, which fails a test.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="foodflow-run-"))
