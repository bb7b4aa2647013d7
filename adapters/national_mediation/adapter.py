"""The adapter of the national platform (全国调解平台): files over REST, polls changes and cases, is never called."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import ClassVar
from urllib.parse import quote

from adapters.http import LONGEST_WAIT, json_bytes
from adapters.national_mediation import changes, codes, replies, wire
from adapters.national_mediation.calls import Calls
from adapters.national_mediation.drafts import event_of, moment_of
from adapters.national_mediation.files import files_of, with_ids
from adapters.national_mediation.pulling import (
    FIRST_LOOK,
    OFFERED,
    Page,
    Place,
    Places,
    raw_changes,
    raw_referral,
    read_page,
)
from adapters.national_mediation.replies import Answer
from adapters.national_mediation.settings import NationalMediationSettings
from adapters.national_mediation.translate import CAPABILITIES, MAPPING, REVISE, SUBMIT, translate
from adapters.national_mediation.uploads import Uploads
from adapters.tables import tables_of
from contracts.adapter import (
    Adapter,
    AdapterInfo,
    AdapterSettings,
    Context,
    DeliveryClass,
    Exchange,
    InboundCall,
    Json,
    Polled,
    PolledItem,
    Receipt,
    Reply,
    Tools,
    Wire,
)
from contracts.code_table import CodeTable
from contracts.errors import EndpointError, PermanentError, RetryableError
from contracts.message import Message
from contracts.update import DocumentLink, Inbound, Reference


@dataclass(frozen=True, slots=True)
class _Target:
    """What a filing calls: the service, the names in its path, and the platform's version that a revision changes."""

    operation: str
    path: dict[str, str]
    version: int | None = None


_CLOCK = timedelta(seconds=120)
_HELD, _HELD_KEPT = "held:", timedelta(days=2)
"""Revisions that met an earlier version where they went as first filing, by their key."""
_REFERRALS = 10
"""Cases asked for in one page of referrals: each is fetched by a call of its own, within one poll's deadline."""
_STATES = {True: "ACCEPTED", False: "DECLINED"}


