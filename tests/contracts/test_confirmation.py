"""A confirmation request against its case and agreement; transfers, referrals, rosters and reports by themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.agreement import Agreement
from contracts.case import Case, FollowUp, examine_follow_up
from contracts.confirmation import (
    ConfirmationRequest,
    ConfirmationSupplement,
    ConfirmationWithdrawal,
    examine_confirmation,
    papers_missing,
)
from contracts.document import Document
from contracts.findings import Finding
from contracts.intake import DocumentRefused, Reading, read
from contracts.lists import AttachmentKind, ReferralKind
from contracts.mediator import Mediator
from contracts.referral import CaseDraft, PartyDraft, Referral, ReferralAnswer, ReferralResult, examine_referral_result
from contracts.statistics import StatisticalReport
from contracts.transfer import Transfer

Body = dict[str, Any]


def request_of(body: Body) -> ConfirmationRequest:
    return ConfirmationRequest.model_validate_json(json.dumps(body))


def codes(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.pointer, str(finding.code)) for finding in findings]


def errors(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return codes(tuple(finding for finding in findings if finding.is_error))


def refused(kind: type[Document], body: Body, now: datetime) -> list[tuple[str, str]]:
    with pytest.raises(DocumentRefused) as caught:
        read(kind, json.dumps(body).encode(), now=now)
    return errors(caught.value.findings)


# ---------------------------------------------------------------------------------------------------------- confirmation


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"applicants": [0]}, [("/applicants", "one_side_only")]),
        ({"applicants": [1]}, [("/applicants", "one_side_only")]),
        ({"applicants": []}, [("/applicants", "one_side_only")]),
        ({"applicants": [0, 2]}, [("/applicants/1", "party_index"), ("/applicants", "one_side_only")]),
        ({"applied_at": "2026-09-25T08:59:59+08:00"}, [("/applied_at", "agreement_not_effective")]),
        ({"applied_at": "2026-09-25T09:00:00+08:00"}, []),
    ],
)
def test_against_case_and_agreement(
    change: Body,
    found: list[tuple[str, str]],
    wages: Case,
    agreement: Agreement,
    sample: Callable[[str], Body],
) -> None:
    assert errors(examine_confirmation(request_of(sample("judicial") | change), wages, agreement)) == found


def test_addresses_are_of_parties(wages: Case, agreement: Agreement, sample: Callable[[str], Body]) -> None:
    body = sample("judicial")
    body["service_addresses"][1]["party"] = 2
    assert errors(examine_confirmation(request_of(body), wages, agreement)) == [
        ("/service_addresses/1/party", "party_index")
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"cause": {"table": "2025", "path": ["劳动争议", "劳动合同纠纷", "确认劳动关系纠纷"]}},
        {"cause": {"table": "arbitration", "path": ["确认劳动关系"]}},
        {"claims": [{"kind": "labor_relation", "text": "确认劳动关系"}]},
    ],
)
def test_labour_relations_are_not_for_arbitration_review(
    change: Body, agreement: Agreement, sample: Callable[[str], Body]
) -> None:
    case = Case.model_validate_json(json.dumps(sample("wages") | change))
    assert errors(examine_confirmation(request_of(sample("arbitration")), case, agreement)) == [
        ("/route", "labour_relation")
    ]
    assert errors(examine_confirmation(request_of(sample("judicial")), case, agreement)) == []


def proof(number: int, kind: str = "identity_proof") -> Body:
    return {"id": f"att_{number:08}", "kind": kind, "name": f"{number}.pdf"}


@pytest.mark.parametrize(
    ("name", "of_request", "of_case", "missing"),
    [
        ("arbitration", [], [], ["identity_proof"]),
        ("arbitration", [proof(1)], [], ["identity_proof"]),
        ("arbitration", [proof(1)], [proof(2)], []),
        ("judicial", [], [], ["identity_proof"]),
        ("judicial", [], [proof(1)], []),
        ("judicial", [proof(1, "evidence")], [], ["identity_proof"]),
    ],
)
def test_papers(
    name: str, of_request: list[Body], of_case: list[Body], missing: list[str], sample: Callable[[str], Body]
) -> None:
    case = Case.model_validate_json(json.dumps(sample("wages") | {"attachments": of_case}))
    found = papers_missing(request_of(sample(name) | {"attachments": of_request}), case)
    assert list(found) == [AttachmentKind(paper) for paper in missing]


def test_findings_of_shape_and_of_case_come_together(
    wages: Case, agreement: Agreement, sample: Callable[[str], Body], now: datetime
) -> None:
    body = sample("judicial") | {"applicants": [0], "late_reason": "", "applied_at": "2026-09-20T10:00:00+08:00"}
    del body["authority"]["name"]
    body["service_addresses"][0] |= {"phone": "none", "party": 4}
    with pytest.raises(DocumentRefused) as caught:
        read(
            ConfirmationRequest,
            json.dumps(body).encode(),
            now=now,
            against=lambda request: examine_confirmation(request, wages, agreement),
        )
    assert set(errors(caught.value.findings)) == {
        ("/authority/name", "missing"),
        ("/late_reason", "empty"),
        ("/service_addresses/0/phone", "phone_format"),
        ("/service_addresses/0/party", "party_index"),
        ("/applicants", "one_side_only"),
        ("/applied_at", "agreement_not_effective"),
    }


def test_supplement_and_withdrawal(now: datetime) -> None:
    head = {"schema_version": "1.0", "at": "2026-10-10T10:00:00+08:00"}
    supplement = read(ConfirmationSupplement, json.dumps(head | {"attachments": [proof(1)]}).encode(), now=now)
    assert supplement.document.attachments[0].kind is AttachmentKind.IDENTITY_PROOF
    assert read(ConfirmationWithdrawal, json.dumps(head | {"reason": "双方和解"}).encode(), now=now).warnings == ()
    assert refused(ConfirmationWithdrawal, head, now) == [("/reason", "missing")]


# ------------------------------------------------------------------------------------------------------------ the others


def test_transfer_without_claims_takes_those_of_the_case(sample: Callable[[str], Body], now: datetime) -> None:
    body = sample("transfer")
    del body["claims"]
    assert read(Transfer, json.dumps(body).encode(), now=now).document.claims is None


def test_follow_up(wages: Case, now: datetime) -> None:
    body = {
        "schema_version": "1.0",
        "party": 2,
        "reason": "履行情况",
        "at": "2026-11-10T10:00:00+08:00",
        "situation": "已全部履行",
        "visitor": "李明",
    }
    follow_up = read(FollowUp, json.dumps(body).encode(), now=now).document
    assert codes(examine_follow_up(follow_up, wages)) == [("/party", "party_index")]
    assert examine_follow_up(follow_up.model_copy(update={"party": 1}), wages) == ()


ANSWER = {"schema_version": "1.0", "answer": "decline", "at": "2026-10-10T10:00:00+08:00"}
RESULT = {"schema_version": "1.0", "outcome": "agreed", "at": "2026-10-10T10:00:00+08:00", "report": "调解成功"}


def test_declining_needs_a_reason(now: datetime) -> None:
    assert refused(ReferralAnswer, ANSWER, now) == [("/reason", "missing")]
    read(ReferralAnswer, json.dumps(ANSWER | {"reason": "不属于受理范围"}).encode(), now=now)
    read(ReferralAnswer, json.dumps(ANSWER | {"answer": "accept"}).encode(), now=now)


@pytest.mark.parametrize("outcome", ["agreed", "partly_agreed"])
def test_an_agreed_result_needs_its_agreement(outcome: str, now: datetime) -> None:
    assert refused(ReferralResult, RESULT | {"outcome": outcome}, now) == [("/agreement", "missing")]
    read(ReferralResult, json.dumps(RESULT | {"agreement": "agr_01JB2Z9K7Q4N"}).encode(), now=now)
    read(ReferralResult, json.dumps(RESULT | {"outcome": "failed"}).encode(), now=now)


def test_a_result_is_not_from_before_anyone_signed(agreement: Agreement, now: datetime) -> None:
    body = RESULT | {"agreement": "agr_01JB2Z9K7Q4N"}
    result = read(ReferralResult, json.dumps(body).encode(), now=now).document
    assert examine_referral_result(result, agreement) == ()
    assert examine_referral_result(result, None) == ()
    early = result.model_copy(update={"at": agreement.signatures[0].signed_at - timedelta(seconds=1)})
    assert codes(examine_referral_result(early, agreement)) == [("/at", "time_order")]


def test_a_referral_holds_what_was_sent_and_nothing_else() -> None:
    referral = Referral(
        schema_version="1.0",
        kind=ReferralKind.COURT_DELEGATED,
        endpoint="court",
        task_no="T-1",
        organization_code="SD-JN-LX-001",
        due_at=datetime(2026, 12, 1, tzinfo=UTC),
        case=CaseDraft(
            facts="拖欠工资",
            parties=(PartyDraft.model_validate_json('{"role":"applicant","kind":"person","name":"王某"}'),),
            amount=Decimal("1.5"),
        ),
    )
    assert json.loads(referral.to_json())["case"] == {
        "facts": "拖欠工资",
        "parties": [{"role": "applicant", "kind": "person", "name": "王某", "agents": []}],
        "amount": "1.50",
        "claims": [],
        "mediators": [],
        "attachments": [],
        "consents": [],
    }
    assert Referral.model_validate_json(referral.to_json()) == referral


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"id_number": "370102199003071237"}, [("/id_number", "resident_id_checksum")]),
        ({"certificate_valid_until": "2031-01-01"}, []),
        ({"employment": "sometimes"}, [("/employment", "not_in_list")]),
    ],
)
def test_mediator(change: Body, found: list[tuple[str, str]], now: datetime) -> None:
    body: Body = {
        "schema_version": "1.0",
        "certificate_no": "LDTJ-3701-2023-0456",
        "certificate_valid_until": "2027-06-30",
        "name": "李明",
        "organization_code": "SD-JN-LX-001",
        "employment": "full_time",
        "id_type": "resident_id",
        "id_number": "370102199003071238",
        "sex": "male",
        "active": True,
    }
    if found:
        assert refused(Mediator, body | change, now) == found
    else:
        assert read(Mediator, json.dumps(body | change).encode(), now=now).warnings == ()


def test_mediators_sex_against_the_number(now: datetime) -> None:
    body = {
        "schema_version": "1.0",
        "certificate_no": "X",
        "certificate_valid_until": "2027-06-30",
        "name": "李明",
        "organization_code": "Y",
        "employment": "part_time",
        "id_type": "resident_id",
        "id_number": "370102199003071238",
        "sex": "female",
        "active": False,
    }
    reading: Reading[Mediator] = read(Mediator, json.dumps(body).encode(), now=now)
    assert codes(reading.warnings) == [("/sex", "identity_number_mismatch")]


def test_statistical_report(now: datetime) -> None:
    body: Body = {
        "schema_version": "1.0",
        "organization_code": "SD-JN-LX-001",
        "period": {"from": "2026-07-01", "to": "2026-09-30"},
        "version": 1,
        "definition_version": "MA1-2026",
        "items": [{"code": "A01", "value": 12}, {"code": "M1", "value": "18600.5"}],
    }
    report = read(StatisticalReport, json.dumps(body).encode(), now=now).document
    assert [item.value for item in report.items] == [12, Decimal("18600.50")]
    assert json.loads(report.to_json())["items"][1]["value"] == "18600.50"
    body["period"]["to"] = "2026-06-30"
    body["items"] += [{"code": "X", "value": value} for value in (-1, 1.5, True, "x")]
    assert set(refused(StatisticalReport, body, now)) == {
        ("/period/to", "time_order"),
        *((f"/items/{index}/value", "wrong_type") for index in range(2, 6)),
    }
