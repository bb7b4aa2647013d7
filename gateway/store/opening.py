"""How the configured database is opened: its place, its keys, its schema, and whether it may be used at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from gateway.security import entropy
from gateway.security.fields import KeyRefused, Keys, SealBroken, Sealer, read_key_file, write_key_file
from gateway.settings import Settings, SettingsRefused
from gateway.store.ids import Ids
from gateway.store.migrate import migrate_postgres, migrate_sqlite
from gateway.store.places import of_document
from gateway.store.steady import SteadyClock
from gateway.store.store import Store, open_postgres, open_sqlite


def database_path(settings: Settings) -> Path:
    """Where the embedded database lies."""
    return settings.data / "gateway.db"


def read_keys(settings: Settings) -> Keys:
    """The sealing keys: from the environment, the key file, or (not in production) a file made beside the database.

    Raises:
        SettingsRefused: no usable key.
    """
    try:
        if settings.keys is not None:
            return Keys.parse(settings.keys.get_secret_value())
        if settings.key_file is not None:
            return read_key_file(settings.key_file)
        if settings.env == "production":
            raise SettingsRefused(["key_file: production needs sealing keys (gateway config keys FILE makes a file)"])
        path = settings.data / "keys"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_key_file(path, Keys.generate())
        return read_key_file(path)
    except KeyRefused as error:
        raise SettingsRefused([f"keys: {error}"]) from None


def machine_ms() -> int:
    """The machine's clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


async def open_store(
    settings: Settings,
    now_ms: Callable[[], int] = machine_ms,
    random_bytes: Callable[[int], bytes] = entropy.random_bytes,
) -> Store:
    """The configured database, migrated and open.

    Raises:
        SettingsRefused: no usable key, or not those that the database was sealed with; in production, a PostgreSQL server that
            may lose commits.
        StoreLocked: SQLite carries one process, and another has it.
        StoreUnavailable: PostgreSQL cannot be reached.
        SchemaUnknown: a newer version of the gateway has migrated the database.
    """
    store = await _open(settings, now_ms, random_bytes)
    try:
        await _try_keys(store)
    except BaseException:
        await store.close()
        raise
    return store


async def _try_keys(store: Store) -> None:
    """Open the newest message: a process with other keys would fail at every delivery, long after its start."""
    row = await store.row("newest_message")
    if row is None:
        return
    try:
        store.unseal(row["document_sealed"], of_document(row["id"]))
    except SealBroken:
        raise SettingsRefused(
            ["keys: the database was sealed with other keys; every process on it needs the same key_file"]
        ) from None


async def _open(settings: Settings, now_ms: Callable[[], int], random_bytes: Callable[[int], bytes]) -> Store:
    sealer = Sealer(read_keys(settings))
    if settings.database.startswith("postgresql://"):
        ids = Ids(now_ms, random_bytes)
        return await _open_shared(settings, sealer, ids, None if now_ms is machine_ms else now_ms)
    if now_ms is machine_ms:
        now_ms = SteadyClock(machine_ms)
    ids = Ids(now_ms, random_bytes)
    path = database_path(settings)
    await asyncio.to_thread(migrate_sqlite, path)
    return await open_sqlite(path, sealer, ids, now_ms)


async def _open_shared(settings: Settings, sealer: Sealer, ids: Ids, now_ms: Callable[[], int] | None) -> Store:
    store = await open_postgres(settings.database, sealer, ids, now_ms)
    try:
        reasons = await store.runner.unsafe() if settings.env == "production" else []
        if reasons:
            raise SettingsRefused(reasons)
        await migrate_postgres(settings.database)
    except BaseException:
        await store.close()
        raise
    return store
