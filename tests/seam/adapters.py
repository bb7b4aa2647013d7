"""The toy platforms' adapters."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from adapters.http import judge_status
from contracts.adapter import (
    AdapterInfo,
    DeliveryClass,
    Exchange,
    Json,
    Polled,
    PolledItem,
    Receipt,
    Request,
    Wire,
)
from contracts.errors import EndpointError, PermanentError, RetryableError
from contracts.holdings import Held, Holding, Listing, Period
from contracts.update import About, Reference
from tests.seam.dialect import CAPABILITIES, MAPPING, CalledToy, Toy, digest_of

_SESSION = "session"


class SessionOver(Exception):
    """The platform has forgotten the session."""


_NUMBER = re.compile(r"N[0-9]{5}")


def _receipt(answer: Json, **more: Any) -> Receipt:
    number = answer.get("number")
    if not isinstance(number, str) or not number:
        raise RetryableError("no_number", "taken, but under no number", maybe_accepted=True)
    return Receipt(number, (Reference("platform_no", number),), **more)


class ToyIdempotent(CalledToy):
    """One request, repeatable."""

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="toy_idempotent",
        title_zh="玩具平台甲",
        title_en="Toy platform that knows its ids",
        delivery_class=DeliveryClass.IDEMPOTENT,
        calls_back=True,
        lists=Listing.FILINGS,
        version="1.0",
        mapping=MAPPING,
        capabilities=CAPABILITIES,
        rate_per_s=2000.0,
    )

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """One filing."""
        body = {"id": wire.id, "operation": wire.operation, "document": wire.payload}
        request = self.request("POST", "/file", json.dumps(body, ensure_ascii=False).encode())
        answer = await self.ask(exchange, "file", request, filing=True, named=wire.id)
        return _receipt(answer, duplicate=answer["code"] == "KNOWN")

    async def list_held(self, period: Period, cursor: str | None, exchange: Exchange) -> Held:
        """One page of its ledger."""
        since, until = period.since.isoformat(), period.until.isoformat()
        query = urlencode({"since": since, "until": until, "after": cursor or ""})
        answer = await self.ask(exchange, "ledger", self.request("GET", f"/ledger?{query}"))
        items, after = answer.get("items"), answer.get("cursor")
        if not isinstance(items, list) or not isinstance(after, str):
            raise RetryableError("unreadable", "no page of a ledger")
        return Held(tuple(map(self._holding, items)), after, more=answer.get("more") is True)

    def _holding(self, row: Json) -> Holding:
        word = None
        if "stands" in row:
            said = row["stands"] | {"id": row["id"], "event": f"held-{row['number']}-{row['stands']['word']}"}
            word = self.update(said | {"at": row["at"], "number": row["number"]}, About(said["about"]))
        at = datetime.fromisoformat(row["at"])
        number = row["number"]
        return Holding(number, at, row["id"], number, (Reference("platform_no", number),), row["version"], word)

    async def probe(self, exchange: Exchange) -> None:
        """Ping."""
        await self.ask(exchange, "ping", self.request("GET", "/ping"))


class ToyQueryable(Toy):
    """Session and uploads are remembered; before a repeat it is asked."""

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="toy_queryable",
        title_zh="玩具平台乙",
        title_en="Toy platform that can be asked",
        delivery_class=DeliveryClass.QUERYABLE,
        lookup_lag=timedelta(seconds=30),
        polls=True,
        lists=Listing.WORDS,
        version="1.0",
        mapping=MAPPING,
        capabilities=CAPABILITIES,
        rate_per_s=2000.0,
    )

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """Session, uploads, filing."""
        token = await self._token(exchange)
        files = [await self._uploaded(file, token, exchange) for file in wire.files]
        body = {"id": wire.id, "operation": wire.operation, "document": wire.payload, "files": files}
        request = self.request("POST", "/file", json.dumps(body, ensure_ascii=False).encode(), X_Token=token)
        try:
            answer = await self.ask(exchange, "file", request, filing=True, named=wire.id)
        except SessionOver:
            await self.tools.memory.forget(_SESSION)
            raise RetryableError("session_over", "the next attempt opens a new one") from None
        return _receipt(answer)

    def judge(self, answer: Json, *, filing: bool) -> None:
        """Also the end of a session."""
        if answer["code"] == "EXPIRED":
            raise SessionOver
        super().judge(answer, filing=filing)

    async def _token(self, exchange: Exchange) -> str:
        token = await self.tools.memory.get(_SESSION)
        if token is None:
            answer = await self.ask(exchange, _SESSION, self.request("POST", "/session", b"{}"))
            token = self._need(answer, "token")
            await self.tools.memory.put(_SESSION, token, timedelta(minutes=20))
        return token

    async def _uploaded(self, attachment: str, token: str, exchange: Exchange) -> str:
        info = await self.tools.attachments.info(attachment)
        remembered = f"file:{info.sha256}"
        file = await self.tools.memory.get(remembered)
        if file is None:
            data = await self.tools.attachments.read(attachment)
            try:
                answer = await self.ask(exchange, "upload", self.request("POST", "/upload", data, X_Token=token))
            except SessionOver:
                await self.tools.memory.forget(_SESSION)
                raise RetryableError("session_over", "the next attempt opens a new one") from None
            file = self._need(answer, "file")
            await self.tools.memory.put(remembered, file)
        return file

    @staticmethod
    def _need(answer: Json, name: str) -> str:
        value = answer.get(name)
        if not isinstance(value, str) or not value:
            raise RetryableError("unreadable", f"no {name}")
        return value

    async def lookup(self, wire: Wire, exchange: Exchange) -> Receipt | None:
        """What the platform has under the wire's id."""
        request = self.request("GET", f"/find?{urlencode({'id': wire.id})}")
        answer = await self.ask(exchange, "find", request, named=wire.id)
        numbers = answer.get("numbers")
        if not isinstance(numbers, list) or not all(isinstance(number, str) for number in numbers):
            raise RetryableError("unreadable", "no numbers")
        return _receipt({"number": numbers[0]}, filed_twice=len(numbers) > 1) if numbers else None

    async def poll(self, cursor: str | None, exchange: Exchange) -> Polled:
        """One page of news."""
        answer = await self.ask(exchange, "news", self.request("GET", f"/news?{urlencode({'after': cursor or '0'})}"))
        items = answer.get("items")
        if not isinstance(items, list):
            raise RetryableError("unreadable", "no items")
        return Polled(tuple(map(self._item, items)), self._need(answer, "cursor"), more=answer.get("more") is True)

    async def list_held(self, period: Period, cursor: str | None, exchange: Exchange) -> Held:
        """Its news again."""
        page = await self.poll(cursor, exchange)
        rows = [
            Holding(item.event_id, datetime.fromisoformat(json.loads(item.body)["at"]), item=item)
            for item in page.items
        ]
        return Held(tuple(row for row in rows if row.at and period.holds(row.at)), page.cursor, page.more)

    @staticmethod
    def _item(found: Any) -> PolledItem:
        body = json.dumps(found, ensure_ascii=False, sort_keys=True).encode()
        event = found.get("event") if isinstance(found, dict) else None
        if not isinstance(event, str):
            raise RetryableError("unreadable", "an item without a number")
        return PolledItem(event, digest_of(body), body)

    async def probe(self, exchange: Exchange) -> None:
        """Ping."""
        await self.ask(exchange, "ping", self.request("GET", "/ping"))


