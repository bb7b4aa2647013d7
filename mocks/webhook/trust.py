"""Whom the receiver trusts: keys by endpoint, kept over a restart (webhook page §8, ``POST /_mock/trust``)."""

import json
import os
from pathlib import Path
from typing import Any

from mocks.webhook.signatures import Keys, fitting, read_keys

DEFAULT = ""
"""Name of the endpoint whose keys stand in the settings or were trusted without ``endpoint_id``."""


class Trust:
    """Keys of each endpoint of the gateway that posts here."""

    def __init__(self, file: Path, secrets: list[str], public_keys: list[str]) -> None:
        """``file`` holds what was trusted by calls; the settings' keys count until then. Raises ``ValueError``."""
        self._file = file
        self._shown: dict[str, dict[str, list[str]]] = {}
        if secrets or public_keys:
            self._shown[DEFAULT] = {"secrets": secrets, "public_keys": public_keys, "retired": []}
        if file.exists():
            self._shown = json.loads(file.read_text("utf-8"))
        self._keys = {name: read_keys(**lists) for name, lists in self._shown.items()}

    def renew(self, order: dict[str, Any]) -> str:
        """Take ``{endpoint_id?, secrets[], public_keys[], retired[]}`` as that endpoint's keys; returns its name.

        Raises:
            ValueError: an unknown key of the order, a wrong type, or a key that is none.
        """
        if unknown := sorted(set(order) - {"endpoint_id", "secrets", "public_keys", "retired"}):
            raise ValueError(f"unknown key {', '.join(unknown)}; known: endpoint_id, secrets, public_keys, retired")
        name = order.get("endpoint_id", DEFAULT)
        if not isinstance(name, str) or len(name) > 128:
            raise ValueError("endpoint_id must be a text")
        lists: dict[str, list[str]] = {}
        for key in ("secrets", "public_keys", "retired"):
            value = order.get(key, [])
            if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
                raise ValueError(f"{key} must be a list of texts")
            lists[key] = value
        self._keys[name] = read_keys(**lists)
        self._shown[name] = lists
        self._write()
        return name

    def forget(self) -> None:
        """Forget every key (fault ``expire_session``)."""
        self._keys.clear()
        self._shown.clear()
        self._write()

    def known(self) -> bool:
        """Whether there is any key in force."""
        return any(keys.kinds for keys in self._keys.values())

    def find(self, signed: bytes, signatures: list[tuple[str, bytes]]) -> tuple[str, Keys, set[str]] | None:
        """The endpoint of which at least one key in force fits, its keys, and the kinds that fit."""
        for name, keys in self._keys.items():
            if kinds := fitting(signed, signatures, keys):
                return name, keys, kinds
        return None

    def all(self) -> list[Keys]:
        """The keys of every endpoint."""
        return list(self._keys.values())

    def _write(self) -> None:
        # The file holds secrets: it is made unreadable for others before anything is written to it.
        new = self._file.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(self._shown, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)
