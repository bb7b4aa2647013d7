"""The platform as these tests play it, written from the page alone: its digest, its coding, its strictness, its replies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_from_bytes

from cryptography.hazmat.primitives import hashes

from adapters.union import UnionPlatform, UnionSettings
from contracts.adapter import AttachmentInfo, Blocking, InboundCall, Reply, Request, Tools
from contracts.conformance.stand_ins import at_once
from contracts.errors import RetryableError
from tests.adapters.ways import HttpAlone

NOW = datetime(2026, 9, 30, 9, 5, 3, tzinfo=UTC)
STAMP = "1790759103000"
ENDPOINT = "union"
APP_KEY = "GH370000"
SECRET = "synthetic-secret-0123456789"
URL = "https://union.example"
BATCH_NO = "U20260930170503000123"
UNION_NO = "37000020260930000123"
NONCE = "Zk3fA9bQ7LmX2pRt"
PROMISED = frozenset(
    {"ajbh", "xlh", "xydm", "jgdm", "yjbh", "sqbh", "xybh", "je", "sqsj", "slsj", "sj", "kssj", "jssj"}
)
"""Fields that may hold 14 digits and more (page §8.3), times included."""
LONG_NUMBER = re.compile(r"[0-9０-９](?:[ \-－　]?[0-9０-９]){13,18}[XxＸｘ]?")


def digest(parameters: Mapping[str, str], secret: str = SECRET, encoding: str = "gb18030") -> str:
    """Page §2, again."""
    kept = {key: value for key, value in parameters.items() if key != "sign" and value != ""}
    ordered = sorted(kept.items(), key=lambda pair: pair[0].encode("ascii"))
    text = "&".join(f"{key}={value}" for key, value in ordered) + "&key=" + secret
    return sm3(text.encode(encoding))


def sm3(data: bytes) -> str:
    """Its SM3 in upper-case hex."""
    hashed = hashes.Hash(hashes.SM3())
    hashed.update(data)
    return hashed.finalize().hex().upper()


def coded(parameters: Mapping[str, str], encoding: str = "gb18030") -> bytes:
    """A form as the platform writes it: ``+`` and ``%20`` mixed, small and capital hex digits mixed."""
    pairs = []
    for number, (key, value) in enumerate(parameters.items()):
        text = quote_from_bytes(value.encode(encoding), safe="*").replace("~", "%7E")
        if number % 2:
            text = re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), text.replace("%20", "+"))
        pairs.append(f"{key}={text}")
    return "&".join(pairs).encode("ascii")


def sealed(parameters: Mapping[str, str], secret: str = SECRET) -> bytes:
    """A signed form."""
    return coded({**parameters, "sign": digest(parameters, secret)})


def opened(body: bytes) -> dict[str, str]:
    """A form of the gateway, read strictly."""
    assert re.fullmatch(rb"(?:[A-Za-z0-9_.*=&-]|%[0-9A-Fa-f]{2}|\+)+", body)
    pairs = parse_qsl(
        body.decode("ascii"), keep_blank_values=True, strict_parsing=True, encoding="gb18030", errors="strict"
    )
    found = dict(pairs)
    assert len(found) == len(pairs)
    return found


def reply(*, status: int = 200, secret: str = SECRET, **changes: str) -> Reply:
    """A reply that they have it, or what ``changes`` make of it."""
    values = {
        "result": "0",
        "code": "0",
        "msg": "已接收 a&b=c",
        "batchNo": BATCH_NO,
        "timestamp": "1790759103412",
        "nonce": NONCE,
    }
    return Reply(status, (("Content-Type", "text/plain; charset=GB18030"),), sealed(values | changes, secret))


def refusal(code: str) -> Reply:
    """``result`` 1."""
    return reply(result="1", code=code, batchNo="", msg="拒绝 张三")


def call(
    method: str, items: Mapping[str, str], *, path: str = "/result", secret: str = SECRET, **changes: str
) -> InboundCall:
    """A signed callback; ``changes`` replace or add parameters before the sign is made."""
    values = {"appKey": APP_KEY, "method": method, "timestamp": STAMP, "nonce": NONCE, "n": "1", **items}
    return call_of(sealed(values | changes, secret), path=path)


def call_of(body: bytes, *, path: str = "/result", method: str = "POST") -> InboundCall:
    """Raw bytes at the door."""
    headers = (("Content-Type", "application/x-www-form-urlencoded; charset=GB18030"),)
    return InboundCall(method, path, headers, body, NOW)


@dataclass
class Step:
    """One recorded call, its parameters read and proven."""

    name: str
    request: Request
    filing: bool
    within: float | None
    limit: int | None
    parameters: dict[str, str]


@dataclass
class Platform(HttpAlone):
    """The platform as an ``Exchange``: checks every request as page §8 says, then answers as scripted."""

    answers: list[Reply | RetryableError] = field(default_factory=lambda: [reply()])
    steps: list[Step] = field(default_factory=list)

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
        assert dict(request.headers) == {"Content-Type": "application/x-www-form-urlencoded; charset=GB18030"}
        parameters = opened(request.body)
        check_common(parameters)
        assert parameters["nonce"] not in {known.parameters["nonce"] for known in self.steps}
        self.steps.append(Step(step, request, filing, within, limit, parameters))
        answer = self.answers.pop(0)
        if isinstance(answer, RetryableError):
            raise answer
        return answer


def check_common(parameters: Mapping[str, str]) -> None:
    """Page §2 of a request of the gateway."""
    assert parameters["sign"] == digest(parameters)
    assert parameters["appKey"] == APP_KEY
    assert re.fullmatch("[0-9]{13}", parameters["timestamp"])
    assert re.fullmatch("[0-9A-Za-z]{16,32}", parameters["nonce"])
    assert abs(int(parameters["timestamp"]) - int(STAMP)) <= 300_000
    check_items(parameters)


_PERSON = {"xm": 60, "zjlx": 1, "zjhm": 30, "xb": 2, "dh": 20, "gz": 60, "dzqh": 12}
_UNIT = {"mc": 200, "xydm": 18, "dwlx": 60, "fr": 60, "lxr": 60, "dh": 20, "dzqh": 12, "dz": 400, "gm": 1}
_LENGTHS: dict[str, dict[str, int]] = {
    "": {
        "xlh": 40, "jgdm": 32, "jgmc": 100, "ajbh": 60, "zzlx": 1, "qh": 12, "ly": 1, "sqsj": 14, "slsj": 14, "lb": 1,
        "ay": 200, "jq": 1000, "je": 17, "rs": 6, "zd": 1, "dbr": 200, "tjy": 60, "yjbh": 40, "zt": 2, "sj": 14,
        "yy": 300, "sm": 1000, "kssj": 14, "jssj": 14, "xybh": 100, "jg": 1, "nr": 1000, "sxsj": 14, "dj": 1,
        "qk": 1000, "cs": 1000, "lxr": 60, "dh": 20, "sqbh": 40, "df": 1, "yyd": 2, "bg": 1000,
    },
    "qq": {"lx": 2, "nr": 300, "je": 17},
    "sqr": _PERSON | _UNIT,
    "bsqr": _PERSON | _UNIT,
    "dsr": _PERSON | _UNIT,
    "dlr": {"xm": 60, "dsr": 4, "zjhm": 30, "dh": 20, "dlx": 1},
    "tk": {"xh": 6, "nr": 600, "je": 17, "rq": 8},
}  # fmt: skip


def check_items(parameters: Mapping[str, str]) -> None:
    """Page §8.2 and §8.3: names, lengths in bytes, row numbers, and no number that the union may not see."""
    rows: dict[str, set[int]] = {}
    for name, value in parameters.items():
        if name in {"appKey", "method", "timestamp", "nonce", "n", "sign"}:
            continue
        assert value
        parts = name.split(".")
        assert parts[0] == "i1"
        if len(parts) == 4:
            rows.setdefault(parts[1], set()).add(int(parts[2]))
        limit = _LENGTHS[parts[1] if len(parts) == 4 else ""][parts[-1]]
        assert len(value.encode("gb18030")) <= limit, name
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", value), name
        if parts[-1] not in PROMISED | {"sxsj"}:
            assert not LONG_NUMBER.search(value), name
        if parts[-1] == "zjhm":
            assert value == "*" * len(value) or re.fullmatch(r".{3}\*+.{2}", value)
        if parts[-1] == "je":
            assert re.fullmatch("0|[1-9][0-9]*", value)
    assert all(numbers == set(range(1, len(numbers) + 1)) for numbers in rows.values())


class Nonces:
    """The nonce store; ``asked`` tells what was noted."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.kept: set[timedelta] = set()

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        self.asked.append(nonce)
        self.kept.add(keep)
        return self.asked.count(nonce) == 1


