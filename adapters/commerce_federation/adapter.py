"""The adapter of the chambers' platform (工商联): rows into the exchange database, rows out of it. No HTTP between the two."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import ClassVar

from adapters.commerce_federation import changes, codes, files, filing, pulling, watching, wire
from adapters.commerce_federation.database import Database, Talk, database_of, talk
from adapters.commerce_federation.settings import CommerceFederationSettings
from adapters.commerce_federation.translate import CAPABILITIES, MAPPING, translate
from adapters.commerce_federation.wire import OutRow
from adapters.tables import tables_of
from contracts.adapter import (
    Adapter,
    AdapterInfo,
    AdapterSettings,
    Context,
    DeliveryClass,
    Exchange,
    InboundCall,
    Polled,
    PolledItem,
    Receipt,
    Tools,
    Wire,
)
from contracts.code_table import CodeTable
from contracts.errors import AdapterError, EndpointError, PermanentError, UnreadableCallback
from contracts.message import Message
from contracts.update import Inbound, StatusUpdate


class CommerceFederation(Adapter[CommerceFederationSettings]):
    """工商联 商会调解服务平台, protocol page ``commerce_federation`` 1.0.0.

    Idempotent by the primary key, which is the message's id at every attempt. What it opens itself is its transport, the
    exchange database; each transaction is performed over the ``Exchange``.
    """

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="commerce_federation",
        title_zh="工商联商会调解服务平台",
        title_en="Mediation platform of the federation of industry and commerce",
        version="1.0.0",
        mapping=MAPPING,
        delivery_class=DeliveryClass.IDEMPOTENT,
        capabilities=CAPABILITIES,
        relayed=True,
        polls=True,
        personal_fields=frozenset({"xb", "nl"}),
        connect_s=5.0,
        deadline_s=60.0,
        deadline_files_s=300.0,
        # 500 new rows a minute, with some room; four connections, one of them the poll's.
        rate_per_s=8.0,
        at_once=3,
        poll_every_s=(5.0, pulling.REST_S),
    )
    settings_type: ClassVar[type[AdapterSettings]] = CommerceFederationSettings

    def __init__(self, endpoint: str, settings: CommerceFederationSettings, tools: Tools) -> None:
        super().__init__(endpoint, settings, tools)
        self.database: Database = database_of(settings, tools.blocking)
        self._beaten: datetime | None = None

    # ------------------------------------------------------------------------------------------------------- outward

    def translate(self, message: Message, context: Context) -> Wire:
        """See ``translate.translate``."""
        return translate(message, context, self.settings.organizations, self.settings.file_limit)

    def code_tables(self) -> tuple[CodeTable, ...]:
        return tables_of(vars(codes))

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """Chunks first, each committed, then the one row under the message's id (page §3): a row never stands before its
        files.

        Raises:
            RetryableError, EndpointError, PermanentError: the predicates of page §5.
        """
        row = OutRow.of(wire)
        async with self._talk(exchange, in_turn=True) as database:
            await self._put_files(database, wire, row)
            work = filing.file(row, self.tools.now(), self._period, timedelta(seconds=self.settings.postpone_s))
            return await database.run("file", work, filing=True)

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        """Our row; absent means not relayed, or cleaned after seven days. One that failed there (3) is not held, whatever the
        reason: the next ``send`` finds it, and says whose it is.

        Raises:
            RetryableError, EndpointError: by page §5; ``other_content``, where the row is not ours.
        """
        row = OutRow.of(wire)
        async with self._talk(exchange) as database:
            found = await database.run("lookup", filing.standing(row.out_id), reading=True)
        if found is None or found.status == filing.FAILED:
            return None
        filing.proven(row, found)
        return found.receipt(row.out_id)

    async def probe(self, exchange: Exchange) -> None:
        """See ``watching.look``."""
        async with self._talk(exchange) as database:
            await database.run("probe", watching.look(self.tools.now(), self._period), reading=True)

    # --------------------------------------------------------------------------------------------------------- inward

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        """A hundred new rows. Those of the page before, which is stored by now, are marked first; and our heart beats."""
        now = self.tools.now()
        beat = self._heart_is_due(now)
        async with self._talk(exchange) as database:
            items = await database.run("poll", pulling.turn(pulling.read_marks(cursor), now, beat=beat))
        if beat:
            self._beaten = now
        return Polled(items, pulling.write_marks(self._marks(items)), len(items) == pulling.PAGE)

    async def mark_read(self, items: tuple[PolledItem, ...], exchange: Exchange) -> None:
        """``READ_STATUS`` 1, or 3 with a note for what nobody can read. What fails here is done by the next poll, whose cursor
        names the same rows."""
        try:
            async with self._talk(exchange) as database:
                await database.run("mark", pulling.mark(self._marks(items), self.tools.now()))
        except AdapterError:
            return

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """See ``changes.parse``."""
        return (self._said(call.body, call.received_at),)

    def _said(self, body: bytes, received_at: datetime) -> StatusUpdate:
        return changes.parse(body, received_at, self.settings.postpone_s, self.settings.resends)

    def _marks(self, items: tuple[PolledItem, ...]) -> list[pulling.Mark]:
        now = self.tools.now()
        return [(int(item.event_id), self._unreadable(item, now)) for item in items]

    def _unreadable(self, item: PolledItem, now: datetime) -> str | None:
        """Why nobody can read it; ``None`` where it can be read."""
        try:
            self._said(item.body, now)
        except UnreadableCallback as error:
            return error.code
        return None

    def _heart_is_due(self, now: datetime) -> bool:
        """Also after a clock was set back."""
        return self._beaten is None or not timedelta(0) <= now - self._beaten < timedelta(seconds=pulling.REST_S)

    # ----------------------------------------------------------------------------------------------------------- files

    def _talk(self, exchange: Exchange, *, in_turn: bool = False) -> AbstractAsyncContextManager[Talk]:
        return talk(self.database, exchange, self.settings.place, in_turn=in_turn)

    async def _put_files(self, database: Talk, frozen: Wire, row: OutRow) -> None:
        """The chunks that are not there yet, each in a transaction of its own."""
        named = frozen.payload[wire.FILES]
        if not named:
            return
        there = await database.run("files", filing.chunks_there(row.out_id), reading=True)
        if there is None:
            return
        for number, one in enumerate(named, 1):
            data = await self.tools.attachments.read(one[files.ATTACHMENT])
            if len(data) > self.settings.file_limit:
                raise PermanentError("file_too_large", "a file is too large for the platform")
            for chunk in await self.tools.blocking(files.chunks, number, one, data):
                known = there.get((chunk.file_no, chunk.number))
                if known is None:
                    await database.run("chunk", filing.put_chunk(row.out_id, chunk))
                elif known != chunk.sm3:
                    raise EndpointError("other_content", "the database holds another file under our id")

    @property
    def _period(self) -> timedelta:
        return timedelta(seconds=self.settings.period_s)
