"""The samples of the contract are accepted exactly as they are, alone and against the documents that they belong to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from contracts.agreement import Agreement, Performance, examine_agreement, examine_performance
from contracts.case import Case
from contracts.confirmation import ConfirmationRequest, examine_confirmation
from contracts.document import Document
from contracts.findings import Code
from contracts.intake import read

NAMES = (
    "wages",
    "collective",
    "failed",
    "alert",
    "agreement",
    "performed",
    "judicial",
    "arbitration",
    "transfer",
)


@pytest.mark.parametrize("name", NAMES)
def test_accepted_as_it_is(
    name: str,
    raw_sample: Callable[[str], bytes],
    kind_of: Callable[[str], type[Document]],
    now: datetime,
) -> None:
    reading = read(kind_of(name), raw_sample(name), now=now)
    assert reading.warnings == ()
    assert read(kind_of(name), reading.document.to_json(), now=now).document == reading.document


@pytest.mark.parametrize("name", NAMES)
def test_written_back_with_the_same_content(
    name: str, raw_sample: Callable[[str], bytes], kind_of: Callable[[str], type[Document]]
) -> None:
    written = json.loads(kind_of(name).model_validate_json(raw_sample(name)).to_json())
    assert _without_empty_lists(written) == _without_empty_lists(json.loads(raw_sample(name)))


def _without_empty_lists(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_empty_lists(member) for key, member in value.items() if member != []}
    return [_without_empty_lists(item) for item in value] if isinstance(value, list) else value


def test_offsets_and_cents_survive(wages: Case) -> None:
    assert wages.received_at.utcoffset() == timedelta(hours=8)
    assert b'"received_at":"2026-09-16T09:30:00+08:00"' in wages.to_json()
    assert b'"amount":"18600.00"' in wages.to_json()


def test_agreement_and_performance_fit_the_case(
    wages: Case, agreement: Agreement, raw_sample: Callable[[str], bytes]
) -> None:
    assert examine_agreement(agreement, wages) == ()
    assert examine_performance(Performance.model_validate_json(raw_sample("performed")), agreement) == ()


@pytest.mark.parametrize("name", ["judicial", "arbitration"])
def test_confirmations_lack_nothing_but_the_identity_proof(
    name: str, wages: Case, agreement: Agreement, raw_sample: Callable[[str], bytes]
) -> None:
    request = ConfirmationRequest.model_validate_json(raw_sample(name))
    findings = examine_confirmation(request, wages, agreement)
    assert [(finding.pointer, finding.code, finding.is_error) for finding in findings] == [
        ("/attachments", Code.PAPER_MISSING, False)
    ]
