"""The union platform (工会劳动争议调解平台): batches in, results and handed-over cases out (union page)."""

import asyncio
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import ClassVar

from aiohttp import web

from mocks.clock import Clock
from mocks.faults import Fault, Faults
from mocks.journal import Journal
from mocks.platform import Json, Platform, bomb_bytes
from mocks.pushes import Pushes
from mocks.union import answers
from mocks.union.callbacks import FORGERIES, Writer, acknowledged
from mocks.union.checks import Finding, findings
from mocks.union.clerk import Clerk
from mocks.union.door import TEXTS, Denied, Door, Received
from mocks.union.form import FormError, decode
from mocks.union.layout import LAYOUTS
from mocks.union.ledger import Item, Ledger
from mocks.union.settings import Settings, fresh


class Union(Platform):
    """Takes batches at ``/lda/batch.do`` and the probe at ``/lda/ping.do``; answers each item later by callback.

    ``op`` of faults: the ``method`` of the request (``case.notice`` …, ``ping``; ``batch`` where none can be read), and
    for callbacks ``batch.result``, ``case.status``, ``case.handover``, ``case.recall``.
    """

    name: ClassVar[str] = "union"
    forgeries: ClassVar[frozenset[str]] = FORGERIES

    def __init__(self, *, data: Path, config: Json, clock: Clock, faults: Faults, journal: Journal) -> None:
        """Raises ``ValueError`` for a secret that §1 or §2 refuses."""
        super().__init__(data=data, config=config, clock=clock, faults=faults, journal=journal)
        settings = Settings.model_validate(config)
        self._secret = settings.secret
        self.body_limit = settings.request_limit
        self._door = Door(
            app_key=settings.app_key,
            tolerance_ms=round(1000 * settings.clock_tolerance_s),
            nonce_memory_s=settings.nonce_memory_s,
            items_max=settings.items_max,
            rate=settings.rate_per_s,
        )
        self._ledger = Ledger(settings.organization_codes)
        writer = Writer(
            callback_url=settings.callback_url, app_key=settings.app_key, secret=settings.secret, clock=clock
        )
        self._pushes = Pushes(
            journal=journal,
            clock=clock,
            faults=faults,
            waits_s=settings.callback_waits_s,
            timeout_s=settings.callback_timeout_s,
            build=writer.build,
            judge=acknowledged,
        )
        self._clerk = Clerk(
            ledger=self._ledger, pushes=self._pushes, journal=journal, clock=clock, faults=faults, settings=settings
        )
        self._batches = 0
        self._system_errors = 0
        self._taking = asyncio.Lock()

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """The values of §1 and every limit of the page; an empty ``organization_codes`` means all organisations."""
        return fresh(base_url, f"{callbacks.rstrip('/')}/{cls.name}")

    def routes(self) -> list[web.RouteDef]:
        """The two addresses of §1."""
        return [web.post("/lda/batch.do", self._batch), web.post("/lda/ping.do", self._ping)]

    def operation_of(self, request: web.Request, body: bytes) -> str:
        """The ``method`` parameter; ``ping`` or ``batch`` where it cannot be read."""
        default = "ping" if request.path.endswith("/ping.do") else "batch"
        try:
            method = next((value for name, value in decode(body) if name == "method"), "")
        except FormError:
            return default
        return method if method in LAYOUTS else default

    async def start(self) -> None:
        """Send callbacks and results that are due."""
        await self._pushes.start()
        self._clerk.start()

    async def stop(self) -> None:
        """End both."""
        await self._clerk.stop()
        await self._pushes.stop()

    # --- requests

    async def _ping(self, request: web.Request) -> web.Response:
        try:
            self._check(await request.read(), request, "ping", ping=True)
        except Denied as denied:
            return self._denied(denied)
        return self._reply([("result", "0"), ("code", "0"), ("msg", "")])

    async def _batch(self, request: web.Request) -> web.Response:
        body = await request.read()
        operation = self.operation_of(request, body)
        async with self._taking:
            try:
                received = self._check(body, request, operation, ping=False)
            except Denied as denied:
                await self._note_denied(denied, operation, body)
                return self._denied(denied)
            fault = self.faults.take(operation, "business_error")
            code = fault.code if fault is not None else ""
            if code[:1] in ("A", "B", "C"):
                if code != "C9" or not self._system_error_stores():
                    scripted = Denied(code, "scripted", list(_flat(received)))
                    await self._note_denied(scripted, operation, body)
                    return self._denied(scripted)
                await self._take(received, "")
                return self._denied(Denied(code, "scripted"))
            batch_no = await self._take(received, code)
        if self.faults.take(operation, "early_callback") or self.faults.take("batch.result", "early_callback"):
            await self._clerk.settle(batch_no, now=True)
        return self._reply(
            [
                ("result", "0"),
                ("code", "0"),
                ("msg", f"已接收 n={len(received.items)} & 待处理"),
                ("batchNo", batch_no),
            ]
        )

    def _check(self, body: bytes, request: web.Request, operation: str, *, ping: bool) -> Received:
        # `expire_session`: the union checks by another secret than the one agreed; its replies keep the agreed one,
        # so that the code A1 can be believed.
        changed = self.faults.standing(operation, "expire_session") is not None
        return self._door.check(
            body,
            request.headers.get("Content-Type", ""),
            secret=self._secret[::-1] + "changed" if changed else self._secret,
            now=self.clock.now(),
            ping=ping,
        )

    def _system_error_stores(self) -> bool:
        self._system_errors += 1
        return self._system_errors % 2 == 0

    async def _take(self, received: Received, scripted: str) -> str:
        now = self.clock.now()
        self._batches += 1
        batch_no = f"U{now:%Y%m%d%H%M%S}{self._batches % 1_000_000:06d}"
        for number, fields in received.items.items():
            found = findings(received.method, fields)
            if not found and (judged := self._ledger.judge(received.method, fields, now)) is not None:
                found = [judged]
            if scripted:
                found = [Finding(scripted, "", "按测试要求退回"), *found]
            private = [finding.path for finding in found if finding.code == "P1" and finding.path]
            more: Json = {"privacy_breach": private} if private else {}
            entry: Json = {
                "batch_no": batch_no,
                "batch": self._batches,
                "number": number,
                "nonce": received.nonce,
                "received": now.isoformat(),
                "code": found[0].code if found else "",
                "reason": _reason(found),
                **more,
            }
            seq = await self.journal.append(
                kind=received.method,
                business_key=fields.get("xlh", ""),
                message_id=fields.get("xlh", ""),
                digest=_digest(fields),
                effect="refused" if found else "created",
                ref=batch_no,
                payload=fields,
                **entry,
            )
            self._enter({**entry, "seq": seq, "kind": received.method, "payload": fields})
        self._clerk.expect(batch_no, now)
        return batch_no

    def _enter(self, entry: Json) -> None:
        fields: dict[str, str] = entry["payload"]
        self._ledger.take(
            Item(
                seq=entry["seq"],
                number=entry["number"],
                batch_no=entry["batch_no"],
                method=entry["kind"],
                xlh=fields.get("xlh", ""),
                jgdm=fields.get("jgdm", ""),
                ajbh=fields.get("ajbh", ""),
                yjbh=fields.get("yjbh", ""),
                answer=fields.get("df", ""),
                collective="zd" in fields,
                received=datetime.fromisoformat(entry["received"]),
                code=entry["code"],
                reason=entry["reason"],
            )
        )

    async def _note_denied(self, denied: Denied, operation: str, body: bytes) -> None:
        await self.journal.append(
            kind=operation,
            business_key="",
            message_id="",
            digest=hashlib.sha256(body).hexdigest(),
            effect="refused",
            ref="",
            payload=[list(pair) for pair in denied.params],
            code=denied.code,
            reason=denied.reason,
        )

    def _denied(self, denied: Denied) -> web.Response:
        return self._reply([("result", "1"), ("code", denied.code), ("msg", TEXTS.get(denied.code, "处理失败"))])

    def _reply(self, params: list[tuple[str, str]]) -> web.Response:
        return answers.reply(params, self._secret, self.clock.now())

    # --- state

    def records(self) -> list[Json]:
        """One entry per item taken (§8.4) and one per case handed over."""
        return self._ledger.records()

    def restore(self, entries: Iterable[Json]) -> None:
        """Items, decisions, tasks, nonces and callbacks as the journal shows them."""
        for entry in entries:
            if entry["kind"] in LAYOUTS and "batch_no" in entry:
                self._enter(entry)
                self._batches = max(self._batches, entry["batch"])
                self._door.remember(entry["nonce"], datetime.fromisoformat(entry["received"]))
            else:
                self._clerk.restore(entry)
            self._pushes.restore((entry,))
        # A clock that had been moved is real again after a restart: no result waits longer than from now.
        now = self.clock.now()
        for batch_no, received in self._ledger.untold_batches().items():
            self._clerk.expect(batch_no, min(received, now))

    # --- the clerk

    async def decide(self, order: Json) -> Json:
        """``accept``, ``refuse`` {yy, yysm}, ``status`` {zt, sj, sm}, ``recall`` {sm}; see :class:`Clerk`."""
        return await self._clerk.decide(order)

    async def refer(self, order: Json) -> Json:
        """``{jgdm, yjbh?, dfqx?, <field of the item>?…}`` → ``case.handover``."""
        return await self._clerk.refer(order)

    def waiting(self) -> list[Json]:
        """Callbacks not yet acknowledged."""
        return self._pushes.waiting()

    def undecided(self) -> list[Json]:
        """Waiting items, and accepted support requests without an outcome."""
        return self._clerk.undecided()

    async def clerk(self, random: Random, record: Json) -> None:
        """Decide as the mix says: ``accept``/``refuse`` of items, ``file``/``refuse`` of support requests."""
        await self._clerk.decide_one(random, record, self.choose)

    # --- how failures look

    def check_fault(self, fault: Fault) -> None:
        """Beside the core's checks: ``business_error`` takes a code of §3 or §5."""
        super().check_fault(fault)
        if fault.action == "business_error" and not (fault.code.isascii() and 1 <= len(fault.code) <= 20):
            raise ValueError("business_error: a code of at most 20 ASCII characters is needed")

    async def garbage(self, fault: Fault, request: web.Request, answer: web.Response) -> web.StreamResponse:
        """§7: a portal page in GBK, a form cut inside a triplet, nothing, UTF-8 declared GB18030, gzip unasked."""
        body = answer.body if isinstance(answer.body, bytes) else b""
        match fault.kind:
            case "html":
                return answers.portal_page(200)
            case "truncated":
                return answers.form_bytes(body[: body.rindex(b"%") + 2] if b"%" in body else body[:1])
            case "empty":
                return answers.form_bytes(b"")
            case "gbk":
                return answers.form_bytes(answers.as_utf8(body))
            case _:
                bomb = answers.form_bytes(bomb_bytes())
                bomb.headers["Content-Encoding"] = "gzip"
                return bomb

    def maintenance_page(self, fault: Fault, seconds: float) -> web.StreamResponse:
        """§1: HTTP 502 with an HTML page in GBK."""
        return answers.portal_page(502)


def _flat(received: Received) -> Iterable[tuple[str, str]]:
    yield "method", received.method
    for number, fields in received.items.items():
        for name, value in fields.items():
            yield f"i{number}.{name}", value


def _reason(found: list[Finding]) -> str:
    return "；".join(f"{finding.path}: {finding.reason}" if finding.path else finding.reason for finding in found)[:300]


def _digest(fields: dict[str, str]) -> str:
    text = json.dumps(fields, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
