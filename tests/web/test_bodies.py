"""The outer form of a request: media type, size, addresses, methods, ids."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.flow import papers
from tests.flow.stage import lay
from tests.house import Gateways
from tests.web.conftest import ENDPOINTS, PUPPETS
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


@pytest.fixture
async def narrow(gateway: Gateways) -> AsyncIterator[Site]:
    lay(gateway.data)
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
        assert response.json()["code"] == "not_found"


async def test_another_method_is_405(site: Site) -> None:
    response = await site.up.delete("/v1/cases")
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"


async def test_every_answer_has_a_request_id(site: Site) -> None:
    given = await site.up.get("/healthz", headers={"X-Request-Id": "abc-1.2_3"})
    assert given.headers["X-Request-Id"] == "abc-1.2_3"
    for bad in ("", "a b", "x" * 65, "王", "a\tb"):
        response = await site.up.get("/v1/nothing", headers={"X-Request-Id": bad.encode()})
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
