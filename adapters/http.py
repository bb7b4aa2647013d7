"""What every HTTP dialect judges alike: transport-level statuses, Retry-After, and JSON bodies from a stranger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from contracts.adapter import Blocking, Json, Reply
from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError

LONGEST_WAIT = timedelta(hours=24)
"""No Retry-After holds an endpoint longer, whatever it says: a mistyped year must not stop a queue for ever."""

_TIME_HEALS = frozenset({408, 425, 429, 503})
"""Refused before any processing: the request had no effect."""


def retry_after(reply: Reply, now: datetime) -> timedelta | None:
    """The wait that the reply asks for (RFC 9110 §10.2.3: seconds or HTTP-date), between zero and 24 hours.

    ``None`` where there is no such header or it cannot be read.
    """
    text = (reply.header("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return seconds(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if until.tzinfo is None:  # "-0000": an HTTP-date is UTC all the same
        until = until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), LONGEST_WAIT)


def seconds(text: str) -> timedelta | None:
    """A count of seconds as platforms write it, bounded to 24 hours; ``None`` for anything else."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        return None
    # Seven digits are 115 days: longer numbers are not converted at all.
    return LONGEST_WAIT if len(text) > 7 else min(timedelta(seconds=int(text)), LONGEST_WAIT)


def judge_status(
    reply: Reply,
    now: datetime,
    *,
    ok: Collection[int] = (200,),
    refused: Collection[int] = (),
    maybe_accepted: bool = True,
) -> None:
    """Judge the HTTP status of a platform's reply; return where it is one of ``ok``.

    ``refused``: statuses by which this platform refuses the document. ``maybe_accepted``: whether a failure inside or
    behind the platform (500, 502, 504 …) may hide a filing; pass ``False`` for steps without business effect.

    Raises:
        RetryableError: 408, 425, 429, 503 (nothing was processed) and every other 5xx; with the wait asked for.
        PermanentError: a status of ``refused``.
        EndpointError: every other 3xx and 4xx: address, right, key or size, which the operator heals.
    """
    if reply.status not in ok:
        raise status_error(reply, now, refused=refused, maybe_accepted=maybe_accepted)


def status_error(
    reply: Reply, now: datetime, *, refused: Collection[int] = (), maybe_accepted: bool = True
) -> AdapterError:
    """Who heals a reply whose status is none of those that are sound. See ``judge_status``."""
    status = reply.status
    code = f"http_{status}"
    if status in refused:
        return PermanentError(code, "the platform refused the document by its HTTP status")
    if status in _TIME_HEALS:
        return RetryableError(code, "the platform is not serving now", retry_after=retry_after(reply, now))
    if 300 <= status < 500:
        return EndpointError(code, "address, right, key or size is not what the platform expects")
    return RetryableError(
        code,
        "no answer of the platform itself",
        retry_after=retry_after(reply, now),
        maybe_accepted=maybe_accepted,
    )


class NotJson(ValueError):
    """A body that is not one sound JSON object. ``code`` says why and never quotes it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


MOST_VALUES = 50_000
"""Values of one JSON body: a case of a thousand parties, with all their fields, has half as many."""


def read_json_object(body: bytes, *, limit: int = 2 * 1024 * 1024, depth: int = 64, values: int = MOST_VALUES) -> Json:
    """One JSON object (RFC 8259), UTF-8 without BOM, read as a stranger's.

    ``limit`` in bytes; ``depth`` counts nested objects and lists, the outer object being 1; ``values`` counts objects, lists
    and commas, in the bytes and before anything is made of them. Numbers stay exact: ``int`` and ``decimal.Decimal``.

    Raises:
        NotJson: too large, too many values, not UTF-8, not JSON, a doubled key, NaN, Infinity, a lone surrogate, too
            deep, no object.
    """
    if len(body) > limit:
        raise NotJson("too_large")
    if _has_more_values(body, values):
        raise NotJson("too_many_values")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotJson("not_utf8") from None
    try:
        found = json.loads(text, object_pairs_hook=_without_doubles, parse_float=Decimal, parse_constant=_no_constant)
    except NotJson:
        raise
    except RecursionError:
        raise NotJson("too_deep") from None
    except ValueError:
        raise NotJson("not_json") from None
    if not isinstance(found, dict):
        raise NotJson("not_an_object")
    _look_through(found, depth)
    return found


def _has_more_values(body: bytes, most: int) -> bool:
    """Whether there are more values than that, found by counting bytes: it takes milliseconds, whatever the body is."""
    if marks(body) <= most:
        return False
    # Some of them may stand in texts. Without its escapes, a text is what stands between two quotation marks.
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if bare.count(b'"') > 4 * most:
        return True  # a value and its key have four of them
    return marks(b"".join(bare.split(b'"')[::2])) > most


def marks(body: bytes) -> int:
    """Brackets, braces and commas, wherever they stand: no body has more values."""
    return body.count(b"{") + body.count(b"[") + body.count(b",")


def json_bytes(value: object) -> bytes:
    """Compact JSON in UTF-8, as it goes on the wire."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _without_doubles(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("doubled_key")
    return found


def _no_constant(_: str) -> object:
    raise NotJson("not_json")


def _look_through(root: Json, depth: int) -> None:
    """Walk without recursion: depth, and strings that no UTF-8 can carry."""
    level: list[object] = [root]
    for _ in range(depth):
        below: list[object] = []
        for value in level:
            if isinstance(value, str):
                _no_surrogate(value)
            elif isinstance(value, dict):
                for key, inner in value.items():
                    _no_surrogate(key)
                    below.append(inner)
            elif isinstance(value, list):
                below.extend(value)
        if not below:
            return
        level = below
    if any(isinstance(value, dict | list) for value in level):
        raise NotJson("too_deep")
    for value in level:
        if isinstance(value, str):
            _no_surrogate(value)


def _no_surrogate(text: str) -> None:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise NotJson("lone_surrogate") from None


# ----------------------------------------------------------------------------------------------------- off the event loop

LONG = 16 * 1024
"""Bytes that are read where they are: it takes a few milliseconds, whatever they are."""

_AT_ONCE = 2
_T = TypeVar("_T")


async def read_aside(blocking: Blocking, body: bytes, read: Callable[[], _T]) -> _T:
    """``read()``, which makes something of a platform's bytes: of long ones off the event loop, which must not wait."""
    if len(body) <= LONG:
        return read()
    found: _T = await blocking(read)
    return found


class Doorway:
    """Computes over a caller's bytes off the event loop, two calls at a time: who knocks without end waits in a row with his
    like, and neither the loop nor what goes out waits with them."""

    def __init__(self, blocking: Blocking) -> None:
        self._blocking = blocking
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """See ``contracts.adapter.Blocking``."""
        async with self._places:
            return await self._blocking(function, *arguments)
