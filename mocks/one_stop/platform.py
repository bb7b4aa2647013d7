"""The platform itself: one address, the order of the checks, the journal before the answer (page §1–§5, §8)."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import ClassVar, Final

from aiohttp import web

from mocks.clock import Clock
from mocks.faults import Fault, Faults
from mocks.journal import Journal
from mocks.numbers import reference
from mocks.one_stop.checks import check_header, check_items
from mocks.one_stop.clerk import Clerk
from mocks.one_stop.envelope import Request, read
from mocks.one_stop.feed import Feed, mixed, written
from mocks.one_stop.gate import Gate
from mocks.one_stop.ledger import Ledger
from mocks.one_stop.refusal import BusinessRefusal, SoapFault
from mocks.one_stop.replies import Replies, Value
from mocks.one_stop.schema import NAMESPACE, OPERATIONS, PAGES, Items
from mocks.one_stop.settings import Settings, fresh
from mocks.one_stop.wsdl import wsdl
from mocks.platform import Json, Platform

ADDRESS: Final = "/services/DisputeExchange"

_ACTION = re.compile(rf'"{NAMESPACE}#([A-Za-z]{{1,40}})"', re.ASCII)
_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,30}:)?([A-Za-z]{1,40})Request[\s/>]")
_ROOM_FOR_ENVELOPE: Final = 4096
_BOMB = (
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE b [<!ENTITY a "甲乙丙丁戊己庚辛壬癸">'
    + "".join(f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><b>&i;</b>"
)


class OneStop(Platform):
    """The platform 一站式矛盾纠纷多元化解线上平台, as its page writes it.

    Journal: every writing operation that passed the headers; probes and pulls carry no message and are not in it. A
    change is an entry of kind ``change`` with effect ``announced``, ``again`` (scripted repeat) or ``forged``.
    """

    name: ClassVar[str] = "one_stop"
    forgeries: ClassVar[frozenset[str]] = frozenset(("other_organization", "without_number", "unknown_type"))

    def __init__(self, *, data: Path, config: Json, clock: Clock, faults: Faults, journal: Journal) -> None:
        super().__init__(data=data, config=config, clock=clock, faults=faults, journal=journal)
        self.settings = Settings.read(self.config)
        self.body_limit = self.settings.request_limit
        self.ledger = Ledger()
        self._gate = Gate(self.settings, self.clock.now)
        self._replies = Replies(self.settings.gb18030_every)
        self._feed = Feed(self.settings.token, self.settings.cursor_days * 86400)
        self._clerk = Clerk(self.settings, self.ledger, self.clock)
        self._pulled: dict[str, datetime] = {}
        self._going_on: dict[str, str] = {}  # audience → the 游标 of the page after which more was there

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """The page's names, a fresh token and every number of the page (``callbacks`` is unused: it never calls)."""
        return fresh(base_url)

    def routes(self) -> list[web.RouteDef]:
        """``POST`` for the operations, ``GET ?wsdl``."""
        return [web.post(ADDRESS, self._exchange), web.get(ADDRESS, self._describe)]

    def operation_of(self, request: web.Request, body: bytes) -> str:
        """The operation that SOAPAction names, else the one whose element stands in the body."""
        if request.method != "POST":
            return "wsdl"
        action = _ACTION.fullmatch(request.headers.get("SOAPAction", ""))
        if action is not None and action[1] in OPERATIONS:
            return action[1]
        root = _ROOT.search(body)
        name = root[1].decode("ascii") if root is not None else ""
        return name if name in OPERATIONS else "unknown"

    # --- the ledger and its clerk

    def records(self) -> list[Json]:
        """One object per business effect: kind, business_key, ref, message_id, organization, state, items."""
        return self.ledger.records

    def restore(self, entries: Iterable[Json]) -> None:
        """Replay the journal."""
        for entry in entries:
            if entry["kind"] == "change":
                self._feed.restored(entry["payload"])
                audience = entry["audience"]
                self._feed.written(audience, self._feed.add(audience, entry["payload"]))
                if entry["effect"] == "announced":
                    self.ledger.apply(entry)
            elif entry["effect"] == "created":
                self.ledger.apply(entry)
            elif entry["effect"] == "repeated":
                self.ledger.remember(entry)

    async def decide(self, order: Json) -> Json:
        """``{ref, decision, …}``: status {code, progress, reason, document_no}, supervise {opinion, deadline},
        recall {reason}, expire; file, refuse, correct = the status of an open transfer. ``机构编码`` where a number is
        not unique. Answers ``{ref, change}`` (变更序号).
        """
        row = self._clerk.decide(order)
        return {"ref": row["平台编号"], "change": await self._announce(row)}

    async def refer(self, order: Json) -> Json:
        """Assign a case to ``机构编码``; the other items by their names. Answers ``{ref, change}``."""
        ref, row = self._clerk.refer(order)
        return {"ref": ref, "change": await self._announce(row)}

    def undecided(self) -> list[Json]:
        """Cases and transfers that the autopilot has not looked at. A transfer goes by its case, not by 转办编号: that one is
        the sender's to draw, and the same seed is to decide the same in every run."""
        return [
            {**record, "matter": f"{record['business_key']}/{record['items']['转往']}"}
            if record["kind"] == "reportTransfer"
            else record
            for record in self.ledger.pending.values()
        ]

    async def clerk(self, random: Random, record: Json) -> None:
        """Decide a case or transfer by the mix: file, refuse, correct; supervise, accept, close; nothing."""
        choice = self.choose(random, self._clerk.choice_of(record))
        transfer = record["kind"] == "reportTransfer"
        if choice == "nothing":
            self.ledger.settled(record["ref"], record["items"].get("转办编号") if transfer else None)
        row = self._clerk.chosen(choice, record, random)
        if row is not None:
            await self._announce(row)

    async def _announce(
        self, row: Items, effect: str = "announced", *, numbered: bool = True, audience: str | None = None
    ) -> str:
        """Put a change into the feed of ``audience`` (None: its own); returns its 变更序号 once it is on disk."""
        number = self._feed.next_number() if numbered else str(row.get("变更序号", ""))
        if numbered:
            row = {"变更序号": number, **row}
        organization, ref = str(row.get("机构编码", "")), str(row.get("平台编号", ""))
        audience = audience or self._audience(organization)
        entry: Json = {
            "kind": "change",
            "business_key": _business_key(organization, row),
            "message_id": number,
            "digest": "",
            "effect": effect,
            "ref": ref,
            "payload": row,
            "audience": audience,
        }
        # State first and, without a pause, the place in the journal: both have the same order then.
        count = self._feed.add(audience, row)
        if effect == "announced":
            self.ledger.apply(entry)
        await self.journal.append(**entry)
        self._feed.written(audience, count)
        return number

    def _audience(self, organization: str) -> str:
        return organization if self.settings.pull_scope == "organization" else "*"

    async def _pass_time(self) -> None:
        while (row := self._clerk.overdue()) is not None:
            await self._announce(row)

    # --- the exchange

    async def _describe(self, request: web.Request) -> web.Response:
        if "wsdl" not in request.query:
            return web.Response(status=405, headers={"Allow": "POST"})
        return web.Response(text=wsdl(self.settings.base_url + ADDRESS), content_type="text/xml", charset="utf-8")

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        operation = self.operation_of(request, body)
        token = self.settings.token
        if self.faults.standing(operation, "expire_session") is not None:
            token = f"{token}-changed"
        try:
            self._gate.check(request.headers, token=token)
            self._gate.admit()
        except SoapFault as fault:
            return self._replies.fault(fault)
        try:
            return await self._take(request, body, operation)
        except OSError:
            return self._replies.fault(SoapFault("S009"))  # the disk took nothing, so nothing may be acknowledged

    async def _take(self, request: web.Request, body: bytes, operation: str) -> web.Response:
        try:
            message = self._read(request, body)
        except SoapFault as fault:
            await self._journal_refused(operation, None, fault.code, fault.detail)
            return self._replies.fault(fault)
        return await self._answer(message)

    def _read(self, request: web.Request, body: bytes) -> Request:
        actions = request.headers.getall("SOAPAction", [])
        action = _ACTION.fullmatch(actions[0]) if len(actions) == 1 else None
        if action is None or action[1] not in OPERATIONS:
            raise SoapFault("S007", "SOAPAction")
        if request.content_type != "text/xml" or (request.charset or "").lower() != "utf-8":
            raise SoapFault("S006", "Content-Type")
        message = read(body)
        if message.operation.name != action[1]:
            raise SoapFault("S007", "SOAPAction")
        return message

    async def _answer(self, message: Request) -> web.Response:
        operation = message.operation
        try:
            await self._scripted_error(operation.name)
            check_header(message.header)
            if operation.name == "pullChanges":
                return await self._pull(message)
            self._check_organization(message.organization)
            if not operation.writes:
                return self._success(message, "")
            return await self._write(message)
        except SoapFault as fault:
            await self._journal_refused(operation.name, message, fault.code, fault.detail)
            return self._replies.fault(fault)
        except BusinessRefusal as refusal:
            await self._journal_refused(operation.name, message, refusal.code, refusal.item)
            return self._refused(message, refusal)

    async def _scripted_error(self, operation: str) -> None:
        fault = self.faults.take(operation, "business_error")
        if fault is None:
            return
        await asyncio.sleep(fault.after_ms / 1000)
        if fault.code.startswith("S"):
            wait = fault.retry_after or ""
            raise SoapFault(fault.code, retry_after=int(wait) if wait.isdigit() else None)
        raise BusinessRefusal(fault.code, words=fault.text)

    def _check_organization(self, organization: str) -> None:
        allowed = self.settings.paasid_organizations
        if allowed and organization not in allowed:
            raise BusinessRefusal("E403", "报文头/机构编码")

    # --- writing

    async def _write(self, message: Request) -> web.Response:
        name = message.operation.name
        known = self.ledger.known(message.message_id, message.digest)
        items = check_items(
            message.operation,
            message.items,
            message.pages,
            page_units=self.settings.page_units,
            most_pages=self.settings.pages_limit,
        )
        if known is not None:
            await self.journal.append(**self._entry(message, "repeated", known, items))
            return self._success(message, known, repeated=True)
        if name in ("reportCase", "answerAssign", "finishAssign"):
            await self._pass_time()
            # Another connection may have brought the same message meanwhile.
            if self.ledger.known(message.message_id, message.digest) is not None:
                return await self._write(message)
        plan = self.ledger.plan(name, message.organization, items)
        if plan.repeated:
            entry = self._entry(message, "repeated", plan.ref, items)
            self.ledger.remember(entry)
            await self.journal.append(**entry)
            return self._success(message, plan.ref, repeated=True)
        entry = self._entry(message, "created", plan.ref or self._new_reference(items), items)
        entry["new_ref"] = not plan.ref
        # State first and, without a pause, the place in the journal: a repeat waits for the same disk write.
        self.ledger.apply(entry)
        await self.journal.append(**entry)
        await self._early_change(name, entry["ref"])
        return self._success(message, entry["ref"])

    async def _early_change(self, operation: str, ref: str) -> None:
        row = self._clerk.early(operation, ref)
        if row is None:
            return
        fault = self.faults.take(operation, "early_callback")
        if fault is not None:
            await self._announce(row)
            await asyncio.sleep((fault.after_ms or self.settings.early_wait_ms) / 1000)

    def _new_reference(self, items: Items) -> str:
        place = items.get("行政区划")
        head = place[:6] if isinstance(place, str) else self.settings.region
        return reference(head, self.clock.now(), self.ledger.references + 1)

    def _entry(self, message: Request, effect: str, ref: str, items: Items) -> Json:
        return {
            "kind": message.operation.name,
            "business_key": _business_key(message.organization, message.items),
            "message_id": message.message_id,
            "digest": message.digest,
            "effect": effect,
            "ref": ref,
            "payload": {"报文头": message.header, **items},
        }

    async def _journal_refused(self, operation: str, message: Request | None, code: str, item: str) -> None:
        if operation in OPERATIONS and not OPERATIONS[operation].writes:
            return
        if message is None:
            entry: Json = {"kind": operation, "business_key": "", "message_id": "", "digest": "", "effect": "refused"}
            await self.journal.append(**entry, ref="", payload={}, code=code, item=item)
            return
        items: Items = {**message.items, PAGES: message.pages} if message.pages else message.items
        await self.journal.append(**self._entry(message, "refused", "", items), code=code, item=item)

    # --- pulling

    async def _pull(self, message: Request) -> web.Response:
        if message.organization not in self.settings.organization_codes:
            raise BusinessRefusal("E403", "报文头/机构编码")
        items = check_items(message.operation, message.items, [], page_units=0, most_pages=0)
        cursor, size = str(items["游标"]), int(str(items["每页条数"]))
        if not 1 <= size <= 100:
            raise BusinessRefusal("E103", "每页条数")
        audience = self._audience(message.organization)
        self._check_interval(audience, cursor)
        now = self.clock.now()
        position = self._feed.position(audience, cursor, now)
        self._pulled[audience] = now
        await self._pass_time()
        await self._forge(message.organization, audience)
        room = self.settings.reply_limit - _ROOM_FOR_ENVELOPE
        rows, after, last = self._feed.page(audience, position, min(size, self.settings.page_limit), room)
        if rows and (fault := self.faults.take("pullChanges", "duplicate_callback")) is not None:
            for row in rows * max(fault.n, 1):
                await self._announce(row, "again", numbered=False, audience=audience)
            last = False
        if len({row.get("平台编号") for row in rows}) > 1 and self.faults.take("pullChanges", "reorder_callbacks"):
            rows = mixed(rows)
        following = self._feed.cursor(audience, after, now) if rows else cursor
        self._going_on[audience] = "" if last else following
        changes: dict[str, Value] = {"变更": [written(row) for row in rows]} if rows else {}
        more: dict[str, Value] = {"变更列表": changes, "新游标": following, "EOPSIGN": "1" if last else "0"}
        return self._success(message, "", more=more)

    def _check_interval(self, audience: str, cursor: str) -> None:
        """S004 for a pull too soon after the last, unless it goes on at the next page."""
        last = self._pulled.get(audience)
        if last is None or (cursor and cursor == self._going_on.get(audience)):
            return
        gone = (self.clock.now() - last).total_seconds()
        if 0 <= gone < self.settings.pull_interval_s:
            raise SoapFault("S004", retry_after=max(1, math.ceil(self.settings.pull_interval_s - gone)))

    async def _forge(self, organization: str, audience: str) -> None:
        fault = self.faults.take("pullChanges", "forge_callback")
        if fault is not None:
            row = self._clerk.forged(organization, fault.how)
            await self._announce(row, "forged", numbered=fault.how != "without_number", audience=audience)

    # --- answers

    def _success(
        self, message: Request, ref: str, *, repeated: bool = False, more: dict[str, Value] | None = None
    ) -> web.Response:
        items: dict[str, Value] = {
            "retCode": "1",
            "retMessage": "成功",
            "errCode": "",
            "外部编号": message.message_id,
            "平台编号": ref,
            "重复标志": "1" if repeated else "0",
            **(more or {}),
        }
        return self._replies.response(message.operation.name, items)

    def _refused(self, message: Request, refusal: BusinessRefusal) -> web.Response:
        items: dict[str, Value] = {
            "retCode": "0",
            "retMessage": refusal.text,
            "errCode": refusal.code,
            "外部编号": message.message_id if refusal.item != "报文头/外部编号" else "",
            "平台编号": "",
            "重复标志": "0",
        }
        if refusal.item:
            items["项名"] = refusal.item
        return self._replies.response(message.operation.name, items)

    # --- how failures look

    async def garbage(self, fault: Fault, request: web.Request, answer: web.Response) -> web.StreamResponse:
        """``gbk`` = GBK bytes declared UTF-8, ``bomb`` = nested entities in a DOCTYPE; the rest as everywhere."""
        match fault.kind:
            case "gbk":
                text = f'<?xml version="1.0" encoding="UTF-8"?>{_text_of(answer)}'
                body = text.encode("gbk", "replace")
            case "bomb":
                body = _BOMB.encode()
            case _:
                return await super().garbage(fault, request, answer)
        return web.Response(body=body, headers={"Content-Type": "text/xml; charset=utf-8"})

    def http_answer(self, fault: Fault) -> web.StreamResponse:
        """500 = a Fault without detail (``code`` ``Client`` makes it the client's), 200 = Fault S009; others plain."""
        if fault.status == 500:
            return self._replies.bare_fault("Client" if fault.code == "Client" else "Server")
        if fault.status == 200:
            return self._replies.fault(SoapFault("S009"), status=200)
        return super().http_answer(fault)


def _business_key(organization: str, items: Items) -> str:
    """机构编码/案件外部编号, else 平台编号, else 证号 (page §8.5)."""
    if number := items.get("案件外部编号"):
        return f"{organization}/{number}"
    return str(items.get("平台编号") or items.get("证号") or "")


def _text_of(answer: web.Response) -> str:
    """The envelope of an answer, without its declaration."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    text = body.decode("gb18030" if b'encoding="GB18030"' in body[:80] else "utf-8")
    return text.partition("?>")[2] if text.startswith("<?xml") else text
