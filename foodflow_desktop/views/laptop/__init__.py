"""Laptop mode: the supervisor's screens, drawn from live reports."""
