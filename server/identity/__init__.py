"""Who may do what: people, roles, terminals, sign-in, pairing."""
