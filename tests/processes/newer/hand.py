"""One ``gateway work`` of the next release: today's code on tables with two more columns and an index, and its own revision.

``python -m tests.processes.newer.hand DSN DIRECTORY PORT REVISIONS``
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import sqlalchemy as sa

from gateway.store import migrate
from gateway.store.tables import deliveries
from tests.processes import hand


def become(revisions: Path) -> None:
    """Let this process's package be the newer one."""
    migrate.PLACES.append(str(revisions))
    deliveries.append_column(sa.Column("remark", sa.Text))
    deliveries.append_column(sa.Column("wave", sa.Integer, nullable=False, server_default=sa.text("1")))
    sa.Index("deliveries_wave", deliveries.c.wave, deliveries.c.id)


if __name__ == "__main__":
    become(Path(sys.argv[4]))
    asyncio.run(hand.main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
