"""GS1 element strings, check digits and symbols; the application identifier table is data."""
