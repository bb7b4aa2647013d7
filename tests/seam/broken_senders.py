"""Adapters with one defect each, made to be caught: of what leaves for the platform, and of what it is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import quote

from adapters.http import NotJson, read_json_object
from contracts.adapter import (
    AdapterInfo,
    Exchange,
    InboundCall,
    Json,
    Polled,
    PolledItem,
    Receipt,
    Reply,
    Request,
    Wire,
)
from contracts.errors import PermanentError, RetryableError
from contracts.holdings import Held, Holding, Listing, Period
from contracts.update import About, Inbound
from tests.seam.adapters import ToyIdempotent, ToyNeither, ToyQueryable
from tests.seam.broken import Defect
from tests.seam.stages import IdempotentStage, NeitherStage, QueryableStage


class NewIdPerAttempt(ToyIdempotent):
    """Every attempt is another filing for the platform."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        fresh = f"dlv_{self.tools.random_bytes(13).hex()}"
        body = {"id": fresh, "operation": wire.operation, "document": wire.payload}
        request = self.request("POST", "/file", json.dumps(body).encode())
        answer = await self.ask(exchange, "file", request, filing=True, named=fresh)
        return Receipt(answer["number"])


class RetriesTheFiling(ToyQueryable):
    """A retry inside the attempt, unseen by the engine: two effects."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        try:
            return await super().send(wire, exchange)
        except RetryableError:
            return await super().send(wire, exchange)


class TimeoutIsSuccess(ToyIdempotent):
    """No answer, so it will have worked."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        try:
            return await super().send(wire, exchange)
        except RetryableError as error:
            if error.code == "timeout":
                return Receipt(None)
            raise


class GarbageIsReceipt(ToyIdempotent):
    """HTTP 200 is enough for it."""

    def read(self, reply: Reply, *, filing: bool) -> Json:
        try:
            return super().read(reply, filing=filing)
        except RetryableError:
            return {"code": "OK", "number": "?"}

    async def ask(
        self, exchange: Exchange, step: str, request: Request, *, filing: bool = False, named: str | None = None
    ) -> Json:
        return await super().ask(exchange, step, request, filing=filing)


class RefusalIsRetried(ToyIdempotent):
    """The same refused document, again and again."""

    def judge(self, answer: Json, *, filing: bool) -> None:
        if answer["code"] == "REFUSED":
            raise RetryableError("REFUSED")
        super().judge(answer, filing=filing)


class WrongKeyIsRetried(ToyIdempotent):
    """Every delivery burns its tries until somebody notices."""

    def judge(self, answer: Json, *, filing: bool) -> None:
        if answer["code"] == "KEY":
            raise RetryableError("KEY")
        super().judge(answer, filing=filing)


class QuotesThePlatform(ToyIdempotent):
    """The platform's text quotes an identity number, and so does the log."""

    def judge(self, answer: Json, *, filing: bool) -> None:
        if answer["code"] == "REFUSED":
            raise PermanentError("REFUSED", answer["text"])
        super().judge(answer, filing=filing)


class MatchesByPosition(ToyIdempotent):
    """Whatever answer comes is taken for the answer."""

    async def ask(
        self, exchange: Exchange, step: str, request: Request, *, filing: bool = False, named: str | None = None
    ) -> Json:
        return await super().ask(exchange, step, request, filing=filing)


class DeniesDoubt(ToyNeither):
    """A lost answer is called a failure: the engine would send again, and the platform would have two."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        try:
            return await super().send(wire, exchange)
        except RetryableError as error:
            error.maybe_accepted = False
            raise


class IgnoresRetryAfter(ToyIdempotent):
    """The platform asked to be left alone."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        try:
            return await super().send(wire, exchange)
        except RetryableError as error:
            error.retry_after = None
            raise


