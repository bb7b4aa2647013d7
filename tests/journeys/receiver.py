"""The mock upstream system as a process, and a gateway whose client subscribes to it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson

from adapters.webhook import Webhook
from gateway.flow.house import House
from gateway.security.clients import UPSTREAM_SCOPES, make_key
from gateway.settings import RetrySettings
from gateway.web.server import web
from tests.house import FAST, Gateways
from tests.servers.process import Child, free_port

ORGANIZATION = "SD-JN-LX-001"
SAMPLES = Path(__file__).parents[1] / "data" / "samples"
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


class QuickWebhook(Webhook):
    """The real adapter with a short patience."""

    info = replace(Webhook.info, deadline_s=1.5, deadline_files_s=1.5)


QUICK = FAST.model_copy(
    update={
        "notify": (0.05,) * 9,
        "handshake": (0.1, 0.2),
        "webhook_failures": 1000,
        "webhook_probe": 0.3,
        "breaker": 0.05,
    }
)
"""Waits of tests. A receiver that fails for a while stays healthy, unless a test says otherwise."""


class Receiver:
    """``python -m mocks webhook`` on a port of its own."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = free_port()
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=20)
        self._child = self._start()

    def _start(self) -> Child:
        self._data.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mocks", "webhook", "--data", str(self._data), "--port", str(self.port)]
        log = self._data / "log"
        log.write_bytes(b"")
        child = Child(command, log)
        child.until(lambda: '"ready"' in log.read_text("utf-8"))
        return child

    def url(self, tail: str = "") -> str:
        """Where events go; a tail tells endpoints apart."""
        return f"http://127.0.0.1:{self.port}/hooks/mediation{tail}"

    async def trust(self, shown: dict[str, Any], *, retired: Iterable[str] = ()) -> None:
        """Trust an endpoint's keys, as its registration (or rotation) showed them, and no others."""
        secrets = [shown["secret"]] if "secret" in shown else []
        keys = [shown["public_key"]] if "public_key" in shown else []
        await self.trust_keys(shown["id"], secrets, keys, retired)

    async def trust_keys(
        self, endpoint: str, secrets: Iterable[str], public_keys: Iterable[str] = (), retired: Iterable[str] = ()
    ) -> None:
        """Trust these keys."""
        order = {"endpoint_id": endpoint, "secrets": [*secrets], "public_keys": [*public_keys], "retired": [*retired]}
        (await self.http.post("/_mock/trust", json=order)).raise_for_status()

    async def set_clock(self, gateway: Gateways) -> None:
        """Live in the gateway's time."""
        reply = await self.http.post("/_mock/clock", json={"at": gateway.clock.now().isoformat()})
        reply.raise_for_status()

    async def fault(self, action: str, op: str = "*", times: int = 1, **more: Any) -> None:
        """Script a fault (``times`` 0: until cleared)."""
        reply = await self.http.post("/_mock/faults", json=[{"op": op, "action": action, "times": times} | more])
        assert reply.status_code == 200, reply.text

    async def heal(self) -> None:
        """Clear every fault."""
        (await self.http.delete("/_mock/faults")).raise_for_status()

    async def journal(self) -> list[dict[str, Any]]:
        """Every request, oldest first."""
        found: list[dict[str, Any]] = (await self.http.get("/_mock/journal")).json()
        return found

    async def events(self) -> list[dict[str, Any]]:
        """The requests that were taken for the first time, the handshakes and tests apart."""
        return [
            entry
            for entry in await self.journal()
            if entry["effect"] == "created" and entry["kind"] not in ("endpoint.verification", "endpoint.test")
        ]

    async def breaches(self) -> list[dict[str, Any]]:
        """Requests in which something was wrong, those apart that came while no key was trusted."""
        return [
            {key: value for key, value in entry.items() if key != "payload"}
            for entry in await self.journal()
            if (entry.get("breaches") and not entry.get("untrusted")) or entry["kind"] == "trap"
        ]

    async def close(self) -> None:
        """End the process."""
        await self.http.aclose()
        self._child.end()


