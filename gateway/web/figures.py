"""``/metrics`` on a port of its own: for ``gateway work``, which has no other door, and for collectors without a key."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.flow.house import House
from gateway.observability.metrics import CONTENT_TYPE
from gateway.web.api.health import figures


def figures_door(house: House) -> Starlette:
    """The application: one address, no key; who may reach the port is the operator's to settle."""

    async def metrics(request: Request) -> Response:
        return Response(await figures(house), media_type=CONTENT_TYPE)

    return Starlette(routes=[Route("/metrics", metrics)])