class MarksNoFiling(ToyIdempotent):
    """The engine does not know what had the effect."""

    async def ask(
        self, exchange: Exchange, step: str, request: Request, *, filing: bool = False, named: str | None = None
    ) -> Json:
        return await super().ask(exchange, step, request, named=named)


class NamesInAddresses(ToyIdempotent):
    """A person's name in the access log of every machine on the way."""

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Request:
        document = json.loads(body)["document"] if path == "/file" else {}
        people = document.get("people", [""])
        return super().request(method, f"{path}?who={quote(people[0])}", body, **headers)


class DoubtsItsSession(ToyQueryable):
    """A lost log-in is told as a lost filing."""

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        try:
            return await super().send(wire, exchange)
        except RetryableError as error:
            error.maybe_accepted = True
            raise


class ProbesByFiling(ToyIdempotent):
    """The proof that it works is a case that nobody has."""

    async def probe(self, exchange: Exchange) -> None:
        body = {"id": "probe", "operation": "T1", "document": {}}
        await self.ask(exchange, "probe", self.request("POST", "/file", json.dumps(body).encode()))


class FailedQuestionIsNo(ToyQueryable):
    """It could not ask, so the platform has it not: filed twice."""

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        try:
            return await super().lookup(wire, exchange)
        except RetryableError:
            return None


class FindsEverything(ToyQueryable):
    """Any answer to the question is a yes."""

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        return await super().lookup(wire, exchange) or Receipt("N00000")


class AsksForAnother(ToyQueryable):
    """Filed under one id and asked for under another: never found, filed twice."""

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        other = Wire(wire.id.lower(), wire.operation, wire.payload)
        return await super().lookup(other, exchange)


class CursorStandsStill(ToyQueryable):
    """The same news for ever."""

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        page = await super().poll(cursor, exchange)
        return Polled(page.items, page.cursor if page.more else "0", page.more)


class RemembersItsCursor(ToyQueryable):
    """A page that was fetched and not stored never comes again."""

    _platform_read: int = 0

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        page = await super().poll(str(type(self)._platform_read), exchange)
        type(self)._platform_read = int(page.cursor)
        return page


class ItemsWithoutTheirPage(ToyQueryable):
    """What the item is about stays behind on the page."""

    @staticmethod
    def _item(found: object) -> PolledItem:
        whole = ToyQueryable._item(found)
        body = {name: value for name, value in read_json_object(whole.body).items() if name != "about"}
        return PolledItem(whole.event_id, whole.digest, json.dumps(body).encode())


class TrustsItsItems(ToyQueryable):
    """What was polled was asked for, and is believed to be whole."""

    def parse_callback(self, call: InboundCall) -> tuple[Inbound, ...]:
        found = json.loads(call.body)
        return (self.update(found, About(found["about"])),)


class FailedPollIsNoNews(ToyQueryable):
    """An unreadable page is an empty one."""

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        try:
            return await super().poll(cursor, exchange)
        except (RetryableError, NotJson):
            return Polled((), "0", more=False)


class ListsInNameOnly(ToyIdempotent):
    """Declared to list nothing, with a listing that nobody uses."""

    info: ClassVar[AdapterInfo] = replace(ToyIdempotent.info, lists=Listing.NOTHING)


class ListsItsFirstPage(ToyIdempotent):
    """What lies on the later pages would count as missing."""

    async def list_held(self, period: Period, cursor: str | None, exchange: Exchange) -> Held:
        page = await super().list_held(period, cursor, exchange)
        return Held(page.items, page.cursor, more=False)


class ListsEverything(ToyIdempotent):
    """The period is not looked at."""

    async def list_held(self, period: Period, cursor: str | None, exchange: Exchange) -> Held:
        always = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        return await super().list_held(always, cursor, exchange)


class WordsWithoutTheirItem(ToyQueryable):
    """A word that was missed could not be heard again."""

    async def list_held(self, period: Period, cursor: str | None, exchange: Exchange) -> Held:
        page = await super().list_held(period, cursor, exchange)
        return Held(tuple(replace(row, item=None) for row in page.items), page.cursor, page.more)


