"""JSON Schemas (2020-12) of the canonical documents, exported from the models, with titles in both languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from contracts.agreement import Agreement, Performance
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress, FollowUp
from contracts.confirmation import ConfirmationRequest, ConfirmationSupplement, ConfirmationWithdrawal
from contracts.document import Document, titles_of
from contracts.mediator import Mediator
from contracts.referral import Referral, ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.statistics import StatisticalReport
from contracts.titled import Titled
from contracts.transfer import Transfer

DOCUMENTS: Final[Mapping[str, type[Document]]] = MappingProxyType(
    {
        "case": Case,
        "case_progress": CaseProgress,
        "collective_alert": CollectiveAlert,
        "follow_up": FollowUp,
        "agreement": Agreement,
        "performance": Performance,
        "confirmation_request": ConfirmationRequest,
        "confirmation_supplement": ConfirmationSupplement,
        "confirmation_withdrawal": ConfirmationWithdrawal,
        "transfer": Transfer,
        "referral": Referral,
        "referral_answer": ReferralAnswer,
        "referral_result": ReferralResult,
        "mediator": Mediator,
        "statistical_report": StatisticalReport,
        "status_report": StatusReport,
    }
)
"""Every canonical document under the name of its schema."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class WithTitles(GenerateJsonSchema):
    """Adds to each closed list the titles of its values (``x-titles``: value → zh, en)."""

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        result = super().enum_schema(schema)
        result["x-titles"] = titles_of(member for member in schema["members"] if isinstance(member, Titled))
        return result


def build(name: str) -> dict[str, Any]:
    """The schema of a document, made from its model.

    Raises:
        KeyError: no document of that name.
    """
    schema = DOCUMENTS[name].model_json_schema(schema_generator=WithTitles)
    for part in (schema, *schema.get("$defs", {}).values()):
        for field in part.get("properties", {}).values():
            field["title"] = field.pop("x-title-en")
    return {"$schema": _DIALECT, "$id": f"/v1/schemas/{name}", **schema}


def text(name: str) -> str:
    """The schema as its file holds it."""
    return json.dumps(build(name), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


@cache
def packaged(name: str) -> bytes:
    """The schema as packaged, ready to be served.

    Raises:
        KeyError: no document of that name.
    """
    if name not in DOCUMENTS:
        raise KeyError(name)
    return (files("contracts") / "schemas" / f"{name}.json").read_bytes()
