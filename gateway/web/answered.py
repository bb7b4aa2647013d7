"""What every call answers where it succeeds (应答): by status the named form of its JSON, for the description of the API."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from contracts.schemas import WithTitles
from gateway.web.api.documents import CALLS
from gateway.web.api.shapes import (
    clocks,
    deliveries,
    files,
    histories,
    ledger,
    matters,
    operating,
    parts,
    reconciliations,
    redrives,
    tokens,
    webhooks,
)

Form = type[BaseModel]

_REF: Final = "#/components/schemas/"
_READ: Final[Mapping[str, Form]] = {
    "/v1/cases": matters.CasePage,
    "/v1/cases/{id}": matters.CaseView,
    "/v1/cases/{id}/timeline": histories.Timeline,
    "/v1/cases/{id}/platforms": histories.Platforms,
    "/v1/agreements/{id}": matters.AgreementView,
    "/v1/confirmations/{id}": matters.ConfirmationView,
    "/v1/transfers/{id}": matters.TransferView,
    "/v1/referrals": matters.ReferralPage,
    "/v1/referrals/{id}": matters.ReferralView,
    "/v1/mediators": matters.Roster,
    "/v1/mediators/{id}": matters.MediatorView,
    "/v1/clocks": clocks.ClockPage,
    "/v1/events": histories.EventPage,
    "/v1/webhook-endpoints": webhooks.Webhooks,
    "/v1/webhook-endpoints/{id}": webhooks.WebhookView,
    "/v1/ledger": ledger.LedgerPage,
    "/v1/statistics": ledger.StatisticsView,
    "/v1/indicators": ledger.IndicatorsView,
    "/v1/ops/deliveries": deliveries.DeliveryPage,
    "/v1/ops/deliveries/{id}": deliveries.ReasonedDelivery,
    "/v1/ops/deliveries/{id}/attempts": deliveries.Attempts,
    "/v1/ops/deliveries/{id}/wire": deliveries.Wire,
    "/v1/ops/endpoints": operating.Endpoints,
    "/v1/ops/flow": operating.Flow,
    "/v1/ops/tasks": operating.TaskPage,
    "/v1/ops/orphans": operating.CallbackPage,
    "/v1/ops/reconciliations": reconciliations.ReconciliationPage,
    "/v1/ops/reconciliations/{id}": reconciliations.ReconciliationView,
    "/v1/ops/redrives": redrives.BulkRedrivePage,
    "/v1/ops/redrives/{id}": redrives.BulkRedrive,
    "/v1/ops/redrives/{id}/items": redrives.JobItemPage,
    "/v1/ops/reports/{id}": operating.ReportView,
}
_DONE: Final[Mapping[str, Form]] = {
    **{
        f"{home}/{{id}}/{act}": clocks.TitledClock
        for home in ("/v1/clocks", "/v1/ops/clocks")
        for act in ("suspend", "resume", "extend")
    },
    **{f"/v1/ops/redrives/{{id}}/{act}": redrives.BulkRedrive for act in ("approve", "pause", "continue", "cancel")},
    "/v1/webhook-endpoints/{id}/test": webhooks.WebhookTest,
    "/v1/webhook-endpoints/{id}/rotate-secret": webhooks.FreshWebhook,
    "/v1/ops/deliveries/{id}/wire/reveal": deliveries.Revealed,
    "/v1/ops/deliveries/{id}/redrive": deliveries.Redriven,
    "/v1/ops/deliveries/{id}/resolve": deliveries.Redriven,
    "/v1/ops/deliveries/{id}/cancel": deliveries.Cancelled,
    "/v1/ops/endpoints/{name}/pause": operating.Held,
    "/v1/ops/endpoints/{name}/resume": operating.Held,
    "/v1/ops/tasks/{id}/assign": operating.TaskStanding,
    "/v1/ops/tasks/{id}/resolve": operating.TaskStanding,
    "/v1/ops/papers/{id}/fetch": operating.PaperStanding,
}

FORMS: Final[Mapping[str, Mapping[str, Form]]] = {
    **{f"GET {path}": {"200": form} for path, form in _READ.items()},
    **{f"POST {path}": {"200": form} for path, form in _DONE.items()},
    **{f"{call.method} {call.path}": {"202": matters.Accepted} for call in CALLS},
    "GET /readyz": {"200": files.Readiness, "503": files.Readiness},
    "POST /v1/cases": {"202": matters.Accepted, "200": deliveries.DryRun},
    "POST /v1/oauth2/token": {"200": tokens.AccessToken},
    "POST /v1/attachments": {"201": files.Uploaded},
    "POST /v1/webhook-endpoints": {"201": webhooks.FreshWebhook},
    "PATCH /v1/webhook-endpoints/{id}": {"200": webhooks.FreshWebhook},
    "POST /v1/ops/reports": {"202": operating.MadeReport, "200": operating.MadeReport},
    "POST /v1/ops/reconciliations": {"202": reconciliations.ReconciliationView},
    "POST /v1/ops/reconciliations/{id}/heal": {"202": reconciliations.ReconciliationView},
    "POST /v1/ops/redrives": {"202": redrives.BulkRedrive, "200": redrives.BulkPreview},
}
"""By ``METHOD path``, by status, the form of each JSON answer that is no refusal, the usual one first."""

_ITEMS: Final[Mapping[str, Form]] = {
    "POST /v1/cases:batch": matters.BatchLine,
    "GET /v1/events/stream": histories.Event,
}
"""Of answers that come piece by piece, the form of one piece."""

BESIDE: Final[Mapping[tuple[str, str], str]] = {
    ("POST /v1/cases", "200"): "试转换的结果 What a dry run found",
    ("POST /v1/ops/reports", "200"): "数字未变，没有新版本 The figures are unchanged: no new version",
    ("POST /v1/ops/redrives", "200"): "预览 A preview",
}
"""What success of another status than the usual one means."""


def schema_of(name: str, status: str) -> dict[str, Any] | None:
    """The schema of a call's JSON answer; ``None``: it gives none."""
    form = FORMS.get(name, {}).get(status)
    return None if form is None else {"$ref": f"{_REF}{form.__name__}"}


def piece_of(name: str) -> dict[str, Any]:
    """Where a call answers piece by piece, the schema of one piece, as an extension of the media type."""
    form = _ITEMS.get(name)
    return {} if form is None else {"x-item-schema": {"$ref": f"{_REF}{form.__name__}"}}


class _Drawn(WithTitles):
    """Schemas without titles that only repeat a field's name, and without tables of titles that are empty."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        result = super().enum_schema(schema)
        if not result["x-titles"]:
            del result["x-titles"]
        return result


@cache
def components() -> Mapping[str, dict[str, Any]]:
    """Every form, and what it is made of, under its name."""
    used: set[Form] = {form for forms in FORMS.values() for form in forms.values()}
    used |= {*_ITEMS.values(), parts.Finding}
    listed = {form.__name__: form for form in used}
    asked: list[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (name, "validation", TypeAdapter(listed[name])) for name in sorted(listed)
    ]
    _, drawn = TypeAdapter.json_schemas(asked, ref_template=f"{_REF}{{model}}", schema_generator=_Drawn)
    found: dict[str, dict[str, Any]] = drawn["$defs"]
    for part in found.values():
        for field in part.get("properties", {}).values():
            if "x-title-en" in field:  # as in the documents' own schemas
                field["title"] = field.pop("x-title-en")
    return found
