"""The server: every tenant's truth in PostgreSQL, behind a FastAPI application."""
