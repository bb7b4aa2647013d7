"""What alerts call things: platforms by their titles, upstream systems by the names that the operator gave them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.registry import Endpoint
from gateway.store.store import Store

_REST_S: Final = 60.0


class Titles:
    """Knows endpoints from the start, clients since its last turn."""

    def __init__(self, endpoints: Mapping[str, Endpoint], store: Store | None = None) -> None:
        self._endpoints = endpoints
        self._store = store
        self._clients: dict[str, str] = {}

    async def turn(self) -> float:
        """Read the clients' names anew; returns how long to rest."""
        if self._store is not None:
            self._clients = {row["client"]: row["name"] for row in await self._store.rows("client_names")}
        return _REST_S

    def name(self, about: str, language: str) -> str | None:
        """A thing's name in a language, ``None`` where it has none of its own."""
        endpoint = self._endpoints.get(about)
        if endpoint is not None:
            info = endpoint.adapter.info
            title = info.title_zh if language == "zh" else info.title_en
            return f"{title} ({about})"
        return self._clients.get(about)