class ToyNeither(CalledToy):
    """One batch of bytes; the word comes later."""

    info: ClassVar[AdapterInfo] = AdapterInfo(
        name="toy_neither",
        title_zh="玩具平台丙",
        title_en="Toy platform that only takes bytes",
        delivery_class=DeliveryClass.NEITHER,
        relayed=True,
        calls_back=True,
        version="1.0",
        mapping=MAPPING,
        capabilities=CAPABILITIES,
        rate_per_s=2000.0,
    )

    async def send(self, wire: Wire, exchange: Exchange) -> Receipt:
        """One batch."""
        content = json.dumps(wire.payload, ensure_ascii=False)
        form = urlencode({"id": wire.id, "operation": wire.operation, "content": content})
        words = await self._ask("batch", self.request("POST", "/batch", form.encode()), exchange, filing=True)
        if (
            words[0] != "RECEIVED" or len(words) != 3 or not _NUMBER.fullmatch(words[2])
        ):  # half a number names another batch
            raise RetryableError("unreadable", "no receipt of bytes", maybe_accepted=True)
        if words[1] != wire.id:
            raise RetryableError("not_ours", "the answer names another id", maybe_accepted=True)
        return Receipt(words[2], (Reference("batch_no", words[2]),), relayed=True)

    async def _ask(self, step: str, request: Request, exchange: Exchange, *, filing: bool) -> list[str]:
        reply = await exchange.call(step, request, filing=filing)
        judge_status(reply, self.tools.now(), maybe_accepted=filing)
        try:
            words = reply.body.decode().split(";")
        except UnicodeDecodeError:
            raise RetryableError("unreadable", "no UTF-8", maybe_accepted=filing) from None
        if words[0] == "BAD":
            raise PermanentError("BAD", "the platform refuses the batch")
        if words[0] == "DENIED":
            raise EndpointError("DENIED", "the platform does not take our key")
        return words

    async def probe(self, exchange: Exchange) -> None:
        """Ping."""
        if await self._ask("ping", self.request("POST", "/ping"), exchange, filing=False) != ["PONG"]:
            raise RetryableError("unreadable", "no pong")
