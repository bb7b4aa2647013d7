"""The platform as these tests play it: replies as bytes, and an exchange that hands them out and records the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.one_stop import OneStop, OneStopSettings
from contracts.adapter import AttachmentInfo, Blocking, Reply, Request, Tools
from contracts.conformance.stand_ins import at_once
from contracts.errors import RetryableError
from tests.adapters.ways import HttpAlone

NOW = datetime(2026, 9, 30, 9, 5, 3, tzinfo=UTC)
TOKEN = "synthetic-token-0123456789"
ENDPOINT = "one_stop"
ORGANIZATION = "SD-JN-LX-001"
REFERENCE = "37010220260930000123"
URL = "https://one-stop.example"

SOAP_OPEN = '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
SOAP_CLOSE = "</soap:Body></soap:Envelope>"


def envelope(inner: str) -> str:
    """A SOAP envelope without declaration around one element."""
    return SOAP_OPEN + inner + SOAP_CLOSE


def response(
    operation: str,
    external_id: str,
    *,
    ret: str = "1",
    err: str = "",
    reference: str = REFERENCE,
    duplicate: str = "0",
    item: str = "",
    message: str = "成功",
    own: str = "",
) -> str:
    """The text of a reply, as page §3 orders it."""
    named = f"<项名>{item}</项名>" if item else ""
    return envelope(
        f'<{operation}Response xmlns="urn:sdzz:mdjf:1"><retCode>{ret}</retCode><retMessage>{message}</retMessage>'
        f"<errCode>{err}</errCode><外部编号>{external_id}</外部编号><平台编号>{reference}</平台编号>"
        f"<重复标志>{duplicate}</重复标志>{named}{own}</{operation}Response>"
    )


def fault(code: str | None, *, side: str = "Server", wait: str = "") -> str:
    """A Fault; ``code=None`` leaves the detail out."""
    detail = (
        f'<detail><d:fault xmlns:d="urn:sdzz:mdjf:1"><d:errCode>{code}</d:errCode>'
        f"<d:retryAfter>{wait}</d:retryAfter></d:fault></detail>"
        if code is not None
        else ""
    )
    return envelope(
        f"<soap:Fault><faultcode>soap:{side}</faultcode><faultstring>故障</faultstring>{detail}</soap:Fault>"
    )


def reply(text: str, *, status: int = 200, encoding: str = "utf-8", declared: bool = False) -> Reply:
    """The reply as bytes; ``declared`` puts the XML declaration of the encoding in front."""
    head = f'<?xml version="1.0" encoding="{encoding.upper()}"?>' if declared else ""
    return Reply(status, (("Content-Type", "text/xml; charset=utf-8"),), (head + text).encode(encoding))


@dataclass
class Step:
    """One recorded call."""

    name: str
    request: Request
    filing: bool
    within: float | None
    limit: int | None


Answering = Callable[[Step], Reply]


@dataclass
class FakeExchange(HttpAlone):
    """Hands out one answer after the other; records the calls."""

    answers: list[Answering | RetryableError]
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
        taken = Step(step, request, filing, within, limit)
        self.steps.append(taken)
        answer = self.answers.pop(0)
        if isinstance(answer, RetryableError):
            raise answer
        return answer(taken)


def fixed(found: Reply) -> Answering:
    """An answer that does not look at the call."""
    return lambda _: found


class _Nothing:
    """Stands for tools that this adapter never touches."""

    async def info(self, attachment: str) -> AttachmentInfo:
        raise AssertionError(attachment)

    async def read(self, attachment: str) -> bytes:
        raise AssertionError(attachment)

    async def first_seen(self, nonce: str, keep: timedelta) -> bool:
        raise AssertionError(nonce)

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


def settings(**changes: Any) -> OneStopSettings:
    """Sound settings, with changes."""
    values: dict[str, Any] = {
        "base_url": URL,
        "paasid": "mediation_gateway",
        "token": TOKEN,
        "service_id": "dispute-exchange",
        "organization_codes": (ORGANIZATION,),
    }
    return OneStopSettings.model_validate(values | changes)


def adapter(*, organizations: Iterable[str] = (ORGANIZATION,), blocking: Blocking = at_once) -> OneStop:
    """The adapter with a still clock."""
    nothing = _Nothing()
    tools = Tools(
        now=lambda: NOW,
        random_bytes=Counter(),
        attachments=nothing,
        nonces=nothing,
        memory=nothing,
        blocking=blocking,
    )
    return OneStop(ENDPOINT, settings(organization_codes=tuple(organizations)), tools)
