"""The first schema."""

from alembic import op

from gateway.store.console_tables import metadata
from gateway.store.tables import NOW_POSTGRESQL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table, and the one row that orders event positions, and the audit chain's lock."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        op.execute(NOW_POSTGRESQL)
    metadata.create_all(bind)
    op.execute("INSERT INTO log (id, position) VALUES (1, 0), (2, 0)")


def downgrade() -> None:
    """Data that a court relies on is never dropped by a command."""
    raise NotImplementedError("there is no way back before the first schema")