class FailedListingIsEmpty(ToyIdempotent):
    """An unreadable page is an empty one: everything would be missing."""

    async def list_held(self, period: Period, cursor: str | None, exchange: Exchange) -> Held:
        try:
            return await super().list_held(period, cursor, exchange)
        except RetryableError:
            return Held((), "", more=False)


class HoldsAnother(ToyQueryable):
    """The row is named by the platform alone: nobody could tell whose it is."""

    async def held(self, wire: Wire, exchange: Exchange) -> Holding | None:
        found = await super().held(wire, exchange)
        return None if found is None else replace(found, filing=None)


DEFECTS: tuple[Defect, ...] = (
    Defect(ListsInNameOnly, IdempotentStage, "test_it_lists_what_it_declares"),
    Defect(ListsItsFirstPage, IdempotentStage, "test_a_list_of_filings_holds_what_was_filed"),
    Defect(ListsEverything, IdempotentStage, "test_a_list_of_filings_holds_what_was_filed"),
    Defect(WordsWithoutTheirItem, QueryableStage, "test_a_list_of_words_holds_what_was_said"),
    Defect(FailedListingIsEmpty, IdempotentStage, "test_a_failed_listing_is_no_listing"),
    Defect(HoldsAnother, QueryableStage, "test_what_is_held_is_what_was_filed"),
    Defect(NewIdPerAttempt, IdempotentStage, "test_the_same_wire_again"),
    Defect(RetriesTheFiling, QueryableStage, "test_failure_goes_to_who_heals_it", "reset_after"),
    Defect(TimeoutIsSuccess, IdempotentStage, "test_failure_goes_to_who_heals_it", "silent_after"),
    Defect(GarbageIsReceipt, IdempotentStage, "test_failure_goes_to_who_heals_it", "garbage"),
    Defect(RefusalIsRetried, IdempotentStage, "test_failure_goes_to_who_heals_it", "business_refusal"),
    Defect(WrongKeyIsRetried, IdempotentStage, "test_failure_goes_to_who_heals_it", "operator_problem"),
    Defect(QuotesThePlatform, IdempotentStage, "test_error_texts_show_nobody", "business_refusal"),
    Defect(MatchesByPosition, IdempotentStage, "test_anothers_answer_is_no_receipt"),
    Defect(DeniesDoubt, NeitherStage, "test_failure_goes_to_who_heals_it", "reset_after"),
    Defect(IgnoresRetryAfter, IdempotentStage, "test_failure_goes_to_who_heals_it", "busy"),
    Defect(MarksNoFiling, IdempotentStage, "test_send_files_once"),
    Defect(NamesInAddresses, IdempotentStage, "test_send_files_once"),
    Defect(DoubtsItsSession, QueryableStage, "test_preparing_has_no_effect"),
    Defect(ProbesByFiling, IdempotentStage, "test_probe_has_no_effect"),
    Defect(FailedQuestionIsNo, QueryableStage, "test_lookup_tells_the_truth"),
    Defect(FindsEverything, QueryableStage, "test_lookup_tells_the_truth"),
    Defect(AsksForAnother, QueryableStage, "test_the_same_wire_again"),
    Defect(AsksForAnother, QueryableStage, "test_a_lost_answer_heals_by_the_class", "reset_after"),
    Defect(CursorStandsStill, QueryableStage, "test_news_comes_once_behind_its_cursor"),
    Defect(RemembersItsCursor, QueryableStage, "test_a_cursor_can_be_used_again"),
    Defect(ItemsWithoutTheirPage, QueryableStage, "test_polled_items_are_read_alone"),
    Defect(TrustsItsItems, QueryableStage, "test_broken_items_are_unreadable_and_nothing_else"),
    Defect(FailedPollIsNoNews, QueryableStage, "test_a_failed_poll_is_no_news"),
)