class Upstream:
    """A client of a gateway: its key, its calls, and what it waits for."""

    def __init__(self, house: House, client: str, shown: str) -> None:
        self.house = house
        self.client = client
        self._shown = shown
        self.api = httpx.AsyncClient(
            transport=httpx.ASGITransport(web(house)),
            base_url="http://gateway.test",
            headers={"Authorization": f"Bearer {shown}"},
        )

    @classmethod
    async def join(
        cls, house: House, client: str = "upstream", organizations: tuple[str, ...] = (ORGANIZATION,)
    ) -> Upstream:
        """Register a client with the gateway."""
        key = make_key()
        scopes = orjson.dumps(UPSTREAM_SCOPES).decode()
        row = (key.prefix, client, client, key.secret_hash, scopes, orjson.dumps(organizations).decode(), None)
        await house.store.write("add_client", row)
        return cls(house, client, key.shown)

    def at(self, house: House) -> Upstream:
        """The same client, speaking to a gateway that was started anew."""
        return Upstream(house, self.client, self._shown)

    async def call(
        self, method: str, path: str, body: Any = None, expect: int | tuple[int, ...] = (200, 201, 202)
    ) -> Any:
        """One call; its JSON answer."""
        reply = await self.api.request(method, path, json=body)
        assert reply.status_code in ((expect,) if isinstance(expect, int) else expect), reply.text
        return reply.json() if reply.content else None

    async def subscribe(self, receiver: Receiver, *events: str, tail: str = "", **more: Any) -> dict[str, Any]:
        """Subscribe, let the receiver trust the keys, wait for the handshake."""
        wish = {"url": receiver.url(tail), "events": list(events or ("*",))} | more
        shown: dict[str, Any] = await self.call("POST", "/v1/webhook-endpoints", wish, 201)
        await receiver.trust(shown)
        await self.until_state(shown["id"], "verified")
        return shown

    async def endpoint(self, identifier: str) -> dict[str, Any]:
        """How a webhook stands."""
        found: dict[str, Any] = await self.call("GET", f"/v1/webhook-endpoints/{identifier}")
        return found

    async def until_state(self, identifier: str, *states: str, seconds: float = 10.0) -> dict[str, Any]:
        """Wait until a webhook stands so."""

        async def there() -> Any:
            found = await self.endpoint(identifier)
            return found if found["state"] in states else None

        found: dict[str, Any] = await until(there, f"state {states}", seconds)
        return found

    async def feed(self, *filters: str) -> list[dict[str, Any]]:
        """Every event that the client may see, by cursor."""
        found: list[dict[str, Any]] = []
        after = "0"
        while True:
            page = await self.call("GET", f"/v1/events?after={after}" + "".join(f"&type={one}" for one in filters))
            found += page["items"]
            if page["cursor"] == after:
                return found
            after = page["cursor"]

    # ---- cases

    async def case(self, number: int) -> str:
        """A new case; returns its id."""
        body = sample("POST cases - wages") | {"source_case_no": f"370102-LX001-2026-{number:05d}"}
        return str((await self.call("POST", "/v1/cases", body, 202))["id"])

    async def chain(self, number: int) -> str:
        """Case, progress, agreement, confirmation, alert: some sixteen events."""
        case = await self.case(number)
        step = {"schema_version": "1.0", "status": "mediating", "at": "2026-09-21T09:00:00+08:00"}
        await self.call("POST", f"/v1/cases/{case}/progress", step)
        paper = await self.house.attachments.keep(
            ORGANIZATION, "mediation_agreement", "协议.pdf", PDF + b"%%%d" % number
        )
        agreement = sample("POST cases {id} agreements - wages") | {
            "document": paper.id,
            "agreement_no": f"协议{number}号",
        }
        made = await self.call("POST", f"/v1/cases/{case}/agreements", agreement)
        request = sample("POST agreements {id} confirmations - arbitration review")
        await self.call("POST", f"/v1/agreements/{made['id']}/confirmations", request)
        await self.call("POST", f"/v1/cases/{case}/alerts", sample("POST cases {id} alerts - collective"))
        return case


def sample(name: str) -> dict[str, Any]:
    """A sample as the contract ships it."""
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    return found


async def until(check: Callable[[], Awaitable[Any]], what: str, seconds: float = 15.0) -> Any:
    """Wait until the check gives something, and give that."""
    try:
        async with asyncio.timeout(seconds):
            while not (found := await check()):  # what is waited for is in another process
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"in vain: {what}") from None
    return found


async def open_house(gateway: Gateways, retry: RetrySettings = QUICK, **settings: Any) -> House:
    """A gateway without platforms, that may post to this machine."""
    values: dict[str, Any] = {
        "retry": retry,
        "webhook_allowed_hosts": [{"host": "127.0.0.1", "scheme": "http"}],
        "webhook_rate_per_s": 500,
    }
    return await gateway({}, adapters={"webhook": QuickWebhook}, **(values | settings))


async def until_arrived(
    receiver: Receiver, upstream: Upstream, *filters: str, seconds: float = 20.0
) -> list[dict[str, Any]]:
    """Wait until everything in the client's feed is at the receiver; returns the feed."""

    async def all_there() -> list[dict[str, Any]] | None:
        (left,) = await upstream.house.store.rows("count_unnumbered", 1)
        if left["many"]:
            return None  # not in the feed yet
        feed = await upstream.feed(*filters)
        try:
            taken = {entry["message_id"] for entry in await receiver.events()}
        except httpx.TransportError:
            return None  # its port is closed for a while: also to us
        return feed if feed and {event["id"] for event in feed} <= taken else None

    found: list[dict[str, Any]] = await until(all_there, "every event at the receiver", seconds)
    return found


def in_order(entries: list[dict[str, Any]]) -> bool:
    """Whether sequences rise within each case."""
    last: dict[str, str] = {}
    for entry in entries:
        event = payload(entry)
        case = event.get("partitionkey", "")
        if case and event["sequence"] <= last.get(case, ""):
            return False
        last[case] = event.get("sequence", "")
    return True


def payload(entry: dict[str, Any]) -> dict[str, Any]:
    """The event of a journal's entry."""
    found = entry["payload"]
    event: dict[str, Any] = orjson.loads(found) if isinstance(found, str) else found
    return event
