"""How a matter moves."""
