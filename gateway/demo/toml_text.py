"""Writes configuration as TOML text: the few kinds of value that ours has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def value_text(value: object) -> str:
    """One value on one line.

    Raises:
        TypeError: a kind of value that the configuration has not (``None`` above all: leave the key out).
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key_text(key)} = {value_text(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return "[" + ", ".join(value_text(inner) for inner in value) + "]"
    raise TypeError(f"TOML has no {type(value).__name__}")


def key_text(key: str) -> str:
    """A key, quoted where it must be."""
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def table_text(values: Mapping[str, object], at: tuple[str, ...] = ()) -> str:
    """A whole table: its plain values first, then its tables, each under its own head."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    inner = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    lines = [f"{key_text(key)} = {value_text(value)}" for key, value in plain.items()]
    if at and (plain or not inner):
        lines.insert(0, "[" + ".".join(key_text(part) for part in at) + "]")
    text = "".join(f"{line}\n" for line in lines)
    for key, table in inner.items():
        below = table_text(table, (*at, key))
        text += ("\n" if text else "") + below
    return text
