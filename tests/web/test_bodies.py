"""The outer form of a request: media type, size, addresses, methods, ids."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Coroutine

import httpx
import pytest
from starlette.requests import Request

from gateway.flow.moving.order import Refused
from gateway.web.bodies import Strangers
from tests.flow import papers
from tests.flow.puppets import PUPPETS
from tests.house import Gateways
from tests.web.conftest import ENDPOINTS
from tests.web.site import Site
from tests.web.site import site as open_site


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/xml",
        "application/json; charset=gbk",
        "application/jsonp",
        "multipart/form-data; boundary=x",
    ],
)
async def test_another_media_type_is_415(site: Site, kind: str) -> None:
    before = await site.counts()
    response = await site.up.post(
        "/v1/cases", content=papers.raw("wages"), headers={"Content-Type": kind} if kind else {}
    )
    assert response.status_code == 415
    assert response.json()["code"] == "media_type"
    assert await site.counts() == before


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
async def test_json_in_utf8_however_it_is_written(site: Site, kind: str) -> None:
    response = await site.up.post("/v1/cases", content=papers.raw("wages"), headers={"Content-Type": kind})
    assert response.status_code == 202


async def test_a_compressed_body_is_415(site: Site) -> None:
    """Nobody decompresses here: bytes that look like no JSON would be told to be none."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused = await site.up.post("/v1/cases", content=gzip.compress(papers.raw("wages")), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (415, "media_type")


@pytest.fixture
async def narrow(gateway: Gateways) -> AsyncIterator[Site]:
    limits = {"document": 10_000, "attachment": 20_000, "callback": 5_000}
    async with open_site(await gateway(ENDPOINTS, adapters=PUPPETS, start=False, limits=limits)) as made:
        yield made


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1000):
        yield b" " * 1000


async def test_too_large_is_413_declared_or_not(narrow: Site) -> None:
    before = await narrow.counts()
    headers = {"Content-Type": "application/json"}
    declared = await narrow.up.post("/v1/cases", content=b" " * 10_001, headers=headers)
    streamed = await narrow.up.post("/v1/cases", content=chunks(50_000), headers=headers)
    for response in (declared, streamed):
        assert response.status_code == 413
        assert (response.json()["code"], response.json()["limit"]) == ("too_large", 10_000)
    called = await narrow.nobody.post("/callbacks/hr_arbitration/x", content=chunks(50_000))
    assert called.status_code == 413
    assert await narrow.counts() == before


@pytest.mark.parametrize("path", ["/v1/nothing", "/v2/cases", "/v1/cases/x/y/z", "/callbacks/nobody/x", "/"])
async def test_an_unknown_address_is_a_problem_too(site: Site, path: str) -> None:
    response = await site.up.get(path)
    assert response.status_code in (404, 307, 303, 200) if path == "/" else response.status_code == 404
    if response.status_code == 404:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == ("not_found" if path.startswith("/callbacks") else "route_unknown")
        if not path.startswith("/callbacks"):
            assert "/v1/openapi.json" in response.json()["detail"]


async def test_another_method_is_405(site: Site) -> None:
    response = await site.up.delete("/v1/cases")
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"


async def test_every_answer_has_a_request_id(site: Site) -> None:
    given = await site.up.get("/healthz", headers={"X-Request-Id": "abc-1.2_3"})
    assert given.headers["X-Request-Id"] == "abc-1.2_3"
    for bad in ("", "a b", "x" * 65, "王", "a\tb"):
        response = await site.up.get("/v1/nothing", headers={b"X-Request-Id": bad.encode()})
        assert response.headers["X-Request-Id"].startswith("req_")
    first, second = await site.up.get("/healthz"), await site.up.get("/healthz")
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]


async def test_what_nobody_foresaw_is_500_without_details(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("王建国 370102199003071238 /var/lib/secret")

    monkeypatch.setattr(site.house.intake, "take", broken)
    response = await site.post("/v1/cases", papers.raw("wages"))
    assert response.status_code == 500
    assert response.json()["code"] == "internal"
    for leak in ("王建国", "370102", "secret", "RuntimeError", "Traceback"):
        assert leak not in response.text


async def test_answers_are_not_cached_nor_sniffed(site: Site) -> None:
    case = await site.case()
    for path in (f"/v1/cases/{case}", "/v1/cases", f"/v1/cases/{case}/timeline", "/v1/clocks", "/v1/events"):
        response = await site.up.get(path)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


class Waiting:
    """A body that comes half, and the other half when it is let."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.half = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b" " * (self.size // 2)
        self.half.set()
        await self.go_on.wait()
        yield b" " * (self.size // 2)


async def test_large_calls_of_strangers_share_one_room(gateway: Gateways) -> None:
    """Nobody proves who he is before his body is whole: together they are bounded too, and an ordinary call finds its place."""
    limits = {"callback": 2_000_000}
    async with open_site(await gateway(ENDPOINTS, adapters=PUPPETS, start=False, limits=limits)) as site:

        def call(content: AsyncIterator[bytes] | bytes) -> Coroutine[None, None, httpx.Response]:
            return site.nobody.post("/callbacks/hr_arbitration/x", content=content)

        before = (await call(b"{}")).status_code
        held = [Waiting(2_000_000) for _ in range(16)]
        calls = [asyncio.create_task(call(aiter(one))) for one in held]
        for one, task in zip(held, calls, strict=True):
            half = asyncio.create_task(one.half.wait())
            await asyncio.wait([half, task], return_when=asyncio.FIRST_COMPLETED)
            half.cancel()
        refused = [task for task in calls if task.done()]
        assert 0 < len(refused) < len(calls)
        answers = [await task for task in refused]
        assert {(one.status_code, one.json()["code"], one.headers["retry-after"]) for one in answers} == {
            (503, "crowded", "30")
        }
        assert (await call(b"{}")).status_code == before
        for one in held:
            one.go_on.set()
        await asyncio.gather(*calls)
        assert (await call(chunks(1_900_000))).status_code == before, "the room is given back"


async def test_a_call_that_never_ends_is_ended() -> None:
    never = Waiting(10)

    async def receive() -> dict[str, object]:
        await never.go_on.wait()
        return {}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(Refused) as refusal:
        async with Strangers(1000, seconds=0.05).body(request, 1000):
            pass
    assert (refusal.value.status, refusal.value.code) == (408, "too_slow")
