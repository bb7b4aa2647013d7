"""A small platform for these tests, written from the page alone: it keeps §2, §3 and the books of §4, no codes."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import gmalg

from adapters.hr_arbitration.security import Keys
from adapters.hr_arbitration.settings import HrArbitrationSettings
from contracts import gm
from contracts.adapter import AttachmentInfo, InboundCall, Json, Reply, Request, Tools
from contracts.errors import RetryableError
from tests.adapters.ways import HttpAlone

GATEWAY_PRIVATE = "752dff09d30ccd2d12478587f80ca262d107abc4d40f61357ae7aaae911221cd"
GATEWAY_PUBLIC = (
    "04474f0836c6d4cfeea79f85333a31e782f8df1ba7d52b6a6b7d3af50d1f23c924"
    "efb8c08973a0314fb07436331a610d87098e7cccc5f8008e8109d64c623f7c06"
)
PLATFORM_PRIVATE = "fd563cbc02b8a44017d1476d8150030f640e5de63050765bfec2bb5820a4059c"
PLATFORM_PUBLIC = (
    "044d5f2af6c8c635d0154f9a9caf82bc64e27eeb65ca2b2849f77e7dc60730678e"
    "b5c691b089fed9506b8829e5f678a275070037c5f444644235167770b076e9ec"
)
GATEWAY_ID, PLATFORM_ID = b"1234567812345678", b"SDHRSSLDZC370000"
APPID = "SDTJ37000001"
SM4_KEY = bytes(range(16))
OLD_SM4_KEY = bytes(range(16, 32))
NOW = datetime(2026, 9, 30, 9, 5, 3, tzinfo=UTC)

_GATEWAY = gm.Sm2Private.from_hex(GATEWAY_PRIVATE, gm.Sm2Public.from_hex(GATEWAY_PUBLIC))
_PLATFORM = gm.Sm2Private.from_hex(PLATFORM_PRIVATE, gm.Sm2Public.from_hex(PLATFORM_PUBLIC))


def envelope_of(key: bytes) -> str:
    """The SM4 key as the platform hands it over."""
    return base64.b64encode(gmalg.SM2(pk=_GATEWAY.public.point).encrypt(key)).decode()


_ENVELOPES = {key: envelope_of(key) for key in (SM4_KEY, OLD_SM4_KEY)}


def settings(*, previous: bool = False, **changes: Any) -> HrArbitrationSettings:
    """The endpoint's settings as the platform's configuration file has them."""
    values: dict[str, Any] = {
        "base_url": "http://127.0.0.1:9101",
        "appid": APPID,
        "gateway_private_key": GATEWAY_PRIVATE,
        "gateway_public_key": GATEWAY_PUBLIC,
        "platform_public_key": PLATFORM_PUBLIC,
        "sm4_key_envelope": _ENVELOPES[SM4_KEY],
    }
    if previous:
        values["sm4_key_envelope_previous"] = _ENVELOPES[OLD_SM4_KEY]
    return HrArbitrationSettings(**(values | changes))


def keys(**changes: Any) -> Keys:
    """The keys of these settings."""
    return Keys.of(settings(**changes))


def string_to_sign(head: dict[str, Any], body: str) -> bytes:
    """Page §2, again."""
    parts = [f"{name}={head[name]}" for name in sorted(head) if name != "sign"]
    return "&".join([*parts, f"body={body}"]).encode()


def sealed(key: bytes, plaintext: bytes, iv: bytes | None = None) -> str:
    """``body`` around a plaintext."""
    iv = iv or secrets.token_bytes(16)
    return base64.b64encode(iv + gm.sm4_cbc_encrypt(key, iv, plaintext)).decode()


def opened(body: str, key: bytes = SM4_KEY) -> Json:
    """The plaintext of a ``body``."""
    raw = base64.b64decode(body, validate=True)
    found = json.loads(gm.sm4_cbc_decrypt(key, raw[:16], raw[16:]))
    assert isinstance(found, dict)
    return found


def plain(value: object) -> bytes:
    """JSON as the platform writes it."""
    return json.dumps(value, ensure_ascii=False).encode()


def signed(head: dict[str, Any], body: str, key: gm.Sm2Private = _PLATFORM, signer_id: bytes = PLATFORM_ID) -> bytes:
    """A whole envelope of the platform."""
    signature = gm.sign(key, signer_id, string_to_sign(head, body))
    return plain({"head": head | {"sign": base64.b64encode(signature).decode()}, "body": body})


def callback_head(service: str, serial: str = "EV20260930000001", **changes: Any) -> dict[str, Any]:
    """The head of a callback."""
    head: dict[str, Any] = {
        "appid": APPID,
        "serviceid": service,
        "serialno": serial,
        "timestamp": "20260930170503",
        "nonce": secrets.token_hex(16),
        "version": "1.0.0",
        "enctype": "SM4/CBC/PKCS7",
        "signtype": "SM2",
    }
    return head | changes


def callback(service: str, body: Json, *, key: bytes = SM4_KEY, **changes: Any) -> InboundCall:
    """A callback as the gateway's door receives it."""
    return call_of(signed(callback_head(service, **changes), sealed(key, plain(body))))


