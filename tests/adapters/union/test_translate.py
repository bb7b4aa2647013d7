"""Translation rules that the golden files do not show: limits in bytes, money, masks everywhere, refusals, losses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.union import form, wire
from adapters.union.translate import translate
from contracts.adapter import LossKind, Wire
from contracts.agreement import Agreement
from contracts.alert import CollectiveAlert
from contracts.case import Case, CaseProgress
from contracts.errors import PermanentError
from contracts.messages import MessageType as M
from contracts.referral import ReferralAnswer
from contracts.transfer import Transfer
from contracts.values import PHONE_PATTERN

from . import documents as d
from .platform import LONG_NUMBER, PROMISED, check_items


def notice(case: Case) -> Wire:
    return translate(d.message(M.CASE_SUBMITTED, case), d.context(case=case))


def losses(wire: Wire, kind: LossKind) -> dict[str, str]:
    return {loss.pointer: loss.note for loss in wire.losses if loss.kind is kind}


def refused(code: str, kind: M, document: Any, **context: Any) -> PermanentError:
    with pytest.raises(PermanentError) as caught:
        translate(d.message(kind, document), d.context(**context))
    assert caught.value.code == code
    return caught.value


# -------------------------------------------------------------------------------------------------------------- limits


def test_limits_are_bytes_not_characters() -> None:
    assert notice(d.with_person(name="甲" * 30)).payload["sqr"][0]["xm"] == "甲" * 30
    assert notice(d.with_person(name="𠮷" * 15)).payload["sqr"][0]["xm"] == "𠮷" * 15
    for name in ("甲" * 31, "𠮷" * 16, "甲" * 30 + "a"):
        error = refused("too_long", M.CASE_SUBMITTED, d.with_person(name=name), case=d.WAGES)
        assert "/parties/0/name" in error.text
        assert "甲" not in error.text


@pytest.mark.parametrize(
    "case",
    [
        d.with_person(occupation="甲" * 31),
        d.with_employer(name="𠮷" * 51),
        d.with_employer(legal_representative={"name": "甲" * 31, "position": "经理"}),
        d.with_employer(contact={"name": "甲" * 31, "phone": "0531-86000001"}),
        d.with_person(id_type="other", id_number="1" * 31),
        d.wages(mediators=[{"certificate_no": "1", "name": "甲" * 31}]),
        d.wages(organization=d.fields_of("POST cases - wages")["organization"] | {"name": "甲" * 51}),
        d.wages(source_case_no="甲" * 31),
        d.wages(organization=d.fields_of("POST cases - wages")["organization"] | {"code": "甲" * 17}),
        d.wages(amount="1000000000000000.00"),
    ],
)
def test_over_the_limit_without_mark_is_refused(case: Case) -> None:
    with pytest.raises(PermanentError) as caught:
        notice(case)
    assert caught.value.code in {"too_long", "too_large"}


def test_long_texts_are_cut_and_the_rest_is_named() -> None:
    wire = notice(d.wages(facts="甲" * 501))
    assert wire.payload["jq"] == "甲" * 497 + "…[略]"
    assert losses(wire, LossKind.CUT) == {"/facts": "the last 4 characters, from character 498 on"}
    whole = notice(d.wages(facts="甲" * 500))
    assert whole.payload["jq"] == "甲" * 500
    assert losses(whole, LossKind.CUT) == {}


@pytest.mark.parametrize(
    ("kind", "document", "name", "limit"),
    [
        (M.CASE_PROGRESSED, d.sample(CaseProgress, "POST cases {id} progress - failed", note="甲" * 500), "sm", 1000),
        (
            M.CASE_ALERTED,
            d.sample(CollectiveAlert, "POST cases {id} alerts - collective", situation="甲" * 600),
            "qk",
            1000,
        ),
        (
            M.CASE_ALERTED,
            d.sample(CollectiveAlert, "POST cases {id} alerts - collective", measures="甲" * 600),
            "cs",
            1000,
        ),
        (
            M.AGREEMENT_CONCLUDED,
            d.sample(Agreement, "POST cases {id} agreements - wages", facts="甲" * 600),
            "nr",
            1000,
        ),
        (
            M.REFERRAL_ANSWERED,
            d.made(ReferralAnswer, answer="decline", at="2026-10-02T09:00:00+08:00", reason="甲" * 151),
            "yy",
            300,
        ),
    ],
)
def test_every_marked_field_has_its_own_limit(kind: M, document: Any, name: str, limit: int) -> None:
    wire = translate(d.message(kind, document), d.context(referral=d.referral()))
    text = wire.payload[name]
    if name == "sm":
        assert text == "甲" * 500
    else:
        assert text == "甲" * ((limit - 6) // 2) + "…[略]"


def test_claims_terms_addresses_and_representatives_are_cut() -> None:
    claims = [{"kind": "other", "text": "甲" * 151}]
    case = d.wages(claims=claims, collective={"worker_count": 5, "representatives": ["甲乙丙"] * 40, "major": False})
    wire = notice(case)
    assert wire.payload["qq"][0]["nr"] == "甲" * 147 + "…[略]"
    assert wire.payload["dbr"].endswith("…[略]")
    assert len(wire.payload["dbr"].encode("gb18030")) <= 200
    assert (wire.payload["zd"], wire.payload["rs"]) == ("0", "5")
    unit = notice(d.with_employer(address={"region_code": "370102", "detail": "甲" * 201})).payload["bsqr"][0]
    assert unit["dz"] == "甲" * 197 + "…[略]"
    terms = [{"no": 1, "kind": "other", "text": "甲" * 301, "installments": []}]
    agreement = d.sample(Agreement, "POST cases {id} agreements - wages", terms=terms)
    found = translate(d.message(M.AGREEMENT_CONCLUDED, agreement), d.context())
    assert found.payload["tk"][0]["nr"] == "甲" * 297 + "…[略]"
    assert "/terms/0/text" in losses(found, LossKind.CUT)


def test_a_document_larger_than_a_batch_is_refused() -> None:
    person, employer = d.fields_of("POST cases - wages")["parties"]
    case = d.wages(parties=[person | {"occupation": "甲" * 30, "agents": []}] * 900 + [employer] * 100,
                   collective={"worker_count": 900, "representatives": ["王建国"], "major": True})  # fmt: skip
    wire = notice(case)
    assert len(form.encode(_parameters(wire))) < form.LIMIT
    crowded = d.wages(claims=[{"kind": "other", "text": "甲" * 150}] * 600)
    refused("too_large", M.CASE_SUBMITTED, crowded, case=crowded)


def _parameters(found: Wire) -> dict[str, str]:
    return wire.parameters((found.payload,))


# --------------------------------------------------------------------------------------------------------------- money


@pytest.mark.parametrize(
    ("yuan", "fen"),
    [
        ("18600.00", "1860000"),
        ("0.00", "0"),
        ("0", "0"),
        ("0.5", "50"),
        ("0.01", "1"),
        ("1.1", "110"),
        ("999999999999999.99", "99999999999999999"),
    ],
)
def test_money_is_whole_fen(yuan: str, fen: str) -> None:
    assert notice(d.wages(amount=yuan)).payload["je"] == fen


# ------------------------------------------------------------------------------------------------------------- privacy

BAIT = "身份证 37010219900307123X 卡 6222-0200-0000-0000-000"


@pytest.mark.parametrize(
    ("kind", "document", "context"),
    [
        (M.CASE_SUBMITTED, d.wages(facts=BAIT, claims=[{"kind": "other", "text": BAIT}]), {}),
        (M.CASE_SUBMITTED, d.with_employer(address={"region_code": "370102", "detail": BAIT}), {}),
        (
            M.CASE_SUBMITTED,
            d.wages(collective={"worker_count": 2, "representatives": [BAIT], "major": True}),
            {},
        ),
        (M.CASE_PROGRESSED, d.sample(CaseProgress, "POST cases {id} progress - failed", note=BAIT), {}),
        (
            M.AGREEMENT_CONCLUDED,
            d.sample(
                Agreement,
                "POST cases {id} agreements - wages",
                facts=BAIT,
                terms=[{"no": 1, "kind": "other", "text": BAIT, "installments": []}],
            ),
            {},
        ),
        (
            M.CASE_ALERTED,
            d.sample(CollectiveAlert, "POST cases {id} alerts - collective", situation=BAIT, measures=BAIT),
            {},
        ),
        (M.TRANSFER_REQUESTED, d.TRANSFER, {"case": d.wages(facts=BAIT)}),
        (
            M.REFERRAL_ANSWERED,
            d.made(ReferralAnswer, answer="decline", at="2026-10-02T09:00:00+08:00", reason=BAIT),
            {"referral": d.referral()},
        ),
        (M.REFERRAL_RETURNED, d.FAILED.model_copy(update={"report": BAIT}), {"referral": d.referral()}),
    ],
)
def test_numbers_are_masked_in_every_text(kind: M, document: Any, context: dict[str, Any]) -> None:
    found = translate(d.message(kind, document), d.context(**context))
    parameters = _parameters(found)
    check_items(parameters)
    assert "身份证 370*************3X 卡 622******************00" in "\n".join(parameters.values())
    assert any(loss.kind is LossKind.MASKED and "long number" in loss.note for loss in found.losses)
    assert all("3701" not in loss.note for loss in found.losses)


def test_a_tab_does_not_hide_a_number() -> None:
    found = notice(d.wages(facts="370102\t199003071238"))
    assert found.payload["jq"] == "370**************38"
    assert {loss.kind for loss in found.losses if loss.pointer == "/facts"} == {LossKind.MASKED, LossKind.MAPPED}


def test_neither_bank_nor_birth_nor_street_is_sent() -> None:
    agreement = translate(d.message(M.AGREEMENT_CONCLUDED, d.AGREEMENT), d.context())
    case = notice(d.WAGES)
    sent = str([agreement.payload, case.payload])
    for secret in ("6222020000000000000", "工商银行", "1990-03-07", "19900307", "文化东路", "370102199003071238"):
        assert secret not in sent
    assert {"/terms/0/payee", "/organization_seal", "/signatures"} <= set(losses(agreement, LossKind.DROPPED))


TEXTS = st.text(st.sampled_from("0123456789０９ -－　XxＸ年甲㐂𠮷*\t\n\r"), min_size=1, max_size=60).filter(
    lambda text: bool(text.strip())
)
PHONES = st.from_regex(PHONE_PATTERN, fullmatch=True).filter(str.isprintable)


@settings(max_examples=150)
@given(st.lists(TEXTS, min_size=10, max_size=10), PHONES, PHONES)
def test_no_long_number_survives_anywhere(texts: list[str], phone: str, other_phone: str) -> None:
    person, employer = d.fields_of("POST cases - wages")["parties"]
    agent = person["agents"][0] | {"name": texts[0], "phone": other_phone}
    case = d.wages(
        facts=texts[1] * 30,
        claims=[{"kind": "other", "text": texts[2] * 10}],
        organization=d.fields_of("POST cases - wages")["organization"] | {"name": texts[3]},
        mediators=[{"certificate_no": "1", "name": texts[4]}],
        collective={"worker_count": 1, "representatives": [texts[5], texts[6]], "major": True},
        parties=[
            person
            | {
                "name": texts[7],
                "occupation": texts[8],
                "id_type": "other",
                "id_number": texts[0],
                "phone": phone,
                "agents": [agent],
            },
            employer
            | {
                "name": texts[9],
                "address": {"region_code": "370102", "detail": texts[1] * 7},
                "legal_representative": {"name": texts[2], "position": "1"},
                "contact": {"name": texts[4], "phone": phone},
            },
        ],
    )
    try:
        found = notice(case)
    except PermanentError as error:
        assert error.code in {"too_long", "required_missing"}  # noqa: PT017  a refusal is one of the two sound ends
        return
    parameters = _parameters(found)
    check_items(parameters)
    for name, value in parameters.items():
        assert name.rpartition(".")[2] in PROMISED or not LONG_NUMBER.search(value)


# ------------------------------------------------------------------------------------------------------ rules and codes


def test_what_the_endpoint_holds_decides_between_notice_and_change() -> None:
    for kind in (M.CASE_SUBMITTED, M.CASE_REVISED):
        assert translate(d.message(kind, d.WAGES), d.context()).operation == "case.notice"
        assert translate(d.message(kind, d.WAGES), d.context(registered_version=3)).operation == "case.change"


def test_a_foreign_task_number_means_nothing_here() -> None:
    case = d.wages(referral=d.REFERRAL_ID)
    for other in (d.referral(endpoint="union2"), d.referral(kind="court_delegated"), None):
        found = translate(d.message(M.CASE_SUBMITTED, case), d.context(case=case, referral=other))
        assert "yjbh" not in found.payload
        assert "/referral" in losses(found, LossKind.DROPPED)


def test_only_transfers_to_legal_aid_are_taken() -> None:
    for to in ("arbitration", "court", "payment_order", "labor_inspection"):
        refused(
            "not_taken", M.TRANSFER_REQUESTED, d.sample(Transfer, "POST cases {id} transfers - to arbitration", to=to)
        )


def test_a_transfer_without_claims_takes_the_cases() -> None:
    transfer = d.TRANSFER.model_copy(update={"claims": None, "reason_code": d.TRANSFER.reason_code})
    found = translate(d.message(M.TRANSFER_REQUESTED, transfer, d.TRANSFER_ID), d.context())
    assert found.payload["qq"] == notice(d.WAGES).payload["qq"]


def test_what_is_lost_of_the_case_is_named_there() -> None:
    transfer = d.TRANSFER.model_copy(update={"claims": None})
    case = d.wages(facts="甲" * 501, claims=[{"kind": "other", "text": BAIT}])
    found = translate(d.message(M.TRANSFER_REQUESTED, transfer, d.TRANSFER_ID), d.context(case=case))
    assert losses(found, LossKind.CUT).keys() == {"/case/facts"}
    assert losses(found, LossKind.MASKED).keys() == {"/case/parties/0/id_number", "/case/claims/0/text"}


def test_the_effect_is_of_the_signatures_which_are_reported_themselves() -> None:
    seal = d.fields_of("POST cases {id} agreements - wages")["organization_seal"]
    agreement = d.sample(
        Agreement,
        "POST cases {id} agreements - wages",
        organization_seal=seal | {"sealed_at": "2026-09-25T09:00:00.5+08:00"},
    )
    found = translate(d.message(M.AGREEMENT_CONCLUDED, agreement), d.context())
    assert found.payload["sxsj"] == "20260925090000"
    assert "/organization_seal" in losses(found, LossKind.DROPPED)
    assert all(loss.pointer for loss in found.losses)


def test_a_reason_without_row_goes_as_other() -> None:
    transfer = d.sample(Transfer, "POST cases {id} transfers - to arbitration", to="legal_aid", reason_code="unwilling")
    found = translate(d.message(M.TRANSFER_REQUESTED, transfer, d.TRANSFER_ID), d.context())
    assert found.payload["yy"] == "99"
    assert "/reason_code" in losses(found, LossKind.CODED)


@pytest.mark.parametrize(
    ("kind", "document", "context"),
    [
        (M.CASE_PROGRESSED, d.PROGRESS, {"case": None}),
        (M.CASE_ALERTED, d.ALERT, {"case": None}),
        (M.TRANSFER_REQUESTED, d.TRANSFER, {"case": None}),
        (M.AGREEMENT_PERFORMED, d.PERFORMANCE, {"agreement": None}),
        (M.REFERRAL_RETURNED, d.RESULT, {"referral": d.referral(), "agreement": None}),
        (M.REFERRAL_ANSWERED, d.ACCEPTED, {}),
        (M.REFERRAL_ANSWERED, d.ACCEPTED, {"referral": d.referral(endpoint="other")}),
    ],
)
def test_without_context_nothing_is_made_up(kind: M, document: Any, context: dict[str, Any]) -> None:
    refused("context_missing", kind, document, **context)


def test_what_the_platform_demands_is_demanded() -> None:
    without_terms = d.sample(Agreement, "POST cases {id} agreements - wages", terms=[])
    refused("required_missing", M.AGREEMENT_CONCLUDED, without_terms)
    unsigned = d.sample(Agreement, "POST cases {id} agreements - wages", signatures=[])
    refused("agreement_without_effect", M.AGREEMENT_CONCLUDED, unsigned)
    declined = d.made(ReferralAnswer, answer="decline", at="2026-10-02T09:00:00+08:00")
    refused("required_missing", M.REFERRAL_ANSWERED, declined, referral=d.referral())


def test_other_messages_are_not_taken() -> None:
    refused("type_not_taken", M.MEDIATOR_LISTED, d.WAGES)
    with pytest.raises(TypeError):
        translate(d.message(M.CASE_ALERTED, d.PROGRESS), d.context())


def test_a_referrals_organisation_is_named_only_where_it_is_the_same() -> None:
    other = d.referral(organization_code="SD-XX-001")
    found = translate(d.message(M.REFERRAL_ANSWERED, d.ACCEPTED), d.context(referral=other))
    assert found.payload["jgdm"] == "SD-XX-001"
    assert "jgmc" not in found.payload


def test_an_overlong_delivery_id_is_refused() -> None:
    refused("too_long", M.CASE_SUBMITTED, d.WAGES, delivery="d" * 41)


def test_every_field_of_every_document_is_in_the_report_or_on_the_wire() -> None:
    """``untouched`` reports what no rule named; a field added to the contract appears by itself."""
    found = notice(d.WAGES)
    assert {"/schema_version", "/application_form", "/consents", "/parties/0/birth_date"} <= set(
        losses(found, LossKind.DROPPED)
    )
    assert losses(found, LossKind.MASKED).keys() == {"/parties/0/id_number", "/parties/0/agents/0/id_number"}
