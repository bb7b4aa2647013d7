"""The exchange database (前置机): one transaction at a time, on either engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from adapters.commerce_federation.postgres import PostgresDatabase
from adapters.commerce_federation.settings import CommerceFederationSettings
from adapters.commerce_federation.sqlite import SqliteDatabase
from adapters.commerce_federation.wire import T, Work
from contracts.adapter import Blocking, Exchange


class Session(Protocol):
    """One connection, for one attempt."""

    async def run(self, work: Work[T], *, filing: bool = False, reading: bool = False) -> T:
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


@dataclass(frozen=True, slots=True)
class Talk:
    """A session whose every transaction is a step of one attempt."""

    session: Session
    exchange: Exchange
    place: str

    async def run(self, step: str, work: Work[T], *, filing: bool = False, reading: bool = False) -> T:
        """See ``Session.run``."""
        run = partial(self.session.run, work, filing=filing, reading=reading)
        return await self.exchange.perform(step, self.place, run, filing=filing)


@asynccontextmanager
async def talk(database: Database, exchange: Exchange, place: str, *, in_turn: bool = False) -> AsyncIterator[Talk]:
    """A session over the exchange, its connection made as a step of its own (``in_turn``: at the agreed rate).

    Raises:
        RetryableError, EndpointError: it cannot be made.
    """
    async with AsyncExitStack() as stack:
        connect = partial(stack.enter_async_context, database.session())
        yield Talk(await exchange.perform("connect", place, connect, in_turn=in_turn), exchange, place)
