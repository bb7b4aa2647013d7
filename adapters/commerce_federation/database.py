"""The exchange database (前置机): one transaction at a time, on either engine."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from adapters.commerce_federation.postgres import PostgresDatabase
from adapters.commerce_federation.settings import CommerceFederationSettings
from adapters.commerce_federation.sqlite import SqliteDatabase
from adapters.commerce_federation.wire import T, Work
from contracts.adapter import Blocking


class Session(Protocol):
    """One connection, for one attempt."""

    async def run(self, step: str, work: Work[T], *, filing: bool = False, reading: bool = False) -> T:
        """One transaction: whole or not at all. ``reading``: it changes nothing. ``filing``: it has the business effect, and
        where its COMMIT was lost the platform may have it.

        Raises:
            RetryableError, EndpointError: by who heals it (page §5); and what ``work`` raises.
        """
        ...


class Database(Protocol):
    """Where sessions come from."""

    def session(self) -> AbstractAsyncContextManager[Session]: ...


def database_of(settings: CommerceFederationSettings, blocking: Blocking) -> Database:
    """The database that the settings name; nothing is opened yet."""
    path = settings.file
    return PostgresDatabase(settings) if path is None else SqliteDatabase(path, blocking, settings.connections)
