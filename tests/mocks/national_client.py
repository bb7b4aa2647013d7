"""A small client of the national platform's mock and the documents it sends, written from the page."""

import base64
import hashlib
import io
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from mocks.national_mediation import NationalMediation
from mocks.server import MockServer

ORGANIZATION = "SD-JN-LX-001"
OTHER = "SD-QD-SH-003"
NUMBER = "370102-LX001-2026-00123"
PDF = b"%PDF-1.4\n1 0 obj\nendobj\n%%EOF\n"
ALL = "case referral file stat"

CASE: dict[str, Any] = {
    "externalNo": NUMBER,
    "orgCode": ORGANIZATION,
    "orgName": "济南市历下区劳动人事争议仲裁院调解中心",
    "orgType": "03",
    "regionCode": "370102",
    "sourceChannel": "5",
    "form": "1",
    "receivedAt": "2026-09-16T01:30:00.000Z",
    "acceptedAt": "2026-09-17T02:00:00.000Z",
    "causeCode": "20505",
    "causeName": "劳动争议/劳动合同纠纷/追索劳动报酬纠纷",
    "facts": "申请人自2024年3月起在被申请人处任厨师，月工资6200元。",
    "claims": [{"kind": "01", "text": "支付2026年6月至8月工资18600元", "amountFen": 1860000}],
    "amountFen": 1860000,
    "parties": [
        {
            "role": "1",
            "kind": "1",
            "name": "王示例",
            "idType": "01",
            "idNumber": "370102199003071238",
            "sex": "1",
            "birthDate": "1990-03-07",
            "phone": "13853100001",
            "address": {"regionCode": "370102", "detail": "历下区示例路1号1单元101"},
            "serviceAddress": {"regionCode": "370102", "detail": "历下区示例路1号1单元101", "eConsent": True},
            "agents": [{"name": "赵示例", "phone": "13853100002"}],
        },
        {
            "role": "2",
            "kind": "2",
            "name": "济南示例餐饮管理有限公司",
            "creditCode": "91370102MA3C123456",
            "legalName": "孙示例",
            "contactName": "周示例",
            "contactPhone": "0531-86000001",
            "address": {"regionCode": "370102", "detail": "历下区示例路180号"},
        },
    ],
    "mediators": [{"certNo": "LDTJ-3701-2023-0456", "name": "李示例"}],
}
PROGRESS: dict[str, Any] = {
    "status": "6",
    "result": "3",
    "endReason": "5",
    "at": "2026-09-30T09:00:00.000Z",
    "note": "双方分歧较大",
    "session": {
        "from": "2026-09-30T06:00:00.000Z",
        "to": "2026-09-30T08:50:00.000Z",
        "place": "第二调解室",
        "method": "on_site",
    },
}
AGREEMENT: dict[str, Any] = {
    "agreementNo": "历下劳人调〔2026〕123号",
    "facts": "双方确认拖欠工资18600元。",
    "settled": "1",
    "terms": [
        {"no": 1, "kind": "payment", "text": "支付15000元", "amountFen": 1500000, "dueDate": "2026-10-31"},
        {"no": 2, "kind": "waiver", "text": "放弃其余请求"},
    ],
    "effectRule": "A",
    "effectiveAt": "2026-09-25T01:00:00.000Z",
}
ANSWER: dict[str, Any] = {"accept": True, "answeredAt": "2026-09-18T01:00:00.000Z"}
RESULT: dict[str, Any] = {"result": "3", "endReason": "4", "report": "一方不同意调解。"}
FIGURES: dict[str, int] = {
    "A01": 12,
    "D1": 1,
    "D2": 2,
    "D3": 3,
    "D4": 2,
    "D5": 3,
    "D9": 1,
    "O1": 2,
    "O2": 3,
    "O3": 6,
    "O4": 0,
    "O9": 1,
    "R0": 9,
    "R1": 4,
    "R2": 2,
    "R3": 2,
    "R4": 1,
    "M1": 1234500,
    "C1": 1,
    "C2": 11,
    "C3": 30,
}
REPORT: dict[str, Any] = {
    "orgCode": ORGANIZATION,
    "version": 1,
    "filledAt": "2026-10-03T01:00:00.000Z",
    "items": FIGURES,
}


