"""Whether the house stands: alive, ready, and the figures of its flow."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from gateway.flow.house import House
from gateway.web.api.reading import answer
from gateway.web.auth import Door


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["运行 Health"])

    @routes.get("/healthz", summary="存活 Alive")
    async def alive(request: Request) -> Response:
        return PlainTextResponse("ok")

    @routes.get("/readyz", summary="就绪 Ready")
    async def ready(request: Request) -> Response:
        await house.store.row("log_position")
        stuck = house.worker.stuck()
        return answer({"ready": not stuck, "stuck": stuck}, status=503 if stuck else 200)

    @routes.get("/metrics", summary="指标 Figures for Prometheus")
    async def metrics(request: Request) -> Response:
        if house.settings.env == "production":
            await door.principal(request, "ops:read")
        lines = ["# TYPE gateway_deliveries gauge"]
        rows = await house.store.rows("flow")
        lines += [
            f'gateway_deliveries{{endpoint="{row["endpoint"]}",state="{row["state"]}"}} {row["many"]}' for row in rows
        ]
        lines.append("# TYPE gateway_callbacks gauge")
        calls = await house.store.rows("flow_callbacks")
        lines += [
            f'gateway_callbacks{{endpoint="{row["endpoint"]}",state="{row["state"]}"}} {row["many"]}' for row in calls
        ]
        if house.broker is not None:
            lines.append("# TYPE gateway_events_unpublished gauge")
            lines.append(f"gateway_events_unpublished {await house.broker.waiting()}")
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    return routes
