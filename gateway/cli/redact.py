"""A configuration as it may be shown: secrets hidden, by what each adapter itself calls a secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from contracts.adapter import AdapterSettings
from gateway.registry import installed
from gateway.settings import Settings

HIDDEN = "***"


def redacted(settings: Settings) -> dict[str, Any]:
    """The settings as plain values. What an unknown adapter or an unknown key holds is hidden whole."""
    shown = {key: value for key, value in _plain(settings).items() if value is not None}
    shown["database"] = _without_password(settings.database)
    loaders = installed()
    for name, endpoint in settings.endpoints.items():
        loader = loaders.get(endpoint.adapter)
        kind = None if loader is None else loader().settings_type
        shown["endpoints"][name]["settings"] = _of_adapter(endpoint.settings, kind)
    return shown


def _without_password(database: str) -> str:
    parts = urlsplit(database)
    if parts.password is None:
        return database
    return database.replace(f":{parts.password}@", f":{HIDDEN}@", 1)


def _of_adapter(given: Mapping[str, Any], kind: type[AdapterSettings] | None) -> dict[str, Any]:
    fields = {} if kind is None else kind.model_fields
    return {
        key: value if key in fields and not _is_secret(fields[key].annotation) else HIDDEN
        for key, value in given.items()
    }


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(inner) for inner in get_args(annotation))


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, BaseModel):
        kept = {name: _plain(getattr(value, name)) for name in type(value).model_fields}
        return {name: inner for name, inner in kept.items() if inner is not None}
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value
