"""A platform that wants to be left alone is, by every hand: also by polls and fetches, which are no attempts of a delivery."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.adapter import Exchange, Polled
from contracts.errors import EndpointError, RetryableError
from contracts.messages import HR, ONE_STOP
from contracts.update import DocumentLink
from gateway.flow.operating.operate import Operator
from gateway.flow.poll import Poller
from tests.flow.stage import OPERATOR, Stage, until


async def endpoint(stage: Stage, name: str) -> Any:
    return next(row for row in await stage.house.store.rows("all_endpoints") if row["name"] == name)


async def test_a_poll_that_is_told_to_wait_tells_everybody(still: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    async def poll(cursor: str | None, exchange: Exchange) -> Polled:
        asked.append(cursor)
        raise RetryableError("http_429", "too many", retry_after=timedelta(seconds=30))

    monkeypatch.setattr(still.puppet(ONE_STOP), "poll", poll)
    poller = Poller(still.house.store, still.house.lines[ONE_STOP])
    await poller.turn()
    row = await endpoint(still, ONE_STOP)
    assert 29_000 < row["quiet_until"] - row["now"] <= 30_000, "deliveries wait, too"
    assert 29_000 < row["poll_at"] - row["now"] <= 30_000


async def test_nobody_polls_in_the_quiet_time_that_a_delivery_was_asked_for(
    still: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    async def poll(cursor: str | None, exchange: Exchange) -> Polled:
        asked.append(cursor)
        return Polled((), "0", more=False)

    monkeypatch.setattr(still.puppet(ONE_STOP), "poll", poll)
    poller = Poller(still.house.store, still.house.lines[ONE_STOP])
    await still.house.store.write("hush_endpoint", (ONE_STOP, 60_000))
    await poller.turn()
    assert asked == []
    await still.house.store.write("resume_endpoint", (ONE_STOP,))
    await poller.turn()
    assert len(asked) == 1


async def test_a_poll_that_hangs_ends_and_the_next_one_comes(still: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every wait of an adapter is a request with a deadline: this one waits for nobody knows what."""

    async def poll(cursor: str | None, exchange: Exchange) -> Polled:
        await asyncio.Event().wait()
        raise AssertionError("never")

    monkeypatch.setattr(still.puppet(ONE_STOP), "poll", poll)
    line = still.house.lines[ONE_STOP]
    poller = Poller(still.house.store, replace(line, limits=replace(line.limits, deadline_s=0.05)))
    async with asyncio.timeout(3):
        await poller.turn()
    row = await endpoint(still, ONE_STOP)
    assert row["poll_at"] - row["now"] < 1_000, "the next one is near"


async def test_a_fetch_that_meets_an_operators_problem_waits_for_him(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint is paused, no try is burnt, and nothing goes there until it flows again."""
    case, _, confirmation = await stage.chain()
    puppet = stage.puppet()
    puppet.papers["F1"] = EndpointError("KEY")
    download, fetches = puppet.download, []

    async def counted(document: DocumentLink, exchange: Exchange) -> bytes:
        fetches.append(document.ref)
        return await download(document, exchange)

    monkeypatch.setattr(puppet, "download", counted)
    document = {"ref": "F1", "kind": "decision", "name": "仲裁调解书"}
    await stage.tell(stage.word("confirmation", "confirmed", ("confirmation", confirmation, ""), documents=[document]))

    async def paused() -> bool:
        return bool((await endpoint(stage, HR))["paused"])

    await until(paused, "the endpoint is paused")
    await asyncio.sleep(0.6)  # longer than all the waits between tries together
    (paper,) = await stage.house.store.rows("papers_of", case)
    assert fetches == ["F1"], "a paused endpoint is left alone"
    assert (paper["state"], paper["tries"], paper["code"]) == ("pending", 0, "KEY")
    puppet.papers["F1"] = b"%PDF-1.4 decision"
    await Operator(stage.house.store, stage.house.bells.committed).resume(OPERATOR, HR, "the key was renewed")

    async def fetched() -> bool:
        return bool((await stage.house.store.rows("papers_of", case))[0]["state"] == "fetched")

    await until(fetched, "the decision is fetched")
