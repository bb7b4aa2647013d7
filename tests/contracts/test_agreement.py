"""An agreement in its case: who must have signed, when it takes effect, what is vague, and its performance."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.agreement import Agreement, Performance, effective_at, examine_agreement, examine_performance
from contracts.case import Case
from contracts.findings import Finding
from contracts.intake import DocumentRefused, read

Body = dict[str, Any]


def agreement_of(body: Body) -> Agreement:
    return Agreement.model_validate_json(json.dumps(body))


def codes(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.pointer, str(finding.code)) for finding in findings]


def signed(name: str, party: int | None = None, at: str = "2026-10-20T10:00:00+08:00") -> Body:
    return {"signer": "party", "name": name, "method": "handwritten", "signed_at": at} | (
        {} if party is None else {"party": party}
    )


def test_terms_have_numbers_of_their_own(sample: Callable[[str], Body]) -> None:
    """The finding names the second of two; one whose number is broken is told for that alone."""
    body = sample("agreement")
    first = body["terms"][0]
    body["terms"] = [first, {**first, "no": 2}, first, {**first, "no": "2"}, {**first, "no": 2}]
    with pytest.raises(DocumentRefused) as refused:
        read(Agreement, json.dumps(body).encode(), now=datetime(2026, 12, 1, tzinfo=UTC))
    assert set(codes(refused.value.findings)) == {
        ("/terms/2/no", "number_repeated"),
        ("/terms/3/no", "wrong_type"),
        ("/terms/4/no", "number_repeated"),
    }


# --------------------------------------------------------------------------------------------------------------- signers


def test_each_missing_signer_has_a_finding_of_its_own(wages: Case, sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    body["signatures"] = []
    del body["organization_seal"]
    findings = examine_agreement(agreement_of(body), wages)
    assert codes(findings) == [("/signatures", "signature_missing")] * 3 + [("", "signature_missing")]
    assert [(str(finding.params["signer"]), finding.params["place"]) for finding in findings] == [
        ("party", " /parties/0"),
        ("party", " /parties/1"),
        ("mediator", ""),
        ("organization_seal", ""),
    ]
    assert all(finding.is_error for finding in findings)


@pytest.mark.parametrize(("index", "place"), [(0, " /parties/0"), (1, " /parties/1"), (2, "")])
def test_one_missing_signature(index: int, place: str, wages: Case, sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    del body["signatures"][index]
    (finding,) = examine_agreement(agreement_of(body), wages)
    assert (finding.pointer, str(finding.code), finding.params["place"]) == ("/signatures", "signature_missing", place)


def test_third_parties_need_not_sign(wages: Case, sample: Callable[[str], Body]) -> None:
    case = sample("wages")
    case["parties"].append({**case["parties"][1], "role": "third_party"})
    assert examine_agreement(agreement_of(sample("agreement")), Case.model_validate_json(json.dumps(case))) == ()


def test_dispatching_and_using_unit_both_sign(sample: Callable[[str], Body]) -> None:
    case = sample("wages")
    case["parties"].append(case["parties"][1] | {"name": "山东另一家有限公司"})
    (finding,) = examine_agreement(agreement_of(sample("agreement")), Case.model_validate_json(json.dumps(case)))
    assert finding.params["place"] == " /parties/2"


def test_a_signature_may_name_its_party_by_name_alone(wages: Case, sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    del body["signatures"][0]["party"]
    assert examine_agreement(agreement_of(body), wages) == ()
    body["signatures"][0]["name"] = "王国建"
    assert codes(examine_agreement(agreement_of(body), wages)) == [
        ("/signatures/0/party", "missing"),
        ("/signatures", "signature_missing"),
    ]


def test_of_a_collective_case_the_representatives_sign(collective: Case, sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    body["terms"] = []
    mediator = body["signatures"][2] | {"signed_at": "2026-10-20T10:00:00+08:00"}
    body["organization_seal"]["sealed_at"] = "2026-10-20T11:00:00+08:00"
    body["signatures"] = [
        signed("刘秀英", 0),
        signed("张国庆"),
        signed("李春梅"),
        signed("山东沂蒙建筑劳务派遣有限公司", 1),
        signed("北京某建设集团股份有限公司", 2),
        mediator,
    ]
    assert examine_agreement(agreement_of(body), collective) == ()

    del body["signatures"][2]
    (finding,) = examine_agreement(agreement_of(body), collective)
    assert (str(finding.params["signer"]), finding.params["place"]) == (
        "representative",
        " /collective/representatives/2",
    )

    body["signatures"][1]["name"] = "刘秀英"
    findings = examine_agreement(agreement_of(body), collective)
    assert [finding.params["place"] for finding in findings] == [
        " /collective/representatives/1",
        " /collective/representatives/2",
    ]


def test_two_representatives_of_one_name_sign_twice(sample: Callable[[str], Body]) -> None:
    case = sample("collective")
    case["collective"]["representatives"] = ["刘秀英", "刘秀英"]
    body = sample("agreement")
    body["terms"] = []
    body["signatures"] = [signed("刘秀英", 0), signed("x", 1), signed("y", 2)]
    findings = examine_agreement(agreement_of(body), Case.model_validate_json(json.dumps(case)))
    assert " /collective/representatives/1" in [finding.params.get("place") for finding in findings]
    assert " /collective/representatives/0" not in [finding.params.get("place") for finding in findings]


def test_a_respondents_signature_is_no_representatives(collective: Case, sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    body["terms"] = []
    body["signatures"] = [signed("刘秀英", 1), signed("张国庆"), signed("李春梅"), signed("x", 2)]
    findings = examine_agreement(agreement_of(body), collective)
    assert " /collective/representatives/0" in [finding.params.get("place") for finding in findings]


# ----------------------------------------------------------------------------------------------- references, times, terms


def test_indexes_out_of_range(wages: Case, sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    body["signatures"][0]["party"] = 5
    body["terms"][0]["payee"]["party"] = 2
    assert codes(examine_agreement(agreement_of(body), wages)) == [
        ("/signatures/0/party", "party_index"),
        ("/terms/0/payee/party", "party_index"),
        ("/signatures", "signature_missing"),
    ]


def test_nobody_signs_before_the_case_was_received(wages: Case, sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    body["signatures"][1]["signed_at"] = "2026-09-16T09:29:59+08:00"
    body["organization_seal"]["sealed_at"] = "2026-09-16T01:29:59Z"
    assert codes(examine_agreement(agreement_of(body), wages)) == [
        ("/signatures/1/signed_at", "time_order"),
        ("/organization_seal/sealed_at", "time_order"),
    ]


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        ({"amount": None}, ("amount",)),
        ({"payee": None}, ("payee",)),
        ({"due_date": None}, ("due_date",)),
        ({"amount": None, "payee": None, "due_date": None}, ("amount", "payee", "due_date")),
        (
            {"amount": None, "due_date": None, "installments": [{"amount": "1", "due_date": "2026-11-01"}]},
            None,
        ),
        ({"kind": "apology", "amount": None, "payee": None}, None),
    ],
)
def test_vague_payment_terms_are_warned_of(
    change: Body, lacking: tuple[str, ...] | None, wages: Case, sample: Callable[[str], Body]
) -> None:
    body = sample("agreement")
    body["terms"][0] |= change
    findings = examine_agreement(agreement_of(body), wages)
    assert [(finding.pointer, finding.is_error, finding.params["lacking"]) for finding in findings] == (
        [] if lacking is None else [("/terms/0", False, lacking)]
    )


def test_findings_of_shape_and_of_the_case_come_together(
    wages: Case, sample: Callable[[str], Body], now: datetime
) -> None:
    body = sample("agreement")
    body["copies"] = "three"
    body["facts"] = ""
    del body["signatures"][0], body["organization_seal"]
    body["terms"][0]["payee"]["bank"] = ""
    body["terms"][0]["payee"]["party"] = 9
    with pytest.raises(DocumentRefused) as refused:
        read(
            Agreement,
            json.dumps(body).encode(),
            now=now,
            against=lambda agreement: examine_agreement(agreement, wages),
        )
    assert set(codes(refused.value.findings)) == {
        ("/copies", "wrong_type"),
        ("/facts", "empty"),
        ("/terms/0/payee/bank", "empty"),
        ("/terms/0/payee/party", "party_index"),
        ("/signatures", "signature_missing"),
        ("", "signature_missing"),
    }


def test_a_check_against_the_case_waits_for_its_fields(
    wages: Case, sample: Callable[[str], Body], now: datetime
) -> None:
    body = sample("agreement")
    body["signatures"] = "none"
    del body["organization_seal"]
    with pytest.raises(DocumentRefused) as refused:
        read(
            Agreement,
            json.dumps(body).encode(),
            now=now,
            against=lambda agreement: examine_agreement(agreement, wages),
        )
    assert codes(refused.value.findings) == [("/signatures", "wrong_type"), ("", "signature_missing")]


# ---------------------------------------------------------------------------------------------------------------- effect


@pytest.mark.parametrize(
    ("effect_rule", "moment"),
    [
        ("labor_law", datetime(2026, 9, 25, 1, 0, tzinfo=UTC)),
        ("court_delegated_paper", datetime(2026, 9, 24, 7, 10, tzinfo=UTC)),
        ("court_online", datetime(2026, 9, 24, 7, 10, tzinfo=UTC)),
    ],
)
def test_moment_of_effect_by_rule(effect_rule: str, moment: datetime, sample: Callable[[str], Body]) -> None:
    assert effective_at(agreement_of(sample("agreement") | {"effect_rule": effect_rule})) == moment


def test_the_latest_of_all_four_decides_under_the_labour_law(sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    for late in (0, 1, 2):
        changed = json.loads(json.dumps(body))
        changed["signatures"][late]["signed_at"] = "2026-09-28T08:00:00+08:00"
        assert effective_at(agreement_of(changed)) == datetime(2026, 9, 28, tzinfo=UTC)


def test_the_mediator_does_not_decide_under_the_courts_rules(sample: Callable[[str], Body]) -> None:
    body = sample("agreement") | {"effect_rule": "court_online"}
    body["signatures"][2]["signed_at"] = "2026-09-28T08:00:00+08:00"
    assert effective_at(agreement_of(body)) == datetime(2026, 9, 24, 7, 10, tzinfo=UTC)


def test_no_effect_without_seal_or_party(sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    del body["organization_seal"]
    with pytest.raises(ValueError, match="seal"):
        effective_at(agreement_of(body))
    body = sample("agreement")
    body["signatures"] = body["signatures"][2:]
    with pytest.raises(ValueError, match="party"):
        effective_at(agreement_of(body))


# ----------------------------------------------------------------------------------------------------------- performance


def test_the_very_moments_are_in_time(wages: Case, agreement: Agreement, sample: Callable[[str], Body]) -> None:
    body = sample("agreement")
    body["signatures"][0]["signed_at"] = body["organization_seal"]["sealed_at"] = "2026-09-16T09:30:00+08:00"
    assert examine_agreement(agreement_of(body), wages) == ()
    performed = sample("performed") | {"at": effective_at(agreement).isoformat()}
    assert examine_performance(Performance.model_validate_json(json.dumps(performed)), agreement) == ()


def test_performance_of_a_term_that_is_there_and_after_the_effect(
    agreement: Agreement, sample: Callable[[str], Body]
) -> None:
    body = sample("performed") | {"term_no": 3, "at": "2026-09-25T08:59:59+08:00"}
    findings = examine_performance(Performance.model_validate_json(json.dumps(body)), agreement)
    assert codes(findings) == [("/term_no", "not_in_list"), ("/at", "time_order")]
    assert findings[0].params["allowed"] == ("1", "2")
