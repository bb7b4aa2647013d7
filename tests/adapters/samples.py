"""The contract's samples as documents, some fields changed: what the tests of several adapters translate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from contracts.adapter import AttachmentInfo
from contracts.agreement import Agreement, Performance
from contracts.case import CaseProgress
from contracts.document import Document

SAMPLES = Path(__file__).parents[1] / "data" / "samples"
CASE_ID = "case_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
AGREEMENT_ID = "agr_01JB2Z9K7Q4NAAAAAAAAAAAAAA"
PAPER = "att_01JB2Z9K7Q4NAAAAAAAAAAAAAA"

_Kind = TypeVar("_Kind", bound=Document)


def made(kind: type[_Kind], /, **fields: Any) -> _Kind:
    """A document from the JSON of its fields."""
    return kind.model_validate_json(json.dumps({"schema_version": "1.0", **fields}))


def fields_of(name: str) -> dict[str, Any]:
    """The JSON of one of the contract's samples."""
    fields: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    if "document" in fields:
        fields["document"] = PAPER
    return fields


def person(**changes: Any) -> dict[str, Any]:
    """The applicant of the samples."""
    found: dict[str, Any] = fields_of("POST cases - wages")["parties"][0]
    return found | changes


def unit(**changes: Any) -> dict[str, Any]:
    """The respondent of the samples."""
    found: dict[str, Any] = fields_of("POST cases - wages")["parties"][1]
    return found | changes


def agreement(**changes: Any) -> Agreement:
    """The agreement about the wages."""
    return made(Agreement, **(fields_of("POST cases {id} agreements - wages") | changes))


def progress(**changes: Any) -> CaseProgress:
    """The mediation failed."""
    return made(CaseProgress, **(fields_of("POST cases {id} progress - failed") | changes))


def performance(**changes: Any) -> Performance:
    """The first term was performed."""
    return made(Performance, **(fields_of("POST agreements {id} performances - performed") | changes))


def file(media_type: str = "application/pdf", size: int = 10, name: str = "调解协议书.pdf") -> AttachmentInfo:
    """What the upload told of the paper."""
    return AttachmentInfo(PAPER, "mediation_agreement", name, media_type, size, "0" * 64)
