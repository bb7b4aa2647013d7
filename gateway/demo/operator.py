"""The operator on duty: where a lost answer leaves a delivery in doubt, he asks the platform and says what he found.

Platforms that know neither repeats nor questions (the union) leave it to a person (``design.md`` §6). He uses the operators'
calls like anybody, and the platform's own ledger for the telephone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import structlog

from gateway.client import CallRefused, GatewayClient, GatewayUnreachable
from gateway.demo.platforms import Platform

log = structlog.get_logger("gateway.demo")

_LOOK_S = 1.0
_PATIENCE_LOOKS = 3
"""Looks during which the platform's own word may still settle it."""


class Duty:
    """Looks after deliveries in doubt until cancelled."""

    def __init__(self, client: GatewayClient, platforms: Sequence[Platform]) -> None:
        self._client = client
        self._platforms = {platform.name: platform for platform in platforms}
        self._looks: dict[str, int] = {}

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self.look()
            except (CallRefused, GatewayUnreachable, httpx.HTTPError) as error:
                log.warning("duty_interrupted", error=type(error).__name__)

    async def look(self) -> None:
        """One round."""
        page = await self._client.get("/v1/ops/deliveries", {"state": "in_doubt"})
        items = page["items"]
        for item in items if isinstance(items, list) else []:
            if not isinstance(item, dict):
                continue
            delivery, endpoint = str(item["id"]), str(item["endpoint"])
            self._looks[delivery] = self._looks.get(delivery, 0) + 1
            if self._looks[delivery] > _PATIENCE_LOOKS and endpoint in self._platforms:
                await self._resolve(delivery, self._platforms[endpoint])

    async def _resolve(self, delivery: str, platform: Platform) -> None:
        arrived = any(
            line["message_id"] == delivery and line["effect"] == "created" for line in await platform.told_of(delivery)
        )
        told = (
            "平台台账中有此编号 the platform has it" if arrived else "平台台账中无此编号 the platform does not have it"
        )
        await self._client.resolve(delivery, arrived=arrived, evidence=f"电话核实 by telephone: {told}")
        log.info("resolved", delivery=delivery, endpoint=platform.name, state="arrived" if arrived else "missing")
