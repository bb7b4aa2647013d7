"""Statistical reports: made on the operator's word, read with what became of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.findings import Expected
from gateway.flow.house import House
from gateway.flow.moving.order import Refused
from gateway.flow.statistics import Reporter
from gateway.report.period import PeriodRefused, quarter
from gateway.web.api.answers import answer
from gateway.web.api.views import delivery_view
from gateway.web.auth import Door
from gateway.web.bodies import bad_field, json_object, needed_reason


def router(house: House, door: Door) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/ops/reports", tags=["运维 Operating"])

    def reporter() -> Reporter:
        if house.reporter is None:
            raise Refused(503, "unavailable")
        return house.reporter

    @routes.post("", summary="统计上报 Make a statistical report", status_code=202)
    async def make(request: Request) -> Response:
        principal = await door.principal(request, "ops:write")
        body = await json_object(request)
        reason, organization, period = needed_reason(body), body.get("organization"), body.get("period")
        if not isinstance(organization, str) or not 0 < len(organization) <= 32 or not organization.isprintable():
            raise bad_field("organization", expected=Expected.ORGANIZATION)
        try:
            asked = quarter(period if isinstance(period, str) else "")
        except PeriodRefused:
            raise bad_field("period", expected=Expected.QUARTER) from None
        made = await reporter().make(principal.client, organization, asked.start, asked.end, reason)
        told: dict[str, Any] = {
            "id": made.id,
            "version": made.version,
            "unchanged": not made.fresh,
            "document": made.report.model_dump(mode="json"),
            "deliveries": [{"id": identifier, "endpoint": endpoint} for identifier, endpoint in made.deliveries],
        }
        location = f"{house.publisher.public_base}/v1/ops/reports/{made.id}"
        return answer(told, {"Location": location}, 202 if made.fresh else 200)

    @routes.get("/{id}", summary="一份统计报表 One statistical report")
    async def one(request: Request) -> Response:
        await door.principal(request, "ops:read")
        found = await reporter().find(request.path_params["id"])
        if found is None:
            raise Refused(404, "not_found")
        file, report = found
        return answer(
            {
                "id": file.subject,
                "version": file.matters[file.subject].version,
                "organization": {"code": file.organization},
                "document": report.model_dump(mode="json"),
                "deliveries": [delivery_view(row) for row in file.deliveries],
            }
        )

    return routes
