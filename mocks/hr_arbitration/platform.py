"""The mock of the 智慧人社 exchange with arbitration inside: one POST address (hr_arbitration page)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, ClassVar

from aiohttp import web

from mocks.faults import ACTIONS, Fault
from mocks.hr_arbitration import chain, fields
from mocks.hr_arbitration.callbacks import FORGERIES, Callbacks
from mocks.hr_arbitration.clerk import Clerk
from mocks.hr_arbitration.envelope import NotJson, read_base64, read_object
from mocks.hr_arbitration.fields import Finding
from mocks.hr_arbitration.gate import BadRequest, Coded, Gate, Message, Reply, TooLarge
from mocks.hr_arbitration.keys import Keys, read_keys
from mocks.hr_arbitration.layout import WRITING
from mocks.hr_arbitration.ledger import Ledger, business_key, digest
from mocks.hr_arbitration.paper import file_id, keep
from mocks.hr_arbitration.settings import PREVIOUS, Settings, fresh
from mocks.platform import Json, Platform, Refused
from mocks.pushes import Pushes
from mocks.transport import FAULT

_JSON = "application/json"
_PAGE = "<html><head><meta charset='GBK'></head><body><h1>系统停机维护</h1><p>{}</p></body></html>"
#: Request → the decision that ``early_callback`` sends before its answer, and the callback of that.
_EARLY = {
    "TJ1001": ("status", "ZC1001"),
    "TJ1002": ("status", "ZC1001"),
    "TJ1003": ("status", "ZC1001"),
    "TJ2001": ("accept", "ZC2001"),
    "TJ2002": ("accept", "ZC2001"),
    "TJ2003": ("withdraw", "ZC2004"),
    "TJ3001": ("file", "ZC3001"),
}


class HrArbitration(Platform):
    """``POST {base_url}/ldzc/exchange``; delivery class idempotent by (appid, serviceid, serialno)."""

    name: ClassVar[str] = "hr_arbitration"
    actions: ClassVar[frozenset[str]] = ACTIONS
    forgeries: ClassVar[frozenset[str]] = FORGERIES
    optional_config: ClassVar[frozenset[str]] = PREVIOUS

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.settings = Settings.model_validate(self.config)
        self._keys = read_keys(self.settings)
        self._other_key = secrets.token_bytes(16)
        self.body_limit = self.settings.upload_limit
        self.ledger = Ledger()
        self._gate = Gate(self.settings, self._keys_for, self.clock)
        callbacks = Callbacks(self.settings, self._keys_for, self.clock)
        self._pushes = Pushes(
            journal=self.journal,
            clock=self.clock,
            faults=self.faults,
            waits_s=self.settings.callback_waits_s,
            timeout_s=self.settings.callback_timeout_s,
            build=callbacks.build,
            judge=callbacks.judge,
        )
        self._clerk = Clerk(
            ledger=self.ledger, pushes=self._pushes, journal=self.journal, clock=self.clock, files=self._files
        )

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        return fresh(base_url, f"{callbacks}/{cls.name}/exchange")

    @property
    def _files(self) -> Path:
        return self.data / "files"

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/ldzc/exchange", self._exchange)]

    def operation_of(self, request: web.Request, body: bytes) -> str:
        try:
            service = read_object(body)["head"]["serviceid"]
        except (NotJson, KeyError, TypeError):
            return "unreadable"
        return service if isinstance(service, str) else "unreadable"

    def records(self) -> list[Json]:
        return self.ledger.records

    def restore(self, entries: Iterable[Json]) -> None:
        for entry in entries:  # one at a time: a long journal does not fit into memory
            self.ledger.restore((entry,))
            self._pushes.restore((entry,))

    async def start(self) -> None:
        await self._pushes.start()

    async def stop(self) -> None:
        await self._pushes.stop()

    async def decide(self, order: Json) -> Json:
        return await self._clerk.decide(order)

    async def refer(self, order: Json) -> Json:
        return await self._clerk.refer(order)

    async def lose(self, message_id: str) -> Json:
        if not any(serial == message_id for _, serial in self.ledger.answers):
            raise Refused(422, "nothing came under this serialno")
        entry: Json = {
            "kind": "lost",
            "business_key": "",
            "message_id": message_id,
            "digest": "",
            "effect": "noted",
            "ref": "",
            "payload": {},
        }
        self.ledger.apply(entry)
        await self.journal.append(**entry)
        return {"lost": message_id}

    def undecided(self) -> list[Json]:
        return self._clerk.matters()

    def unheard(self) -> set[str]:
        """Matters with a callback that is not acknowledged."""
        return {push["ref"] for push in self.waiting()}

    def waiting(self) -> list[Json]:
        return self._pushes.waiting()

    async def clerk(self, random: Random, record: Json) -> None:
        decision = self.choose(random, self._clerk.choices(record["ref"]))
        await self._clerk.decide_alone(record["ref"], decision, random)

    def maintenance_page(self, fault: Fault, seconds: float) -> web.StreamResponse:
        return web.Response(
            status=503,
            body=_PAGE.format("请稍后再试").encode("gbk"),
            headers={"Content-Type": "text/html; charset=GBK", "Retry-After": str(max(1, round(seconds)))},
        )

    def _keys_for(self, operation: str) -> Keys:
        """The keys in force: ``expire_session`` puts another SM4 key in place of all, until it is cleared."""
        if self.faults.standing(operation, "expire_session") is not None:
            return replace(self._keys, sm4=(self._other_key,))
        return self._keys

    # --- one exchange

    async def _exchange(self, request: web.Request) -> web.Response:
        data = await request.read()
        allowed = self.settings.allowed_addresses
        if allowed and request.remote not in allowed:
            await self._note(Message(), "http", "403")
            return web.Response(status=403, text="<html><body>403 Forbidden</body></html>", content_type="text/html")
        try:
            if not _is_json(request):
                raise BadRequest("Content-Type: application/json; charset=UTF-8, no content coding")
            message, head = self._gate.read(data)
        except TooLarge:
            await self._note(Message(), "http", "413")
            return web.Response(status=413)
        except BadRequest as error:
            await self._note(Message(), "http", "400")
            return web.Response(status=400, text=str(error))
        self._gate.inside += 1
        try:
            reply = await self._answer(message, head, lost=_answer_is_lost(request))
            body = await self._gate.write(message, reply)
        finally:
            self._gate.inside -= 1
        return web.Response(body=body, headers={"Content-Type": "application/json; charset=UTF-8"})

    async def _answer(self, message: Message, head: Json, *, lost: bool) -> Reply:
        try:
            await self._gate.admit(message, head)
            if (fault := self.faults.take(message.service, "business_error")) is not None:
                raise _scripted(fault)
            return await self._serve(message, lost=lost)
        except Coded as refusal:
            await self._note(message, refusal.reply.code, refusal.reply.code, refusal.findings)
            return refusal.reply

    async def _serve(self, message: Message, *, lost: bool) -> Reply:
        content = message.content or {}
        service = message.service
        if service not in WRITING:
            found, _ = fields.check(service, content)
            if found:
                raise Coded(found[0].code, found)
            reply = Reply("0000", await self._read(service, content))
            await self._note(message, "noted", "0000")
            return reply
        fingerprint = digest(content)
        first = self.ledger.answers.get((service, message.serial))
        if first is not None:
            if first.digest != fingerprint:
                raise Coded("4009", [Finding("4009", "serialno", "", "流水号已存在且内容不一致")])
            await self._note(message, "repeated", "1001", ref=first.ref)
            self._heard(first.ref, lost=lost)
            return Reply("1001", _receipt(service, first.ref, first.time))
        found, joined = fields.check(service, content)
        found = found or chain.check(self.ledger, self.settings, service, joined)
        if service == "TJ9002" and not found:
            found = await self._upload(message, content)
        if found:
            raise Coded(found[0].code, found)
        return await self._store(message, content, fingerprint, lost=lost)

    async def _store(self, message: Message, content: Json, fingerprint: str, *, lost: bool) -> Reply:
        service = message.service
        first = self.ledger.answers.get((service, message.serial))
        if first is not None:  # the same upload came twice at once, and the other one was faster
            if first.digest != fingerprint:
                raise Coded("4009", [Finding("4009", "serialno", "", "流水号已存在且内容不一致")])
            await self._note(message, "repeated", "1001", ref=first.ref)
            return Reply("1001", _receipt(service, first.ref, first.time))
        time = self.clock.now().strftime("%Y%m%d%H%M%S")
        ref = file_id(content["BZF002"].lower()) if service == "TJ9002" else self.ledger.new_reference()
        entry: Json = {
            "kind": service,
            "business_key": business_key(service, content),
            "message_id": message.serial,
            "digest": fingerprint,
            "effect": "created",
            "ref": ref,
            # The bytes of a file are kept as a file: the journal is read as a whole.
            "payload": {code: value for code, value in content.items() if code != "BZF006"},
            "time": time,
        }
        self.ledger.apply(entry)
        await self.journal.append(**entry)
        if service in _EARLY:
            decision, callback = _EARLY[service]
            fault = self.faults.take(service, "early_callback") or self.faults.take(callback, "early_callback")
            if fault is not None:
                await self._early(service, content, decision, ref)
        self._heard(ref, lost=lost)
        return Reply("0000", _receipt(service, ref, time))

    async def _early(self, service: str, content: Json, decision: str, ref: str) -> None:
        if service in ("TJ2002", "TJ2003"):
            matter = self.ledger.reviews[content["BZC002"]]
        elif service == "TJ1003":
            matter = self.ledger.cases[content["BZA002"], content["BZA001"]]
        else:
            matter = self.ledger.by_ref[ref]
        await self._clerk.tell(matter, decision, {"code": matter.state}, early=True)

    def _heard(self, ref: str, *, lost: bool) -> None:
        """From now on the gateway knows ``ref``, unless a fault keeps the answer from it."""
        if not lost:
            self.ledger.known.add(ref)

    # --- files and look-ups

    async def _upload(self, message: Message, content: Json) -> list[Finding]:
        try:
            data = read_base64(content["BZF006"])
        except ValueError:
            return [Finding("4002", "BZF006", "", "base64格式不正确")]
        if len(data) > self.settings.file_limit:
            return [Finding("4003", "BZF006", "", "附件超过上限")]
        found: list[Finding] = []
        actual = hashlib.sha256(data).hexdigest()
        if content["BZF002"].lower() != actual:
            found.append(Finding("4002", "BZF002", "", "摘要与内容不一致"))
        if content["BZF004"] != str(len(data)):
            found.append(Finding("4002", "BZF004", "", "字节数与内容不一致"))
        if message.serial != f"F{content['BZF002'][:39]}":
            found.append(Finding("4002", "BZF002", "", "流水号应为F加摘要前39位"))
        if not found:
            await asyncio.to_thread(keep, self._files, actual, data)
        return found

    async def _read(self, service: str, content: Json) -> Json:
        match service:
            case "TJ0001":
                return {"BZR002": "PONG"}
            case "TJ9001":
                stored = self.ledger.answers.get((content["BZR007"], content["BZR008"]))
                if stored is None:
                    return {"BZR009": "0"}
                return {"BZR009": "1", "BZR001": stored.ref, "AAE036": stored.time}
            case _:
                return await self._download(content["BZF001"])

    async def _download(self, name: str) -> Json:
        kept = self.ledger.files.get(name)
        if kept is None:
            raise Coded("4050", [Finding("4050", "BZF001", "", "附件不存在")])
        data = await asyncio.to_thread((self._files / kept["BZF002"].lower()).read_bytes)
        return {
            "BZF001": name,
            "BZF002": kept["BZF002"],
            "BZF003": kept["BZF003"],
            "BZF006": base64.b64encode(data).decode("ascii"),
        }

    # --- journal

    async def _note(
        self, message: Message, effect: str, code: str, findings: list[Finding] | None = None, *, ref: str = ""
    ) -> None:
        """Note a message that stores nothing: a repeat, a look-up, or (any other ``effect``) a refusal."""
        content = message.content
        await self.journal.append(
            kind=message.service or "unreadable",
            business_key=business_key(message.service, content or {}),
            message_id=message.serial,
            digest=digest(content) if content is not None else "",
            effect=effect if effect in ("repeated", "noted") else "refused",
            ref=ref,
            payload=content and {key: value for key, value in content.items() if key != "BZF006"},
            code=code,
            findings=[finding.row() for finding in findings or []],
        )


def _receipt(service: str, ref: str, time: str) -> Json:
    return {"BZF001" if service == "TJ9002" else "BZR001": ref, "AAE036": time}


def _scripted(fault: Fault) -> Coded:
    text = fault.text or "测试指定的业务错误"
    findings = [Finding(fault.code, "BZA001", "", text)] if fault.code.startswith("4") else []
    retry_after = fault.retry_after or ("1" if fault.code in ("2001", "2002") else "")
    return Coded(fault.code, findings, retry_after)


def _is_json(request: web.Request) -> bool:
    return (
        request.content_type == _JSON
        and (request.charset or "").lower() in ("utf-8", "utf8")
        and request.headers.get("Content-Encoding", "identity").lower() == "identity"
    )


def _answer_is_lost(request: web.Request) -> bool:
    fault = request.get(FAULT)
    return isinstance(fault, Fault) and fault.action != "slow"
