"""Request bodies, bounded while they are read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from starlette.requests import Request

from contracts.findings import Code, Expected, Finding, Measure, Param
from contracts.json_text import Json, NotJson, parse
from gateway.flow.moving.once import Once
from gateway.flow.moving.order import ANY_VERSION, Refused

_JSON: Final = "application/json"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e]*"'
_TAGS: Final = re.compile(rf"{_TAG}(?:[ \t]*,[ \t]*{_TAG})*")
_LONGEST_TAGS: Final = 1000
_VERSION: Final = re.compile(r'"([0-9]{1,9})"')
_NO_VERSION: Final = -1


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


def only_media(request: Request, *accepts: str) -> None:
    """Refuse a body that is none of these media types, in UTF-8 and without a content coding.

    Raises:
        Refused: 415, naming those that are taken (RFC 9110 §15.5.16).
    """
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = [value.strip() for value in parameters if value.strip().startswith("charset=")]
    coded = request.headers.get("content-encoding", "identity").strip().lower() != "identity"
    if coded or kind.strip() not in accepts or any(value.strip('"') not in _UTF8 for value in charsets):
        raise Refused(415, "media_type", extra={"accepts": list(accepts)})


async def json_body(request: Request, limit: int) -> bytes:
    """The raw body of a JSON request.

    Raises:
        Refused: 415 for another media type, charset or content coding, 413 over the limit.
    """
    only_media(request, _JSON)
    return await bounded_body(request, limit)


async def json_object(request: Request, limit: int = 64 * 1024) -> dict[str, Any]:
    """The body's JSON object; one that is not there is empty.

    Raises:
        Refused: 400 no JSON object, 413 over the limit, 415 another media type.
    """
    raw = await bounded_body(request, limit)
    if raw.strip():  # a body that nobody says what it is would be left unread, and its reason be missing
        only_media(request, _JSON)
    return object_in(raw or b"{}")


def value_in(raw: bytes) -> Json:
    """The JSON value of a small body.

    Raises:
        Refused: 400 no JSON, with the reason and its place.
    """
    try:
        return parse(raw, limit=len(raw))
    except NotJson as error:
        raise Refused(400, Code.JSON_INVALID, (error.finding,)) from None


def object_in(raw: bytes) -> dict[str, Any]:
    """The JSON object of a small body.

    Raises:
        Refused: 400, it is none.
    """
    body = value_in(raw)
    if not isinstance(body, dict):
        raise Refused(400, Code.JSON_INVALID, (Finding.of("", Code.WRONG_TYPE, expected=Expected.OBJECT),))
    return body


_MOST_REASON: Final = 500


def reason_in(body: dict[str, Any], name: str = "reason") -> str | None:
    """Why somebody acts, as it is kept in the audit trail; ``None`` where there is nothing that could be kept."""
    return None if reason_fault(body, name) is not None else str(body[name]).strip()


def reason_fault(body: dict[str, Any], name: str = "reason", most: int = _MOST_REASON) -> Finding | None:
    """What is wrong with it, if anything is."""
    given, at = body.get(name), f"/{name}"
    if given is None:
        return Finding.of(at, Code.MISSING)
    if not isinstance(given, str):
        return Finding.of(at, Code.WRONG_TYPE, expected=Expected.TEXT)
    if len(given) > most:
        return Finding.of(at, Code.TOO_LONG, limit=most, measure=Measure.CHARACTERS)
    if any(letter < " " and letter not in "\t\n\r" for letter in given):
        return Finding.of(at, Code.CONTROL_CHARACTER)
    return None if given.strip() else Finding.of(at, Code.EMPTY)


def needed_reason(body: dict[str, Any], most: int = _MOST_REASON) -> str:
    """The reason, without which nobody acts.

    Raises:
        Refused: 422 ``reason_missing``, saying what is wrong with it.
    """
    fault = reason_fault(body, most=most)
    if fault is not None:
        raise Refused(422, "reason_missing", (fault,))
    return str(body["reason"]).strip()


def bad_field(name: str, code: Code = Code.WRONG_TYPE, **params: Param) -> Refused:
    """A refusal of one field of a small body: where it stands, what is wrong with it."""
    return Refused(422, "body_field", (Finding.of(f"/{name}", code, **params),))


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
        raise Refused(400, "idempotency_key_form", extra={"header": "Idempotency-Key"})
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
    """The version in ``If-Match`` (``"3"``), ``ANY_VERSION`` for ``*``, ``None`` where there is none; a tag that is no version
    matches nothing (RFC 9110 §13.1.1).

    Raises:
        Refused: 400 for what is no tag, and for more than one version.
    """
    given = ",".join(request.headers.getlist("if-match")).strip()
    if "if-match" not in request.headers:
        return None
    if given == "*":
        return ANY_VERSION
    if len(given) > _LONGEST_TAGS or not _TAGS.fullmatch(given):
        raise Refused(400, "if_match_form", extra={"header": "If-Match"})
    versions = {int(found) for found in _VERSION.findall(given)} - {ANY_VERSION}
    if len(versions) > 1:
        raise Refused(400, "if_match_form", extra={"header": "If-Match"})
    return versions.pop() if versions else _NO_VERSION
