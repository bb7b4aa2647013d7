"""Request bodies, bounded while they are read."""

from __future__ import annotations

import re
from typing import Any

import orjson
from starlette.requests import Request

from gateway.flow.order import ANY_VERSION, Refused

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


async def bounded_body(request: Request, limit: int) -> bytes:
    """The raw body.

    Raises:
        Refused: 413 over the limit, told before the rest is read.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:12]) > limit:
        raise Refused(413, "too_large", extra={"limit": limit})
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise Refused(413, "too_large", extra={"limit": limit})
    return bytes(body)


async def json_body(request: Request, limit: int) -> bytes:
    """The raw body of a JSON request.

    Raises:
        Refused: 415 for another media type or charset, 413 over the limit.
    """
    kind, *parameters = request.headers.get("content-type", "").lower().split(";")
    charsets = [value.strip() for value in parameters if value.strip().startswith("charset=")]
    if kind.strip() != "application/json" or any(value.strip('"') not in _UTF8 for value in charsets):
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