def b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a compact JWS, unchecked."""
    header, claims, _ = token.split(".")
    return json.loads(b64(header)), json.loads(b64(claims))


@dataclass
class Reply:
    """An answer of the platform."""

    status: int
    raw: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"] in ("application/json", "application/problem+json"), self.raw[:200]
        return json.loads(self.raw)

    def __getitem__(self, name: str) -> Any:
        return self.json[name]

    @property
    def code(self) -> str:
        """The code of a problem, whose form is checked."""
        problem = self.json
        assert self.headers["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code", "traceId", "errors"} <= set(problem)
        assert (problem["type"], problem["status"]) == ("about:blank", self.status)
        assert problem["traceId"] == self.headers["X-Trace-Id"]
        return str(problem["code"])

    @property
    def findings(self) -> list[str]:
        """``field CODE`` of each thing that is wrong with a refused body."""
        assert (self.status, self.code) == (422, "VALIDATION_FAILED"), self.raw.decode()
        assert all(error["message"] for error in self["errors"])
        return [f"{error['field']} {error['code']}" for error in self["errors"]]

    @property
    def replayed(self) -> bool:
        return self.headers.get("Idempotency-Replayed") == "true"


class Client:
    """Speaks to one mock as the page says."""

    def __init__(self, server: MockServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.config = server.platform.config
        self.session = session
        self.token = ""
        self.keys: dict[str, dict[str, str]] = {}

    # --- security

    async def ask_token(
        self, scope: str = ALL, *, grant: str = "client_credentials", secret: str | None = None
    ) -> Reply:
        given = f"{self.config['client_id']}:{secret or self.config['client_secret']}"
        headers = {"Authorization": f"Basic {base64.b64encode(given.encode()).decode()}"}
        form = {"grant_type": grant, "scope": scope}
        async with self.session.post(self.config["auth_url"], data=form, headers=headers) as answer:
            return Reply(answer.status, await answer.read(), answer.headers)

    async def enter(self, scope: str = ALL) -> str:
        """A fresh token, checked as the page tells the client to."""
        reply = await self.ask_token(scope)
        assert reply.status == 200, reply.raw
        self.token = str(reply["access_token"])
        claims = await self.verified(self.token, "at+jwt")
        assert claims["aud"] == "ndm-api"
        return self.token

    async def jwks(self) -> Reply:
        async with self.session.get(self.config["jwks_url"]) as answer:
            return Reply(answer.status, await answer.read(), answer.headers)

    async def verified(self, token: str, typ: str) -> dict[str, Any]:
        """The claims of a JWS of the platform: algorithm, type, key, signature and issuer are right."""
        header, claims = decoded(token)
        assert (header["alg"], header["typ"]) == ("RS256", typ)
        if header["kid"] not in self.keys:
            self.keys = {key["kid"]: key for key in (await self.jwks())["keys"]}
        key = self.keys[header["kid"]]
        numbers = RSAPublicNumbers(int.from_bytes(b64(key["e"]), "big"), int.from_bytes(b64(key["n"]), "big"))
        text, _, signature = token.rpartition(".")
        numbers.public_key().verify(b64(signature), text.encode(), PKCS1v15(), SHA256())
        assert claims["iss"] == self.config["auth_url"].removesuffix("/oauth2/token")
        return claims

    async def receipt(self, reply: Reply, op: str, body: bytes) -> dict[str, Any]:
        """The claims of a valid receipt."""
        claims = await self.verified(reply["receipt"], "receipt+jwt")
        assert claims["aud"] == self.config["client_id"]
        assert claims["op"] == op
        assert claims["dig"] == hashlib.sha256(body).hexdigest()
        assert abs(claims["iat"] - self.server.clock.now().timestamp()) <= 60
        assert claims["jti"]
        return claims

    # --- calls

    def headers(self, **changed: str | None) -> dict[str, str]:
        """The headers of every call; ``None`` leaves one out."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "X-Request-Id": secrets.token_hex(16),
        } | {name.replace("_", "-"): value for name, value in changed.items() if value is not None}
        return {name: value for name, value in headers.items() if changed.get(name.replace("-", "_"), "") is not None}

    async def send(self, method: str, path: str, data: bytes | None = None, /, **headers: str | None) -> Reply:
        async with self.session.request(
            method,
            self.config["base_url"] + path,
            data=None if data is None else io.BytesIO(data),
            headers=self.headers(**headers),
            allow_redirects=False,
            skip_auto_headers=("Content-Type", "Accept", "Accept-Encoding"),
        ) as answer:
            return Reply(answer.status, await answer.read(), answer.headers)

    async def get(self, path: str, **headers: str | None) -> Reply:
        return await self.send("GET", path, **headers)

    async def put(
        self, path: str, body: Any, key: str | None = None, *, method: str = "PUT", **headers: str | None
    ) -> Reply:
        key = key or f"msg_{secrets.token_hex(12)}"
        more = {"Content_Type": "application/json", "Idempotency_Key": key} | headers
        return await self.send(method, path, written(body), **more)

    async def post(self, path: str, body: Any, key: str | None = None, **headers: str | None) -> Reply:
        return await self.put(path, body, key, method="POST", **headers)

    async def upload(
        self, content: bytes = PDF, *, kind: str = "02", name: str = "协议 1.pdf", **headers: str | None
    ) -> Reply:
        more = {"Content_Type": "application/pdf", "X_Content_SHA256": hashlib.sha256(content).hexdigest()} | headers
        return await self.send("POST", f"/files?kind={kind}&name={quote(name)}", content, **more)

    async def filed(self, number: str = NUMBER, **changed: Any) -> str:
        """A filed case; its caseId."""
        reply = await self.post("/cases", CASE | {"externalNo": number} | changed)
        assert reply.status == 201, reply.raw.decode()
        return str(reply["caseId"])

    async def offered(self, **order: Any) -> str:
        """An offered referral; its referralId."""
        return str((await self.mock("POST", "refer", {"orgCode": ORGANIZATION} | order))["referralId"])

    async def accepted(self, **order: Any) -> str:
        """A referral that was accepted; its referralId."""
        referral = await self.offered(**order)
        assert (await self.post(f"/referrals/{referral}/answer", ANSWER)).status == 200
        return referral

    # --- the tester's side

    async def mock(self, method: str, path: str, order: Any = None) -> Any:
        """A control call that succeeds."""
        status, answer = await self.mock_raw(method, path, order)
        assert status == 200, answer
        return answer

    async def mock_raw(self, method: str, path: str, order: Any = None) -> tuple[int, Any]:
        async with self.session.request(method, f"{self.server.url}/_mock/{path}", json=order) as answer:
            return answer.status, await answer.json()

    async def fault(self, op: str, action: str, **more: Any) -> None:
        await self.mock("POST", "faults", [{"op": op, "action": action, **more}])

    async def decide(self, ref: str, decision: str, **more: Any) -> str:
        """The changeId of a decision."""
        return str((await self.mock("POST", "decide", {"ref": ref, "decision": decision, **more}))["change"])

    async def shift(self, seconds: float) -> None:
        """Move the platform's clock, and come in anew: the old token has gone with the time."""
        await self.mock("POST", "clock", {"shift_s": seconds})
        await self.enter()

    async def lines(self, kind: str = "") -> list[dict[str, Any]]:
        """The journal, or its lines of one kind."""
        return [line for line in await self.mock("GET", "journal") if kind in ("", line["kind"])]

    async def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.mock("GET", "records")
        return found


def written(body: Any) -> bytes:
    """The bytes of a body."""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


def without(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The document without some keys."""
    return {name: value for name, value in document.items() if name not in names}


def with_party(number: int, **changed: Any) -> dict[str, Any]:
    """The case with one party changed; ``None`` takes a key away (null = absent)."""
    parties = [dict(party) for party in CASE["parties"]]
    parties[number] |= changed
    return CASE | {"parties": parties}


FAST = {"poll_min_s": 0, "organizations": [ORGANIZATION, OTHER]}


@asynccontextmanager
async def running(data: Path, **settings: Any) -> AsyncIterator[Client]:
    """A mock in ``data``, quick unless ``settings`` say otherwise, and a client that has come in."""
    server = MockServer(NationalMediation, data, settings=FAST | settings)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            client = Client(server, session)
            await client.enter()
            yield client
    finally:
        await server.stop()
