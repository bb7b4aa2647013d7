"""Names of organisations and platforms as people know them, remembered for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

import orjson

from gateway.flow.house import House
from gateway.security.data_scope import EVERYTHING, DataScope
from gateway.store.places import of_document
from gateway.store.reports import organizations
from gateway.texts import console_texts

_KEPT_S: Final = 600.0
_LISTED_S: Final = 30.0
_MOST: Final = 20_000
_CHOICES: Final = 300
"""Organisations that a list to choose from shows at the most."""


class Names:
    """Looks names up."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._organizations: dict[str, tuple[float, str, str]] = {}
        self._every: tuple[float, list[str]] = (0.0, [])
        self._clients: tuple[float, dict[str, str]] = (0.0, {})
        self._people: tuple[float, dict[str, str]] = (0.0, {})

    async def organizations(self, codes: Iterable[str]) -> dict[str, str]:
        """The organisations' names, as in their newest case; the code where none is known."""
        return {code: (await self._organization(code))[0] for code in sorted(set(codes)) if code}

    async def every(self) -> list[str]:
        """Every organisation that has something here, at most half a minute ago."""
        now = time.monotonic()
        if self._every[0] <= now:
            self._every = (now + _LISTED_S, await self._house.store.runner.read(organizations))
        return self._every[1]

    async def choices(self, reach: frozenset[str] | None) -> dict[str, str]:
        """The organisations that somebody may choose from, by name; none where they are too many for a list."""
        codes = [code for code in await self.every() if reach is None or code in reach]
        if len(codes) > _CHOICES:
            return {}
        named = await self.organizations(codes)
        return dict(sorted(named.items(), key=lambda one: (one[1], one[0])))

    async def code_of(self, given: str) -> str:
        """The code of an organisation that was named by its code or its name; what nobody knows as it is."""
        if not given or given in await self.every():
            return given
        named = await self.organizations(await self.every())
        return next((code for code, name in named.items() if name == given), given)

    async def unseen(self, codes: Iterable[str]) -> list[str]:
        """Those of the codes that have nothing here yet."""
        known = {EVERYTHING, *await self.every()}
        return sorted({code for code in codes if code not in known})

    async def reach(self, scope: DataScope) -> frozenset[str] | None:
        """The organisations of a data scope; ``None``: all. One whose cases name no region lies in none."""
        if scope.whole:
            return None
        found = set(scope.organizations)
        if scope.regions:
            found |= {code for code in await self.every() if scope.covers((await self._organization(code))[1])}
        return frozenset(found - {EVERYTHING})

    async def _organization(self, code: str) -> tuple[str, str]:
        """Name and region code, as in its newest case."""
        now = time.monotonic()
        known = self._organizations.get(code)
        if known is not None and known[0] > now:
            return known[1:]
        store = self._house.store
        name, region = code, ""
        row = await store.row("organization_case", code)
        message = None if row is None else await store.row("message", row["message"])
        if message is not None:
            document = orjson.loads(store.unseal(message["document_sealed"], of_document(message["id"])))
            told = document.get("organization", {})
            name = told["name"] if isinstance(told.get("name"), str) else code
            region = str(told.get("region_code", ""))
        if len(self._organizations) >= _MOST:
            self._organizations.clear()
        self._organizations[code] = (now + (_KEPT_S if name != code else 5.0), name, region)
        return name, region

    async def people(self) -> dict[str, str]:
        """What the users are called, by their names."""
        now = time.monotonic()
        if self._people[0] <= now:
            rows = await self._house.store.rows("all_users")
            self._people = (now + _LISTED_S, {row["name"]: row["title"] for row in rows})
        return self._people[1]

    async def client(self, client: str) -> str:
        """A client's name, an endpoint's where a platform was the source; the id where neither is known."""
        now = time.monotonic()
        if self._clients[0] <= now:
            rows = await self._house.store.rows("client_names")
            self._clients = (now + 30.0, {row["client"]: row["name"] for row in rows})
        return self._clients[1].get(client, client)

    def platform(self, endpoint: str, language: str) -> str:
        """A platform's short name; an endpoint that shares its adapter with others also says its own."""
        connected = self._house.endpoints.get(endpoint)
        if connected is None:
            return endpoint
        adapter = connected.adapter.info.name
        texts = console_texts().get(f"platform.{adapter}")
        info = connected.adapter.info
        short = texts[language] if texts is not None else (info.title_zh if language == "zh" else info.title_en)
        twins = [other for other in self._house.endpoints.values() if other.adapter.info.name == adapter]
        return short if len(twins) == 1 else f"{short} ({endpoint})"
