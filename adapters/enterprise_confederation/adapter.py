"""The adapter of the confederations' platform (企联/企协): batches into ``up/``, replies and status files out of ``down/``."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, TypeVar

from adapters.enterprise_confederation import changes, codes, filing, pulling, watching, wire
from adapters.enterprise_confederation.directory import MountedDirectory
from adapters.enterprise_confederation.medium import Medium, Work
from adapters.enterprise_confederation.pulling import Place, Waiting
from adapters.enterprise_confederation.settings import EnterpriseConfederationSettings
from adapters.enterprise_confederation.translate import CAPABILITIES, MAPPING, translate
from adapters.enterprise_confederation.wire import Batch
from adapters.tables import tables_of
from contracts.adapter import (
    Adapter,
    AdapterInfo,
    AdapterSettings,
    Blocking,
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
from contracts.attachment import sniff
from contracts.code_table import CodeTable
from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError
from contracts.message import Message
from contracts.update import Inbound

T = TypeVar("T")

_FULL_FOR = timedelta(hours=1)
"""How long a full share is waited for before it is the operator's (page §5)."""
_ENDINGS = {"pdf": "application/pdf", "ofd": "application/ofd", "jpg": "image/jpeg", "png": "image/png"}


class EnterpriseConfederation(Adapter[EnterpriseConfederationSettings]):
    """企联/企协 调解组织, protocol page ``enterprise_confederation`` 1.0.0.

    Idempotent by the batch's name, which comes from the message's id and is the same at every attempt. What it opens itself is
    its transport, the exchange directory; each step of file work is performed over the ``Exchange``.
    """

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="enterprise_confederation",
        title_zh="企联/企协调解组织平台",
        title_en="Mediation platform of the enterprise confederations",
        version="1.0.0",
        mapping=MAPPING,
        delivery_class=DeliveryClass.IDEMPOTENT,
        capabilities=CAPABILITIES,
        relayed=True,
        polls=True,
        personal_fields=frozenset({"性别"}),
        connect_s=5.0,
        deadline_s=120.0,
        deadline_files_s=300.0,
        # 60 batches a minute.
        rate_per_s=1.0,
        at_once=2,
        poll_every_s=(5.0, 900.0),
    )
    settings_type: ClassVar[type[AdapterSettings]] = EnterpriseConfederationSettings

    def __init__(self, endpoint: str, settings: EnterpriseConfederationSettings, tools: Tools) -> None:
        super().__init__(endpoint, settings, tools)
        self.medium: Medium = medium_of(settings, tools.blocking)
        self._waiting = Waiting()
        self._swept = False
        self._full_since: datetime | None = None

    # ------------------------------------------------------------------------------------------------------- outward

    def translate(self, message: Message, context: Context) -> Wire:
        """See ``translate.translate``."""
        settings = self.settings
        return translate(message, context, settings.sender, settings.organizations, settings.file_limit)

    def code_tables(self) -> tuple[CodeTable, ...]:
        return tables_of(vars(codes))

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """Data files, manifest, and the marker at last (page §2): nobody reads a batch before it.

        Raises:
            RetryableError, EndpointError, PermanentError: the predicates of page §5.
        """
        batch = await self._batch(wire)
        now = self.tools.now()
        try:
            look = partial(filing.look, self.medium, batch, now, self._period)
            if not await self._run(exchange, "look", look, in_turn=True):
                await self._run(exchange, "files", partial(filing.write, self.medium, batch))
            known = await self._run(exchange, "marker", partial(filing.mark, self.medium, batch), filing=True)
        except RetryableError as error:
            if error.code in ("share_full", "share_refused"):
                raise self._full(now, error) from None
            raise
        self._full_since = None
        return batch.receipt(duplicate=known, at=None if known else now)

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        """Our marker, wherever the platform has put it, or a reply to it. After 30 days nothing is found, which says nothing.

        Raises:
            RetryableError, EndpointError: by page §5; ``other_content``, where the batch is not ours.
        """
        batch = await self._batch(wire)
        found = await self._run(exchange, "lookup", partial(filing.find, self.medium, batch))
        return batch.receipt(duplicate=False) if found else None

    async def probe(self, exchange: Exchange) -> None:
        """See ``watching.look``."""
        await self._run(exchange, "probe", partial(watching.look, self.medium, self.tools.now(), self._period))

    # --------------------------------------------------------------------------------------------------------- inward

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        """The next batches. The markers of the page before, which is stored by now, are renamed first; at our first look the
        ``.part`` files of an earlier run go."""
        now = self.tools.now()
        if not self._swept:
            await self._run(exchange, "sweep", partial(filing.sweep, self.medium, self.settings.sender, now))
            self._swept = True
        late = timedelta(seconds=self.settings.late_s)
        look = partial(pulling.turn, self.medium, Place.of(cursor), now, self._waiting, late)
        page = await self._run(exchange, "poll", look)
        return Polled(tuple(page.items), Place(tuple(page.marks), tuple(page.late)).text(), page.more)

    async def mark_read(self, items: tuple[PolledItem, ...], exchange: Exchange) -> None:
        """``.taken``, or ``.bad`` for what nobody can read. What fails here is done by the next poll, whose cursor names the
        same markers."""
        try:
            await self._run(exchange, "mark", partial(pulling.rename, self.medium, pulling.marks_of(items)))
        except AdapterError:
            return

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """See ``changes.parse``."""
        return (changes.parse(call.body, call.received_at),)

    # ----------------------------------------------------------------------------------------------------------- files

    async def _run(
        self, exchange: Exchange, step: str, work: Work[T], *, filing: bool = False, in_turn: bool = False
    ) -> T:
        """One step of file work, as a step of the attempt."""
        run = partial(self.medium.run, work, filing=filing)
        return await exchange.perform(step, self.settings.place, run, filing=filing, in_turn=in_turn)

    async def _batch(self, frozen: Wire) -> Batch:
        """The batch of a wire, its files read anew."""
        files = []
        for one in frozen.payload[wire.FILES]:
            data = await self.tools.attachments.read(one[wire.ATTACHMENT])
            if len(data) > self.settings.file_limit:
                raise PermanentError("file_too_large", "a file is too large for the platform")
            kind = sniff(data)
            if kind is None or kind.value != _ENDINGS[one[wire.EXTENSION]]:
                raise PermanentError("file_type", "the content of a file is not what its type says")
            files.append(data)
        made: Batch = await self.tools.blocking(wire.batch_of, frozen, files)
        return made

    def _full(self, now: datetime, error: RetryableError) -> AdapterError:
        """A share that is full, or refuses to write and does not say why: of time for an hour, then the operator's."""
        self._full_since = self._full_since or now
        if now - self._full_since < _FULL_FOR:
            return error
        return EndpointError(error.code, "the exchange directory has taken nothing for an hour")

    @property
    def _period(self) -> timedelta:
        return timedelta(seconds=self.settings.period_s)


def medium_of(settings: EnterpriseConfederationSettings, blocking: Blocking) -> Medium:
    """What the root names; nothing is opened yet. The SFTP library is an extra, imported where one is."""
    server = settings.server
    if server is None:
        return MountedDirectory(settings.root, blocking, settings.operation_s)
    from adapters.enterprise_confederation.account import SftpAccount
    from adapters.enterprise_confederation.connection import Connection

    connect_s = settings.connect_s or EnterpriseConfederation.info.connect_s
    connection = Connection(server, settings.host_key, settings.private_key_file, blocking, connect_s)
    return SftpAccount(connection, server.path, blocking, settings.operation_s)
