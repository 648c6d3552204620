"""Light statistics the kiosk needs offline (numpy only)."""