class NationalMediation(Adapter[NationalMediationSettings]):
    """全国劳动人事争议在线调解服务平台, protocol page ``national_mediation`` 1.0.0.

    Idempotent by ``Idempotency-Key``, which is the message's id at every attempt.
    """

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="national_mediation",
        title_zh="全国劳动人事争议在线调解服务平台",
        title_en="National online mediation platform for labour and personnel disputes",
        version="1.0.0",
        mapping=MAPPING,
        delivery_class=DeliveryClass.IDEMPOTENT,
        capabilities=CAPABILITIES,
        polls=True,
        personal_fields=frozenset({"sex"}),
        connect_s=5.0,
        # Token, keys, a look-up and the filing may stand in one attempt without files.
        deadline_s=120.0,
        deadline_files_s=300.0,
        rate_per_s=9.0,
        at_once=4,
        reply_limit=wire.REPLY_LIMIT,
        poll_every_s=(5.0, 900.0),
    )
    settings_type: ClassVar[type[AdapterSettings]] = NationalMediationSettings

    def __init__(self, endpoint: str, settings: NationalMediationSettings, tools: Tools) -> None:
        super().__init__(endpoint, settings, tools)
        self._calls = Calls(settings, tools)
        self._uploads = Uploads(settings, tools, self._calls)

    # ------------------------------------------------------------------------------------------------------- outward

    def translate(self, message: Message, context: Context) -> Wire:
        """See ``translate.translate``."""
        return translate(message, context)

    def code_tables(self) -> tuple[CodeTable, ...]:
        return tables_of(vars(codes))

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """Look the case up where its number there is needed, upload what travels along, then file under the message's id.

        Raises:
            RetryableError, EndpointError, PermanentError: the predicates of page §4; a file that the platform no longer
                knows is retryable, where it stems from an earlier attempt: the next one uploads it again.
        """
        target = await self._target(wire, exchange)
        body: Json = wire.payload["body"]
        uploaded = await self._uploads.ids(files_of(body), exchange)
        sent = json_bytes(with_ids(body, uploaded.ids))
        try:
            answer = await self._file(wire, target, sent, exchange)
        except PermanentError as refusal:
            if not uploaded.remembered or not replies.file_unknown(refusal):
                raise
            await self._uploads.forget(uploaded)
            raise RetryableError(refusal.code, "the platform no longer knows a file of ours") from None
        return await self._receipt(wire, target, sent, answer, exchange)

    async def probe(self, exchange: Exchange) -> None:
        """``ping``: proves address, client and clock, changes nothing. A maintenance that is only announced is none yet.

        Raises:
            EndpointError: ``clock``: ours and the platform's differ by more than 120 s.
            RetryableError: ``MAINTENANCE``, with what is left of it.
        """
        reply = await self._calls.call("probe", self._calls.request("GET", "/ping"), exchange)
        found = (await self._calls.judged(reply, filing=False)).body
        now = self.tools.now()
        told = _date(reply)
        if told is not None and abs(told - now) > _CLOCK:
            raise EndpointError("clock", "the platform's clock and ours differ by more than two minutes")
        window = found.get("maintenance")
        if not isinstance(window, dict):
            return
        begins, ends = moment_of(window, "from"), moment_of(window, "to")
        if (begins is None or begins <= now) and (ends is None or now < ends):
            left = None if ends is None else min(ends - now, LONGEST_WAIT)
            raise RetryableError("MAINTENANCE", "the platform is being maintained", retry_after=left)

    async def download(self, document: DocumentLink, exchange: Exchange) -> bytes:
        """A document that a change named, checked.

        Raises:
            RetryableError: bytes of another size or digest than told.
        """
        request = self._calls.request("GET", f"/files/{quote(document.ref, safe='')}")
        limit = self.settings.file_limit
        reply = await self._calls.call("download", request, exchange, within=self.settings.upload_s, limit=limit)
        if not 200 <= reply.status < 300:
            await self._calls.judged(reply, filing=False)
        data = reply.body
        if document.size is not None and len(data) != document.size:
            raise RetryableError("wrong_size", "the document has another size than told")
        digest = await self.tools.blocking(lambda: hashlib.sha256(data).hexdigest())
        if document.sha256 is not None and digest != document.sha256:
            raise RetryableError("wrong_digest", "the document has another digest than told")
        return data

    # --------------------------------------------------------------------------------------------------------- inward

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        """One page of cases that are handed over, each fetched whole, and one page of changes (page §6): a recall comes after
        its offer."""
        now = self.tools.now()
        places = Places.read(cursor)
        of_changes, of_referrals = places.changes.began(now - FIRST_LOOK), places.referrals.began(now - FIRST_LOOK)
        items: list[PolledItem] = []
        if places.due(places.referrals):
            offered = await self._page("/referrals", of_referrals, min(_REFERRALS, self.settings.page_size), exchange)
            of_referrals = offered.place
            items += [item for row in offered.rows if (item := await self._offered(row, exchange)) is not None]
        if places.due(places.changes):
            changed = await self._page("/changes", of_changes, self.settings.page_size, exchange)
            of_changes = changed.place
            items += raw_changes(changed.rows)
        after = Places(of_changes, of_referrals)
        return Polled(tuple(items), after.write(), after.more)

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """See ``changes.parse``."""
        return changes.parse(call, self.endpoint, self.settings.organizations)

    async def _page(self, path: str, place: Place, limit: int, exchange: Exchange) -> Page:
        since = place.since if place.cursor is None else None
        address = wire.with_query(path, cursor=place.cursor, since=since, limit=limit)
        request = self._calls.request("GET", address, () if place.tag is None else (("If-None-Match", place.tag),))
        reply = await self._calls.call("poll", request, exchange)
        if reply.status == 304:
            return Page((), replace(place, more=False))
        try:
            found = (await self._calls.asked(reply)).body
        except EndpointError as error:
            if error.code != replies.CURSOR_EXPIRED or place.cursor is None:
                raise
            return Page((), place.lost(self.tools.now()))
        return read_page(found, place, reply.header("ETag"), self.tools.now())

    async def _offered(self, row: Json, exchange: Exchange) -> PolledItem | None:
        """The whole of a case that is offered; ``None`` for one that is not, or not any more. One that cannot be asked for goes
        as the list tells it: nobody can read it, so that a person sees it."""
        if row.get("state") != OFFERED:
            return None
        identifier = wire.id_of(row, "referralId")
        if identifier is None:
            return raw_referral(row, None)
        reply = await self._calls.call("referral", self._calls.request("GET", f"/referrals/{identifier}"), exchange)
        try:
            found = await self._calls.asked(reply)
        except EndpointError as error:
            if error.code != replies.REFERRAL_UNKNOWN:
                raise
            return None
        return raw_referral(found.body, event_of(identifier))

    # --------------------------------------------------------------------------------------------------------- filing

    async def _target(self, frozen: Wire, exchange: Exchange) -> _Target:
        """What is called: as frozen, else as the platform says that it holds the case."""
        path: dict[str, str] = dict(frozen.payload[wire.PATH])
        find = frozen.payload.get(wire.FIND)
        # A repeated first filing is no look-up's matter: its key finds what it filed itself.
        first = frozen.operation == SUBMIT and await self.tools.memory.get(f"{_HELD}{frozen.id}") is None
        if find is None or first:
            return _Target(frozen.operation, path)
        address = wire.with_query("/cases", **find)
        reply = await self._calls.call("lookup", self._calls.request("GET", address), exchange)
        listed = (await self._calls.judged(reply, filing=False)).body.get("items")
        found = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        if not found:
            raise PermanentError("case_unknown", "the platform does not have the case")
        operation = REVISE if frozen.operation == SUBMIT else frozen.operation
        named, version = wire.id_of(found[0], "caseId"), wire.count_of(found[0], "version")
        if named is None or (version is None and operation == REVISE):
            raise RetryableError("no_case_id", "the platform's answer does not say which case it is")
        return _Target(operation, path | {"caseId": named}, version)

    async def _file(self, frozen: Wire, target: _Target, sent: bytes, exchange: Exchange) -> Answer:
        headers = [("Content-Type", wire.JSON_TYPE), ("Idempotency-Key", frozen.id)]
        if target.operation == REVISE:
            headers.append(("If-Match", f'"{target.version}"'))
        service = wire.OPERATIONS[target.operation]
        address = wire.path_of(target.operation, target.path)
        request = self._calls.request(service.method, address, tuple(headers), sent)
        reply = await self._calls.call("file", request, exchange, filing=True)
        accepts = frozen.payload[wire.BODY].get("accept") if target.operation == "referral.answer" else None
        state = _STATES[accepts] if isinstance(accepts, bool) else None
        return await self._calls.judged(reply, filing=True, answer=state)

    async def _receipt(self, frozen: Wire, target: _Target, sent: bytes, answer: Answer, exchange: Exchange) -> Receipt:
        """The answer to a filing, once its receipt (回执) is proven. A 409 that names what was filed earlier has none: of a
        revision it means another version, which is revised at the next attempt."""
        if answer.known and target.operation == SUBMIT and wire.FIND in frozen.payload:
            await self.tools.memory.put(f"{_HELD}{frozen.id}", target.operation, _HELD_KEPT)
            raise RetryableError(replies.DUPLICATE, "the platform holds an earlier version of the case")
        made = _made(target.operation, target.path, answer)
        if made is None:
            raise RetryableError("no_id", "the platform's answer does not say what it made", maybe_accepted=True)
        if not answer.known:
            await self._calls.tokens.prove(
                answer.body.get("receipt"), sent, target.operation, made, frozen.id, exchange
            )
        return Receipt(
            reference=made,
            references=_references(target.operation, made, answer.body),
            duplicate=answer.replayed or answer.known,
        )


