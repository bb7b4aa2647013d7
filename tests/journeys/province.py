"""The platforms of the province as one process of mocks, a gateway before them, and an organisation that works with both."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import orjson

from contracts.messages import COURT, HR, NATIONAL, ONE_STOP, UNION
from gateway.flow.delivering.exchange import unpack_steps
from gateway.flow.house import House
from gateway.registry import installed
from gateway.security.clients import OPERATOR_SCOPES, UPSTREAM_SCOPES, make_key
from gateway.store.lists import list_deliveries
from gateway.web.listen import Listener, listening_socket
from gateway.web.server import web
from tests.flow import papers
from tests.house import FAST, Gateways
from tests.servers.process import Child

PLATFORMS = (HR, COURT, ONE_STOP, UNION)
LIXIA, LANSHAN = "SD-JN-LX-001", "SD-LY-LS-007"
ORGANIZATIONS = (LIXIA, LANSHAN)
COURTS = {"370102": "鲁0102", "371302": "鲁1302"}
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
_SOON = [0.2, 0.3, *(0.5 for _ in range(40))]
_MOCKS: dict[str, dict[str, Any]] = {
    HR: {"rate_per_s": 400, "callback_waits_s": _SOON},
    COURT: {"rate_per_s": 400, "callback_waits_s": _SOON, "index_lag_s": 0.2, "court_codes": COURTS},
    ONE_STOP: {"rate_per_s": 400, "pull_interval_s": 0.05, "organization_codes": list(ORGANIZATIONS)},
    UNION: {"rate_per_s": 400, "result_delay_s": 0.1, "callback_waits_s": _SOON},
    NATIONAL: {"quota_per_minute": 60_000, "poll_min_s": 0.05, "organizations": list(ORGANIZATIONS)},
}
_OURS: dict[str, dict[str, Any]] = {
    ONE_STOP: {"poll_every_s": (0.1, 0.2)},
    COURT: {"lookup_lag_s": 0.5},
    UNION: {},
    HR: {},
    NATIONAL: {"poll_every_s": (0.1, 0.2)},
}
_LISTED: dict[str, list[str]] = {NATIONAL: list(ORGANIZATIONS)}
"""Endpoints that take the cases of these organisations alone."""


class Province:
    """``await Province.open(gateway, directory)``; ``close`` ends mocks and web server, the fixture ends the house."""

    def __init__(self, gateway: Gateways, data: Path, platforms: tuple[str, ...]) -> None:
        self.gateway = gateway
        self._platforms = platforms
        self._data = data
        self._bound = listening_socket("127.0.0.1", 0)
        self.port: int = self._bound.getsockname()[1]
        self.http = httpx.AsyncClient(timeout=20, trust_env=False)
        self.urls: dict[str, str] = {}
        self._child: Child
        self._listener: Listener
        self.house: House
        self.api: httpx.AsyncClient
        self.ops: httpx.AsyncClient
        self._numbers = 0
        self.filed_beside: Counter[str] = Counter()
        """What a test itself filed at a platform, past the engine."""

    @classmethod
    async def open(cls, gateway: Gateways, data: Path, platforms: tuple[str, ...] = PLATFORMS) -> Province:
        """Everything up, in the gateway's time."""
        made = cls(gateway, data, platforms)
        await asyncio.to_thread(made._start_mocks)
        configs = made._read()
        endpoints = {}
        for name in platforms:
            kind = installed()[name]()
            known = {key: value for key, value in configs[name].items() if key in kind.settings_type.model_fields}
            endpoints[name] = {"adapter": name, "settings": known | _OURS[name], "organizations": _LISTED.get(name)}
        await made.set_clocks()
        retry = FAST.model_copy(update={"orphan": (0.1, 0.2, 0.4, 0.8, 1.6)})
        made.house = await gateway(
            endpoints, port=made.port, public_base=f"http://127.0.0.1:{made.port}", retry=retry, env="demo"
        )
        made._listener = Listener(web(made.house), made._bound)
        await made._listener.start()
        made.api = await made.client(ORGANIZATIONS)
        made.ops = await made.client(("*",), OPERATOR_SCOPES)
        return made

    def _start_mocks(self) -> None:
        self._data.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mocks", *self._platforms, "--data", str(self._data)]
        command += ["--callbacks", f"http://127.0.0.1:{self.port}/callbacks"]
        for name in self._platforms:
            for key, value in _MOCKS[name].items():
                command += ["--set", f"{name}.{key}={json.dumps(value, ensure_ascii=False)}"]
        log = self._data / "log"
        log.write_bytes(b"")
        self._child = Child(command, log)
        self._child.until(lambda: '"ready"' in log.read_text("utf-8"))

    def _read(self) -> dict[str, dict[str, Any]]:
        configs = {}
        for line in (self._data / "log").read_text("utf-8").splitlines():
            if line.startswith('{"mock"'):
                found = json.loads(line)
                self.urls[found["mock"]] = found["url"]
                configs[found["mock"]] = json.loads(Path(found["config"]).read_text("utf-8"))
        return configs

    async def set_clocks(self) -> None:
        """Let every platform live in the gateway's time."""
        for url in self.urls.values():
            reply = await self.http.post(f"{url}/_mock/clock", json={"at": self.gateway.clock.now().isoformat()})
            reply.raise_for_status()

    async def client(
        self, organizations: tuple[str, ...], scopes: tuple[str, ...] = UPSTREAM_SCOPES
    ) -> httpx.AsyncClient:
        """A client with a key of its own."""
        key = make_key()
        client = f"client{key.prefix}"
        rights = (orjson.dumps(list(scopes)).decode(), orjson.dumps(list(organizations)).decode())
        await self.house.store.write("add_client", (key.prefix, client, client, key.secret_hash, *rights, None))
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {key.shown}"},
            timeout=20,
            trust_env=False,
        )

    async def recorded_is_sent(self) -> None:
        """Every filing that came to a platform is one that an attempt tells, to the unit, by the platform's own count.
        Sessions, polls, look-ups and downloads are counted apart."""
        if not self.gateway.holds(self.house):
            return
        await self.house.worker.stop()
        store = self.house.store
        told: dict[str, list[dict[str, object]]] = {name: [] for name in self.urls}
        died: Counter[str] = Counter()
        for row in await store.run(list_deliveries, "", "", "", 10_000):
            attempts = await store.rows("attempts_of", row["id"])
            died[row["endpoint"]] += row["attempts"] - len(attempts)
            for attempt in attempts:
                assert attempt["steps_sealed"] is not None
                sealed = store.unseal(attempt["steps_sealed"], f"attempts.steps:{row['id']}/{attempt['number']}")
                told.setdefault(row["endpoint"], []).extend(unpack_steps(sealed))
        for name, url in self.urls.items():
            operations = {one.operation for one in self.house.endpoints[name].adapter.info.capabilities}
            counted: dict[str, int] = (await self.http.get(f"{url}/_mock/requests")).json()
            came = sum(many for operation, many in counted.items() if operation in operations) - self.filed_beside[name]
            filings = [step for step in told[name] if step["filing"]]
            through = sum(step["status"] is not None for step in filings)
            cut = sum(step["status"] is None and step["error"] != "unreachable" for step in filings)
            counts = f"{name}: {came} filings came, {through} recorded as answered, {cut} as cut off; {counted}"
            # A test that moves the clock ends leases under what is in flight: of such a claim nothing may be recorded.
            assert died[name] == 0 or self.gateway.clock.skipped, f"{name}: a claim died"
            assert through <= came <= through + cut + died[name], counts

    async def close(self) -> None:
        """End what was opened here, and compare what came with what was recorded."""
        try:
            await self.recorded_is_sent()
        finally:
            await self._close()

    async def _close(self) -> None:
        for client in (self.http, self.api, self.ops):
            await client.aclose()
        await self._listener.stop()
        await asyncio.to_thread(self._child.end)

    # ---- the organisation

    async def post(self, path: str, body: dict[str, Any], status: int = 202) -> dict[str, Any]:
        """Post a document; the answer."""
        reply = await self.api.post(path, json=body)
        assert reply.status_code == status, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def get(self, path: str, client: httpx.AsyncClient | None = None) -> dict[str, Any]:
        """Read."""
        reply = await (client or self.api).get(path)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def paper(self, kind: str = "mediation_agreement") -> str:
        """Upload a paper; its id."""
        reply = await self.api.post(
            "/v1/attachments", files={"file": ("协议.pdf", PDF, "application/pdf")}, data={"kind": kind}
        )
        assert reply.status_code in (200, 201), reply.text
        return str(reply.json()["id"])

    async def case(self, changes: dict[str, Any] | None = None, name: str = "wages") -> str:
        """A new case; its id."""
        self._numbers += 1
        number = {"/source_case_no": f"370102-LX001-2026-{self._numbers:05}"}
        return str((await self.post("/v1/cases", papers.body(name, number | (changes or {}))))["id"])

    async def agreement(self, case: str, changes: dict[str, Any] | None = None) -> str:
        """An agreement; its id."""
        self._numbers += 1
        given = {"/document": await self.paper(), "/agreement_no": f"历下劳人调〔2026〕{self._numbers}号"}
        body = papers.body("agreement", given | (changes or {}))
        return str((await self.post(f"/v1/cases/{case}/agreements", body))["id"])

    async def confirmation(self, agreement: str, route: str = "arbitration", **changes: Any) -> str:
        """A request for confirmation; its id."""
        body = papers.body(route, changes)
        return str((await self.post(f"/v1/agreements/{agreement}/confirmations", body))["id"])

    # ---- the platforms

    async def tell(self, platform: str, path: str, order: dict[str, Any]) -> dict[str, Any]:
        """Drive a platform."""
        reply = await self.http.post(f"{self.urls[platform]}/_mock/{path}", json=order)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    async def decide(self, platform: str, ref: str, decision: str, **more: Any) -> dict[str, Any]:
        """A clerk decides."""
        return await self.tell(platform, "decide", {"ref": ref, "decision": decision} | more)

    async def journal(self, platform: str) -> list[dict[str, Any]]:
        """What a platform received and did."""
        found: list[dict[str, Any]] = (await self.http.get(f"{self.urls[platform]}/_mock/journal")).json()
        return found

    # ---- waiting

    async def until(self, check: Callable[[], Awaitable[Any]], what: str, seconds: float = 15.0) -> Any:
        """Wait until the check gives something."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := await check()):
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise AssertionError(f"in vain: {what}\n{await self._situation()}") from None
        return found

    async def _situation(self) -> str:
        rows = await self.house.store.run(list_deliveries, "", "", "", 200)
        lines = [f"{row['endpoint']} {row['type']} {row['state']} {row['code']}" for row in rows]
        lines += [f"task {row['kind']} {row['code']}" for row in await self.tasks()]
        return "\n".join(lines)

    async def reaches(self, path: str, status: str) -> dict[str, Any]:
        """Wait until a thing has a status; the thing."""

        async def there() -> dict[str, Any] | None:
            found = await self.get(path)
            return found if found["status"] == status else None

        found: dict[str, Any] = await self.until(there, f"{path} is {status}")
        return found

    async def delivered(self, subject: str, kind: str, endpoint: str) -> None:
        """Wait until a message of this type is delivered at an endpoint."""

        async def there() -> bool:
            file = await self.house.store.load(subject)
            held = [] if file is None else file.deliveries
            return any(row.type == kind and row.endpoint == endpoint and row.state == "delivered" for row in held)

        await self.until(there, f"{kind} delivered to {endpoint}")

    async def referral(self, task_no: str) -> dict[str, Any]:
        """Wait until a referral is offered; what is read of it."""

        async def there() -> dict[str, Any] | None:
            for one in (await self.get("/v1/referrals"))["items"]:
                if one["task_no"] == task_no:
                    return await self.get(f"/v1/referrals/{one['id']}")
            return None

        found: dict[str, Any] = await self.until(there, f"the referral {task_no}")
        return found

    async def tasks(self, kind: str = "") -> list[Any]:
        """Open tasks."""
        return await self.house.store.rows("list_tasks", "open", kind, "", 1000)

    async def types(self, subject: str) -> list[str]:
        """The types of a subject's events."""
        return [str(row["type"]) for row in await self.house.store.rows("events_of", subject)]
