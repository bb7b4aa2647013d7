"""Upstream systems and operators as callers of the API: entered, given new keys, shut out; each act with its audit row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson

from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.envelope import compact
from gateway.security.clients import OVER_ALL, NewKey, make_key
from gateway.security.data_scope import EVERYTHING, is_organization_code
from gateway.store.engine import Operation
from gateway.store.journal import AuditEntry, append_audit
from gateway.store.store import Store

_LONGEST: Final = 100
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Admitted:
    """A client with a fresh ``key``: it is shown to a person once, and kept nowhere."""

    client: str
    name: str
    key: str


class Clients:
    """The clients of one store. An act and its audit row are one transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(
        self, actor: str, name: str, scopes: Iterable[str], organizations: Iterable[str], key: NewKey | None = None
    ) -> Admitted:
        """A new client. Organisation ``*`` stands for all; ``key``: one that was made before.

        Raises:
            ActRefused: ``client_form`` (no name, a longer one than 100 characters, no organisation), ``organization_code``
                (what is given as one has not the form of a code), ``operator_scope`` (an
                operator's scope for some organisations alone), ``taken`` (the key is there already).
        """
        called, codes = name.strip(), [code.strip() for code in organizations if code.strip()]
        if not called or len(called) > _LONGEST or not codes:
            raise ActRefused("client.client_form")
        if not all(code == EVERYTHING or is_organization_code(code) for code in codes):
            raise ActRefused("client.organization_code")
        client, made, may = self._store.ids.new("client"), key or make_key(), list(scopes)
        if OVER_ALL.intersection(may) and "*" not in codes:
            raise ActRefused("client.operator_scope")
        row = (made.prefix, client, called, made.secret_hash, _json(may), _json(codes), None)
        entry = AuditEntry(actor, "client.add", client, None, compact({"scopes": may, "organizations": codes}))
        if not await self._store.audited("add_client", row, entry):
            raise ActRefused("client.taken")
        return Admitted(client, called, made.shown)

    async def rotate(self, actor: str, client: str, overlap_h: int, reason: str | None = None) -> Admitted:
        """A new key beside the old ones, which end after the overlap (hours).

        Raises:
            ActRefused: ``not_found``.
        """
        made = make_key()
        entry = AuditEntry(actor, "client.rotate", client, reason, compact({"hours": overlap_h}))
        wait_ms = overlap_h * _HOUR_MS
        name = await self._store.run(_rotated, client, made, wait_ms, entry, self._store.now_ms())
        if name is None:
            raise ActRefused("client.not_found")
        return Admitted(client, name, made.shown)

    async def disable(self, actor: str, prefix: str, reason: str | None = None) -> None:
        """This key is good no more, at once (in five seconds everywhere).

        Raises:
            ActRefused: ``not_found``: no such key, or it is disabled already.
        """
        entry = AuditEntry(actor, "client.disable_key", prefix, reason)
        if not await self._store.audited("disable_key", (prefix,), entry):
            raise ActRefused("client.not_found")


def _rotated(client: str, key: NewKey, wait_ms: int, entry: AuditEntry, at: int) -> Operation[str | None]:
    """Returns the client's name. Of two at once the second waits for the first, and ends that one's key like the others."""
    held = yield "lock_keys", [(client,)]
    if not held:
        return None
    newest = held[-1]
    name: str = newest["name"]
    yield "add_client", [(key.prefix, client, name, key.secret_hash, newest["scopes"], newest["organizations"], None)]
    yield "end_other_keys", [(client, key.prefix, wait_ms)]
    yield from append_audit([entry], at)
    return name


def _json(listed: list[str]) -> str:
    return orjson.dumps(listed).decode()
