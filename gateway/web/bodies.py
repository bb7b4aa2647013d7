"""Request bodies, bounded while they are read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from starlette.requests import Request

from gateway.flow.once import Once
from gateway.flow.order import ANY_VERSION, Refused

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


async def bounded_body(request: Request, limit: int, came: Callable[[int], None] = lambda size: None) -> bytes:
    """The raw body. ``came`` is told how much there is of it so far.

    Raises:
        Refused: 413 over the limit, told before the rest is read; what ``came`` raises.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:12]) > limit:
        raise Refused(413, "too_large", extra={"limit": limit})
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise Refused(413, "too_large", extra={"limit": limit})
        came(len(body))
    return bytes(body)


class Strangers:
    """Bodies of callers whom nobody knows before the whole body is there: large ones share one room, and each has its time."""

    _FREE: Final = 256 * 1024
    """Bytes that each may have beside the room: who fills it keeps nobody's ordinary call out."""

    def __init__(self, room: int, seconds: float = 60.0) -> None:
        self._left = room
        self._seconds = seconds

    @asynccontextmanager
    async def body(self, request: Request, limit: int) -> AsyncIterator[bytes]:
        """The raw body, as long as it is needed.

        Raises:
            Refused: 413 over the limit, 408 too slow, 503 no room at the moment.
        """
        held = 0

        def came(size: int) -> None:
            nonlocal held
            more = size - self._FREE - held
            if more > self._left:
                raise Refused(503, "crowded")
            if more > 0:
                self._left -= more
                held += more

        try:
            try:
                async with asyncio.timeout(self._seconds):
                    read = await bounded_body(request, limit, came)
            except TimeoutError:
                raise Refused(408, "too_slow") from None
            yield read
        finally:
            self._left += held


async def json_body(request: Request, limit: int) -> bytes:
    """The raw body of a JSON request.

    Raises:
        Refused: 415 for another media type, charset or content coding (RFC 9110 §15.5.16), 413 over the limit.
    """
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = [value.strip() for value in parameters if value.strip().startswith("charset=")]
    coded = request.headers.get("content-encoding", "identity").strip().lower() != "identity"
    if coded or kind.strip() != "application/json" or any(value.strip('"') not in _UTF8 for value in charsets):
        raise Refused(415, "media_type")
    return await bounded_body(request, limit)


async def json_object(request: Request, limit: int = 64 * 1024) -> dict[str, Any]:
    """The body's JSON object; one that is not there is empty.

    Raises:
        Refused: 400 no JSON object, 413 over the limit, 415 another media type.
    """
    raw = await json_body(request, limit) if request.headers.get("content-type") else b"{}"
    try:
        body = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError:
        raise Refused(400, "json_invalid") from None
    if not isinstance(body, dict):
        raise Refused(400, "json_invalid")
    return body


_MOST_REASON = 500


def reason_in(body: dict[str, Any], name: str = "reason") -> str | None:
    """Why somebody acts, as it is kept in the audit trail; ``None`` where there is nothing that could be kept."""
    given = body.get(name)
    if not isinstance(given, str) or len(given) > _MOST_REASON:
        return None
    if any(letter < " " and letter not in "\t\n\r" for letter in given):
        return None
    return given.strip() or None


_UTF8 = ("charset=utf-8", 'charset="utf-8', "charset=utf8")


def idempotency_key(request: Request) -> str | None:
    """The ``Idempotency-Key``.

    Raises:
        Refused: 400 for a malformed one.
    """
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Refused(400, "idempotency_key_form")
    return given[0]


def once(request: Request, client: str, asked: object) -> Once | None:
    """An act's call under its ``Idempotency-Key``, where it has one. ``asked``: the body as it was read; its spelling does not
    count.

    Raises:
        Refused: 400 for a malformed key.
    """
    key = idempotency_key(request)
    if key is None:
        return None
    place = f"{request.method} {request.scope['path']}"
    return Once.of(client, key, place, orjson.dumps(asked, option=orjson.OPT_SORT_KEYS))


def if_match(request: Request) -> int | None:
    """The version in ``If-Match`` (``"3"``), ``ANY_VERSION`` for ``*``, ``None`` where there is none; one that is no version
    matches nothing."""
    given = request.headers.get("if-match")
    if given is None:
        return None
    if given.strip() == "*":
        return ANY_VERSION
    found = re.fullmatch(r'\s*(?:W/)?"([0-9]{1,9})"\s*', given)
    return int(found.group(1)) or -1 if found else -1
