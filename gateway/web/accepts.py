"""What a caller wants an answer to look like: ``Accept`` and ``Accept-Language`` (RFC 9110 §12.5.1, §12.5.4) against what there
is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from contracts.findings import Language
from gateway.flow.moving.order import Refused

_READ: Final = 1000
"""Characters of a header that are read; nobody's wishes are longer."""


def language(request: Request) -> Language:
    """The language that the caller likes best, of equal ones the first; Chinese where neither is wished for."""
    ranges = _ranges(request, "accept-language")
    liked = [name.partition("-")[0] for name, _ in ranges]
    best, chosen = 0.0, Language.ZH
    for one in sorted(Language, key=lambda one: liked.index(one) if one in liked else len(liked)):
        own = [quality for name, quality in ranges if name.partition("-")[0] == one]
        quality = max(own or [quality for name, quality in ranges if name == "*"], default=0.0)
        if quality > best:
            best, chosen = quality, one
    return chosen


def representation(request: Request, offered: Sequence[str]) -> str:
    """The offered media type that the caller likes best; the first one where it does not say.

    Raises:
        Refused: 406, none of them.
    """
    ranges = _ranges(request, "accept")
    if not ranges:
        return offered[0]
    best, chosen = 0.0, None
    for kind in offered:
        quality = _quality(kind, ranges)
        if quality > best:
            best, chosen = quality, kind
    if chosen is None:
        raise Refused(406, "not_acceptable", extra={"offered": list(offered)})
    return chosen


def _ranges(request: Request, name: str) -> list[tuple[str, float]]:
    header = ",".join(request.headers.getlist(name))[:_READ]
    return [_range(part) for part in header.split(",") if part.strip()]


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = part.strip().lower().split(";")
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            quality = _number(value)
    return kind.strip(), quality


def _number(text: str) -> float:
    """A quality; one that is none is no wish."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return min(max(number, 0.0), 1.0) if math.isfinite(number) else 0.0


def _quality(kind: str, ranges: list[tuple[str, float]]) -> float:
    """The quality of the most specific range that fits."""
    main = kind.partition("/")[0]
    for wanted in (kind, f"{main}/*", "*/*"):
        found = [quality for range_, quality in ranges if range_ == wanted]
        if found:
            return max(found)
    return 0.0
