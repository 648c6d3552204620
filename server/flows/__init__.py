"""Use cases that cross contexts, and reactions of one context to the events of another."""
