"""What crosses between kiosk and server: versions, facts, chains, signatures, feed, master data."""
