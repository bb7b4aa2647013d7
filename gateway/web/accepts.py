"""What a caller wants an answer to look like: the ``Accept`` header (RFC 9110 §12.5.1) against what there is."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from gateway.flow.order import Refused


def representation(request: Request, offered: Sequence[str]) -> str:
    """The offered media type that the caller likes best; the first one where it does not say.

    Raises:
        Refused: 406, none of them.
    """
    header = ",".join(request.headers.getlist("accept"))[:1000]
    if not header.strip():
        return offered[0]
    ranges = [_range(part) for part in header.split(",") if part.strip()]
    best, chosen = 0.0, None
    for kind in offered:
        quality = _quality(kind, ranges)
        if quality > best:
            best, chosen = quality, kind
    if chosen is None:
        raise Refused(406, "not_acceptable", extra={"offered": list(offered)})
    return chosen


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = part.strip().lower().split(";")
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return kind.strip(), quality


def _quality(kind: str, ranges: list[tuple[str, float]]) -> float:
    """The quality of the most specific range that fits."""
    main = kind.partition("/")[0]
    for wanted in (kind, f"{main}/*", "*/*"):
        found = [quality for range_, quality in ranges if range_ == wanted]
        if found:
            return max(found)
    return 0.0
