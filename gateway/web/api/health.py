"""Whether the house stands: alive, ready, and the figures of its flow."""

from __future__ import annotations

import asyncio
import time

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from gateway.flow.house import House
from gateway.observability.metrics import CONTENT_TYPE
from gateway.store.store import Store
from gateway.web.api.answers import answer
from gateway.web.auth import Door

_LOOK_AGAIN_S = 1.0
"""Nobody is asked for a name at this door: however often it is knocked at, the disk is tried no oftener."""


class _Disk:
    """Whether the store takes writes, looked at once a second at most."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._until = 0.0
        self._took = False
        self._looking = asyncio.Lock()

    async def takes(self) -> bool:
        async with self._looking:
            if time.monotonic() >= self._until:
                self._took = await self._store.can_write()
                self._until = time.monotonic() + _LOOK_AGAIN_S
            return self._took


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["运行 Health"])
    disk = _Disk(house.store)

    @routes.get("/healthz", summary="存活 Alive")
    async def alive(request: Request) -> Response:
        return PlainTextResponse("ok")

    @routes.get("/readyz", summary="就绪 Ready")
    async def ready(request: Request) -> Response:
        stuck, storage = house.worker.stuck(), await disk.takes()
        ready = storage and not stuck
        return answer({"ready": ready, "stuck": stuck, "storage": storage}, status=200 if ready else 503)

    @routes.get("/metrics", summary="指标 Figures for Prometheus")
    async def metrics(request: Request) -> Response:
        if house.settings.env == "production":
            await door.principal(request, "ops:read")
        return Response(await figures(house), media_type=CONTENT_TYPE)

    return routes


async def figures(house: House) -> bytes:
    """This process's figures, and what stands in the store as of the last look."""
    if house.gauges is not None:
        await house.gauges.refresh()
    return house.metrics.text()
