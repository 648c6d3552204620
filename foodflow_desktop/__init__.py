"""The kiosk and the supervisor's laptop: one PySide6 program over an offline-first store."""
