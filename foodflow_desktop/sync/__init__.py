"""The way to the server: client, pairing, engine, and status as a value."""
