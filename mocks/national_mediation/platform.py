"""The platform itself: the order of the checks, the journal before the answer, the clerk's words in lists (§3–§6, §9)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import ClassVar, Final

from aiohttp import web

from mocks.clock import Clock
from mocks.faults import Fault, Faults
from mocks.journal import Journal
from mocks.national_mediation import moments
from mocks.national_mediation.answers import Answers
from mocks.national_mediation.clerk import Clerk, choices, paper_text
from mocks.national_mediation.desk import Desk, Plan
from mocks.national_mediation.door import Door, is_encoded, key_of
from mocks.national_mediation.feed import Feed
from mocks.national_mediation.files import Shelf, check_upload
from mocks.national_mediation.keeping import Keeper, remembered
from mocks.national_mediation.keys import KeyRing
from mocks.national_mediation.ledger import CHANGE, REFERRAL, Ledger
from mocks.national_mediation.memory import Memory, Place, Remembered
from mocks.national_mediation.operations import OPERATIONS, PROBE_OP, TOKEN_OP, Operation, operation_at
from mocks.national_mediation.pages import Pages, query_of
from mocks.national_mediation.problems import FINDINGS, STATUS, Problem, scripted
from mocks.national_mediation.quota import Quota
from mocks.national_mediation.reading import read_object
from mocks.national_mediation.receipts import FORGERIES, Receipts, written
from mocks.national_mediation.settings import BASE, JWKS, TOKEN, Settings, fresh
from mocks.national_mediation.tokens import ERRORS, NoToken, Tokens
from mocks.platform import Json, Platform
from mocks.transport import Handler

_CHANGES: Final = "changes.poll"
_REFERRALS: Final = "referrals.poll"


class NationalMediation(Platform):
    """全国劳动人事争议在线调解服务平台, as its page writes it.

    Journal: every call that writes once its token was right; what is asked carries no message and is not in it. A
    change is an entry of kind ``change``, a case that is handed over one of kind ``referral.offered``, both with
    effect ``announced``.
    """

    name: ClassVar[str] = "national_mediation"
    forgeries: ClassVar[frozenset[str]] = frozenset(("receipt", "cursor", "etag"))
    addresses: ClassVar[frozenset[str]] = frozenset(("base_url", "auth_url", "jwks_url"))
    through_maintenance: ClassVar[frozenset[str]] = frozenset((PROBE_OP,))

    def __init__(self, *, data: Path, config: Json, clock: Clock, faults: Faults, journal: Journal) -> None:
        super().__init__(data=data, config=config, clock=clock, faults=faults, journal=journal)
        settings = self.settings = Settings.model_validate(config)
        self.body_limit = max(settings.file_limit, settings.request_limit)
        self.ledger = Ledger()
        self._keys = KeyRing(data / "keys.json", settings)
        self._tokens = Tokens(settings, self._keys, clock.now)
        self._receipts = Receipts(settings, self._keys, clock.now)
        self._quota = Quota(settings)
        self._answers = Answers(self._quota, clock.now)
        self._door = Door(settings)
        self._desk = Desk(settings, self.ledger, clock)
        self._clerk = Clerk(settings, self.ledger, clock)
        self._memory = Memory(settings.idempotency_days)
        self._shelf = Shelf(data / "files")
        secret, days = settings.client_secret, settings.cursor_days
        self._changes = Pages(_CHANGES, Feed(CHANGE, secret, days), settings, faults)
        self._offers = Pages(_REFERRALS, Feed(REFERRAL, secret, days), settings, faults, self._offer)
        lists = {CHANGE: self._changes, REFERRAL: self._offers}
        self._keeper = Keeper(journal, self.ledger, self._desk, self._shelf, clock, lists)

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """The page's names, a fresh secret and every number of the page (``callbacks`` is unused: it never calls)."""
        return fresh(base_url)

    def routes(self) -> list[web.RouteDef]:
        """Every address of the page; all others are ``PATH_UNKNOWN``."""
        return [
            web.route("POST", TOKEN, self._token),
            web.route("GET", JWKS, self._jwks),
            *(web.route(call.method, f"{BASE}{call.path}", self._handler(call)) for call in OPERATIONS),
            web.route("*", "/{elsewhere:.*}", self._elsewhere),
        ]

    def operation_of(self, request: web.Request, body: bytes) -> str:
        """The ``op`` of the page's §3, by method and address."""
        return operation_at(request.method, request.path)

    # --- the ledger and its clerk

    def records(self) -> list[Json]:
        """One object per business effect: kind, business_key, ref, message_id, organization, state, items."""
        return self.ledger.records

    def restore(self, entries: Iterable[Json]) -> None:
        """Replay the journal."""
        for entry in entries:
            if (known := self._keeper.restore(entry)) is not None:
                self._memory.keep(*known)

    async def decide(self, order: Json) -> Json:
        """``{ref, decision, reason, docs}``: accept, correct, refuse, file (99), withdraw, recall, or status
        {status, result, kind} for any other word. ``docs`` ``[{kind, name}]`` become papers. Answers the change.
        """
        docs = await self._papers(self._clerk.decide(order).papers, str(order["decision"]))
        # Asked again: while the papers were written something may have happened.
        return await self._keeper.announce(self._clerk.decide(order).change, docs)

    async def refer(self, order: Json) -> Json:
        """Offer a case to ``orgCode``: ``{orgCode, channel, case, docs}``. Answers ``{ref, referralId, referralNo}``."""
        docs = await self._papers(self._clerk.refer(order)[1], "referral")
        referral = self._clerk.refer(order)[0]
        return await self._keeper.offer(referral, referral["case"].get("regionCode", self.settings.region), docs)

    async def _papers(self, papers: Iterable[tuple[str, str]], about: str) -> list[Json]:
        lines = paper_text(about, self.clock.now())
        ready_s = self.settings.file_ready_s
        return [await self._keeper.paper(kind, name, lines, ready_s) for kind, name in papers]

    def undecided(self) -> list[Json]:
        """Cases that the autopilot has not looked at."""
        return list(self.ledger.pending.values())

    async def clerk(self, random: Random, record: Json) -> None:
        """Decide a case by the mix: accept, correct, refuse, file, withdraw; nothing."""
        choice = self.choose(random, choices())
        change = self._clerk.chosen(choice, record["ref"])
        if change is None:
            self.ledger.settled(record["ref"])
        else:
            await self._keeper.announce(change, [])

    def _offer(self, payload: Json) -> Json:
        return self.ledger.referrals[payload["referralId"]].item()

    async def _pass_time(self) -> None:
        while (change := self._clerk.overdue()) is not None:
            await self._keeper.announce(change, [])

    # --- security

    async def _token(self, request: web.Request) -> web.StreamResponse:
        try:
            self._door.check_peer(request)
            self._scripted_token_error()
            self._tokens.authenticate(request.headers.get("Authorization", ""))
            with self._quota.call(TOKEN_OP):
                reply = self._tokens.give(request.content_type, await request.read())
                return self._dressed(self._answers.json(200, reply, **{"Cache-Control": "no-store"}))
        except NoToken as refusal:
            headers = {"Cache-Control": "no-store"}
            if ERRORS[refusal.error] == 401:
                headers["WWW-Authenticate"] = 'Basic realm="ndm"'
            return self._dressed(self._answers.json(ERRORS[refusal.error], {"error": refusal.error}, **headers))
        except Problem as problem:
            return self._dressed(self._answers.problem(problem))

    def _scripted_token_error(self) -> None:
        fault = self.faults.take(TOKEN_OP, "business_error")
        if fault is not None and fault.code in ERRORS:
            raise NoToken(fault.code)
        if fault is not None:
            raise scripted(fault.code, fault.kind, fault.text, fault.retry_after)

    async def _jwks(self, request: web.Request) -> web.StreamResponse:
        try:
            self._door.check_peer(request)
        except Problem as problem:
            return self._dressed(self._answers.problem(problem))
        keys = {"keys": self._keys.published(self.clock.now())}
        return self._dressed(self._answers.json(200, keys, **{"Cache-Control": "max-age=300"}))

    # --- calls

    def _handler(self, call: Operation) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return self._dressed(await self._admit(request, call))
            except Problem as problem:
                return self._dressed(self._answers.problem(problem))
            except OSError:
                # The disk took nothing, so nothing may be acknowledged.
                return self._dressed(self._answers.problem(Problem("INTERNAL")))

        return handle

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        return self._dressed(self._answers.problem(Problem("PATH_UNKNOWN")))

    async def _admit(self, request: web.Request, call: Operation) -> web.Response:
        self._door.check_peer(request)
        token, scopes = self._tokens.check(request.headers.getall("Authorization", []))
        if (fault := self.faults.take(call.op, "expire_session")) is not None:
            self._tokens.expire(token)
            if fault.rotate:
                await asyncio.to_thread(self._keys.rotate, self.clock.now())
            raise Problem("TOKEN_EXPIRED")
        with self._quota.call(call.op):
            if call.scope and call.scope not in scopes:
                raise Problem("SCOPE_MISSING")
            if call.method == "GET":
                return await self._get(request, call)
            return await self._post(request, call)

    async def _scripted_error(self, op: str) -> None:
        if (fault := self.faults.take(op, "business_error")) is not None:
            await asyncio.sleep(fault.after_ms / 1000)
            raise scripted(fault.code, fault.kind, fault.text, fault.retry_after)

    # --- what is asked

    async def _get(self, request: web.Request, call: Operation) -> web.Response:
        self._door.check_headers(request)
        await self._scripted_error(call.op)
        answer = await self._found(request, call.op)
        tag, known = answer.headers["ETag"], request.headers.get("If-None-Match")
        if known is not None and known != tag:
            pages = {_CHANGES: self._changes, _REFERRALS: self._offers}.get(call.op)
            if pages is not None and pages.forgery("etag"):
                tag = known
        return web.Response(status=304, headers={"ETag": tag}) if known == tag else answer

    async def _found(self, request: web.Request, op: str) -> web.Response:
        url, query = request.path_qs, request.query
        match op:
            case "changes.poll":
                return await self._poll(request, op, self._changes)
            case "referrals.poll":
                return await self._poll(request, op, self._offers)
            case "case.lookup":
                asked = query_of(query, ("orgCode", "externalNo"), ("orgCode", "externalNo"))
                return self._answers.got(url, {"items": self._looked_up(asked["orgCode"], asked["externalNo"])})
            case "referral.get":
                query_of(query, ())
                await self._pass_time()
                referral = self.ledger.referral(request.match_info["referral_id"])
                self._desk.bound(referral.organization)
                return self._answers.got(url, referral.item() | {"case": referral.case, "docs": referral.docs})
            case "file.get":
                query_of(query, ())
                return await self._file(url, request.match_info["file_id"])
            case _:
                query_of(query, ())
                now = self.clock.now()
                return self._answers.got(url, {"platformTime": moments.write(now), "maintenance": self._maintenance()})

    async def _poll(self, request: web.Request, op: str, pages: Pages) -> web.Response:
        now = self.clock.now()
        self._quota.check_poll(op)
        asked = pages.asked(request.query, now)
        await self._pass_time()
        page = pages.page(asked, now)
        self._quota.polled(op, more=page["hasMore"])
        return self._answers.got(request.path_qs, page)

    def _looked_up(self, organization: str, external_no: str) -> list[Json]:
        self._desk.bound(organization)
        case = self.ledger.find(organization, external_no)
        if case is None:
            return []
        return [{"caseId": case.case_id, "caseNo": case.case_no, "version": case.version, "status": case.status}]

    async def _file(self, url: str, file_id: str) -> web.Response:
        file = self.ledger.files.get(file_id)
        if file is None:
            raise Problem("PATH_UNKNOWN")
        if file.ready_at is not None and self.clock.now() < file.ready_at:
            raise Problem("FILE_NOT_READY", retry_after=str(self.settings.retry_s))
        content = await asyncio.to_thread(self._shelf.get, file.sha256)
        return self._answers.got(url, content, file.media)

    def _maintenance(self) -> Json | None:
        fault = self.faults.standing(PROBE_OP, "maintenance")
        if fault is None:
            return None
        # Looked at, not counted: only a maintenance that has an end is asked how far it is.
        told = self.faults.maintenance(PROBE_OP) if fault.after_ms else None
        left = 60.0 if told is None else told[1]
        ends = self.clock.now().timestamp() + left
        begins = ends - max(fault.after_ms / 1000, left)
        return {
            "from": moments.write(moments.from_seconds(begins)),
            "to": moments.write(moments.from_seconds(ends)),
        }

    # --- what is written

    async def _post(self, request: web.Request, call: Operation) -> web.Response:
        body = await request.read()
        key = request.headers.get("Idempotency-Key", "") if call.writes else ""
        seen: Json = {}
        try:
            self._door.check_headers(request)
            await self._scripted_error(call.op)
            if not call.writes:
                return await self._upload(request, body)
            key_of(request.headers.getall("Idempotency-Key", []))
            self._door.check_body(request, body)
            return await self._write(request, call, body, seen)
        except Problem as problem:
            fields = [finding.field for finding in problem.findings]
            await self._keeper.refused(call.op, key if len(key) <= 64 else "", body, seen, problem.code, fields)
            raise

    async def _write(self, request: web.Request, call: Operation, body: bytes, seen: Json) -> web.Response:
        digest = hashlib.sha256(body).hexdigest()
        place: Place = (request.method, request.path, request.headers["Idempotency-Key"])
        known = self._memory.recall(place, digest, self.clock.now(), self.settings.retry_s)
        if known is not None:
            await self._keeper.repeated(call.op, place, known, read_object(body))
            return self._accepted(call.op, known, replayed=True)
        seen.update(read_object(body))
        self._memory.begin(place, digest)
        try:
            if call.op.startswith("referral.") or "referralId" in seen:
                await self._pass_time()
            plan = self._desk.plan(call.op, request.match_info, seen, request.headers.getall("If-Match", []))
            entry = self._keeper.call(call.op, plan, place, digest, seen)
            answer = remembered(entry)[1]
            self._memory.keep(place, answer)
            await self._keeper.take(entry)
            await self._early_change(call.op, plan)
            return self._accepted(call.op, answer)
        finally:
            self._memory.end(place)

    def _accepted(self, op: str, answer: Remembered, *, replayed: bool = False) -> web.Response:
        fault = self.faults.standing(op, "forge_callback")
        forgery = None
        if fault is not None and fault.how == "receipt":
            self.faults.take(op, "forge_callback")
            forgery = fault.kind
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        body = written(answer.reply, self._receipts.write(answer.receipt, forgery))
        return self._answers.json(answer.status, body, **headers)

    async def _early_change(self, op: str, plan: Plan) -> None:
        if self.faults.standing(op, "early_callback") is None:
            return
        change = self._clerk.early(op, plan.ref, plan.case_id)
        fault = self.faults.take(op, "early_callback")
        if change is not None and fault is not None:
            await self._keeper.announce(change, [])
            await asyncio.sleep((fault.after_ms or self.settings.early_wait_ms) / 1000)

    async def _upload(self, request: web.Request, content: bytes) -> web.Response:
        if len(content) > self.settings.file_limit:
            raise Problem("TOO_LARGE")
        if is_encoded(request):
            raise Problem("TYPE_REFUSED")
        digest = request.headers.get("X-Content-SHA256")
        kind, name = check_upload(request.content_type, request.rel_url.raw_query_string, digest, content)
        file_id, known = await self._keeper.upload(kind, name, request.content_type, content)
        return self._answers.json(200 if known else 201, {"fileId": file_id})

    # --- how failures look

    def _dressed(self, answer: web.StreamResponse) -> web.StreamResponse:
        return self._answers.dressed(answer)

    def check_fault(self, fault: Fault) -> None:
        """Refuse what means nothing here: a code that the page does not have, a receipt that is forged in no known way."""
        super().check_fault(fault)
        codes = {*STATUS, *FINDINGS, *(ERRORS if fault.op == TOKEN_OP else ())}
        if fault.action == "business_error" and fault.code not in codes:
            raise ValueError(f"business_error: unknown code; known: {', '.join(sorted(codes))}")
        if fault.action == "forge_callback" and fault.kind and fault.kind not in FORGERIES:
            raise ValueError(f"forge_callback: unknown kind; known: {', '.join(FORGERIES)}")

    async def garbage(self, fault: Fault, request: web.Request, answer: web.Response) -> web.StreamResponse:
        """As everywhere, but always 200."""
        return self._dressed(self._answers.garbage(fault.kind, answer))

    def maintenance_page(self, fault: Fault, seconds: float) -> web.StreamResponse:
        """503 ``MAINTENANCE``, ``Retry-After`` as the moment of its end."""
        return self._dressed(
            self._answers.problem(Problem("MAINTENANCE", retry_after=self._answers.http_date(max(1.0, seconds))))
        )

    def http_answer(self, fault: Fault) -> web.StreamResponse:
        """The status with a problem; redirects and what has no body as everywhere."""
        if 300 <= fault.status < 400 or fault.status == 204:
            return self._dressed(super().http_answer(fault))
        return self._dressed(self._answers.of_status(fault))

    def too_large(self, request: web.Request) -> web.StreamResponse:
        """413 ``TOO_LARGE``."""
        return self._dressed(self._answers.problem(Problem("TOO_LARGE")))
