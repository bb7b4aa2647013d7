"""The engine's way out for work that is no HTTP: its turn, its record, and what is told where nobody knows how far it came."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError
from gateway.flow.delivering.exchange import EndpointWaits, HttpExchange, Pace
from tests.seam.test_exchange import LIMITS

PLACE = "postgresql://exchange:5432/tjex"


def exchange(pace: Pace | None = None, seconds: float = 10.0) -> HttpExchange:
    """Nothing goes by HTTP here."""
    way = httpx.MockTransport(lambda request: httpx.Response(500))
    return HttpExchange(way, LIMITS, pace or Pace(10_000.0, 8), lambda: 7, time.monotonic() + seconds)


async def done() -> str:
    return "done"


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_what_is_done_is_recorded_like_a_request() -> None:
    way = exchange()
    assert await way.perform("file", PLACE, done, filing=True) == "done"
    (step,) = way.steps
    told = step.as_json()
    assert (told["step"], told["address"], told["filing"], told["error"]) == ("file", PLACE, True, None)
    assert (told["method"], told["status"], told["request"]) == ("", None, "")
    assert way.filed


async def test_a_filing_that_nobody_saw_end_is_in_doubt_and_a_reading_is_not() -> None:
    for filing in (True, False):
        way = exchange(seconds=0.02)
        with pytest.raises(RetryableError) as lost:
            await way.perform("file", PLACE, for_ever, filing=filing)
        assert (lost.value.code, lost.value.maybe_accepted, way.filed) == ("timeout", filing, filing)
        assert way.steps[0].error == "timeout"


async def test_who_is_cut_off_in_a_filing_may_have_filed() -> None:
    way = exchange()
    filing = asyncio.create_task(way.perform("file", PLACE, for_ever, filing=True))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    filing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await filing
    assert way.filed


@pytest.mark.parametrize(
    ("error", "doubt"),
    [
        (RetryableError("busy"), False),
        (RetryableError("broken_off", maybe_accepted=True), True),
        (EndpointError("right_missing"), False),
        (PermanentError("E17"), False),
    ],
)
async def test_what_failed_for_certain_was_not_filed(error: AdapterError, doubt: bool) -> None:
    async def fail() -> None:
        raise error

    way = exchange()
    with pytest.raises(type(error)):
        await way.perform("file", PLACE, fail, filing=True)
    assert way.filed is doubt
    assert way.steps[0].error == error.code


async def test_work_in_turn_keeps_the_agreed_rate_and_leaves_a_quiet_endpoint_alone() -> None:
    pace = Pace(10_000.0, 1)
    held = asyncio.Event()
    first = asyncio.create_task(exchange(pace).perform("look", PLACE, held.wait, in_turn=True))
    await asyncio.sleep(0)
    second = asyncio.create_task(exchange(pace).perform("look", PLACE, done, in_turn=True))
    assert await exchange(pace).perform("poll", PLACE, done) == "done", "what files nothing takes no turn"
    assert not second.done(), "one at once was agreed"
    held.set()
    assert await first
    assert await second == "done"
    pace.hush(60)
    way = exchange(pace)
    with pytest.raises(EndpointWaits):
        await way.perform("look", PLACE, done, in_turn=True)
    assert not way.steps


async def test_nothing_begins_after_the_deadline() -> None:
    way = exchange(seconds=-1)
    with pytest.raises(RetryableError) as late:
        await way.perform("file", PLACE, done, filing=True)
    assert (late.value.code, late.value.maybe_accepted, way.filed) == ("deadline", False, False)
