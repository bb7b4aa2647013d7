"""人民法院调解平台 as a server: addresses, sessions, writes, queries, documents and callbacks of `court_mediation`."""

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Final

from aiohttp import web

from mocks.clock import Clock
from mocks.court_mediation.check import Findings, check, text_of
from mocks.court_mediation.clerk import Clerk
from mocks.court_mediation.codes import FILE_CLASSES, Service
from mocks.court_mediation.decisions import APPLICATION_STEPS, TRANSFER_STEPS
from mocks.court_mediation.forms import LINK_FORM, QUERY_FORM
from mocks.court_mediation.ledger import Filing, Ledger
from mocks.court_mediation.moments import write_time
from mocks.court_mediation.multipart import read_upload
from mocks.court_mediation.notices import FORGERIES, Notices, judge
from mocks.court_mediation.reading import Denied, Document, Finding, form_error, read_document, read_form
from mocks.court_mediation.replies import LOGIN_PAGE, MAYBE, Replies, page
from mocks.court_mediation.rules import Rules, Upload
from mocks.court_mediation.sessions import COOKIE, Sessions
from mocks.court_mediation.settings import Settings, fresh
from mocks.court_mediation.sniff import file_kind
from mocks.court_mediation.writs import ADDRESS, Writs
from mocks.faults import Fault, Faults
from mocks.journal import Journal
from mocks.platform import Json, Platform, Refused
from mocks.pushes import Push, Pushes

_ROOT: Final = "/fayuan/a/"
_PATH: Final = "/fayuan"
LOGIN: Final = "login"
PING: Final = "ping"
UPLOAD: Final = "file/upload"
QUERY: Final = "query/byTjbh"
LOST: Final = "lost"
LINK: Final = "ws/link"
DOWNLOAD: Final = "ws/file"
_OK: Final = "操作成功"
_MULTIPART_ROOM: Final = 64 * 1024
_REFUSED_KEY: Final = 100
_REFUSED_RAW: Final = 4096
_EARLY: Final = {Service.APPLY: APPLICATION_STEPS["receive"], Service.TRANSFER: TRANSFER_STEPS["file"]}

Work = Callable[[bytes], Awaitable[tuple[str, Json]]]
"""Does one call: what `msg` and `content` say. Raises Denied."""