def _made(operation: str, path: dict[str, str], answer: Answer) -> str | None:
    """The number of what was made, as the receipt's ``sub`` names it; ``None`` where the answer tells none, or tells of
    another thing than the call's path names."""
    key = wire.OPERATIONS[operation].made
    if answer.known and operation == "referral.answer":
        return path[key]  # what was answered before is told by its state alone
    named = wire.id_of(answer.body, key)
    if named is None or named != path.get(key, named):
        return None
    return f"{path['orgCode']}/{named}" if operation == "statistics.submit" else named


def _references(operation: str, made: str, body: Json) -> tuple[Reference, ...]:
    """The numbers that name a thing of ours from now on (``messages.md`` §6)."""
    if operation in (SUBMIT, REVISE):
        number = wire.text_of(body, "caseNo", 100)
        return (Reference("platform_no", made), *((Reference("case_no", number),) if number else ()))
    if operation == "agreement.submit":
        return (Reference("agreement_id", made),)
    if operation == "statistics.submit":
        version = wire.count_of(body, "version")
        return (Reference("platform_no", made), *((Reference("document_no", f"{made}/{version}"),) if version else ()))
    return ()


def _date(reply: Reply) -> datetime | None:
    try:
        told = parsedate_to_datetime(reply.header("Date") or "")
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)
