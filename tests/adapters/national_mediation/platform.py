"""The platform as these tests play it, from the page alone: keys, tokens, receipts, and the answers that a test wants."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from adapters.national_mediation import NationalMediation, NationalMediationSettings
from contracts.adapter import AttachmentInfo, Reply, Request, Tools
from contracts.conformance.stand_ins import MemoryAttachments, MemoryMemory, MemoryNonces, at_once
from tests.adapters.ways import HttpAlone

from . import documents as d

BASE = "https://national.example/ndm/v1"
AUTH = "https://national.example/oauth2/token"
JWKS = "https://national.example/.well-known/jwks.json"
ISSUER = "https://national.example"
CLIENT, SECRET = "SD370000", "synthetic-secret-0123456789"
NOW = datetime(2026, 9, 30, 1, 5, 0, tzinfo=UTC)

Answer = Callable[[Request], Reply]


@cache
def private_key(name: str) -> RSAPrivateKey:
    """A signing key of these tests; that of the name ``weak`` is too short."""
    return generate_private_key(65537, 1024 if name == "weak" else 2048)


def public(name: str = "k1", **changes: Any) -> dict[str, Any]:
    """A key as the platform publishes it."""
    found = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key()))
    return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": found["n"], "e": found["e"]} | changes


def signed(claims: Mapping[str, Any], kind: str, key: str = "k1", **headers: Any) -> str:
    """A compact JWS of this platform."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)  # of the weak one, which is to be refused
        return jwt.encode(dict(claims), private_key(key), "RS256", {"kid": key, "typ": kind} | headers)


def answer(status: int, body: object = None, **headers: str) -> Reply:
    """A JSON answer."""
    told = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, (("Content-Type", "application/json"), *told), json.dumps(body).encode())


def problem(status: int, code: str, **more: Any) -> Reply:
    """A refusal in the platform's form."""
    headers = {name: more.pop(name) for name in ("Retry_After",) if name in more}
    body = {"type": "about:blank", "title": "t", "status": status, "detail": "王建国的材料", "code": code, **more}
    return answer(status, body, **headers)


@dataclass
class Platform(HttpAlone):
    """Answers of the test's choice by step; token and keys are answered by themselves, receipts are signed."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[tuple[str, Request, bool]] = field(default_factory=list)
    now: datetime = NOW
    keys: tuple[dict[str, Any], ...] = ()
    key: str = "k1"
    claims: dict[str, Any] = field(default_factory=dict)
    made: int = 0

    def say(self, step: str, *replies: Reply | Answer) -> None:
        """The next answers of a step; the last one stays."""
        self.answers[step] = [reply if callable(reply) else _always(reply) for reply in replies]

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """See ``contracts.adapter.Exchange``."""
        self.calls.append((step, request, filing))
        waiting = self.answers.get(step)
        if waiting:
            return (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request)
        if step == "token":
            return self.token()
        if step == "jwks":
            return answer(200, {"keys": self.keys or [public(self.key)]})
        raise AssertionError(f"nobody told what {step} answers")

    def token(self, kind: str = "at+jwt", **changes: Any) -> Reply:
        """A token of 300 s."""
        self.made += 1
        start = int(self.now.timestamp())
        claims = {"iss": ISSUER, "sub": CLIENT, "aud": "ndm-api", "iat": start, "nbf": start, "exp": start + 300}
        token = signed(claims | {"jti": f"t{self.made}"} | self.claims | changes, kind, self.key)
        return answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 300})

    def filed(self, operation: str, status: int = 201, sub: str | None = None, **body: Any) -> Answer:
        """A success with its receipt over the bytes that came. ``receipt``: claims that differ; ``key``, ``kind``: its own."""
        changes = body.pop("receipt", {})
        key, kind = body.pop("key", self.key), body.pop("kind", "receipt+jwt")
        named = sub if sub is not None else next(iter(body.values()))

        def reply(request: Request) -> Reply:
            claims = {
                "iss": ISSUER,
                "aud": CLIENT,
                "jti": "r1",
                "iat": int(self.now.timestamp()),
                "op": operation,
                "sub": named,
                "dig": hashlib.sha256(request.body).hexdigest(),
            }
            headers = {"Idempotency_Replayed": "true"} if body.get("replayed") else {}
            told = {name: value for name, value in body.items() if name != "replayed"}
            return answer(status, told | {"receipt": signed(claims | changes, kind, key)}, **headers)

        return reply

    def steps(self) -> list[str]:
        """What was called, in order."""
        return [step for step, _, _ in self.calls]

    def request(self, step: str) -> Request:
        """The last request of a step."""
        return next(request for name, request, _ in reversed(self.calls) if name == step)

    def query(self, step: str) -> dict[str, str]:
        """Its query."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.request(step).url).query).items()}

    def pass_time(self, seconds: float) -> None:
        """Later."""
        self.now += timedelta(seconds=seconds)


def _always(reply: Reply) -> Answer:
    return lambda _: reply


def settings(**changes: Any) -> NationalMediationSettings:
    """Sound settings."""
    return NationalMediationSettings.model_validate(
        {
            "base_url": BASE,
            "auth_url": AUTH,
            "jwks_url": JWKS,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "organizations": ["SD-JN-LX-001"],
        }
        | changes
    )


FILES: Mapping[str, tuple[AttachmentInfo, bytes]] = {d.PAPER: (d.file(), b"%PDF-1.7 ok")}


def adapter(platform: Platform, **changes: Any) -> NationalMediation:
    """The adapter on this platform's clock, with working tools."""
    tools = Tools(
        lambda: platform.now,
        lambda count: bytes(count),
        MemoryAttachments(FILES),
        MemoryNonces(),
        MemoryMemory(),
        at_once,
    )
    return NationalMediation(d.ENDPOINT, settings(**changes), tools)
