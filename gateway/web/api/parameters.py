"""What a call asks for in its address: words out of closed lists, moments, the size of a page and its opaque cursor."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from fastapi import Request

from contracts.findings import named_few
from contracts.shape import may_be_repeated
from gateway.flow.house import House
from gateway.flow.moving.order import Refused
from gateway.web.problems import template_of
from gateway.web.queries import QUERIES

_PAGE: Final = 100
_SPACED: Final = re.compile(r" (?=[0-9]{2}:?[0-9]{2}$)")
"""What is left of an offset's plus sign where nobody wrote it as ``%2B``."""


def bad_parameter(name: str, allowed: Sequence[object] = ()) -> Refused:
    """A refusal that names the query parameter, and the words that it takes."""
    return Refused(
        400, "parameter", extra={"parameter": name} | ({"allowed": list(named_few(allowed))} if allowed else {})
    )


def only_its_own(request: Request) -> None:
    """Refuse a parameter that the call does not take, that comes twice, or a word that is not in its list: a filter that nobody
    hears gives a longer list than was asked for, and looks like its answer."""
    if not request.scope["query_string"]:
        return
    takes = {query.name: query for query in QUERIES.get(f"{request.method} {template_of(request)}", ())}
    given = request.query_params
    for name in given:
        query = takes.get(name)
        if query is None:
            named = {"parameter": name} if may_be_repeated(name) else {}
            raise Refused(400, "parameter_unknown", extra=named | {"takes": list(takes)})
        values = given.getlist(name)
        if len(values) > 1 and not query.repeated:
            raise bad_parameter(name)
        if query.words and not {value for value in values if value} <= set(query.words):
            raise bad_parameter(name, query.words)


def word(request: Request, name: str, default: str = "") -> str:
    """A parameter out of a closed list, as ``only_its_own`` found it; an empty one counts as absent."""
    return request.query_params.get(name) or default


def moment(request: Request, name: str) -> datetime | None:
    """A time with its offset, ``None`` without one."""
    given = request.query_params.get(name)
    if given is None:
        return None
    try:
        found = datetime.fromisoformat(_SPACED.sub("+", given))
    except ValueError:
        raise bad_parameter(name) from None
    if found.tzinfo is None:
        raise bad_parameter(name)
    return found


async def endpoint_of(house: House, request: Request) -> str:
    """The ``endpoint`` parameter, ``""`` without one: the name of an endpoint that there is or was."""
    given = request.query_params.get("endpoint", "")
    names = sorted(row["name"] for row in await house.store.rows("all_endpoints"))
    if given and given not in names:
        raise bad_parameter("endpoint", names)
    return given


def page_limit(request: Request, most: int = _PAGE) -> int:
    """The ``limit`` parameter."""
    given = request.query_params.get("limit", str(most))
    if not given.isascii() or not given.isdigit() or len(given) > 9 or not 1 <= int(given) <= 1000:
        raise bad_parameter("limit", ("1 … 1000",))
    return min(int(given), most)


def pack_cursor(place: list[Any]) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def unpack_cursor(request: Request, length: int) -> list[Any] | None:
    """The cursor's content, ``None`` without one."""
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        place = orjson.loads(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    except (binascii.Error, ValueError):
        raise bad_parameter("cursor") from None
    if not isinstance(place, list) or len(place) != length:
        raise bad_parameter("cursor")
    return place
