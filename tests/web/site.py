"""A gateway as others see it: the real application over HTTP, with keys for an upstream, a stranger and an operator. Every
answer that one of them gets is held against the description of the API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

import httpx
import orjson

from gateway.flow.house import House
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES, make_key
from gateway.web.server import web
from tests.flow import papers
from tests.flow.stage import PDF, Stage
from tests.servers.databases import table
from tests.web.described import description

ORGANIZATIONS = ("SD-JN-LX-001", "SD-LY-LS-007")
TABLES = (
    "subjects",
    "matters",
    "messages",
    "deliveries",
    "lanes",
    "events",
    "idempotency_keys",
    "clocks",
    "tasks",
    "people",
    "holders",
    "attachments",
)


class Site:
    """One house behind its application, and the callers at its door."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.stage = Stage(house)
        self.application = web(house)
        self._stack = AsyncExitStack()
        self._numbers = count(1)
        self.succeeded: set[tuple[str, int]] = set()
        self.up: httpx.AsyncClient
        self.stranger: httpx.AsyncClient
        self.op: httpx.AsyncClient
        self.nobody: httpx.AsyncClient

    async def open(self) -> Site:
        """Make the callers."""
        self.nobody = await self.client()
        self.up = await self.caller("up")
        self.stranger = await self.caller("stranger", organizations=("SD-QD-SN-002",))
        self.op = await self.caller("op", OPERATOR_SCOPES, ("*",))
        return self

    async def close(self) -> None:
        """Let the callers go."""
        await self._stack.aclose()

    async def client(self, **headers: str) -> httpx.AsyncClient:
        """A caller with these headers."""
        transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)
        hooks = {"response": [self._seen]}
        made = httpx.AsyncClient(
            transport=transport, base_url="http://gateway.test", headers=headers, event_hooks=hooks
        )
        return await self._stack.enter_async_context(made)

    async def _seen(self, response: httpx.Response) -> None:
        told = description(self.application.framework)
        call = told.call_of(response.request.method, response.request.url.raw_path.decode().partition("?")[0])
        if call is None:
            return
        kind = response.headers.get("content-type", "").partition(";")[0]
        if kind in ("application/json", "application/problem+json", "application/x-ndjson", ""):
            await response.aread()
        if response.is_success:
            self.succeeded.add((call, response.status_code))
            told.holds(call, response)
            told.takes(call, response.request)
        elif response.content:
            told.refuses(call, response)

    async def key(
        self,
        client: str,
        scopes: tuple[str, ...] = UPSTREAM_SCOPES,
        organizations: tuple[str, ...] = ORGANIZATIONS,
        expires_at: int | None = None,
    ) -> str:
        """A fresh key of a client."""
        key = make_key()
        lists = (json.dumps(scopes), json.dumps(organizations))
        await self.house.store.write("add_client", (key.prefix, client, client, key.secret_hash, *lists, expires_at))
        return key.shown

    async def caller(
        self,
        client: str,
        scopes: tuple[str, ...] = UPSTREAM_SCOPES,
        organizations: tuple[str, ...] = ORGANIZATIONS,
    ) -> httpx.AsyncClient:
        """A caller with a key of its own."""
        return await self.client(Authorization=f"Bearer {await self.key(client, scopes, organizations)}")

    # ---- documents

    async def post(
        self,
        path: str,
        content: bytes | dict[str, Any],
        by: httpx.AsyncClient | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Post JSON."""
        raw = content if isinstance(content, bytes) else orjson.dumps(content)
        return await (by or self.up).post(
            path, content=raw, headers={"Content-Type": "application/json", **(headers or {})}
        )

    async def put(
        self, path: str, content: bytes | dict[str, Any], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Put JSON."""
        raw = content if isinstance(content, bytes) else orjson.dumps(content)
        return await self.up.put(path, content=raw, headers={"Content-Type": "application/json", **(headers or {})})

    def case_body(self, changes: dict[str, Any] | None = None, name: str = "wages") -> dict[str, Any]:
        """A case under a number of its own."""
        number = {"/source_case_no": f"370102-LX001-2026-{next(self._numbers):05}"}
        return papers.body(name, number | (changes or {}))

    async def case(self, changes: dict[str, Any] | None = None, name: str = "wages") -> str:
        """A case; returns its id."""
        return accepted(await self.post("/v1/cases", self.case_body(changes, name)))

    async def upload(self, data: bytes = PDF, kind: str = "mediation_agreement", name: str = "协议.pdf") -> str:
        """An attachment; returns its id."""
        response = await self.up.post("/v1/attachments", files={"file": (name, data)}, data={"kind": kind})
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def agreement_body(self, changes: dict[str, Any] | None = None) -> dict[str, Any]:
        """An agreement with its uploaded document, under a number of its own."""
        number = f"历下劳人调〔2026〕{next(self._numbers)}号"
        return papers.body("agreement", {"/document": await self.upload(), "/agreement_no": number} | (changes or {}))

    async def agreement(self, case: str, changes: dict[str, Any] | None = None) -> str:
        """An agreement; returns its id."""
        return accepted(await self.post(f"/v1/cases/{case}/agreements", await self.agreement_body(changes)))

    async def confirmation(self, agreement: str, route: str = "arbitration") -> str:
        """A request for confirmation; returns its id."""
        return accepted(await self.post(f"/v1/agreements/{agreement}/confirmations", papers.raw(route)))

    async def counts(self) -> dict[str, int]:
        """Rows of every table that a document could leave something in."""
        store = self.house.store
        return {name: (await table(store, f"SELECT count(*) FROM {name}"))[0][0] for name in TABLES}  # noqa: S608 -- ours


def accepted(response: httpx.Response) -> str:
    """The id of what was taken."""
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


@asynccontextmanager
async def site(house: House) -> AsyncIterator[Site]:
    """A site over a house, for a while."""
    made = await Site(house).open()
    try:
        yield made
    finally:
        await made.close()
