"""Planning: items, recipes, and orders to produce."""
