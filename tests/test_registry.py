"""The fields that tell of a person: of what is connected and of what once was."""

from __future__ import annotations

from typing import Any

from adapters.national_mediation import NationalMediation
from adapters.union import UnionPlatform
from gateway.registry import AnyAdapter, personal_fields


def _broken() -> type[AnyAdapter]:
    raise ImportError("a library that is gone")


LOADERS: dict[str, Any] = {
    "union": lambda: UnionPlatform,
    "national_mediation": lambda: NationalMediation,
    "broken": _broken,
}


def test_a_wire_outlives_its_endpoint() -> None:
    assert personal_fields((), ("union",), LOADERS) == UnionPlatform.info.personal_fields
    both = personal_fields((), ("union", "national_mediation"), LOADERS)
    assert both == UnionPlatform.info.personal_fields | NationalMediation.info.personal_fields


def test_what_was_never_connected_is_not_loaded_and_what_is_gone_stops_nothing() -> None:
    assert personal_fields((), (), {"broken": _broken}) == frozenset()
    assert personal_fields((), ("broken", "removed", "union"), LOADERS) == UnionPlatform.info.personal_fields
