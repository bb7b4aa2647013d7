"""The verbs: file, look up, probe, fetch documents, and keep the door for the platform's callbacks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

from adapters.beijing import D14
from adapters.hr_arbitration import callbacks, codes, replies, translate, wire
from adapters.hr_arbitration.door import Door
from adapters.hr_arbitration.replies import Answer, Unreadable
from adapters.hr_arbitration.security import Keys
from adapters.hr_arbitration.settings import HrArbitrationSettings
from adapters.http import judge_status
from adapters.tables import tables_of
from contracts.adapter import (
    Adapter,
    AdapterInfo,
    Authenticated,
    Context,
    DeliveryClass,
    Exchange,
    InboundCall,
    Json,
    Receipt,
    Reply,
    Request,
    Tools,
    Wire,
)
from contracts.code_table import CodeTable
from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError
from contracts.message import Message
from contracts.update import DocumentLink, Inbound, Reference

PATH = "/ldzc/exchange"

_UNREADABLE_IN_A_ROW = 3
_UNREADABLE = "unreadable"


class HrArbitration(Adapter[HrArbitrationSettings]):
    """ "智慧人社"一体化系统, arbitration inside (劳动人事争议仲裁)."""

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="hr_arbitration",
        title_zh="“智慧人社”一体化系统（劳动人事争议仲裁）",
        title_en="Human resources and social security system, arbitration inside",
        version="1.0.0",
        mapping=translate.MAPPING,
        delivery_class=DeliveryClass.IDEMPOTENT,
        capabilities=translate.CAPABILITIES,
        calls_back=True,
        personal_fields=frozenset({"AAC004", "AAC005", "BZP004"}),
        connect_s=5.0,
        deadline_s=60.0,
        rate_per_s=20.0,
        at_once=8,
        reply_limit=wire.LIMIT,
    )
    settings_type: ClassVar[type[HrArbitrationSettings]] = HrArbitrationSettings

    def __init__(self, endpoint: str, settings: HrArbitrationSettings, tools: Tools) -> None:
        """Read the keys and open the SM4 envelope.

        Raises:
            contracts.gm.CipherError: a key or envelope that cannot be; it names the setting.
        """
        super().__init__(endpoint, settings, tools)
        self._keys = Keys.of(settings)
        self._door = Door(settings.appid, self._keys, tools)
        # Until a reply could be read, the memory may hold a count from before our start.
        self._may_have_counted = True

    # ------------------------------------------------------------------------------------------------------- outward

    def translate(self, message: Message, context: Context) -> Wire:
        """See ``translate.translate``."""
        return translate.translate(message, context)

    def code_tables(self) -> tuple[CodeTable, ...]:
        return tables_of(vars(codes))

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """Upload what travels along (TJ9002), then file the message under the delivery's id."""
        files = await self._upload(wire.files, exchange)
        try:
            payload = _with_files(wire.payload, files)
            answer = await self._ask(exchange, "file", wire.operation, wire.id, payload, _has_reference, filing=True)
        except PermanentError as error:
            if error.code == replies.FILE_UNKNOWN:
                # The platform lost a file that we remember as uploaded: the next attempt uploads it again.
                for attachment in wire.files:
                    await self.tools.memory.forget(await self._memory_of(attachment))
            raise
        return _receipt(answer)

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        """Ask by TJ9001 whether the platform has the wire's serial number."""
        question = {"BZR007": wire.operation, "BZR008": wire.id}
        answer = await self._ask(exchange, "lookup", "TJ9001", self._serial("Q"), question, _has_finding)
        return None if _text(answer, "BZR009") == "0" else _receipt(answer)

    async def probe(self, exchange: Exchange) -> None:
        """TJ0001 连通测试: proves address, keys, clock and both ciphers."""
        await self._ask(exchange, "probe", "TJ0001", self._serial("P"), {"BZR002": "PING"}, _has_pong)

    async def download(self, document: DocumentLink, exchange: Exchange) -> bytes:
        """Fetch a document by TJ9003 and check it against its SHA-256.

        Raises:
            RetryableError: the bytes are not those of the digest.
        """
        question = {"BZF001": document.ref}
        answer = await self._ask(exchange, "download", "TJ9003", self._serial("D"), question, _has_file)
        try:
            data: bytes = await self.tools.blocking(wire.decode, _text(answer, "BZF006"))
        except ValueError:
            data = b""
        digest = hashlib.sha256(data).hexdigest()
        if digest != _text(answer, "BZF002").lower() or (document.sha256 or digest).lower() != digest:
            raise RetryableError("wrong_digest", "the bytes are not those of the document's SHA-256")
        return data

    async def _upload(self, attachments: tuple[str, ...], exchange: Exchange) -> dict[str, str]:
        """The platform's file id of every attachment; what was uploaded once is remembered by its SHA-256."""
        found: dict[str, str] = {}
        for attachment in attachments:
            remembered = await self._memory_of(attachment)
            file_id = await self.tools.memory.get(remembered)
            if file_id is None:
                info = await self.tools.attachments.info(attachment)
                data = await self.tools.attachments.read(attachment)
                body = await self.tools.blocking(_file_body, info.sha256, info.media_type, data)
                serial = "F" + info.sha256.lower()[:39]
                answer = await self._ask(exchange, "upload", "TJ9002", serial, body, _has_file_id)
                file_id = _text(answer, "BZF001")
                await self.tools.memory.put(remembered, file_id)
            found[attachment] = file_id
        return found

    async def _memory_of(self, attachment: str) -> str:
        return f"file:{(await self.tools.attachments.info(attachment)).sha256.lower()}"

    async def _ask(
        self,
        exchange: Exchange,
        step: str,
        service: str,
        serial: str,
        plaintext: Json,
        lacks: Callable[[Answer], str],
        *,
        filing: bool = False,
    ) -> Answer:
        """One question, one proven answer of success; everything else raises.

        ``lacks`` names what a success must not lack, ``""`` where all is there: without it the reply is garbage."""
        try:
            answer = await self._exchange(exchange, step, service, serial, plaintext, filing)
            if answer.code == replies.NONCE and not filing:
                answer = await self._exchange(exchange, step, service, serial, plaintext, filing)
            if answer.succeeded and (lacking := lacks(answer)):
                raise Unreadable(lacking)
            trouble = replies.judge(answer, self.tools.now(), filing=filing)
        except Unreadable as error:
            raise await self._unreadable(error.code, filing=filing) from None
        if self._may_have_counted:
            await self.tools.memory.forget(_UNREADABLE)
            self._may_have_counted = False
        if trouble is not None:
            raise trouble
        return answer

    async def _exchange(
        self, exchange: Exchange, step: str, service: str, serial: str, plaintext: Json, filing: bool
    ) -> Answer:
        now, nonce = self.tools.now(), self.tools.random_bytes(16)
        head = wire.fresh_head(self.settings.appid, service, serial, now, nonce)
        raw: bytes = await self.tools.blocking(self._keys.seal, head, plaintext, self.tools.random_bytes(16))
        if len(raw) > wire.request_limit(service):
            raise PermanentError("too_large", "the sealed message is over the platform's limit")
        request = Request("POST", self.settings.base_url + PATH, wire.HEADERS, raw)
        limit = wire.reply_limit(service)
        reply = await exchange.call(step, request, filing=filing, limit=limit)
        judge_status(reply, self.tools.now(), maybe_accepted=filing)
        answer: Answer = await self.tools.blocking(replies.read_answer, self._keys, reply.body, head, limit)
        return answer

    async def _unreadable(self, code: str, *, filing: bool) -> AdapterError:
        """The error for an unreadable reply: time heals it, but the third in a row goes to the operator (page §3)."""
        self._may_have_counted = True
        count = int(await self.tools.memory.get(_UNREADABLE) or 0) + 1
        if count >= _UNREADABLE_IN_A_ROW:
            await self.tools.memory.forget(_UNREADABLE)
            return EndpointError(
                code, "three unreadable replies in a row: wrong key, wrong address, or another's answer"
            )
        await self.tools.memory.put(_UNREADABLE, str(count))
        return RetryableError(code, "the reply cannot be read", maybe_accepted=filing)

    def _serial(self, letter: str) -> str:
        """A serial number for a question without business effect: no two are the same message."""
        return letter + self.tools.random_bytes(16).hex()

    # -------------------------------------------------------------------------------------------------------- inward

    async def authenticate(self, call: InboundCall) -> Authenticated:
        """See ``Door.authenticate``."""
        return await self._door.authenticate(call)

    async def acknowledge(self, call: InboundCall, *, duplicate: bool) -> Reply:
        """See ``Door.acknowledge``."""
        return await self._door.acknowledge(call, duplicate=duplicate)

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """See ``callbacks.parse``."""
        return callbacks.parse(call, self._keys, self.endpoint)


