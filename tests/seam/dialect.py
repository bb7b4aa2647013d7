"""What the toy adapters share: settings, the translation, the reading of answers and of signed calls."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from pydantic import SecretStr

from adapters.http import NotJson, judge_status, read_json_object
from contracts.adapter import (
    Adapter,
    AdapterSettings,
    Authenticated,
    Capability,
    Context,
    Exchange,
    InboundCall,
    Json,
    Loss,
    LossKind,
    Reply,
    Request,
    Wire,
)
from contracts.agreement import Agreement
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.document import Document
from contracts.errors import (
    CallbackRejected,
    EndpointError,
    PermanentError,
    Reason,
    RetryableError,
    UnreadableCallback,
)
from contracts.lists import Channel
from contracts.message import Message
from contracts.messages import MessageType
from contracts.update import About, DeliveryWord, Inbound, Key, KeyKind, Reference, StatusUpdate

OPERATIONS: Final = {
    MessageType.CASE_SUBMITTED: "T1",
    MessageType.CASE_REVISED: "T2",
    MessageType.CASE_PROGRESSED: "T3",
    MessageType.CASE_ALERTED: "T4",
    MessageType.AGREEMENT_CONCLUDED: "T5",
    MessageType.CONFIRMATION_REQUESTED: "T6",
}
CAPABILITIES: Final = tuple(Capability(kind, operation) for kind, operation in OPERATIONS.items())
MAPPING: Final = "toy-1"
TEXT_LIMIT: Final = 60
"""Characters of the one long field."""

_CHANNELS: Final[dict[Channel, str]] = {
    channel: f"C{number}" for number, channel in enumerate(Channel) if channel is not Channel.PHONE
}
"""There is no code for an application by telephone: such a case cannot be filed here."""

_WORDS: Final[dict[About, dict[str, str]]] = {
    About.DELIVERY: {
        "IN": DeliveryWord.TAKEN,
        "OK": DeliveryWord.ACCEPTED,
        "NO": DeliveryWord.REFUSED,
        "WAIT": DeliveryWord.POSTPONED,
        "DOWN": DeliveryWord.FAILED,
    },
    About.CASE: {"HEARD": "accepted", "TALKS": "mediating", "NOT_OURS": "declined"},
    About.CONFIRMATION: {"TAKEN": "accepted", "BOUND": "confirmed", "VOID": "rejected"},
}
_SKEW: Final = timedelta(minutes=5)
_PATH: Final = "/word"


class ToySettings(AdapterSettings):
    """Address and keys."""

    base_url: str
    key: SecretStr
    call_key: SecretStr


def digest_of(body: bytes) -> str:
    """Fingerprint of a content."""
    return hashlib.sha256(body).hexdigest()


def _text_of(document: Document) -> tuple[str, str]:
    """Pointer and value of the document's one long text."""
    match document:
        case Case() | Agreement():
            return "/facts", document.facts
        case CaseProgress():
            return "/note", document.note or ""
        case CollectiveAlert():
            return "/situation", document.situation
        case ConfirmationRequest():
            return "/authority/name", document.authority.name
        case _:
            raise PermanentError("not_taken", f"{type(document).__name__} has no place here")


