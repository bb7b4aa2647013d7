"""Alembic's migrations of the store, run from the package (``gateway migrate``)."""
