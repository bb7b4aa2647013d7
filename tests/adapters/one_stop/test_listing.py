"""What the platform has said of a period, once more: its changes, organisation after organisation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from contracts.errors import RetryableError
from contracts.holdings import Held, Listing, Period
from tests.adapters.aside import Aside

from .platform import ORGANIZATION, Answering, FakeExchange, adapter, fault, fixed, reply
from .test_send import OTHER, answering, asked, change, page

SAID = datetime(2026, 9, 30, 2, 0, tzinfo=UTC)
DAY = Period(SAID - timedelta(hours=4), SAID + timedelta(hours=20))


async def listed(cursor: str | None, *answers: Answering, period: Period = DAY) -> tuple[Held, FakeExchange]:
    exchange = FakeExchange(list(answers))
    found = await adapter(organizations=(ORGANIZATION, OTHER)).list_held(period, cursor, exchange)
    return found, exchange


def test_it_lists_words_and_cannot_be_asked_what_was_reported() -> None:
    made = adapter()
    assert made.info.lists is Listing.WORDS
    assert not made.can_be_asked()


async def test_every_organisation_is_walked_through_to_its_end() -> None:
    first, one = await listed(None, page(change("CH-1"), cursor="a1", end="0"))
    second, two = await listed(first.cursor, page(change("CH-2"), cursor="a2"))
    third, three = await listed(second.cursor, page(change("CH-3", OTHER), cursor="b1"))
    assert [item.name for held in (first, second, third) for item in held.items] == ["CH-1", "CH-2", "CH-3"]
    assert [held.more for held in (first, second, third)] == [True, True, False]
    assert [asked(exchange.steps[0])[:2] for exchange in (one, two, three)] == [
        (ORGANIZATION, "0"),
        (ORGANIZATION, "a1"),
        (OTHER, "0"),
    ]
    assert not any(exchange.steps[0].filing for exchange in (one, two, three))
    (row,) = first.items
    assert (row.at, row.item is not None and row.item.event_id) == (SAID, "CH-1")


async def test_a_long_page_is_read_off_the_loop() -> None:
    aside = Aside()
    made = adapter(organizations=(ORGANIZATION,), blocking=aside)
    long = page(*(change(f"CH-{number}") for number in range(100)))
    held = await made.list_held(DAY, None, FakeExchange([long]))
    assert len(held.items) == 100
    assert aside.did == ["judge", "read_page", "_said"]
    polled = await made.poll(None, FakeExchange([page(*(change(f"CH-{number}") for number in range(100)))]))
    assert len(polled.items) == 100
    assert aside.did[3:] == ["judge", "read_page"]


async def test_a_walk_that_had_ended_goes_on_from_there() -> None:
    first, _ = await listed(None, page(cursor="a1"))
    ended, _ = await listed(first.cursor, page(cursor="b1"))
    assert not ended.more
    _, again = await listed(ended.cursor, page(cursor="a1"))
    assert asked(again.steps[0])[:2] == (ORGANIZATION, "a1")


@pytest.mark.parametrize("period", [Period(SAID + timedelta(seconds=1), SAID + timedelta(days=1)), Period(SAID, SAID)])
async def test_what_was_said_at_another_time_is_left_out(period: Period) -> None:
    found, _ = await listed(None, page(change("CH-1")), period=period)
    assert found.items == ()


async def test_a_change_without_its_time_belongs_to_every_period() -> None:
    bare = change("CH-1").replace("2026-09-30 10:00:00", "soon")
    found, _ = await listed(None, page(bare), period=Period(SAID + timedelta(days=3), SAID + timedelta(days=4)))
    assert [(item.name, item.at) for item in found.items] == [("CH-1", None)]


async def test_a_forgotten_cursor_begins_that_organisation_again() -> None:
    first, _ = await listed(None, page(cursor="a1", end="0"))
    again, _ = await listed(first.cursor, answering("pullChanges", reference="", ret="0", err="E410"))
    assert (again.items, again.more) == ((), True)
    _, exchange = await listed(again.cursor, page(cursor="a9"))
    assert asked(exchange.steps[0])[:2] == (ORGANIZATION, "0")
    with pytest.raises(RetryableError, match="E410"):
        await listed(None, answering("pullChanges", reference="", ret="0", err="E410"))


@pytest.mark.parametrize("stored", ["", "0", "null", "{}", "[1]", '[["A"]]', "not json", "[[1,2,3]]", '[["A","b"]]'])
async def test_a_cursor_that_is_not_ours_begins_at_the_beginning(stored: str) -> None:
    _, exchange = await listed(stored, page(cursor="c1"))
    assert asked(exchange.steps[0])[:2] == (ORGANIZATION, "0")


async def test_a_failed_page_is_no_page() -> None:
    with pytest.raises(RetryableError) as caught:
        await listed(None, fixed(reply(fault("S004", wait="5"), status=500)))
    assert caught.value.retry_after == timedelta(seconds=5)
    with pytest.raises(RetryableError, match="no_cursor"):
        await listed(None, answering("pullChanges", reference="", own="<新游标/><EOPSIGN>1</EOPSIGN>"))
