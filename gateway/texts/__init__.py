"""Sentences for people, zh-CN and English, one catalogue for API, command line and console."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _catalogue(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(files("gateway.texts").joinpath(f"{name}.toml").read_text("utf-8"))


def problem_texts(code: str) -> dict[str, str] | None:
    """``title_zh``, ``title_en``, ``detail_zh``, ``detail_en`` of a problem code, or ``None``."""
    return _catalogue("problems").get(code)


def field_texts(code: str) -> dict[str, str] | None:
    """``zh`` and ``en`` of what is wrong with a field, or ``None``."""
    return _catalogue("fields").get(code)


def problem_codes() -> tuple[str, ...]:
    """Every problem code of the catalogue, in its order."""
    return tuple(_catalogue("problems"))


def setting_text(kinds: Iterable[str], key: str) -> str | None:
    """The Chinese of a configuration key, by the names of its settings class and those it comes from; ``None``: no text."""
    catalogue = _catalogue("settings")
    return next((catalogue[kind][key] for kind in kinds if key in catalogue.get(kind, ())), None)


@cache
def console_texts() -> Mapping[str, Mapping[str, str]]:
    """The console's catalogue: ``zh`` and ``en`` by dotted key (``nav.overview``)."""
    table = tomllib.loads(files("gateway.texts").joinpath("console.toml").read_text("utf-8"))
    return dict(_leaves(table, ""))


def _leaves(table: dict[str, Any], at: str) -> Iterator[tuple[str, dict[str, str]]]:
    for key, value in table.items():
        if isinstance(value, dict) and value.keys() == {"zh", "en"}:
            yield at + key, value
        elif isinstance(value, dict):
            yield from _leaves(value, f"{at}{key}.")
        else:
            raise ValueError(f"console.toml: {at}{key} is no text in both languages")


def console_text(key: str, language: str, **values: object) -> str:
    """A text of the console in ``zh`` or ``en``, its places filled.

    Raises:
        KeyError: the catalogue has no such key.
    """
    text = console_texts()[key][language]
    return text.format(**values) if values else text
