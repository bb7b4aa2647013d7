"""Several processes on one PostgreSQL, and one more on a broker."""
