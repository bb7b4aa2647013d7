"""The three toy platforms: one idempotent, one queryable, one neither."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs

from aiohttp import web

from tests.seam.platform import KEY, Seen, ToyPlatform


def _answer(**fields: Any) -> web.Response:
    return web.json_response(fields, dumps=lambda found: json.dumps(found, ensure_ascii=False))


def _quoted(document: dict[str, Any]) -> str:
    return ", ".join([*document.get("people", []), *document.get("numbers", [])])


class IdempotentPlatform(ToyPlatform):
    """The same id again has one effect; other content under a known id is refused. Calls back. Its ledger can be listed."""

    operations: ClassVar[tuple[tuple[str, str], ...]] = (("POST", "file"), ("GET", "ping"), ("GET", "ledger"))
    page = 2

    def process(self, seen: Seen) -> web.Response:
        if seen.operation == "ping":
            return _answer(code="OK")
        if seen.operation == "ledger":
            return self._listed(seen.query)
        found = json.loads(seen.body)
        content = (found["operation"], found["document"])
        known = next((one for one in self.booked if one.id == found["id"]), None)
        if known is not None:
            if known.content != content:
                return _answer(id=found["id"], code="CONFLICT", text="同一编号内容不同")
            return _answer(id=found["id"], code="KNOWN", number=known.number)
        return _answer(id=found["id"], code="OK", number=self.book(found["id"], content).number)

    def _listed(self, query: dict[str, str]) -> web.Response:
        since, until = (datetime.fromisoformat(query[name]) for name in ("since", "until"))
        found = [one for one in self.booked if since <= one.day < until and one.number > query["after"]]
        found.sort(key=lambda one: one.number)
        page = found[: self.page]
        items = [
            {
                "id": one.id,
                "number": one.number,
                "at": one.day.isoformat(),
                "version": one.content[1].get("version", 1),
                **({"stands": one.word} if one.word is not None else {}),
            }
            for one in page
        ]
        after = page[-1].number if page else query["after"]
        return _answer(code="OK", items=items, cursor=after, more=len(found) > len(page))

    def refused(self, seen: Seen, text: str) -> web.Response:
        found = json.loads(seen.body)
        return _answer(id=found["id"], code="REFUSED", text=f"{text}: {_quoted(found['document'])}")

    def denied(self) -> web.Response:
        return _answer(id="", code="KEY", text=f"密钥不符 {KEY[:3]}")


class QueryablePlatform(ToyPlatform):
    """Session, upload, filing. A repeat files twice; it can be asked, and the answer lags. It is polled."""

    operations: ClassVar[tuple[tuple[str, str], ...]] = (
        ("POST", "session"),
        ("POST", "upload"),
        ("POST", "file"),
        ("GET", "find"),
        ("GET", "news"),
        ("GET", "ping"),
    )

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC), *, lag_s: float = 0.0) -> None:
        super().__init__(clock)
        self.lag_s = lag_s
        self.tokens: set[str] = set()
        self.files: dict[str, bytes] = {}
        self.news: list[dict[str, Any]] = []
        self.page = 2

    def expire_sessions(self) -> None:
        """Every session ends now."""
        self.tokens.clear()

    def happen(self, word: str, **more: Any) -> None:
        """One more item of news."""
        self.news.append(json.loads(self.word(word, **more)))

    def process(self, seen: Seen) -> web.Response:
        match seen.operation:
            case "ping":
                return _answer(code="OK")
            case "session":
                token = secrets.token_hex(8)
                self.tokens.add(token)
                return _answer(code="OK", token=token)
            case "find":
                return self._find(seen.query["id"])
            case "news":
                after = int(seen.query["after"])
                items = self.news[after : after + self.page]
                cursor = after + len(items)
                return _answer(code="OK", items=items, cursor=str(cursor), more=cursor < len(self.news))
        if seen.headers.get("x-token") not in self.tokens:
            return _answer(code="EXPIRED", text="会话已过期")
        if seen.operation == "upload":
            name = f"F{len(self.files) + 1}"
            self.files[name] = seen.body
            return _answer(code="OK", file=name)
        found = json.loads(seen.body)
        if not set(found["files"]) <= self.files.keys():
            return _answer(id=found["id"], code="REFUSED", text="附件不存在")
        booking = self.book(found["id"], (found["operation"], found["document"], found["files"]))
        return _answer(id=found["id"], code="OK", number=booking.number)

    def _find(self, identifier: str) -> web.Response:
        visible = time.monotonic() - self.lag_s
        numbers = [one.number for one in self.booked if one.id == identifier and one.at <= visible]
        return _answer(id=identifier, code="OK", numbers=numbers)

    def refused(self, seen: Seen, text: str) -> web.Response:
        found = json.loads(seen.body)
        return _answer(id=found["id"], code="REFUSED", text=f"{text}: {_quoted(found['document'])}")

    def denied(self) -> web.Response:
        return _answer(code="KEY", text="密钥不符")


class NeitherPlatform(ToyPlatform):
    """Takes batches of bytes and says no more than that they came; each repeat is another batch. Its word follows by call."""

    operations: ClassVar[tuple[tuple[str, str], ...]] = (("POST", "batch"), ("POST", "ping"))
    file_operation: ClassVar[str] = "batch"

    def process(self, seen: Seen) -> web.Response:
        if seen.operation == "ping":
            return web.Response(text="PONG")
        form = {name: values[0] for name, values in parse_qs(seen.body.decode()).items()}
        booking = self.book(form["id"], (form["operation"], json.loads(form["content"])))
        return web.Response(text=f"RECEIVED;{form['id']};{booking.number}")

    def refused(self, seen: Seen, text: str) -> web.Response:
        return web.Response(text=f"BAD;{seen.body.decode()[:400]};{text}")

    def denied(self) -> web.Response:
        return web.Response(text="DENIED;;")
