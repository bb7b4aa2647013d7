"""The feed of events: by cursor without a hole, filtered, the caller's own; and as a live stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway.store import journal
from gateway.web import auth
from gateway.web.api import events as events_api
from gateway.web.listen import Listener, listening_socket
from tests.flow import papers
from tests.flow.stage import until
from tests.web.site import Site, accepted


async def numbered(site: Site) -> None:
    while await site.house.store.run(journal.number, 500):
        pass


async def pages(
    site: Site, limit: int, client: httpx.AsyncClient | None = None, **query: str
) -> list[list[dict[str, Any]]]:
    found: list[list[dict[str, Any]]] = []
    cursor = "0"
    while True:
        response = await (client or site.up).get("/v1/events", params={"after": cursor, "limit": limit, **query})
        assert response.status_code == 200, response.text
        if response.json()["cursor"] == cursor or int(response.json()["cursor"]) == int(cursor):
            return found
        cursor = response.json()["cursor"]
        found.append(response.json()["items"])


async def test_every_event_comes_once_and_in_order(site: Site) -> None:
    for _ in range(5):
        case = await site.case()
        accepted(await site.post(f"/v1/cases/{case}/progress", papers.raw("failed")))
    await numbered(site)
    for limit in (1, 3, 7, 500):
        found = await pages(site, limit)
        assert all(len(page) <= limit for page in found)
        events = [event for page in found for event in page]
        assert [event["type"] for event in events].count("case.failed") == 5
        assert len({event["id"] for event in events}) == len(events)
        cursors = [int(event["cursor"]) for event in events]
        assert cursors == sorted(cursors)
        assert len(set(cursors)) == len(cursors)
    for case in {event["subject"] for event in events}:
        own = [event["sequence"] for event in events if event["subject"] == case]
        assert own == sorted(own)


async def test_an_event_is_thin_and_leads_to_its_thing(site: Site) -> None:
    case = await site.case()
    await numbered(site)
    event = (await pages(site, 100))[0][0]
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "case.received", case)
    assert event["source"] == "urn:mediation-gateway:sd"
    assert event["data"]["organization"] == {"code": "SD-JN-LX-001"}
    assert (await site.up.get(event["data"]["links"]["case"].removeprefix("http://127.0.0.1:8080"))).status_code == 200
    assert (await site.nobody.get(event["dataschema"].removeprefix("http://127.0.0.1:8080"))).status_code == 200
    for value in ("王建国", "370102199003071238", "13853100001", "18600"):
        assert value not in json.dumps(event, ensure_ascii=False)


async def test_nothing_is_shown_before_it_is_numbered(site: Site) -> None:
    await site.case()
    assert (await site.up.get("/v1/events")).json()["items"] == []
    await numbered(site)
    assert (await site.up.get("/v1/events")).json()["items"] != []


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["case.failed"], {"case.failed"}),
        (["case.*"], {"case.received", "case.accepted", "case.failed"}),
        (["*"], None),
        (["case.received", "transfer.*"], {"case.received", "transfer.requested"}),
        (["referral.*"], set()),
    ],
)
async def test_filters(site: Site, types: list[str], expected: set[str] | None) -> None:
    case = await site.case()
    accepted(await site.post(f"/v1/cases/{case}/progress", papers.raw("failed")))
    accepted(await site.post(f"/v1/cases/{case}/transfers", papers.raw("transfer")))
    await numbered(site)
    response = await site.up.get("/v1/events", params=[("type", one) for one in types])
    found = {event["type"] for event in response.json()["items"]}
    if expected is None:
        assert {"case.received", "case.failed", "transfer.requested"} <= found
    else:
        assert found == expected
    everything = await site.up.get("/v1/events")
    assert response.json()["cursor"] == everything.json()["cursor"]


async def test_the_cursor_moves_on_although_everything_is_hidden(site: Site) -> None:
    for _ in range(6):
        await site.case()
    await numbered(site)
    found = await pages(site, 2, type="referral.offered")
    assert found == [[]], "a page without events is the end: whoever reads until then misses nothing"


async def test_a_caller_sees_its_organisations_alone(site: Site) -> None:
    mine, other = await site.case(), await site.case(name="collective")
    await numbered(site)
    one = await site.caller("one", organizations=("SD-LY-LS-007",))
    assert {event["subject"] for event in (await one.get("/v1/events")).json()["items"]} == {other}
    both = {event["subject"] for event in (await site.up.get("/v1/events")).json()["items"]}
    assert both == {mine, other}
    assert (await site.stranger.get("/v1/events")).json()["items"] == []
    assert {event["subject"] for event in (await site.op.get("/v1/events")).json()["items"]} >= both


MALFORMED = (
    *("after=x", "after=-1", "after=1.5", f"after={'9' * 19}", "limit=0", "limit=x", "limit=1001", "limit=-1"),
    *(f"limit={'0' * 9}1999{'9' * 5000}", f"limit={'9' * 5000}"),
    *("type=case.acepted", "type=", "type=case", "type=c.*", "type=case.*&type=x.*", "&".join(["type=case.*"] * 201)),
)


@pytest.mark.parametrize("query", MALFORMED)
async def test_a_malformed_place_or_filter_is_400(site: Site, query: str) -> None:
    for path in ("/v1/events", *(["/v1/events/stream"] if query.startswith(("after", "type")) else [])):
        response = await site.up.get(f"{path}?{query}")
        assert (response.status_code, response.json()["code"]) == (400, "parameter")
        assert response.json()["parameter"] == query.partition("=")[0]


async def test_two_hundred_filters_are_taken(site: Site) -> None:
    case = await site.case()
    await numbered(site)
    found = (await site.up.get(f"/v1/events?{'&'.join(['type=case.*'] * 200)}")).json()["items"]
    assert {event["subject"] for event in found} == {case}


# --------------------------------------------------------------------------------------------------------- the stream


@asynccontextmanager
async def listening(site: Site) -> AsyncIterator[str]:
    """The application on a real socket: a stream cannot be tried in one piece."""
    bound = listening_socket("127.0.0.1", 0)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    listener = Listener(site.application, bound)
    await listener.start()
    try:
        yield address
    finally:
        await listener.stop()


class Reader:
    """Reads server-sent events."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.seen: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.comments = 0

    async def until(self, count: int = 0, comments: int = 0) -> None:
        """Read until so many events and comments came."""
        async with asyncio.timeout(8):
            while len(self.seen) < count or self.comments < comments:
                line = await anext(self._lines)
                if line.startswith(":"):
                    self.comments += 1
                elif line.startswith("data: "):
                    self.seen.append(json.loads(line.removeprefix("data: ")))
                elif line.startswith("id: "):
                    self.ids.append(line.removeprefix("id: "))


