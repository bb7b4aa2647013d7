"""The same revision, after which the package before it may not start again."""

import sqlalchemy as sa
from alembic import op

from tests.processes.newer import BEFORE

revision = "next"
down_revision = BEFORE
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column that may be empty, and one with a constant default."""
    op.add_column("deliveries", sa.Column("remark", sa.Text))
    op.add_column("deliveries", sa.Column("wave", sa.Integer, nullable=False, server_default="1"))
