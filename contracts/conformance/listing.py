"""Checks of what a platform can be asked about its own books (对账): a list of a period, and one filing by its id."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from contracts.adapter import DeliveryClass
from contracts.conformance.room import Room, assert_clean_addresses, assert_clean_error
from contracts.conformance.stage import Fault, Stage
from contracts.errors import EndpointError, RetryableError
from contracts.holdings import Answering, Held, Holding, Listing, Period

_MOST_PAGES = 200
_DAY = timedelta(days=1)
_FAILURES = (Fault.REFUSED_CONNECTION, Fault.RESET_AFTER, Fault.STALL, Fault.SERVER_ERROR, Fault.BUSY, Fault.GARBAGE)


async def _page(stage: Stage, period: Period, cursor: str | None) -> Held:
    room = Room(stage)
    line = room.line()
    page = await room.adapter.list_held(period, cursor, line)
    assert isinstance(page, Held), "list_held returns a page"
    assert isinstance(page.cursor, str), "a cursor is stored as text"
    assert not line.filings, "a listing files nothing"
    assert_clean_addresses(stage, line)
    return page


async def _all(stage: Stage, period: Period, cursor: str | None = None) -> tuple[list[Holding], str]:
    """Everything that is held of the period, page by page, and the last cursor."""
    items: list[Holding] = []
    for _ in range(_MOST_PAGES):
        page = await _page(stage, period, cursor)
        items += page.items
        assert not (page.more and page.cursor == cursor), "more is promised and the cursor stands still"
        cursor = page.cursor
        if not page.more:
            return items, cursor
    raise AssertionError(f"still more after {_MOST_PAGES} pages")


def _today(stage: Stage) -> Period:
    return Period(stage.now() - _DAY, stage.now() + _DAY)


class ListingChecks:
    """A listing is declared where the platform has one, whole, of its period, and changes nothing."""

    async def test_it_lists_what_it_declares(self, stage: Stage) -> None:
        """``lists`` is declared where there is a listing, and only there."""
        kind = stage.adapter_type
        listed = kind.list_held is not Answering.list_held
        assert (kind.info.lists is not Listing.NOTHING) == listed, "lists: list_held"
        if not listed:
            with pytest.raises(NotImplementedError):
                await Room(stage).adapter.list_held(_today(stage), None, Room(stage).line())

    async def test_a_list_of_filings_holds_what_was_filed(self, stage: Stage) -> None:
        """Each filing once, under the id and the number of its receipt; nothing of another period; the same again."""
        if stage.adapter_type.info.lists is not Listing.FILINGS:
            return
        filed: dict[str, str | None] = {}
        for sample in stage.samples():
            wire = Room(stage).translate(sample)
            receipt = (await Room(stage).send(wire)).receipt
            assert receipt is not None
            filed[wire.id] = receipt.reference
        held, _ = await _all(stage, _today(stage))
        assert sorted(item.filing or "" for item in held) == sorted(filed), "not what was filed, each once"
        assert len({item.name for item in held}) == len(held), "two rows share a name"
        for item in held:
            assert item.at is not None, "a row without its time"
            assert item.reference == filed[item.filing or ""], "another number than the receipt's"
        later = Period(stage.now() + _DAY, stage.now() + 2 * _DAY)
        assert (await _all(stage, later))[0] == [], "rows of another period"
        assert (await _all(stage, _today(stage)))[0] == held, "two listings of one period differ"
        assert sorted(await stage.effects()) == sorted(filed), "the listing changed the ledger"

    async def test_a_list_of_words_holds_what_was_said(self, stage: Stage) -> None:
        """Each word once with its raw item, nothing of another period; behind the last cursor only what is new."""
        if stage.adapter_type.info.lists is not Listing.WORDS:
            return
        expected = await stage.news()
        held, cursor = await _all(stage, _today(stage))
        assert expected > 0, "the stage has no news of a platform that lists its words"
        assert len(held) == expected, f"{expected} words were there and {len(held)} came"
        assert len({item.name for item in held}) == expected, "two words share a name"
        for item in held:
            assert item.item is not None, "a word without its raw item"
            assert item.item.event_id == item.name, "a word is named by its event"
        later = Period(stage.now() + _DAY, stage.now() + 2 * _DAY)
        assert (await _all(stage, later))[0] == [], "words of another period"
        more = await stage.news()
        fresh, _ = await _all(stage, _today(stage), cursor)
        assert len(fresh) == more, f"{more} later words were there and {len(fresh)} came"

    async def test_a_failed_listing_is_no_listing(self, stage: Stage) -> None:
        """An error of time or of the operator, never an empty page: what is not in it would count as missing."""
        if stage.adapter_type.info.lists is Listing.NOTHING:
            return
        await stage.news()
        healthy = Room(stage).line()
        await Room(stage).adapter.list_held(_today(stage), None, healthy)
        last = len(healthy.calls) - 1
        for fault in _FAILURES:
            try:
                page = await Room(stage).adapter.list_held(_today(stage), None, Room(stage).line(fault, struck=last))
            except (RetryableError, EndpointError) as error:
                assert_clean_error(stage, error)
            except Exception as error:
                raise AssertionError(f"{fault} of a listing let a {type(error).__name__} out") from error
            else:
                raise AssertionError(f"{fault} of a listing was read as a page of {len(page.items)} items")

    async def test_what_is_held_is_what_was_filed(self, stage: Stage) -> None:
        """Asked by one id: nothing before the filing; after it the row of that id, under the receipt's number."""
        kind = stage.adapter_type
        if not kind.can_be_asked():
            assert kind.held is Answering.held, "what can be asked has a look-up"
            return
        assert kind.info.delivery_class is not DeliveryClass.NEITHER
        wire = Room(stage).translate(stage.samples()[0])
        assert await Room(stage).adapter.held(wire, Room(stage).line()) is None, "it holds what nobody filed"
        receipt = (await Room(stage).send(wire)).receipt
        assert receipt is not None
        await asyncio.sleep(stage.lookup_lag_s)
        line = Room(stage).line()
        found = await Room(stage).adapter.held(wire, line)
        assert found is not None, "it was filed and is not held"
        assert not line.filings, "a question files nothing"
        assert (found.filing, found.reference) == (wire.id, receipt.reference), "the row of another filing"
        assert not found.filed_twice, "filed once"