class Toy(Adapter[ToySettings]):
    """One translation and one door for all three."""

    settings_type: ClassVar[type[AdapterSettings]] = ToySettings

    # ---- outward
    def translate(self, message: Message, context: Context) -> Wire:
        """The message in the toys' dialect."""
        document = message.document
        pointer, text = _text_of(document)
        losses: list[Loss] = []
        written = self.shortened(text, pointer, losses)
        payload: Json = {"about": message.about, "version": message.version, "text": written}
        carried = {"schema_version", pointer.split("/")[1]}
        if context.case is not None:
            payload["case_no"] = context.case.source_case_no
        files: tuple[str, ...] = ()
        match document:
            case Case():
                channel = _CHANNELS.get(document.channel)
                if channel is None:
                    raise PermanentError("code_without_row", "/channel: no code for this channel")
                payload |= {"channel": channel, "people": [party.name for party in document.parties]}
                payload["numbers"] = [getattr(party, "id_number", None) or "" for party in document.parties]
                carried |= {"channel", "source_case_no"}
            case CaseProgress():
                payload["status"] = document.status.value
                carried.add("status")
            case Agreement():
                payload["file"] = {"attachment": document.document}
                files = (document.document,)
                carried.add("document")
        losses += [Loss(LossKind.DROPPED, f"/{name}") for name in self._left(document, carried)]
        return Wire(self.id_of(message, context), OPERATIONS[message.type], payload, tuple(losses), files, MAPPING)

    @staticmethod
    def _left(document: Document, carried: set[str]) -> list[str]:
        left = document.model_dump(mode="json", by_alias=True, exclude_none=True)
        return [name for name, value in left.items() if name not in carried and value not in ([], {})]

    def id_of(self, message: Message, context: Context) -> str:
        """What the platform sees at every attempt."""
        return context.delivery

    def shortened(self, text: str, pointer: str, losses: list[Loss]) -> str:
        """The text as far as it fits."""
        if len(text) > TEXT_LIMIT:
            losses.append(Loss(LossKind.CUT, pointer, "text", f"after {TEXT_LIMIT} characters"))
        return text[:TEXT_LIMIT]

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Request:
        """A request with the key."""
        given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        key = (("X-Key", self.settings.key.get_secret_value()), ("Content-Type", "application/json"))
        return Request(method, self.settings.base_url + path, key + given, body)

    async def ask(
        self, exchange: Exchange, step: str, request: Request, *, filing: bool = False, named: str | None = None
    ) -> Json:
        """One question and its proven answer: readable, about what was asked, and not a refusal."""
        reply = await exchange.call(step, request, filing=filing)
        judge_status(reply, self.tools.now(), maybe_accepted=filing)
        answer = self.read(reply, filing=filing)
        self.judge(answer, filing=filing)
        if named is not None and answer.get("id") != named:
            raise RetryableError("not_ours", "the answer names another id", maybe_accepted=filing)
        return answer

    def read(self, reply: Reply, *, filing: bool) -> Json:
        """The JSON object of a reply."""
        try:
            answer = read_json_object(reply.body, depth=8)
        except NotJson as error:
            raise RetryableError(f"unreadable_{error.code}", maybe_accepted=filing) from None
        if not isinstance(answer.get("code"), str):
            raise RetryableError("unreadable", "no code", maybe_accepted=filing)
        return answer

    def judge(self, answer: Json, *, filing: bool) -> None:
        """Raise what the code means."""
        match answer["code"]:
            case "OK" | "KNOWN":
                return
            case "REFUSED" | "CONFLICT":
                reasons = (Reason(answer["code"], str(answer.get("text", ""))),)
                raise PermanentError(answer["code"], "the platform refuses the document", reasons=reasons)
            case "KEY":
                raise EndpointError("KEY", "the platform does not take our key")
            case _:
                raise RetryableError("unmapped_code", "a code that the protocol does not have", maybe_accepted=filing)

    # ---- what it says
    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        """One word."""
        try:
            said = read_json_object(call.body, depth=8)
            about = About(self.text(said, "about"))
            return (self.update(said, about),)
        except NotJson as error:
            raise UnreadableCallback(error.code) from None
        except (ValueError, OverflowError):
            raise UnreadableCallback("field") from None

    def update(self, said: Json, about: About) -> StatusUpdate:
        """The word in canonical form."""
        raw = self.text(said, "word")
        at = datetime.fromisoformat(self.text(said, "at"))
        if at.tzinfo is None:
            raise ValueError("at")
        keys: list[Key] = []
        if "id" in said:
            keys.append(Key(KeyKind.DELIVERY, self.text(said, "id")))
        if "number" in said:
            keys.append(Key(KeyKind.REFERENCE, self.text(said, "number"), "platform_no"))
        if not keys:
            raise ValueError("keys")
        wait = said.get("wait")
        if wait is not None and (isinstance(wait, bool) or not isinstance(wait, int) or not 0 <= wait <= 86_400_000):
            raise ValueError("wait")
        return StatusUpdate(
            event_id=self.text(said, "event"),
            about=about,
            keys=tuple(keys),
            status=self.status_of(about, raw),
            raw_status=raw,
            at=at,
            reason_code=self.text(said, "reason") if "reason" in said else None,
            references=(Reference("platform_no", keys[-1].value),) if "number" in said else (),
            retry_after_s=None if wait is None else wait / 1000,
            sending=self.text(said, "batch") if "batch" in said else None,
        )

    @staticmethod
    def text(said: Json, name: str) -> str:
        """A field's text."""
        value: Any = said.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= 200:
            raise ValueError(name)
        return value

    def status_of(self, about: About, raw: str) -> str:
        """The canonical word, or ``unknown``."""
        return _WORDS.get(about, {}).get(raw, "unknown")


class CalledToy(Toy):
    """A toy whose platform calls back: the door."""

    async def authenticate(self, call: InboundCall) -> Authenticated:
        """Signature over the raw bytes, then the time, then the nonce; the content last."""
        await self.prove(call)
        return self.name(call)

    async def prove(self, call: InboundCall) -> None:
        """Path, signature, time, nonce.

        Raises:
            CallbackRejected: at the first that does not hold.
        """
        at, nonce, sign = (call.header_values(name) for name in ("X-Time", "X-Nonce", "X-Sign"))
        if call.path != _PATH or call.method != "POST":
            raise CallbackRejected("path", Reply(404))
        if not len(at) == len(nonce) == len(sign) == 1:
            raise CallbackRejected("headers", self.no("headers"))
        key = self.settings.call_key.get_secret_value().encode()
        expected = hmac.new(key, f"{at[0]}.{nonce[0]}.".encode() + call.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), sign[0].encode()):
            raise CallbackRejected("sign", self.no("sign"))
        if abs(self.tools.now() - datetime.fromisoformat(at[0])) > _SKEW:
            raise CallbackRejected("time", self.no("time"))
        if not await self.tools.nonces.first_seen(nonce[0], 2 * _SKEW):
            raise CallbackRejected("nonce", self.no("nonce"))

    def name(self, call: InboundCall) -> Authenticated:
        """Number and digest of a proven call; one that cannot be read is its own number."""
        digest = digest_of(call.body)
        try:
            event = read_json_object(call.body).get("event")
        except NotJson:
            event = None
        return Authenticated(event if isinstance(event, str) and 0 < len(event) <= 64 else f"raw-{digest}", digest)

    @staticmethod
    def no(code: str) -> Reply:
        """The refusal in the toys' dialect."""
        return Reply(401, (("Content-Type", "application/json"),), json.dumps({"code": code}).encode())

    async def acknowledge(self, call: InboundCall, *, duplicate: bool) -> Reply:
        """The answer to a stored call."""
        return Reply(
            200, (("Content-Type", "application/json"),), b'{"code": "KNOWN"}' if duplicate else b'{"code": "OK"}'
        )