def _text(answer: Answer, code: str) -> str:
    return wire.texts(answer.body, code)


def _receipt(answer: Answer) -> Receipt:
    reference = _text(answer, "BZR001")
    try:
        at = D14.read(_text(answer, "AAE036"))
    except ValueError:
        at = None
    return Receipt(
        reference=reference,
        references=(Reference("platform_no", reference),),
        duplicate=answer.code == replies.DUPLICATE,
        at=at,
    )


def _has_reference(answer: Answer) -> str:
    return "" if _text(answer, "BZR001") else "no_reference"


def _has_finding(answer: Answer) -> str:
    found = _text(answer, "BZR009")
    return "no_finding" if found not in ("0", "1") else _has_reference(answer) if found == "1" else ""


def _has_pong(answer: Answer) -> str:
    return "" if _text(answer, "BZR002").upper() == "PONG" else "no_pong"


def _has_file_id(answer: Answer) -> str:
    return "" if _text(answer, "BZF001") else "no_file_id"


def _has_file(answer: Answer) -> str:
    return "" if _text(answer, "BZF006") else "no_file"


def _file_body(sha256: str, media_type: str, data: bytes) -> Json:
    return {
        "BZF002": sha256.lower(),
        "BZF003": media_type,
        "BZF004": str(len(data)),
        "BZF006": wire.encode(data),
    }


def _with_files(value: Any, files: dict[str, str]) -> Any:
    """The payload with the platform's file ids where attachments stand."""
    if isinstance(value, dict):
        if value.keys() == {translate.ATTACHMENT}:
            return files[value[translate.ATTACHMENT]]
        return {key: _with_files(below, files) for key, below in value.items()}
    if isinstance(value, list):
        return [_with_files(below, files) for below in value]
    return value
