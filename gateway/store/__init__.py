"""The cellar: every table and statement, and the operations that keep their promises. One text for SQLite and PostgreSQL."""
