"""An upstream system in memory, built on foreign libraries: standardwebhooks proves ``v1``, cryptography ``v1a``."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError

from contracts.adapter import Json, Reply, Request
from tests.adapters.ways import HttpAlone

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD_SECRET = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
SEED, OLD_SEED = bytes(range(64, 96)), bytes(range(96, 128))
URL = "https://upstream.example.org/hooks/mediation"


def private_key(seed: bytes) -> str:
    """The pair as the gateway stores it, made by cryptography alone."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return "whsk_" + base64.b64encode(seed + public).decode()


def settings(**changes: Any) -> Json:
    """Sound settings of one subscription."""
    return {"url": URL, "signing": ("v1", "v1a"), "keys": (SECRET, private_key(SEED))} | changes


def event(identifier: str = "evt_01K6EXAMPLE0000000000000W", kind: str = "confirmation.accepted", **data: Any) -> Json:
    """A published event; the page's example (§7)."""
    case = "case_01K6EXAMPLE0000000000000B"
    base = "https://gateway.example/v1"
    facts = {
        "case": case,
        "source_case_no": "370102-LX001-2026-00123",
        "organization": {"code": "SD-JN-LX-001"},
        "confirmation": "cnf_01K6EXAMPLE0000000000000D",
        "agreement": "agr_01K6EXAMPLE0000000000000C",
        "route": "arbitration_review",
        "status": "accepted",
        "state_before": "requested",
        "at": "2026-09-28T11:20:00+08:00",
        "endpoint": "hr_arbitration",
        "external_refs": [{"endpoint": "hr_arbitration", "kind": "case_no", "value": "历下劳人仲审〔2026〕第45号"}],
        "clocks": [{"rule": "D06", "due": "2026-10-08", "state": "running"}],
        "links": {
            "self": f"{base}/confirmations/cnf_01K6EXAMPLE0000000000000D",
            "case": f"{base}/cases/{case}",
            "timeline": f"{base}/cases/{case}/timeline",
        },
    }
    return {
        "specversion": "1.0",
        "id": identifier,
        "source": "urn:mediation-gateway:sd",
        "type": kind,
        "subject": "cnf_01K6EXAMPLE0000000000000D",
        "time": "2026-09-28T11:20:00+08:00",
        "datacontenttype": "application/json",
        "dataschema": f"{base}/schemas/event.{kind}",
        "sequence": "00000000000000000012",
        "partitionkey": case,
        "cursor": "0000000000004711",
        "data": facts | data,
    }


def verification(challenge: str = "c" * 43) -> Json:
    """The event of a handshake."""
    return {
        "specversion": "1.0",
        "id": "evt_01K6EXAMPLE0000000000000V",
        "source": "urn:mediation-gateway:sd",
        "type": "endpoint.verification",
        "subject": "whe_01K6EXAMPLE0000000000000E",
        "time": "2026-09-28T11:20:00+08:00",
        "datacontenttype": "application/json",
        "dataschema": "https://gateway.example/v1/schemas/event.endpoint.verification",
        "data": {"webhook_endpoint": "whe_01K6EXAMPLE0000000000000E", "challenge": challenge},
    }


class Upstream(HttpAlone):
    """An ``Exchange`` that ends at a receiver. Requests are proven before anything else; ``answers`` are given in turn
    instead of 204."""

    def __init__(self, secret: str | None = SECRET, seed: bytes | None = SEED) -> None:
        self._secret = secret
        self._seed = seed
        self.requests: list[Request] = []
        self.limits: list[int | None] = []
        self.taken: dict[str, bytes] = {}
        self.answers: list[Reply] = []

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        self.requests.append(request)
        if not self.proven(request):
            return Reply(401)
        if self.answers:
            return self.answers.pop(0)
        found = json.loads(request.body)
        headers = dict(request.headers)
        if found["type"] == "endpoint.verification":
            body = json.dumps({"challenge": found["data"]["challenge"]}).encode()
            return Reply(200, (("Content-Type", "application/json"),), body)
        if filing:
            self.taken.setdefault(headers["webhook-id"], request.body)
            assert self.taken[headers["webhook-id"]] == request.body, "the same id with other bytes"
        return Reply(204)

    def proven(self, request: Request) -> bool:
        """Whether every kind of key that is trusted here signed the request."""
        headers = dict(request.headers)
        if self._secret is not None:
            try:
                StandardWebhook(self._secret).verify(request.body, _v1_alone(headers), json_parse=False)
            except WebhookVerificationError:
                return False
        return self._seed is None or any(
            self._fits(signature, headers, request.body) for signature in signatures(headers, "v1a")
        )

    def _fits(self, signature: bytes, headers: dict[str, str], body: bytes) -> bool:
        assert self._seed is not None
        public = Ed25519PrivateKey.from_private_bytes(self._seed).public_key().public_bytes_raw()
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        stamp = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
        except InvalidSignature:
            return False
        return abs(datetime.now(UTC) - stamp) <= timedelta(seconds=300)


def signatures(headers: dict[str, str], kind: str) -> list[bytes]:
    """The signatures of one kind."""
    found = (entry.partition(",") for entry in headers["webhook-signature"].split(" "))
    return [base64.b64decode(signature, validate=True) for name, _, signature in found if name == kind]


def _v1_alone(headers: dict[str, str]) -> dict[str, str]:
    listed = [entry for entry in headers["webhook-signature"].split(" ") if entry.startswith("v1,")]
    return headers | {"webhook-signature": " ".join(listed)}