class _Nothing:
    """Stands for tools that this adapter never touches."""

    async def info(self, attachment: str) -> AttachmentInfo:
        raise AssertionError(attachment)

    async def read(self, attachment: str) -> bytes:
        raise AssertionError(attachment)

    async def get(self, key: str) -> str | None:
        raise AssertionError(key)

    async def put(self, key: str, value: str, keep: timedelta | None = None) -> None:
        raise AssertionError(key)

    async def forget(self, key: str) -> None:
        raise AssertionError(key)


class Counter:
    """Randomness that never repeats and is always the same."""

    def __init__(self) -> None:
        self.given = 0

    def __call__(self, size: int) -> bytes:
        self.given += 1
        return self.given.to_bytes(size, "big")


def settings(**changes: Any) -> UnionSettings:
    """Sound settings, with changes."""
    values: dict[str, Any] = {
        "base_url": URL,
        "callback_url": "https://gateway.example/callbacks/union",
        "app_key": APP_KEY,
        "secret": SECRET,
        "organization_codes": ("SD-JN-LX-001",),
    }
    return UnionSettings.model_validate(values | changes)


def adapter(nonces: Nonces | None = None, *, blocking: Blocking = at_once, **changes: Any) -> UnionPlatform:
    """The adapter with a still clock."""
    nothing = _Nothing()
    tools = Tools(
        now=lambda: NOW,
        random_bytes=Counter(),
        attachments=nothing,
        nonces=nonces or Nonces(),
        memory=nothing,
        blocking=blocking,
    )
    return UnionPlatform(ENDPOINT, settings(**changes), tools)
