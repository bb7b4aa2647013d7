"""Cases in batches over a real socket: one answer for each line, whatever the others are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable

import httpx
import orjson
import pytest

from gateway.web.api import batches
from gateway.web.listen import Listener, listening_socket
from tests.web.site import Site

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
async def post(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A caller who reaches the site through the server that production uses."""
    bound = listening_socket("127.0.0.1", 0)
    listener = Listener(site.application, bound)
    await listener.start()
    headers = {"Authorization": f"Bearer {await site.key('batcher')}", **NDJSON}
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=20.0) as client:
        yield client
    await listener.stop()


async def answers(client: httpx.AsyncClient, lines: Iterable[bytes]) -> list[tuple[int, int, str]]:
    """Line, status and code of each answer."""
    response = await client.post("/v1/cases:batch", content=b"\n".join(lines))
    assert response.status_code == 200
    found = [json.loads(line) for line in response.text.splitlines()]
    return [(one["line"], one["status"], one["result"].get("code", "")) for one in found]


async def test_each_line_has_its_answer(site: Site, post: httpx.AsyncClient) -> None:
    case = orjson.dumps(site.case_body())
    other = orjson.dumps(site.case_body())
    found = await answers(post, [case, b"{bad", b"", other, case, b"{}"])
    assert found == [
        (1, 202, ""),
        (2, 400, "json_invalid"),
        (4, 202, ""),
        (5, 409, "already_posted"),
        (6, 422, "missing"),
    ]


async def test_a_batch_that_comes_in_parts(site: Site, post: httpx.AsyncClient) -> None:
    """Parts that end in the middle of a line, or of a character, change nothing."""
    whole = b"\n".join(orjson.dumps(site.case_body()) for _ in range(40))

    async def parts() -> AsyncIterator[bytes]:
        for at in range(0, len(whole), 1_777):
            yield whole[at : at + 1_777]

    response = await post.post("/v1/cases:batch", content=parts())
    assert [json.loads(line)["status"] for line in response.text.splitlines()] == [202] * 40
    assert (await site.counts())["messages"] == 40


async def test_a_line_too_long_and_a_batch_too_long_say_so(
    site: Site, post: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = b'"' + b"x" * (site.house.settings.limits.document + 1) + b'"'
    assert await answers(post, [long, orjson.dumps(site.case_body())]) == [(1, 413, "too_large"), (2, 202, "")]
    monkeypatch.setattr(batches, "_LINES", 2)
    lines = [orjson.dumps(site.case_body()) for _ in range(4)]
    assert [status for _, status, _ in await answers(post, lines)] == [202, 202, 413]


async def test_an_empty_batch_has_no_answers(post: httpx.AsyncClient) -> None:
    assert await answers(post, []) == []
