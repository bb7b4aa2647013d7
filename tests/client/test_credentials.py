"""The client under tokens: the key is shown to the token endpoint alone, and a token that is over is renewed once."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from gateway.client import CallRefused, ClientCredentials, GatewayClient
from tests.flow.puppets import PUPPETS
from tests.house import Gateways
from tests.web.conftest import ENDPOINTS
from tests.web.site import site as open_site


class Gateway:
    """Gives tokens t1, t2, … and answers calls under the last one."""

    def __init__(self, lasts: int = 600) -> None:
        self.lasts = lasts
        self.given = 0
        self.came: list[httpx.Request] = []
        self.under: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.came.append(request)
        self.under.append(request.headers["Authorization"])
        if request.url.path == "/v1/oauth2/token":
            self.given += 1
            return httpx.Response(200, json={"access_token": f"t{self.given}", "expires_in": self.lasts})
        if request.headers["Authorization"] != f"Bearer t{self.given}":
            return httpx.Response(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}, json={})
        return httpx.Response(200, json={"items": []})

    def client(self) -> GatewayClient:
        return GatewayClient("http://gateway/", "mg1.secret", transport=httpx.MockTransport(self), tokens=True)


async def test_one_token_for_many_calls() -> None:
    gateway = Gateway()
    async with gateway.client() as client:
        await asyncio.gather(*(client.find_cases() for _ in range(10)))
    assert gateway.given == 1
    asked = [request for request in gateway.came if request.url.path.endswith("token")]
    assert asked[0].headers["Authorization"].startswith("Basic ")
    assert asked[0].content == b"grant_type=client_credentials"
    assert not any("secret" in str(request.headers) for request in gateway.came)


async def test_a_token_that_the_gateway_no_longer_takes_is_renewed() -> None:
    gateway = Gateway()
    async with gateway.client() as client:
        await client.find_cases()
        gateway.given += 1  # the one in hand is over
        await client.find_cases()
    assert [one for one in gateway.under if one.startswith("Bearer")] == ["Bearer t1", "Bearer t1", "Bearer t3"]


async def test_a_token_is_renewed_before_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("gateway.client.credentials.time.monotonic", lambda: now[0])
    gateway = Gateway(lasts=100)
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(gateway), auth=ClientCredentials("http://gateway", "a.b", "cases:read")
    ) as http:
        await http.get("http://gateway/v1/cases")
        now[0] += 69
        await http.get("http://gateway/v1/cases")
        assert gateway.given == 1
        now[0] += 2
        await http.get("http://gateway/v1/cases")
    assert gateway.given == 2
    assert gateway.came[0].content == b"grant_type=client_credentials&scope=cases%3Aread"


async def test_without_a_token_the_calls_own_refusal_is_told() -> None:
    def closed(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("token"):
            return httpx.Response(401, json={"error": "invalid_client"})
        return httpx.Response(401, json={"code": "unauthorized", "title": "t"})

    async with GatewayClient("http://gateway", "a.b", transport=httpx.MockTransport(closed), tokens=True) as client:
        with pytest.raises(CallRefused) as refused:
            await client.find_cases()
    assert refused.value.code == "unauthorized"


async def test_against_the_real_door(gateway: Gateways) -> None:
    """A document goes in, and the feed is followed, without the key in any call but the first."""
    async with open_site(await gateway(ENDPOINTS, adapters=PUPPETS, start=False)) as site:
        seen: list[str] = []

        async def look(request: httpx.Request) -> None:
            seen.append(request.headers["Authorization"])

        key = await site.key("up2")
        transport = httpx.ASGITransport(site.application)
        async with GatewayClient("http://gateway.test", key, transport=transport, tokens=True) as client:
            client._http.event_hooks["request"].append(look)
            case = await site.case()
            assert (await client.read(case))["id"] == case
            pieces = [piece async for piece in client.report("ledger", "text/csv")]
            assert b"".join(pieces).startswith(b"\xef\xbb\xbf")
            with pytest.raises(CallRefused):
                [piece async for piece in client.report("ledger", "application/pdf")]
    assert not any(key.partition(".")[2] in one for one in seen)
    assert [one.partition(" ")[0] for one in seen] == ["Basic", "Bearer", "Bearer", "Bearer"]
