"""Saved views: kept per person under a name, opened by an address, without anybody's number in it."""

from __future__ import annotations

import re

from tests.console.counter import Counter


async def kept(counter: Counter, name: str = "法院死信", **fields: str) -> str:
    """A view of the operator's; its address."""
    answer = await counter.operator.post("views", {"name": name, **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/console/")


async def test_a_view_is_kept_opened_and_shared(counter: Counter) -> None:
    address = await kept(counter, state="dead", platform="court_mediation", q="", **{"from": "2026-10-01T00:00"})
    for visitor in (counter.operator, counter.viewer):
        gone = await visitor.get(address)
        assert gone.status_code == 303
        assert gone.headers["location"].startswith("/console/messages?state=dead&platform=court_mediation&from=2026-10")
    page = (await counter.operator.http.get(gone.headers["location"])).text
    assert re.search(r'aria-current="true">法院死信</a>', page)
    assert 'value="2026-10-01T00:00"' in page
    assert "法院死信" not in (await counter.viewer.get("messages")).text


async def test_typed_conditions_are_kept_as_the_filter_that_they_are(counter: Counter) -> None:
    address = await kept(counter, q="平台:court_mediation 状态:rejected")
    assert (
        (await counter.operator.get(address))
        .headers["location"]
        .startswith("/console/messages?state=rejected&platform=court_mediation&view=")
    )


async def test_the_same_name_takes_the_new_filter(counter: Counter) -> None:
    first = await kept(counter, state="dead")
    assert await kept(counter, state="rejected") == first
    assert "state=rejected" in (await counter.operator.get(first)).headers["location"]


async def test_what_is_no_view_is_refused(counter: Counter) -> None:
    number = "37010219900307123X"
    for fields in (
        {"name": "", "state": "dead"},
        {"name": "空"},
        {"name": "人", "case": number},
        {"name": number, "state": "dead"},
    ):
        answer = await counter.operator.post("views", fields)
        assert answer.status_code == 422, fields
        assert number not in answer.text
    assert (await counter.operator.get("views/viw_0")).status_code == 404
    for place in range(50):
        await kept(counter, f"视图 {place}", state="dead")
    assert (await counter.operator.post("views", {"name": "又一个", "state": "dead"})).status_code == 422
    assert (await counter.operator.post("views", {"name": "视图 7", "state": "expired"})).status_code == 303


async def test_only_its_owner_forgets_a_view(counter: Counter) -> None:
    address = await kept(counter, state="dead")
    assert (await counter.viewer.post(f"{address}/drop")).status_code == 404
    assert (await counter.operator.get(address)).status_code == 303
    assert (await counter.operator.post(f"{address}/drop")).status_code == 303
    assert (await counter.operator.get(address)).status_code == 404
