"""The process that a fault point ends: a gateway beside one toy platform, one case, and its way to rest. Prints what it found.

``python -m tests.faults.victim DIRECTORY ENDPOINT PORT``; the point comes by ``GATEWAY_FAULT_POINT``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.app import build
from gateway.flow.house import House
from gateway.flow.moving.order import Order, Principal
from gateway.registry import AnyAdapter
from gateway.settings import EndpointSettings, RouteSettings, Settings
from tests.house import FAST
from tests.seam import documents
from tests.seam.adapters import ToyIdempotent, ToyNeither, ToyQueryable
from tests.seam.platform import CALL_KEY, KEY, call_signature
from tests.seam.scene import ASKED, BYTES, IDS, LAG_S

ROUTED = "case.submitted"
TOYS: dict[str, type[AnyAdapter]] = {IDS: ToyIdempotent, ASKED: ToyQueryable, BYTES: ToyNeither}
_CLIENT = Principal("operator", frozenset({"*"}), frozenset())
_WITHIN_S = 20.0


def _settings(data: Path, endpoint: str, port: int) -> Settings:
    own = {"base_url": f"http://127.0.0.1:{port}", "key": KEY, "call_key": CALL_KEY, "lookup_lag_s": LAG_S}
    own |= {"poll_every_s": (0.1, 0.2)} if endpoint == ASKED else {}
    return Settings(
        env="development",
        data=data,
        retry=FAST,
        endpoints={endpoint: EndpointSettings(adapter=TOYS[endpoint].info.name, settings={**own, "deadline_s": 2.0})},
        routes=(RouteSettings(type=ROUTED, endpoint=endpoint),),
    )


async def _rests(house: House, case: str) -> dict[str, Any]:
    """The case's one delivery, once it is not under way."""
    while True:
        file = await house.store.load(case)
        if file is not None:
            (row,) = file.deliveries
            if row.state != "pending":
                return {
                    "id": row.id,
                    "state": row.state,
                    "attempts": row.attempts,
                    "code": row.code,
                    "number": row.reference,
                }
        await asyncio.sleep(0.01)


async def _called(house: House, number: str) -> int:
    """The platform calls in that the case was heard; it repeats that after a restart, under the same number."""
    at = house.store.now_ms() / 1000
    said = {"event": "E1", "about": "case", "word": "HEARD", "at": "2026-10-01T01:00:00+00:00", "number": number}
    body, nonce = json.dumps(said).encode(), f"{house.store.now_ms():x}"
    headers = (("X-Time", _iso(at)), ("X-Nonce", nonce), ("X-Sign", call_signature(_iso(at), nonce, body)))
    return (await house.receiver.receive(IDS, "POST", "/word", "", headers, body)).status


def _iso(seconds: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat()


async def _told(house: House) -> None:
    """The platform is polled until its word about the case is applied."""
    while not await house.store.rows("list_callbacks", "applied", "", 10):
        await asyncio.sleep(0.01)


async def _until_quiet(house: House) -> None:
    """Every call is applied, every event has its cursor."""
    while True:
        calls = await house.store.rows("list_callbacks", "stored", "", 10)
        log = await house.store.rows("log_position")
        events = await house.store.rows("events_after", 0, 1000)
        (left,) = await house.store.rows("count_unnumbered", 1)
        if not calls and events and not left["many"] and log[0]["position"] == len(events):
            return
        await asyncio.sleep(0.01)


async def main(data: Path, endpoint: str, port: int) -> dict[str, Any]:
    """Post, wait, be called, and tell."""
    kinds: dict[str, Callable[[], type[AnyAdapter]]] = {TOYS[endpoint].info.name: lambda: TOYS[endpoint]}
    house = await build(_settings(data, endpoint, port), adapters=kinds)
    house.start()
    try:
        async with asyncio.timeout(_WITHIN_S), house.bus.subscribe():  # somebody listens: else nothing is published
            taken = await house.intake.take(Order(_kind(), _CLIENT, documents.case(), None, "key-1"))
            found = await _rests(house, taken.about)
            if endpoint == IDS:
                found["called"] = await _called(house, found["number"])
            if endpoint == ASKED:
                await _told(house)
            await _until_quiet(house)
        events = await house.store.rows("events_after", 0, 1000)
        file = await house.store.load(taken.about)
        assert file is not None
        return found | {
            "case": taken.about,
            "replayed": taken.replayed,
            "status": file.matters[taken.about].status,
            "applied": sum(row["type"] == "case.accepted" and '"endpoint"' in row["data"] for row in events),
            "positions": [row["position"] for row in events],
            "tasks": [row["kind"] for row in await house.store.rows("list_tasks", "open", "", "", 100)],
            "cases": len(await house.store.rows("list_matters", "case", "[]", True, "", "", 0, "", 100)),
        }
    finally:
        await house.close()


def _kind() -> Any:
    from contracts.messages import MessageType

    return MessageType(ROUTED)


if __name__ == "__main__":
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.stdout.write(json.dumps(asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))))
