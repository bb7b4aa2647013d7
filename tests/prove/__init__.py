"""Every machine that tries to make the gateway lose, double, reorder or lie, behind one command with one table."""
