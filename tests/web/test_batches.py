"""Cases in batches over a real socket: one answer for each line, whatever the others are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

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
        (3, 400, "json_invalid"),
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


async def test_blank_lines_are_lines_and_the_last_end_begins_none(site: Site, post: httpx.AsyncClient) -> None:
    case = orjson.dumps(site.case_body())
    assert await answers(post, [b"", case, b" ", b""]) == [
        (1, 400, "json_invalid"),
        (2, 202, ""),
        (3, 400, "json_invalid"),
    ]
    assert await answers(post, [b" "]) == [(1, 400, "json_invalid")]


async def test_a_batch_under_a_key_is_answered_alike(site: Site, post: httpx.AsyncClient) -> None:
    """Each line has the key of the batch with its number: what was taken is taken once, what was refused may be mended."""
    lines = [orjson.dumps(site.case_body()), b"{bad", orjson.dumps(site.case_body())]

    async def send(lines: list[bytes]) -> list[dict[str, Any]]:
        response = await post.post("/v1/cases:batch", content=b"\n".join(lines), headers={"Idempotency-Key": "night-1"})
        return [json.loads(line) for line in response.text.splitlines()]

    first = await send(lines)
    assert [one["status"] for one in first] == [202, 400, 202]
    again = await send([lines[0], orjson.dumps(site.case_body()), lines[2]])
    assert [one["status"] for one in again] == [202, 202, 202]
    assert [one.get("replayed", False) for one in again] == [True, False, True]
    assert [again[place]["result"] for place in (0, 2)] == [first[place]["result"] for place in (0, 2)]
    moved = await send([lines[2], lines[0]])
    assert [(one["status"], one["result"]["code"]) for one in moved] == [(422, "idempotency_key_reused")] * 2
    assert (await site.counts())["messages"] == 3
    single = await post.post(
        "/v1/cases",
        content=orjson.dumps(site.case_body()),
        headers={"Idempotency-Key": "night-1", "Content-Type": "application/json"},
    )
    assert (single.status_code, single.headers.get("Idempotency-Replayed")) == (202, None)


async def test_a_batch_under_a_malformed_key_is_refused(post: httpx.AsyncClient) -> None:
    response = await post.post("/v1/cases:batch", content=b"{}", headers={"Idempotency-Key": "a b"})
    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_form")