class CourtMediation(Platform):
    """The mock of the page. In faults, `op` is the address under `/fayuan/a/` (login, file/upload, sfqr/add, …) or, for
    callbacks, tslx; `early_callback` goes by the filing's address (sfqr/add → sqys, transfer/add → ssla).

    State changes are journal entries: each is applied to memory and handed to the journal without a pause between, so
    the journal's order is the order in which the state was made, and `restore` makes it again.
    """

    name: ClassVar[str] = "court_mediation"
    forgeries: ClassVar[frozenset[str]] = FORGERIES

    def __init__(self, *, data: Path, config: Json, clock: Clock, faults: Faults, journal: Journal) -> None:
        super().__init__(data=data, config=config, clock=clock, faults=faults, journal=journal)
        self.settings = Settings.model_validate(config)
        self.body_limit = max(self.settings.file_limit, self.settings.form_limit) + _MULTIPART_ROOM
        self._sessions = Sessions(self.settings)
        self._ledger = Ledger()
        self._uploads: dict[str, Upload] = {}
        self._rules = Rules(self.settings, self._ledger, self._uploads)
        self._writs = Writs(self.settings)
        self._notices = Notices(self.settings, clock)
        self._clerk = Clerk(self.settings, self._ledger, self._writs, self._notices, clock)
        self._replies = Replies(self.settings.number_every)
        self._maybes = 0
        self._pushes = Pushes(
            journal=journal,
            clock=clock,
            faults=faults,
            waits_s=self.settings.callback_waits_s,
            timeout_s=self.settings.callback_timeout_s,
            build=self._notices.build,
            judge=judge,
        )

    # --- what the core asks

    @classmethod
    def default_config(cls, base_url: str, callbacks: str) -> Json:
        """Fresh secrets and the page's limits."""
        return fresh(base_url, callbacks)

    def routes(self) -> list[web.RouteDef]:
        """The addresses of §1 and §4."""
        return [
            web.get(_ROOT + PING, self._ping, allow_head=False),
            web.post(_ROOT + LOGIN, self._login),
            web.post(_ROOT + UPLOAD, self._upload),
            web.post(_ROOT + QUERY, self._query),
            web.post(_ROOT + LINK, self._link),
            web.get(f"{ADDRESS}/{{number}}", self._download, allow_head=False),
            *(web.post(_ROOT + service.value, self._write) for service in Service),
        ]

    def control_routes(self) -> list[web.RouteDef]:
        """`GET /_mock/tasks`: tasks given."""
        return [web.get("/_mock/tasks", self._show_tasks)]

    def operation_of(self, request: web.Request, body: bytes) -> str:
        """The address under `/fayuan/a/`; every document link is `ws/file`."""
        operation = request.path.removeprefix(_ROOT)
        return DOWNLOAD if operation.startswith(f"{DOWNLOAD}/") else operation

    def records(self) -> list[Json]:
        """One entry per accepted write (§8.4)."""
        return [
            {**self._ledger.record(filing), "undecided": self._clerk.waiting(filing) != ""}
            for filing in self._ledger.filings.values()
        ]

    def undecided(self) -> list[Json]:
        """Applications and transfers that wait for the clerk. An application goes by its agreement, not by ``sqbh``: that
        one is the sender's to draw, and the same seed is to decide the same in every run."""
        return [
            {
                "ref": filing.uuid,
                "state": waiting,
                "matter": f"{filing.jgdm}/{filing.xybh}" if filing.sqbh and filing.xybh else filing.sqbh or filing.ysbh,
            }
            for filing in self._ledger.open_matters()
            if (waiting := self._clerk.waiting(filing))
        ]

    def restore(self, entries: Iterable[Json]) -> None:
        """Rebuild ledger, tasks, uploads, documents, spent logins and waiting callbacks."""
        for entry in entries:
            self._restore_entry(entry)
            self._pushes.restore((entry,))

    def _restore_entry(self, entry: Json) -> None:
        kind, payload = entry["kind"], entry["payload"]
        if kind == "push_queued":
            self._notices.recall(entry["message_id"])
            self._apply_push(payload["content"])
        elif kind == "decide":
            self._ledger.review(entry["ref"])
        elif kind == LOST:
            self._ledger.lose(entry["message_id"])
        elif "stored_at" not in entry:
            return
        elif kind == LOGIN and payload["username"] == self.settings.username:
            self._sessions.replay(payload["yzsj"], datetime.fromisoformat(entry["stored_at"]), entry.get("code", ""))
        elif entry["effect"] != "refused" and kind == UPLOAD:
            self._uploads[entry["ref"]] = Upload(datetime.fromisoformat(entry["stored_at"]))
        elif entry["effect"] == "created":
            self._enter(Service(kind), payload, entry["ref"], datetime.fromisoformat(entry["stored_at"]))

    async def start(self) -> None:
        """Begin to push."""
        await self._pushes.start()

    async def stop(self) -> None:
        """End pushing."""
        await self._pushes.stop()

    async def decide(self, order: Json) -> Json:
        """§7: receive, correct, accept, not_accept, review, confirm, reject, withdraw, deem_withdraw, object; file,
        refuse, correct; recall; push. Further keys replace the clerk's own words, see `Clerk.decided`."""
        decided = self._clerk.decided(order)
        if isinstance(decided, Filing):
            self._ledger.review(decided.uuid)
            await self._note("decide", decided.tjbh, "noted", decided.uuid, {"decision": order["decision"]})
            return {"uuid": decided.uuid, "zt": decided.state.value}
        await self._push(decided)
        filing = self._ledger.find(decided.ref)
        told: Json = {"tsbh": decided.id, "tslx": decided.op, "ref": decided.ref}
        return told if filing is None else {**told, "zt": filing.state.value}

    async def refer(self, order: Json) -> Json:
        """任务下达 {jgdm, wplx, …}: see `Clerk.referred`."""
        push = self._clerk.referred(order)
        await self._push(push)
        return {
            "rwbh": push.ref,
            "tsbh": push.id,
            "fydm": push.content["fydm"],
            "qrqx": push.content["content"]["qrqx"],
        }

    def unheard(self) -> set[str]:
        """Matters with a callback that is not acknowledged."""
        return {push["ref"] for push in self.waiting()}

    def waiting(self) -> list[Json]:
        """Pushes not yet acknowledged."""
        return self._pushes.waiting()

    async def lose(self, message_id: str) -> Json:
        """What was filed under one tjbh is gone."""
        if not self._ledger.under(message_id):
            raise Refused(422, "nothing was filed under this tjbh")
        self._ledger.lose(message_id)
        await self._note(LOST, message_id, "noted", "", {})
        return {"lost": message_id}

    async def clerk(self, random: Random, record: Json) -> None:
        """One step of one matter, chosen by the mix."""
        push = self._clerk.chosen(self._ledger.filings[record["ref"]], random, self.choose)
        if push is not None:
            await self._push(push)

    # --- how failures look

    def maintenance_page(self, fault: Fault, seconds: float) -> web.StreamResponse:
        """HTTP 200 with code 503."""
        return self._replies.envelope("503", "系统维护中")

    def too_large(self, request: web.Request) -> web.StreamResponse:
        """Code 413."""
        return self._replies.denial(Denied("413", "内容过大"))

    async def garbage(self, fault: Fault, request: web.Request, answer: web.Response) -> web.StreamResponse:
        """gbk = the JSON in GBK under a header that says UTF-8; the rest as everywhere (html has no `loginForm`)."""
        if fault.kind != "gbk" or not isinstance(answer.body, bytes):
            return await super().garbage(fault, request, answer)
        text = answer.body.decode("utf-8", "replace")
        return web.Response(
            body=text.encode("gbk", "replace"), headers={"Content-Type": "application/json; charset=UTF-8"}
        )

    # --- calls without a session

    async def _ping(self, request: web.Request) -> web.Response:
        return web.Response(text="pong")

    async def _login(self, request: web.Request) -> web.Response:
        if (fault := self.faults.take(LOGIN, "business_error")) is not None:
            return page(MAYBE) if fault.code == MAYBE else self._replies.scripted(fault.code, fault.text)
        body = await request.read()
        try:
            if len(body) > self.settings.form_limit:
                raise Denied("413", "内容过大")
            fields = read_form(request.headers.get("Content-Type"), body)
            if set(fields) != {"username", "yzsj", "password"}:
                raise form_error("登录表单应为 username、yzsj、password")
            if fields["username"] == self.settings.username:
                self._sessions.count_request()
        except Denied as denied:
            return self._replies.denial(denied)
        now = self.clock.now()
        payload = {"username": fields["username"][:100], "yzsj": fields["yzsj"][:14]}
        try:
            cookie = self._sessions.login(fields["username"], fields["yzsj"], fields["password"], now)
        except Denied as denied:
            await self._note(LOGIN, "", "refused", "", payload, code=denied.code, stored_at=now.isoformat())
            return self._replies.denial(denied)
        await self._note(LOGIN, "", "noted", "", payload, stored_at=now.isoformat())
        idle = str(int(self.settings.session_idle_s))
        reply = self._replies.envelope("200", "登录成功", {"yxsj": idle})
        reply.set_cookie(COOKIE, cookie, path=_PATH, httponly=True)
        return reply

    async def _download(self, request: web.Request) -> web.Response:
        number = request.match_info["number"]
        try:
            content = self._writs.fetch(
                number, request.query.get("e", ""), request.query.get("s", ""), self.clock.now()
            )
        except Denied as denied:
            await self._note(DOWNLOAD, "", "refused", number[:40], {}, code=denied.code)
            return self._replies.envelope(denied.code, denied.msg, status=403)
        await self._note(DOWNLOAD, "", "noted", number, {})
        return web.Response(body=content, content_type="application/pdf")

    # --- calls of a session

    async def _exchange(self, request: web.Request, operation: str, limit: int, work: Work) -> web.Response:
        """Session, rate, scripted business error, then the work itself."""
        cookie, now = request.cookies.get(COOKIE), self.clock.now()
        if self.faults.take(operation, "expire_session") is not None:
            self._sessions.end(cookie)
        if not self._sessions.open(cookie, now):
            await self._note(operation, "", "refused", "", {}, code="loginForm")
            return page(LOGIN_PAGE)
        fault: Fault | None = None
        try:
            self._sessions.count_request()
            fault = self.faults.take(operation, "business_error")
            if fault is not None and self._keeps_out(fault):
                await self._note(operation, "", "refused", "", {}, code=fault.code)
                return page(MAYBE) if fault.code == MAYBE else self._replies.scripted(fault.code, fault.text)
            body = await request.read()
            if len(body) > limit:
                raise Denied("413", "内容过大")
            msg, content = await work(body)
            reply = self._replies.envelope("200", msg, content)
        except _Noted as noted:
            reply = self._replies.denial(noted.denied)
        except Denied as denied:
            await self._note(operation, "", "refused", "", {}, code=denied.code)
            reply = self._replies.denial(denied)
        return reply if fault is None else page(MAYBE)

    def _keeps_out(self, fault: Fault) -> bool:
        """Whether the fault's call is not processed: of the calls answered by `-1`, the odd ones are."""
        if fault.code != MAYBE:
            return True
        self._maybes += 1
        return self._maybes % 2 == 0

    async def _write(self, request: web.Request) -> web.Response:
        service = Service(request.path.removeprefix(_ROOT))

        async def work(body: bytes) -> tuple[str, Json]:
            return await self._file(service, request.headers.get("Content-Type"), body)

        return await self._exchange(request, service.value, self.settings.form_limit, work)

    async def _file(self, service: Service, content_type: str | None, body: bytes) -> tuple[str, Json]:
        now, digest = self.clock.now(), hashlib.sha256(body).hexdigest()
        document: Document = {}
        try:
            document = read_document(content_type, body)
            self._rules.admit(service, document, now)
        except Denied as denied:
            tjbh = text_of(document, "tjbh")[:_REFUSED_KEY]
            payload = document or {"raw": body[:_REFUSED_RAW].decode("utf-8", "backslashreplace")}
            await self._note(service.value, tjbh, "refused", "", payload, digest=digest, code=denied.code)
            raise _Noted(denied) from denied
        tjbh = text_of(document, "tjbh")
        uuid = secrets.token_hex(16).upper()
        filing = self._enter(service, document, uuid, now)
        await self._note(service.value, tjbh, "created", uuid, document, digest=digest, stored_at=now.isoformat())
        step = _EARLY.get(service)
        if step is not None and self._takes_early(service, step.tslx):
            await self._push(self._clerk.told(filing, step, {}), now=True)
        return _OK, {"uuid": uuid, "tjbh": tjbh, "djsj": write_time(now)}

    def _takes_early(self, service: Service, tslx: str) -> bool:
        take = self.faults.take
        return (take(service.value, "early_callback") or take(tslx, "early_callback")) is not None

    async def _upload(self, request: web.Request) -> web.Response:
        async def work(body: bytes) -> tuple[str, Json]:
            form = read_upload(request.headers.get("Content-Type"), body)
            if len(form.content) > self.settings.file_limit:
                raise Denied("413", "内容过大")
            if form.fjlx not in FILE_CLASSES:
                raise form_error("fjlx 不在代码表内")
            if file_kind(form.content) is None:
                raise form_error("文件类型应为 PDF、OFD、JPEG、PNG、TXT")
            now, file_id = self.clock.now(), secrets.token_hex(16).upper()
            digest = hashlib.sha256(form.content).hexdigest()
            self._uploads[file_id] = Upload(now)
            content = {"fileId": file_id, "wjdx": str(len(form.content)), "sha256": digest}
            payload = {"fjlx": form.fjlx, "wjmc": form.wjmc, **content}
            await self._note(UPLOAD, "", "noted", file_id, payload, digest=digest, stored_at=now.isoformat())
            return _OK, content

        return await self._exchange(request, UPLOAD, self.settings.file_limit + _MULTIPART_ROOM, work)

    async def _query(self, request: web.Request) -> web.Response:
        async def work(body: bytes) -> tuple[str, Json]:
            document = read_document(request.headers.get("Content-Type"), body)
            findings = Findings()
            check(document, QUERY_FORM, findings)
            findings.settle()
            tjbh, now = text_of(document, "tjbh"), self.clock.now()
            found = [filing for filing in self._ledger.under(tjbh) if self._indexed(filing, now)]
            await self._note(QUERY, tjbh, "noted", "", document, found=len(found))
            return _OK, {"total": str(len(found)), "list": [self._ledger.query_entry(filing) for filing in found]}

        return await self._exchange(request, QUERY, self.settings.form_limit, work)

    def _indexed(self, filing: Filing, now: datetime) -> bool:
        # A record of the future was stored before the clock was moved back: its lag is long over.
        return now < filing.at or now - filing.at >= timedelta(seconds=self.settings.index_lag_s)

    async def _link(self, request: web.Request) -> web.Response:
        async def work(body: bytes) -> tuple[str, Json]:
            document = read_document(request.headers.get("Content-Type"), body)
            findings = Findings()
            check(document, LINK_FORM, findings)
            findings.settle()
            link = self._writs.link(text_of(document, "c_wsbh"), self.clock.now())
            if link is None:
                raise Denied("400", "文书不存在<br>详见 errors", [Finding("c_wsbh", "文书不存在")])
            await self._note(LINK, "", "noted", link["c_wsbh"], document)
            return _OK, dict(link)

        return await self._exchange(request, LINK, self.settings.form_limit, work)

    # --- control

    async def _show_tasks(self, request: web.Request) -> web.Response:
        tasks = [
            {"rwbh": task.rwbh, "wplx": task.wplx, "jgdm": task.jgdm, "fydm": task.fydm, "state": task.state.value}
            for task in self._ledger.tasks.values()
        ]
        return web.json_response(tasks)

    # --- state

    def _enter(self, service: Service, document: Document, uuid: str, at: datetime) -> Filing:
        for file_id in self._rules.linked_files(document):
            self._uploads[file_id].linked = True
        return self._ledger.file(service, document, uuid, at)

    async def _push(self, push: Push, *, now: bool = False) -> None:
        self._apply_push(push.content)
        await self._pushes.put(push, now=now)

    def _apply_push(self, body: Json) -> None:
        content = body.get("content")
        writs = content.get("wslist") if isinstance(content, dict) else None
        for entry in writs if isinstance(writs, list) else []:
            if isinstance(entry, dict):
                self._writs.recall(entry)
        self._ledger.take_push(body)

    async def _note(
        self, kind: str, business_key: str, effect: str, ref: str, payload: Any, *, digest: str = "", **more: Any
    ) -> None:
        if not digest:
            digest = hashlib.sha256(json.dumps(payload, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
        await self.journal.append(
            kind=kind,
            business_key=business_key,
            message_id=business_key,
            digest=digest,
            effect=effect,
            ref=ref,
            payload=payload,
            **more,
        )


class _Noted(Exception):
    """A refusal that stands in the journal already."""

    def __init__(self, denied: Denied) -> None:
        super().__init__(denied.code)
        self.denied = denied
