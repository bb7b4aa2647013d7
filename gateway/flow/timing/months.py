"""Keeps the months of the partitioned tables ahead of time, and tells where a person should look at them."""

from __future__ import annotations

from gateway.store import months
from gateway.store.store import Store


async def kept_months(store: Store) -> list[tuple[str, str]]:
    """Make the months that are to come, then tell what is still wrong; see ``month_troubles``."""
    await store.runner.keep_months(store.now_ms())
    return await month_troubles(store)


async def month_troubles(store: Store) -> list[tuple[str, str]]:
    """Rows that lie in no month, and months that are about to be missing: (table, figure)."""
    return months.troubles(await store.runner.months(), store.now_ms())
