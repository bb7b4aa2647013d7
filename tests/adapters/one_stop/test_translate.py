"""The rules of page §4 that no sample shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from adapters.one_stop import OneStop
from adapters.one_stop.scribe import ten_thousands, yuan
from adapters.one_stop.translate import OPERATION, translate
from contracts.adapter import Context, Loss, LossKind, Wire
from contracts.case import Case, Claim
from contracts.confirmation import ConfirmationRequest
from contracts.errors import PermanentError
from contracts.lists import ClaimKind, EffectRule, ReferralDecision, ReferralOutcome, TransferReason
from contracts.messages import MESSAGE_TYPES
from contracts.messages import MessageType as M
from contracts.party import Employer, Person

from . import documents as d
from .platform import ENDPOINT, adapter


def of_case(case: Case, kind: M = M.CASE_SUBMITTED, **context: Any) -> Wire:
    return translate(d.message(kind, case), d.context(case, **context))


def refused(kind: M, document: Any, context: Context, about: str = "trf_01JB2Z9K7Q4N") -> PermanentError:
    with pytest.raises(PermanentError) as caught:
        translate(d.message(kind, document, about), context)
    return caught.value


def losses_at(wire: Wire, pointer: str) -> list[LossKind]:
    return [loss.kind for loss in wire.losses if loss.pointer == pointer]


# --------------------------------------------------------------------------------------------------------------- money


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("18600.00", "1.860000"),
        ("0", "0.000000"),
        ("0.01", "0.000001"),
        ("99.99", "0.009999"),
        ("10000", "1.000000"),
        ("0.1", "0.000010"),
        ("9999999999999999.99", "999999999999.999999"),
    ],
)
def test_money_is_exact_in_both_directions(amount: str, text: str) -> None:
    assert ten_thousands(Decimal(amount), "涉案金额") == text
    assert yuan(text) == Decimal(amount)


def test_money_over_twelve_digits_is_refused() -> None:
    with pytest.raises(PermanentError, match="too_large"):
        ten_thousands(Decimal("10000000000000000.00"), "给付总额")


@pytest.mark.parametrize("text", ["", "1,0", "-1", "1.0000001", "1e3", "٣", ".5", "1.", "0.0000001", "1" * 13])
def test_other_forms_of_money_are_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="万元"):
        yuan(text)


# --------------------------------------------------------------------------------------------------------- first, again


@pytest.mark.parametrize(
    ("kind", "registered", "code"),
    [
        (M.CASE_SUBMITTED, None, "1"),
        (M.CASE_REVISED, None, "1"),
        (M.CASE_REVISED, 1, "2"),
        (M.CASE_SUBMITTED, 1, "2"),
    ],
)
def test_what_the_platform_holds_decides_first_or_change(kind: M, registered: int | None, code: str) -> None:
    assert of_case(d.case(), kind, registered_version=registered).payload["操作类型"] == code


def test_a_task_number_travels_to_its_own_endpoint_alone() -> None:
    case = d.changed(d.case(), referral="ref_01JB2Z9K7Q4N")
    here = of_case(case, referral=d.referral())
    assert here.payload["平台编号"] == d.TASK_NO
    assert losses_at(here, "/referral") == []
    for foreign in (d.referral(endpoint="one_stop_other"), d.changed(d.referral(), endpoint="court_jn")):
        there = of_case(case, referral=foreign)
        assert "平台编号" not in there.payload
        assert losses_at(there, "/referral") == [LossKind.DROPPED]


# --------------------------------------------------------------------------------------------------------------- limits


def test_a_marked_item_over_its_limit_is_refused_and_not_quoted() -> None:
    case = d.case()
    number = "P" * 31
    person = case.parties[0].model_copy(update={"id_number": number})
    error = refused(M.CASE_SUBMITTED, case.model_copy(update={"parties": (person, case.parties[1])}), d.context(case))
    assert error.code == "too_long"
    assert "主要当事人[1]/号码" in error.text
    assert number not in str(error)


def test_an_event_number_over_64_is_refused() -> None:
    context = d.context(d.case())
    assert translate(d.message(M.STATUS_REPORTED, d.report(event_id="e" * 64)), context).payload["来源事件号"]
    assert refused(M.STATUS_REPORTED, d.report(event_id="e" * 65), context).code == "too_long"


def test_more_than_twenty_pages_are_refused() -> None:
    assert of_case(d.changed(d.case(), facts="吉" * 20_000)).payload["续页列表"][-1]["页号"] == "20"
    error = refused(M.CASE_SUBMITTED, d.changed(d.case(), facts="𠮷" * 20_000), d.context(d.case()))
    assert error.code == "too_long"


def test_a_request_over_one_mebibyte_is_refused() -> None:
    claim = Claim(kind=ClaimKind.OTHER, text="吉" * 500, amount=Decimal("1.00"))
    error = refused(M.CASE_SUBMITTED, d.changed(d.case(), claims=(claim,) * 1000), d.context(d.case()))
    assert error.code == "too_large"


def test_forbidden_characters_are_left_out_with_a_loss() -> None:
    wire = of_case(d.changed(d.case(), facts="甲\ufffe乙\uffff"))
    assert wire.payload["简述"] == "甲乙"
    assert losses_at(wire, "/facts") == [LossKind.CUT]


def test_a_required_item_of_forbidden_characters_alone_is_missing() -> None:
    error = refused(M.CASE_SUBMITTED, d.changed(d.case(), facts="\ufffe"), d.context(d.case()))
    assert (error.code, error.text.partition(":")[0]) == ("required_missing", "简述")


def test_a_case_without_a_person_is_refused() -> None:
    case = d.case()
    employer = case.parties[1]
    units = (employer.model_copy(update={"role": case.parties[0].role}), employer)
    assert refused(M.CASE_SUBMITTED, d.changed(case, parties=units), d.context(case)).code == "required_missing"


@pytest.mark.parametrize("delivery", ["", "dlv 1", "dlv_1\n", "x" * 60, "交付"])
def test_an_external_id_has_its_form(delivery: str) -> None:
    error = refused(M.CASE_SUBMITTED, d.case(), replace(d.context(d.case()), delivery=delivery))
    assert error.code == "too_long"


# ---------------------------------------------------------------------------------------------------------------- codes


def test_a_status_without_row_is_refused() -> None:
    assert refused(M.STATUS_REPORTED, d.report(status="unknown"), d.context(d.case())).code == "code_without_row"


def test_a_reason_without_row_goes_as_other() -> None:
    transfer = d.changed(d.transfer(), reason_code=TransferReason.UNWILLING)
    wire = translate(d.message(M.TRANSFER_REQUESTED, transfer, "trf_01JB2Z9K7Q4N"), d.context(d.case()))
    assert wire.payload["原因"] == "99"
    assert losses_at(wire, "/reason_code") == [LossKind.CODED]


def test_a_partly_agreed_result_shares_its_code() -> None:
    result = d.result(outcome=ReferralOutcome.PARTLY_AGREED)
    context = d.context(referral=d.referral(), agreement=d.agreement())
    wire = translate(d.message(M.REFERRAL_RETURNED, result), context)
    assert wire.payload["结果"] == "1"
    assert losses_at(wire, "/outcome") == [LossKind.MAPPED]


def test_a_nation_outside_the_standard_is_left_out() -> None:
    case = d.case()
    person = case.parties[0]
    assert isinstance(person, Person)
    other = person.model_copy(update={"ethnic_group": "穿青人"})
    wire = of_case(d.changed(case, parties=(other, case.parties[1])))
    assert "民族" not in wire.payload["主要当事人列表"][0]
    assert losses_at(wire, "/parties/0/ethnic_group") == [LossKind.DROPPED]


# ------------------------------------------------------------------------------------------------------------ composing


def test_names_of_mediators_are_joined_and_other_certificates_dropped() -> None:
    case = d.case()
    second = case.mediators[0].model_copy(update={"certificate_no": "LDTJ-3701-2024-0001", "name": "王芳"})
    wire = of_case(d.changed(case, mediators=(case.mediators[0], second)))
    assert (wire.payload["责任人姓名"], wire.payload["责任人证号"]) == ("李明、王芳", "LDTJ-3701-2023-0456")
    assert losses_at(wire, "/mediators/1/certificate_no") == [LossKind.DROPPED]


def test_units_of_another_kind_share_the_list_but_are_not_named_as_involved() -> None:
    case = d.case()
    employer = case.parties[1]
    assert isinstance(employer, Employer)
    other = employer.model_copy(update={"kind": "other_organization", "name": "某行业协会"})
    wire = of_case(d.changed(case, parties=(*case.parties, other)))
    assert wire.payload["涉及单位"] == employer.name
    assert [row["单位名称"] for row in wire.payload["单位当事人列表"]] == [employer.name, "某行业协会"]
    assert wire.payload["名称"].startswith(f"王建国与{employer.name}等·")
    assert losses_at(wire, "/parties/2/kind") == [LossKind.MAPPED]


def test_several_amounts_and_dates_of_an_agreement() -> None:
    agreement = d.agreement()
    first, second = agreement.terms
    more = second.model_copy(update={"amount": Decimal("0.05"), "due_date": first.due_date.replace(day=1)})  # type: ignore[union-attr]  # the sample has a date
    wire = translate(d.message(M.AGREEMENT_CONCLUDED, d.changed(agreement, terms=(first, more))), d.context(d.case()))
    assert (wire.payload["给付总额"], wire.payload["履行期限"]) == ("1.500005", "2026-10-31")
    assert losses_at(wire, "/terms/0/amount") == [LossKind.MAPPED]
    assert losses_at(wire, "/terms/1/due_date") == [LossKind.DROPPED]
    assert losses_at(wire, "/terms/0/due_date") == []


def test_an_agreement_without_seal_goes_with_the_day_of_effect() -> None:
    agreement = d.changed(d.agreement(), effect_rule=EffectRule.COURT_ONLINE, organization_seal=None)
    wire = translate(d.message(M.AGREEMENT_CONCLUDED, agreement), d.context(d.case()))
    assert (wire.payload["生效时间"], wire.payload["化解日期"]) == ("2026-09-24 15:10:00", "2026-09-24")
    assert losses_at(wire, "/organization_seal") == [LossKind.DEFAULTED]


def test_a_transfer_without_claims_takes_those_of_the_case() -> None:
    transfer = d.transfer().model_copy(update={"claims": None})
    wire = translate(d.message(M.TRANSFER_REQUESTED, transfer, "trf_01JB2Z9K7Q4N"), d.context(d.case()))
    assert [row["金额"] for row in wire.payload["请求事项列表"]] == ["1.860000"]
    none = d.transfer().model_copy(update={"claims": ()})
    wire = translate(d.message(M.TRANSFER_REQUESTED, none, "trf_01JB2Z9K7Q4N"), d.context(d.case()))
    assert "请求事项列表" not in wire.payload


def test_a_mediator_of_an_unnamed_organisation_goes_with_its_code() -> None:
    wire = translate(d.message(M.MEDIATOR_LISTED, d.mediator()), d.context())
    assert wire.payload["所属组织"] == "SD-JN-LX-001"
    assert losses_at(wire, "/organization_code") == [LossKind.MAPPED]


def test_times_go_as_beijing_time_and_lose_fractions() -> None:
    progress = d.progress()
    utc = progress.model_copy(update={"at": progress.at.replace(tzinfo=None, microsecond=5).replace(tzinfo=UTC)})
    wire = translate(d.message(M.CASE_PROGRESSED, utc), d.context(d.case()))
    assert wire.payload["发生时间"] == "2026-10-01 01:00:00"
    assert Loss(LossKind.CUT, "/at", "发生时间", "fraction of a second") in wire.losses


def test_the_binding_takes_the_cases_own_number_once_there_is_one() -> None:
    context = d.context(d.case(), referral=d.referral(), referral_id="ref_01JB2Z9K7Q4N")
    wire = translate(d.message(M.REFERRAL_ANSWERED, d.answer()), context)
    assert wire.payload["bindId"]["案件外部编号"] == d.case().source_case_no


def test_a_decline_binds_nothing_and_needs_a_reason() -> None:
    context = d.context(referral=d.referral(), referral_id="ref_01JB2Z9K7Q4N")
    declined = d.changed(d.answer(), answer=ReferralDecision.DECLINE, reason="不在受理范围")
    assert "bindId" not in translate(d.message(M.REFERRAL_ANSWERED, declined), context).payload
    bare = d.answer().model_copy(update={"answer": ReferralDecision.DECLINE})
    assert refused(M.REFERRAL_ANSWERED, bare, context).code == "required_missing"


# --------------------------------------------------------------------------------------------------- what is not taken


def test_a_message_without_service_is_not_taken() -> None:
    request = d.sample(ConfirmationRequest, "POST agreements {id} confirmations - judicial confirmation")
    assert refused(M.CONFIRMATION_REQUESTED, request, d.context(d.case())).code == "type_not_taken"


@pytest.mark.parametrize(
    ("kind", "document", "context"),
    [
        (M.CASE_PROGRESSED, d.progress(), d.context()),
        (M.TRANSFER_REQUESTED, d.transfer(), d.context()),
        (M.REFERRAL_ANSWERED, d.answer(), d.context()),
        (M.REFERRAL_ANSWERED, d.answer(), d.context(referral=d.referral())),
        (M.REFERRAL_ANSWERED, d.answer(), d.context(referral=d.referral(endpoint="other"), referral_id="ref_1")),
        (M.REFERRAL_RETURNED, d.result(), d.context(referral=d.referral())),
    ],
)
def test_what_the_context_owes(kind: M, document: Any, context: Context) -> None:
    assert refused(kind, document, context).code == "context_missing"


def test_the_declaration_names_what_the_table_of_messages_sends_here() -> None:
    info = OneStop.info
    assert {capability.type for capability in info.capabilities} == set(OPERATION)
    for kind, row in MESSAGE_TYPES.items():
        by_default = any(recipient.adapter == info.name for recipient in row.recipients)
        assert not by_default or info.takes(kind)


def test_translation_is_pure_and_says_its_version() -> None:
    one = adapter().translate(d.message(M.CASE_SUBMITTED, d.case()), d.context(d.case()))
    other = adapter().translate(d.message(M.CASE_SUBMITTED, d.case()), d.context(d.case()))
    assert one == other
    assert (one.id, one.mapping, one.files) == (d.DELIVERY, OneStop.info.mapping, ())
    assert d.context().endpoint == ENDPOINT
