"""Bytes of a body into one JSON object (page §1): strict, ``null`` = absent."""

from __future__ import annotations

import json
from typing import Any, Final

from mocks.national_mediation.problems import Problem

Json = dict[str, Any]

_DEPTH: Final = 64


def read_object(body: bytes) -> Json:
    """The JSON object without its nulls. Raises :class:`Problem` ``BODY_UNREADABLE``."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_constant)
        found = _present(value, _DEPTH)
    except (ValueError, RecursionError):
        raise Problem("BODY_UNREADABLE") from None
    if not isinstance(found, dict):
        raise Problem("BODY_UNREADABLE")
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


def _present(value: Any, depth: int) -> Any:
    if not depth:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        for name in value:
            name.encode("utf-8")  # a lone surrogate is a ValueError
        return {name: _present(inner, depth - 1) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_present(inner, depth - 1) for inner in value]
    if isinstance(value, str):
        value.encode("utf-8")
    return value
