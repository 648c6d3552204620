"""Simulated devices over real ptys and sockets: for the demo, for tests, for training.

They speak the same bytes as the real ones, in plant time (``FOODFLOW_CLOCK``), and fail on
demand. Nothing of the product imports this package but ``foodflow_desktop.demo`` and tests.
"""
