"""The sender that the webhook receiver's tests speak by, written from the page."""

import base64
import copy
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from multidict import CIMultiDict

from mocks.server import MockServer
from mocks.webhook import Webhook

CASE = "case_01K6EXAMPLE0000000000000B"
LINKS = {
    "self": "https://gateway.example/v1/confirmations/cnf_01K6EXAMPLE0000000000000D",
    "case": f"https://gateway.example/v1/cases/{CASE}",
    "timeline": f"https://gateway.example/v1/cases/{CASE}/timeline",
}
EXAMPLE: dict[str, Any] = json.loads(
    '{"specversion":"1.0","id":"evt_01K6EXAMPLE0000000000000W","source":"urn:mediation-gateway:sd",'
    '"type":"confirmation.accepted","subject":"cnf_01K6EXAMPLE0000000000000D","time":"2026-09-28T11:20:00+08:00",'
    '"datacontenttype":"application/json",'
    '"dataschema":"https://gateway.example/v1/schemas/event.confirmation.accepted",'
    '"sequence":"00000000000000000012","partitionkey":"case_01K6EXAMPLE0000000000000B","cursor":"0000000000004711",'
    '"data":{"case":"case_01K6EXAMPLE0000000000000B","source_case_no":"370102-LX001-2026-00123",'
    '"organization":{"code":"SD-JN-LX-001"},"confirmation":"cnf_01K6EXAMPLE0000000000000D",'
    '"agreement":"agr_01K6EXAMPLE0000000000000C","route":"arbitration_review","status":"accepted",'
    '"state_before":"requested","at":"2026-09-28T11:20:00+08:00","endpoint":"hr_arbitration",'
    '"external_refs":[{"endpoint":"hr_arbitration","kind":"case_no","value":"历下劳人仲审〔2026〕第45号"}],'
    '"clocks":[{"rule":"D06","due":"2026-10-08","state":"running"}],'
    '"links":{"self":"https://gateway.example/v1/confirmations/cnf_01K6EXAMPLE0000000000000D",'
    '"case":"https://gateway.example/v1/cases/case_01K6EXAMPLE0000000000000B",'
    '"timeline":"https://gateway.example/v1/cases/case_01K6EXAMPLE0000000000000B/timeline"}}}'
)


def compact(event: dict[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def event(number: int = 1, case: str = CASE, **changes: Any) -> dict[str, Any]:
    """The page's example with its own id and sequence; ``changes`` are attributes."""
    result = copy.deepcopy(EXAMPLE)
    result |= {"id": f"evt_{number:026d}", "sequence": f"{number:020d}", "partitionkey": case, **changes}
    if "data" not in changes:
        result["data"]["case"] = case
    return result


def about(name: str, subject: str, data: dict[str, Any], number: int = 1, *, case: bool = True) -> dict[str, Any]:
    """An event of any type."""
    result = event(number, type=name, subject=subject, dataschema=f"https://gateway.example/v1/schemas/event.{name}")
    result["data"] = dict(data)
    if case:
        result["data"] |= {"case": CASE, "source_case_no": "1", "organization": {"code": "o"}, "links": LINKS}
    else:
        del result["sequence"], result["partitionkey"]
    if name in ("endpoint.verification", "endpoint.test"):
        del result["cursor"]
    return result


@dataclass
class Sender:
    """What the gateway does on the wire, from the page alone."""

    server: MockServer
    http: aiohttp.ClientSession
    secrets: list[bytes] = field(default_factory=list)
    pairs: list[Ed25519PrivateKey] = field(default_factory=list)

    def sign(self, webhook_id: str, timestamp: str, body: bytes) -> str:
        content = f"{webhook_id}.{timestamp}.".encode() + body
        found = [f"v1,{base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()}" for key in self.secrets]
        found += [f"v1a,{base64.b64encode(pair.sign(content)).decode()}" for pair in self.pairs]
        return " ".join(found)

    def headers(self, webhook_id: str, body: bytes, shift_s: int = 0) -> CIMultiDict[str]:
        timestamp = str(int(time.time()) + shift_s)
        return CIMultiDict(
            {
                "Content-Type": "application/cloudevents+json; charset=utf-8",
                "User-Agent": "mediation-gateway/1.0",
                "webhook-id": webhook_id,
                "webhook-timestamp": timestamp,
                "webhook-signature": self.sign(webhook_id, timestamp, body),
            }
        )

    async def post(
        self,
        event: dict[str, Any] | bytes,
        change: Callable[[CIMultiDict[str]], object] | None = None,
        *,
        webhook_id: str = "",
        shift_s: int = 0,
    ) -> tuple[int, bytes]:
        body = event if isinstance(event, bytes) else compact(event)
        if not webhook_id:
            webhook_id = "evt_x" if isinstance(event, bytes) else str(event["id"])
        headers = self.headers(webhook_id, body, shift_s)
        if change is not None:
            change(headers)
        async with self.http.post(
            f"{self.server.url}/hooks/mediation", data=body, headers=headers, allow_redirects=False
        ) as response:
            return response.status, await response.read()

    async def mock(self, method: str, path: str, order: Any = None, status: int = 200) -> Any:
        async with self.http.request(method, f"{self.server.url}/_mock/{path}", json=order) as response:
            value = await response.json()
            assert response.status == status, value
            return value

    async def trust(self, **more: Any) -> Any:
        shown = [f"whsec_{base64.b64encode(key).decode()}" for key in self.secrets]
        public = [f"whpk_{base64.b64encode(pair.public_key().public_bytes_raw()).decode()}" for pair in self.pairs]
        return await self.mock("POST", "trust", {"secrets": shown, "public_keys": public} | more)

    async def shake_hands(self, number: int = 900) -> tuple[int, bytes]:
        data = {"webhook_endpoint": "whe_1", "challenge": secrets.token_urlsafe(32)}
        return await self.post(about("endpoint.verification", "whe_1", data, number, case=False))

    async def last(self) -> dict[str, Any]:
        entry: dict[str, Any] = (await self.mock("GET", "journal"))[-1]
        return entry


@asynccontextmanager
async def running(data: Path, **config: Any) -> AsyncIterator[Sender]:
    server = MockServer(Webhook, data, settings=config)
    await server.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Sender(server, http, [secrets.token_bytes(32)])
    finally:
        await server.stop()


async def expect(sender: Sender, status: int, *breaches: str) -> None:
    entry = await sender.last()
    assert (entry["breaches"], entry["answer"], entry["effect"]) == (list(breaches), status, "refused")
