"""Pure computations of the server: no database, no clock, no network."""
