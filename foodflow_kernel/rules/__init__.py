"""Decisions that must hold offline too: pure functions, the same at kiosk and server."""
