"""Checks of ``poll``: cursors that can be used again, items that can be read alone, failures that are no news."""

from __future__ import annotations

import pytest

from contracts.adapter import Adapter, InboundCall, Origin, Polled, PolledItem
from contracts.conformance.callbacks import assert_total, mutants, parsed
from contracts.conformance.room import Room, assert_clean_addresses, assert_clean_error
from contracts.conformance.stage import Fault, Stage
from contracts.errors import EndpointError, RetryableError

_MOST_PAGES = 200


async def _page(stage: Stage, cursor: str | None) -> Polled:
    room = Room(stage)
    line = room.line()
    page = await room.adapter.poll(cursor, line)
    assert isinstance(page, Polled), "poll returns a page"
    assert isinstance(page.cursor, str), "a cursor is stored as text"
    assert not line.filings, "a poll files nothing"
    assert_clean_addresses(stage, line)
    return page


async def _all(stage: Stage, cursor: str | None) -> tuple[list[PolledItem], str]:
    """Every item after the cursor, page by page, and the cursor behind them."""
    items: list[PolledItem] = []
    for _ in range(_MOST_PAGES):
        page = await _page(stage, cursor)
        items += page.items
        assert not (page.more and page.cursor == cursor), "more is promised and the cursor stands still"
        cursor = page.cursor
        if not page.more:
            return items, cursor
    raise AssertionError(f"still more after {_MOST_PAGES} pages")


class PollChecks:
    """The changes that a platform is asked for. Of one that is not polled: that it cannot be."""

    async def test_it_is_polled_or_it_is_not(self, stage: Stage) -> None:
        """``polls`` is declared where there is news to fetch, and only there."""
        if stage.adapter_type.info.polls:
            assert await stage.news() > 0, "the stage has no news of a platform that is polled"
            return
        assert stage.adapter_type.poll is Adapter.poll
        with pytest.raises(NotImplementedError):
            await Room(stage).adapter.poll(None, Room(stage).line())

    async def test_news_comes_once_behind_its_cursor(self, stage: Stage) -> None:
        """All of it from the beginning, none of it again behind the cursor, later news alone after it."""
        if not stage.adapter_type.info.polls:
            return
        expected = await stage.news()
        items, cursor = await _all(stage, None)
        assert len(items) == expected, f"{expected} items were there and {len(items)} came"
        assert len({item.event_id for item in items}) == len(items), "two items share an event id"
        again, cursor = await _all(stage, cursor)
        assert again == [], "what the cursor left behind came again"
        later = await stage.news()
        fresh, _ = await _all(stage, cursor)
        assert len(fresh) == later, f"{later} later items were there and {len(fresh)} came"
        assert not {item.event_id for item in fresh} & {item.event_id for item in items}

    async def test_a_cursor_can_be_used_again(self, stage: Stage) -> None:
        """A page that was fetched and not stored (the process died) comes again, the same numbers and digests."""
        if not stage.adapter_type.info.polls:
            return
        await stage.news()
        _, cursor = await _all(stage, None)
        await stage.news()
        for start in (None, cursor):
            first = [(item.event_id, item.digest) for item in (await _all(stage, start))[0]]
            second = [(item.event_id, item.digest) for item in (await _all(stage, start))[0]]
            assert first, "nothing came"
            assert first == second, "the same cursor gave other items"

    async def test_polled_items_are_read_alone(self, stage: Stage) -> None:
        """Each item's bytes are understood later, without the page they came on; then they are marked as read."""
        if not stage.adapter_type.info.polls:
            return
        await stage.news()
        room = Room(stage)
        line = room.line()
        page = await room.adapter.poll(None, line)
        for item in page.items:
            assert item.event_id, "an item without a number"
            assert len(item.digest) >= 32, "an item without a digest"
            call = InboundCall("", "", (), item.body, stage.now(), origin=Origin.POLL)
            words = parsed(Room(stage).adapter, call, "a polled item")
            assert words, "an item that says nothing"
            assert words == Room(stage).adapter.parse_callback(call), "two readings of one item differ"
        await room.adapter.mark_read(page.items, line)
        assert not line.filings, "marking as read files nothing"

    async def test_broken_items_are_unreadable_and_nothing_else(self, stage: Stage) -> None:
        """Mutated items end in words or in ``UnreadableCallback``: no other exception, no unsound word."""
        if not stage.adapter_type.info.polls:
            return
        await stage.news()
        adapter = Room(stage).adapter
        for item in (await _all(stage, None))[0]:
            for mutant in mutants(item.body):
                call = InboundCall("", "", (), mutant, stage.now(), origin=Origin.POLL)
                assert_total(adapter, call, "a polled item")

    async def test_a_failed_poll_is_no_news(self, stage: Stage) -> None:
        """A poll that fails ends in an error of time or of the operator, never in an empty page that moves the cursor."""
        if not stage.adapter_type.info.polls:
            return
        await stage.news()
        healthy = Room(stage).line()
        await Room(stage).adapter.poll(None, healthy)
        last = len(healthy.calls) - 1
        for fault in (
            Fault.REFUSED_CONNECTION,
            Fault.RESET_AFTER,
            Fault.STALL,
            Fault.SERVER_ERROR,
            Fault.BUSY,
            Fault.GARBAGE,
        ):
            try:
                page = await Room(stage).adapter.poll(None, Room(stage).line(fault, struck=last))
            except (RetryableError, EndpointError) as error:
                assert_clean_error(stage, error)
            except Exception as error:
                raise AssertionError(f"{fault} of a poll let a {type(error).__name__} out") from error
            else:
                raise AssertionError(f"{fault} of a poll was read as a page of {len(page.items)}")