def call_of(raw: bytes, method: str = "POST", path: str = "/exchange") -> InboundCall:
    """Raw bytes at the door."""
    headers = (("Content-Type", "application/json; charset=UTF-8"),)
    return InboundCall(method, path, headers, raw, NOW)


def read_reply(reply: Reply) -> dict[str, str]:
    """The gateway's answer at the platform: signature checked, head returned."""
    found = json.loads(reply.body)
    head, body = found["head"], found["body"]
    signature = base64.b64decode(head["sign"], validate=True)
    assert gm.verify(_GATEWAY.public, GATEWAY_ID, string_to_sign(head, body), signature)
    assert body == ""
    assert isinstance(head, dict)
    return head


@dataclass
class Platform(HttpAlone):
    """The platform as an ``Exchange``. ``next_replies`` script what it answers instead; a callable may raise."""

    lower_case: bool = False
    clock: Callable[[], datetime] = lambda: NOW
    key: bytes = SM4_KEY
    ledger: dict[tuple[str, str], tuple[Json, Json]] = field(default_factory=dict)
    steps: list[tuple[str, str, bool]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    next_replies: list[Callable[[dict[str, str]], Reply]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    filed: list[tuple[str, str, Json]] = field(default_factory=list)

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        assert request.method == "POST"
        assert request.url == "http://127.0.0.1:9101/ldzc/exchange"
        assert dict(request.headers)["Content-Type"] == "application/json; charset=UTF-8"
        envelope = json.loads(request.body)
        assert envelope.keys() == {"head", "body"}
        head, body = envelope["head"], envelope["body"]
        assert set(head) == set(callback_head("TJ0001")) | {"sign"}
        self.steps.append((step, head["serviceid"], filing))
        self.heads.append(head)
        signature = base64.b64decode(head["sign"], validate=True)
        assert gm.verify(_GATEWAY.public, GATEWAY_ID, string_to_sign(head, body), signature)
        if self.next_replies and (scripted := self.next_replies.pop(0)) is not None:
            return scripted(head)
        assert abs((self.clock() - _d14(head["timestamp"])).total_seconds()) <= 300
        assert len([one for one in self.heads if one["nonce"] == head["nonce"]]) == 1
        return self._process(head, opened(body, self.key))

    def _process(self, head: dict[str, str], plaintext: Json) -> Reply:
        service, serial = head["serviceid"], head["serialno"]
        known = self.ledger.get((service, serial))
        if known is not None:
            same = known[0] == plaintext
            return self.reply(head, "1001" if same else "4009", known[1] if same else None)
        answer: Json = {"BZR001": f"9007199254740993{len(self.ledger):04d}", "AAE036": "20260930170504"}
        match service:
            case "TJ0001":
                return self.reply(head, "0000", {"BZR002": "PONG"})
            case "TJ9001":
                found = self.ledger.get((plaintext["BZR007"], plaintext["BZR008"]))
                return self.reply(head, "0000", {"BZR009": "1", **found[1]} if found else {"BZR009": "0"})
            case "TJ9002":
                data = base64.b64decode(plaintext["BZF006"])
                digest = hashlib.sha256(data).hexdigest()
                assert plaintext["BZF002"] == digest
                assert plaintext["BZF004"] == str(len(data))
                assert serial == "F" + digest[:39]
                answer = {"BZF001": f"FILE{digest[:20]}", "AAE036": "20260930170504"}
                self.files[answer["BZF001"]] = data
            case "TJ9003":
                data = self.files[plaintext["BZF001"]]
                return self.reply(
                    head,
                    "0000",
                    {
                        "BZF001": plaintext["BZF001"],
                        "BZF002": hashlib.sha256(data).hexdigest(),
                        "BZF003": "application/pdf",
                        "BZF006": base64.b64encode(data).decode(),
                    },
                )
            case _:
                self.filed.append((service, serial, plaintext))
        self.ledger[service, serial] = (plaintext, answer)
        return self.reply(head, "0000", answer)

    def reply(self, asked: dict[str, str], code: str, plaintext: Json | None = None, **changes: Any) -> Reply:
        """A signed reply."""
        head = {
            "appid": APPID,
            "serviceid": asked["serviceid"],
            "serialno": asked["serialno"],
            "reqnonce": asked["nonce"],
            "timestamp": "20260930170504",
            "nonce": secrets.token_hex(16),
            "version": "1.0.0",
            "enctype": "SM4/CBC/PKCS7",
            "signtype": "SM2",
            "code": code,
            "message": "a&b=成功 c",
        } | changes
        if plaintext is not None and self.lower_case:
            plaintext = {key.lower(): value for key, value in plaintext.items()}
        # Under another key chance would make one of 256 random envelopes end like a whole one.
        iv = None if self.key == SM4_KEY else b"an iv of 16 byte"
        body = "" if plaintext is None else sealed(self.key, plain(plaintext), iv)
        return Reply(200, (("Content-Type", "application/json; charset=UTF-8"),), signed(head, body))


def _d14(text: str) -> datetime:
    return datetime.strptime(text + "+0800", "%Y%m%d%H%M%S%z")


class Nonces:
    """Remembers nonces while the test runs, and that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        assert keep >= timedelta(minutes=15)
        self.asked.append(nonce)
        return self.asked.count(nonce) == 1


class Memory(dict[str, str]):
    """A memory of one test."""

    async def get(self, key: str) -> str | None:  # type: ignore[override]  # the port's get is asynchronous
        return dict.get(self, key)

    async def put(self, key: str, value: str, keep: timedelta | None = None) -> None:
        self[key] = value

    async def forget(self, key: str) -> None:
        dict.pop(self, key, None)


class Attachments:
    """Attachments by id, and how often each was read."""

    def __init__(self, files: Iterable[tuple[AttachmentInfo, bytes]] = ()) -> None:
        self.files = {info.id: (info, data) for info, data in files}
        self.reads: list[str] = []

    async def info(self, attachment: str) -> AttachmentInfo:
        return self.files[attachment][0]

    async def read(self, attachment: str) -> bytes:
        self.reads.append(attachment)
        return self.files[attachment][1]


async def at_once(function: Callable[..., Any], /, *arguments: Any) -> Any:
    """``Blocking`` without a thread."""
    return function(*arguments)


def tools(**changes: Any) -> Tools:
    """Tools with a fixed clock and true randomness."""
    values: dict[str, Any] = {
        "now": lambda: NOW,
        "random_bytes": secrets.token_bytes,
        "attachments": Attachments(),
        "nonces": Nonces(),
        "memory": Memory(),
        "blocking": at_once,
    }
    return Tools(**(values | changes))


def lost_reply(_: dict[str, str]) -> Reply:
    """The connection is reset after the request left."""
    raise RetryableError("reset", maybe_accepted=True)