@asynccontextmanager
async def stream(address: str, key: str, query: str = "", **headers: str) -> AsyncIterator[Reader]:
    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {key}", **headers}, timeout=10) as client,
        client.stream("GET", f"{address}/v1/events/stream{query}") as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Reader(response)


async def test_the_stream_tells_what_was_missed_then_what_happens(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_api, "_HEARTBEAT_S", 0.05)
    key = await busy.key("streaming")
    first = await busy.case()
    await busy.stage.delivered(first)

    async def all_numbered() -> bool:
        row = await busy.house.store.row("log_position")
        assert row is not None
        return bool(row["position"] >= 2)

    await until(all_numbered, "events are numbered")
    async with listening(busy) as address:
        async with stream(address, key, "?after=0&type=case.*") as reader:
            await reader.until(2)
            assert [event["type"] for event in reader.seen] == ["case.received", "case.accepted"]
            assert reader.ids == [event["cursor"] for event in reader.seen]
            second = await busy.case()
            await reader.until(4)
            assert [event["subject"] for event in reader.seen[2:]] == [second] * 2
            await reader.until(comments=2)
        last = reader.ids[1]
        async with stream(address, key, "?type=case.*", **{"Last-Event-ID": last}) as again:
            await again.until(2)
            assert [event["subject"] for event in again.seen] == [second] * 2


async def test_the_stream_begins_now_where_no_place_is_named(busy: Site) -> None:
    key = await busy.key("streaming")
    old = await busy.case()
    await busy.stage.delivered(old)

    async def told() -> bool:
        return len((await busy.up.get("/v1/events")).json()["items"]) >= 4

    await until(told, "the old case is told")
    async with listening(busy) as address, stream(address, key, "?type=case.received") as reader:
        new = await busy.case()
        await reader.until(1)
        assert [event["subject"] for event in reader.seen] == [new]


async def test_the_stream_hides_what_is_not_the_callers(busy: Site) -> None:
    key = await busy.key("streaming", organizations=("SD-LY-LS-007",))
    async with listening(busy) as address, stream(address, key, "?after=0&type=case.received") as reader:
        await busy.case()
        other = await busy.case(name="collective")
        await reader.until(1)
        assert [event["subject"] for event in reader.seen] == [other]


async def test_a_client_has_so_many_streams_at_once_and_no_more(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_api, "_STREAMS_OF_ONE", 2)
    key, other = await busy.key("streaming"), await busy.key("beside")
    await busy.case()
    async with listening(busy) as address:
        async with stream(address, key, "?after=0") as one, stream(address, key, "?after=0") as two:
            await one.until(1)
            await two.until(1)
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as client:
                refused = await client.get(f"{address}/v1/events/stream")
            assert (refused.status_code, refused.json()["code"]) == (429, "streams_full")
            assert int(refused.headers["retry-after"]) > 0
            async with stream(address, other, "?after=0") as third:
                await third.until(1)

        async def has_place() -> bool:
            async with (
                httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as client,
                client.stream("GET", f"{address}/v1/events/stream") as answer,
            ):
                return answer.status_code == 200

        await until(has_place, "a stream that was left has given its place back")


async def test_a_stream_ends_with_the_key_that_opened_it(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_api, "_HEARTBEAT_S", 0.05)
    monkeypatch.setattr(auth, "_REMEMBERED_S", 0.0)
    key = await busy.key("streaming")
    await busy.case()
    async with listening(busy) as address, stream(address, key, "?after=0") as reader:
        await reader.until(1)
        await busy.house.store.write("disable_key", (key.partition(".")[0],))
        with pytest.raises(StopAsyncIteration):
            await reader.until(count=10_000)
