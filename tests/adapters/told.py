"""Work that is no HTTP, as calls of the kit's line: an adapter whose platform is a database or a directory, on a stage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.adapter import Adapter, Exchange, Polled, PolledItem, Receipt, Reply, Request, Wire
from contracts.errors import RetryableError

T = TypeVar("T")
_DONE = b"done"


class Performed:
    """The way to such a platform: a call is one piece of work, which its caller has left here."""

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """See ``contracts.adapter.Exchange``."""
        if not isinstance(request, Work):
            raise TypeError("only work of our own goes this way")
        await request.perform()
        return Reply(200, (), _DONE)


@dataclass(frozen=True, slots=True)
class Work(Request):
    """One piece of work, as a request of the kit's line."""

    perform: Callable[[], Awaitable[None]] = lambda: _nothing()


async def _nothing() -> None:
    raise AssertionError("no work")


async def over(line: Exchange, step: str, url: str, run: Callable[[], Awaitable[T]], *, filing: bool) -> T:
    """What ``run`` gives, done as one call on the line; doubtful where the word that it is done is lost on the way."""
    found: list[T] = []

    async def perform() -> None:
        found.append(await run())

    reply = await line.call(step, Work("DO", url, perform=perform), filing=filing)
    if reply.body != _DONE:
        raise RetryableError("broken_off", "the word that it is done was lost", maybe_accepted=filing)
    return found[0]


class OnTheLine(Adapter[Any]):
    """An adapter whose every verb works on the line that it is handed. Stands before the adapter's own class."""

    @abstractmethod
    def on(self, line: Exchange) -> None:
        """Work over this line from now on."""

    @abstractmethod
    def heal(self) -> None:
        """A filing is over: no fault stands any longer."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        self.on(exchange)
        try:
            return await super().send(wire, exchange)  # type: ignore[safe-super]  # the adapter's own class follows
        finally:
            self.heal()

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        self.on(exchange)
        return await super().lookup(wire, exchange)

    async def probe(self, exchange: Exchange) -> None:
        self.on(exchange)
        await super().probe(exchange)  # type: ignore[safe-super]  # the adapter's own class follows

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        self.on(exchange)
        return await super().poll(cursor, exchange)

    async def mark_read(self, items: tuple[PolledItem, ...], exchange: Exchange) -> None:
        self.on(exchange)
        await super().mark_read(items, exchange)
