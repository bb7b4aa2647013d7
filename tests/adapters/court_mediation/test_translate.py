"""Every service of the page from the samples, word for word; what is refused; what the loss report says.

``GOLDEN=write`` in the environment writes the files anew; what they then hold is to be read, not believed.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from adapters.court_mediation.translate import CAPABILITIES, translate
from contracts.adapter import AttachmentInfo, Loss, LossKind, Wire
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.mediator import Mediator
from contracts.messages import MESSAGE_TYPES, MessageType
from contracts.referral import ReferralResult
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.documents import context, made, message
from tests.adapters.court_mediation.platform import settings

M = MessageType


@dataclass
class Golden:
    """One golden file: what is translated, and how."""

    file: str
    kind: MessageType
    document: Document
    operation: str
    about: str = docs.CASE_ID
    context: dict[str, Any] = field(default_factory=dict)

    def wire(self) -> Wire:
        """Its translation."""
        return translate(message(self.kind, self.document, self.about), context(**self.context), settings())


_OF_TASK = {"case": docs.WAGES_OF_TASK, "referral": docs.REFERRAL}

GOLDEN = [
    Golden("addOffline wages", M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "offline/addOffline", docs.AGREEMENT_ID),
    Golden(
        "addOffline of a task", M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "offline/addOffline", docs.AGREEMENT_ID, _OF_TASK
    ),
    Golden(
        "addOffline collective",
        M.AGREEMENT_CONCLUDED,
        docs.AGREEMENT,
        "offline/addOffline",
        docs.AGREEMENT_ID,
        {"case": docs.COLLECTIVE},
    ),
    Golden("perform performed", M.AGREEMENT_PERFORMED, docs.PERFORMANCE, "offline/perform", docs.AGREEMENT_ID),
    Golden("sfqr add", M.CONFIRMATION_REQUESTED, docs.REQUEST_WITH_PAPERS, "sfqr/add", docs.CONFIRMATION_ID),
    Golden("sfqr supplement", M.CONFIRMATION_SUPPLEMENTED, docs.SUPPLEMENT, "sfqr/supplement", docs.CONFIRMATION_ID),
    Golden(
        "sfqr withdraw",
        M.CONFIRMATION_WITHDRAWAL_REQUESTED,
        docs.WITHDRAWAL,
        "sfqr/withdraw",
        docs.CONFIRMATION_ID,
    ),
    Golden("task answer accept", M.REFERRAL_ANSWERED, docs.ANSWER, "task/answer", docs.REFERRAL_ID, _OF_TASK),
    Golden(
        "task answer decline",
        M.REFERRAL_ANSWERED,
        docs.DECLINED,
        "task/answer",
        docs.REFERRAL_ID,
        {"case": None, "organization": None, "referral": docs.REFERRAL},
    ),
    Golden("task finish agreed", M.REFERRAL_RETURNED, docs.RESULT, "task/finish", docs.REFERRAL_ID, _OF_TASK),
    Golden("task finish failed", M.REFERRAL_RETURNED, docs.FAILED, "task/finish", docs.REFERRAL_ID, _OF_TASK),
    Golden("transfer add", M.TRANSFER_REQUESTED, docs.TRANSFER, "transfer/add", docs.TRANSFER_ID),
    Golden(
        "transfer add with files",
        M.TRANSFER_REQUESTED,
        docs.transfer(claims=None, attachments=docs.PAPERS[2:], reason_code="unwilling"),
        "transfer/add",
        docs.TRANSFER_ID,
        _OF_TASK,
    ),
    Golden("mediator save", M.MEDIATOR_LISTED, docs.MEDIATOR, "mediator/save", "LDTJ-3701-2023-0456", {"case": None}),
]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.file)
def test_golden(case: Golden) -> None:
    wire = case.wire()
    assert (wire.id, wire.operation, wire.mapping) == (docs.DELIVERY, case.operation, "1")
    held = {
        "operation": wire.operation,
        "payload": wire.payload,
        "losses": [[loss.kind, loss.pointer, loss.place, loss.note] for loss in wire.losses],
        "files": list(wire.files),
    }
    path = docs.GOLDEN / f"{case.file}.json"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(json.dumps(held, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert held == json.loads(path.read_text(encoding="utf-8"))


def test_every_service_has_its_golden_file() -> None:
    assert {path.stem for path in docs.GOLDEN.iterdir()} == {case.file for case in GOLDEN}
    assert {(case.kind, case.operation) for case in GOLDEN} == {(one.type, one.operation) for one in CAPABILITIES}


def test_the_capabilities_are_what_the_routes_may_send_here() -> None:
    taken = {capability.type for capability in CAPABILITIES}
    for kind, row in MESSAGE_TYPES.items():
        if any(recipient.adapter == "court_mediation" for recipient in row.recipients):
            assert kind in taken
    assert taken.isdisjoint({M.CASE_SUBMITTED, M.CASE_REVISED, M.CASE_PROGRESSED, M.STATUS_REPORTED})


def test_the_worked_example_of_the_page() -> None:
    wire = _golden("task answer accept").wire()
    page = (
        '{"tjbh":"dlv_01JB2Z9K7Q4N","fydm":"鲁0102","jgdm":"SD-JN-LX-001",'
        '"jgmc":"济南市历下区劳动人事争议仲裁院调解中心","rwbh":"WP20260928000123","jieguo":"1"}'
    )
    assert json.dumps(wire.payload, ensure_ascii=False, separators=(",", ":")) == page


def test_the_confirmation_of_the_page() -> None:
    payload = _golden("sfqr add").wire().payload
    assert payload["sqbh"] == docs.CONFIRMATION_ID
    assert "mediationCaseNo" not in payload
    assert payload["tjzh"] == "370102-LX001-2026-00123"
    assert payload["xybh"] == "历下劳人调〔2026〕123号"
    assert payload["slfymc"] == "济南市历下区人民法院"
    assert (payload["sqsj"], payload["sxsj"]) == ("20261009 10:00", "20260925 09:00")
    applicant = payload["applicantPartyList"][0]
    page = {
        "applicantType": "0",
        "applicantName": "王建国",
        "applicantTel": "13853100001",
        "credentialsType": "09_00015-1",
        "credentialsName": "身份证",
        "applicantIDCardNo": "370102199003071238",
        "applicantSex": "0",
        "applicantBirthday": "19900307",
        "areaCode": "370102",
        "applicantAddress": "历下区文化东路1号1单元101",
    }
    assert {key: applicant[key] for key in page} == page
    assert {entry["fjlx"] for entry in payload["docList"]} == {"05", "06", "12", "13"}


def _golden(file: str) -> Golden:
    return next(case for case in GOLDEN if case.file == file)


def _translated(kind: MessageType, document: Document, about: str = docs.CONFIRMATION_ID, **changes: Any) -> Wire:
    return translate(message(kind, document, about), context(**changes), settings())


# ------------------------------------------------------------------------------------------------------ who and where


@pytest.mark.parametrize(
    ("region", "court"),
    [
        ("370102", "鲁0102"),
        ("370102001", "鲁0102"),
        ("370102001002", "鲁0102"),
        ("370103", "鲁01"),
        ("371302", "鲁1302"),
    ],
)
def test_the_court_of_the_organisations_region(region: str, court: str) -> None:
    organization = docs.WAGES.organization.model_copy(update={"region_code": region})
    case = docs.WAGES.model_copy(update={"organization": organization})
    assert _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, case=case).payload["fydm"] == court


def test_a_task_keeps_its_own_court() -> None:
    authority = docs.COURT | {"code": "鲁0103"}
    referral = made(
        type(docs.REFERRAL), **(docs.REFERRAL.model_dump(mode="json", exclude_none=True) | {"authority": authority})
    )
    assert _translated(M.REFERRAL_ANSWERED, docs.ANSWER, referral=referral).payload["fydm"] == "鲁0103"


def test_a_task_of_another_platform_is_none_here() -> None:
    elsewhere = docs.REFERRAL.model_copy(update={"endpoint": "hr"})
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, case=docs.WAGES_OF_TASK, referral=elsewhere)
    assert "rwbh" not in wire.payload
    assert Loss(LossKind.DROPPED, "/case/referral") in wire.losses


def test_only_applicants_go_into_the_party_lists() -> None:
    case = docs.COLLECTIVE
    request = docs.request(applicants=[0, 2], service_addresses=[_address(0), _address(2)])
    wire = _translated(M.CONFIRMATION_REQUESTED, request, case=case)
    assert [row["applicantName"] for row in wire.payload["applicantPartyList"]] == ["刘秀英"]
    assert [row["respondentName"] for row in wire.payload["respondentPartyList"]] == ["北京某建设集团股份有限公司"]
    assert [row["xm"] for row in wire.payload["sddzList"]] == ["刘秀英", "北京某建设集团股份有限公司"]
    assert Loss(LossKind.DROPPED, "/case/parties/1") in wire.losses


def _address(party: int) -> dict[str, Any]:
    return {
        "party": party,
        "region_code": "371302",
        "detail": "兰山区银雀山街道前园村",
        "phone": "13953900001",
        "electronic_consent": False,
    }


def test_a_third_party_has_its_own_list() -> None:
    third = docs.WAGES.parties[0].model_dump(mode="json", exclude_none=True) | {"role": "third_party", "name": "周某"}
    parties = [party.model_dump(mode="json", exclude_none=True) for party in docs.WAGES.parties]
    wire = _translated(
        M.TRANSFER_REQUESTED, docs.TRANSFER, docs.TRANSFER_ID, case=docs.wages(parties=[*parties, third])
    )
    assert wire.payload["thirdPartyList"][0]["thirdName"] == "周某"
    assert wire.payload["thirdPartyList"][0]["thirdType"] == "0"


# ------------------------------------------------------------------------------------------------------------- papers


def test_own_papers_of_a_request_take_the_place_of_the_cases() -> None:
    case = docs.wages(attachments=docs.PAPERS)
    own = docs.request(
        attachments=[
            docs.attachment(docs.PAPER, "mediation_agreement"),
            docs.attachment(docs.PROOF, "confirmation_application"),
        ]
    )
    wire = _translated(M.CONFIRMATION_REQUESTED, own, case=case)
    told = [(entry["attachment"], entry["fjlx"]) for entry in wire.payload["docList"]]
    assert told == [(docs.PAPER, "05"), (docs.PROOF, "06"), (docs.PROOF, "13"), (docs.IDENTITY, "12")]
    assert wire.files == (docs.PAPER, docs.PROOF, docs.IDENTITY)
    assert Loss(LossKind.DROPPED, "/case/attachments/0") in wire.losses


def test_a_file_without_name_in_the_upload_still_has_one() -> None:
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, attachments={})
    assert wire.payload["docList"] == [{"attachment": docs.PAPER, "fjlx": "05", "wjmc": "调解协议书.pdf"}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"media_type": "application/zip"}, "file_type"), ({"size": 20 * 1024 * 1024 + 1}, "file_too_large")],
)
def test_files_that_the_platform_will_not_take(changes: dict[str, Any], code: str) -> None:
    info = replace(docs.ATTACHMENTS[docs.PAPER], **changes)
    _refused(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, code, attachments={docs.PAPER: info})


def test_a_file_of_20_mib_is_taken() -> None:
    info = AttachmentInfo(docs.PAPER, "mediation_agreement", "协议.pdf", "application/pdf", 20 * 1024 * 1024, "a" * 64)
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, attachments={docs.PAPER: info})
    assert wire.payload["docList"][0]["wjmc"] == "协议.pdf"


# -------------------------------------------------------------------------------------------------------- long texts


def test_5000_characters_stay_whole_and_one_more_is_a_file() -> None:
    whole = "𠮷" * 5000
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, case=docs.wages(facts=whole))
    assert wire.payload["dispute"] == whole
    assert [entry["fjlx"] for entry in wire.payload["docList"]] == ["05"]
    longer = whole + "完"
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, case=docs.wages(facts=longer))
    assert wire.payload["dispute"] == "𠮷" * 4980 + "（全文见附件）"
    assert wire.payload["docList"][1] == {"text": longer, "fjlx": "12", "wjmc": "dispute.txt"}
    assert wire.files == (docs.PAPER,)
    note = "over 5000 characters: whole in the file dispute.txt"
    assert Loss(LossKind.MAPPED, "/case/facts", "dispute", note) in wire.losses


def test_a_long_claim_is_named_by_its_place() -> None:
    claims = [{"kind": "damages", "text": "一"}, {"kind": "damages", "text": "长" * 5001}]
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, case=docs.wages(claims=claims))
    assert wire.payload["docList"][1]["wjmc"] == "claims[1].nr.txt"
    assert "claimMoney" not in wire.payload


def test_a_task_without_files_gets_a_list_for_its_long_report() -> None:
    result = made(ReferralResult, outcome="failed", at="2026-10-12T17:00:00+08:00", report="经" * 6000)
    wire = _translated(M.REFERRAL_RETURNED, result, docs.REFERRAL_ID, referral=docs.REFERRAL)
    assert wire.payload["docList"] == [{"text": "经" * 6000, "fjlx": "12", "wjmc": "qkbg.txt"}]
    assert wire.files == ()


def test_long_claims_of_a_transfer_are_its_file() -> None:
    claims = [{"kind": "damages", "text": "长" * 3000}, {"kind": "other", "text": "短" * 3000}]
    wire = _translated(M.TRANSFER_REQUESTED, docs.transfer(claims=claims), docs.TRANSFER_ID)
    assert [entry["text"] for entry in wire.payload["docList"]] == ["长" * 3000 + "\n" + "短" * 3000]


def test_a_form_over_one_mebibyte_is_refused() -> None:
    claims = [{"kind": "damages", "text": "长" * 5000}] * 30
    _refused(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "too_large", case=docs.wages(claims=claims))


# ------------------------------------------------------------------------------------------------------------ refusals


def _refused(
    kind: MessageType, document: Document, code: str, about: str = docs.CONFIRMATION_ID, **changes: Any
) -> None:
    with pytest.raises(PermanentError) as refused:
        _translated(kind, document, about, **changes)
    assert refused.value.code == code
    assert "王建国" not in str(refused.value)


def _person(**changes: Any) -> dict[str, Any]:
    person, employer = (party.model_dump(mode="json", exclude_none=True) for party in docs.WAGES.parties)
    return {"case": docs.wages(parties=[person | changes, employer])}


@pytest.mark.parametrize(
    ("kind", "document", "code", "changes"),
    [
        (M.CASE_SUBMITTED, docs.WAGES, "type_not_taken", {}),
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "context_missing", {"case": None}),
        (M.AGREEMENT_PERFORMED, docs.PERFORMANCE, "context_missing", {"agreement": None}),
        (M.AGREEMENT_PERFORMED, docs.PERFORMANCE, "context_missing", {"case": None, "organization": None}),
        (M.REFERRAL_ANSWERED, docs.ANSWER, "context_missing", {}),
        (M.CONFIRMATION_SUPPLEMENTED, docs.SUPPLEMENT, "context_missing", {"confirmation": None}),
        (M.CONFIRMATION_SUPPLEMENTED, docs.SUPPLEMENT, "required_missing", {"references": ()}),
        (M.MEDIATOR_LISTED, docs.MEDIATOR, "context_missing", {"case": None, "organization": None}),
        (M.MEDIATOR_LISTED, docs.MEDIATOR, "context_missing", {"case": docs.COLLECTIVE}),
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "court_unknown", _person() | {"case": docs.WAGES.model_copy(
            update={"organization": docs.WAGES.organization.model_copy(update={"region_code": "371402"})})}),
        (M.CONFIRMATION_REQUESTED, docs.request(authority=docs.COURT | {"code": "鲁0103"}), "court_not_allowed", {}),
        (M.CONFIRMATION_REQUESTED, docs.request(route="arbitration_review"), "not_taken", {}),
        (M.CONFIRMATION_REQUESTED, docs.request(applicants=[0]), "one_side_only", {}),
        (M.CONFIRMATION_REQUESTED, docs.request(applicants=[0, 1, 7]), "party_index", {}),
        (M.CONFIRMATION_REQUESTED, docs.request(service_addresses=[_address(9)]), "party_index", {}),
        (M.CONFIRMATION_REQUESTED, docs.request(service_addresses=[]), "required_missing", {}),
        (M.TRANSFER_REQUESTED, docs.transfer(to="arbitration"), "not_taken", {}),
        (M.TRANSFER_REQUESTED, docs.transfer(claims=[]), "required_missing", {}),
        (M.AGREEMENT_CONCLUDED, docs.agreement(organization_seal=None), "agreement_without_effect", {}),
        (
            M.AGREEMENT_CONCLUDED,
            docs.agreement(organization_seal=None, effect_rule="court_online"),
            "required_missing",
            {},
        ),
        (M.AGREEMENT_CONCLUDED, docs.agreement(terms=[]), "required_missing", {}),
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "required_missing", {"case": docs.wages(mediators=[])}),
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "too_large", {"case": docs.wages(amount="1000000000000000.00")}),
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "too_long", _person(ethnic_group="族" * 21)),
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "too_long", _person(
            address={"region_code": "370102", "detail": "路" * 201})),
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "too_long", _person(
            service_address={"region_code": "370102001002", "detail": "路" * 200, "electronic_consent": True})),
        (M.AGREEMENT_CONCLUDED, docs.AGREEMENT, "code_without_row", _person(sex="unknown", id_type="passport")),
    ],
)  # fmt: skip
def test_what_the_platform_could_not_take(kind: M, document: Document, code: str, changes: dict[str, Any]) -> None:
    _refused(kind, document, code, **changes)


def test_limits_are_of_code_points_and_inclusive() -> None:
    changes = _person(
        ethnic_group="𠮷" * 20,
        address={"region_code": "370102", "detail": "𠮷" * 200},
        service_address={"region_code": "370102001002", "detail": "𠮷" * 199, "electronic_consent": True},
    )
    row = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, **changes).payload["applicantPartyList"][0]
    assert row["applicantSddz"] == "370102001002 " + "𠮷" * 199
    assert len(row["applicantSddz"]) == 212


def test_a_document_of_another_kind_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError):
        _translated(M.AGREEMENT_CONCLUDED, docs.PERFORMANCE)


def test_a_task_that_names_no_court() -> None:
    _refused(
        M.REFERRAL_ANSWERED,
        docs.ANSWER,
        "task_without_court",
        referral=docs.REFERRAL.model_copy(update={"authority": None}),
    )


# -------------------------------------------------------------------------------------------------------------- losses


def test_an_unknown_sex_is_told_by_the_number() -> None:
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, **_person(sex="unknown"))
    assert wire.payload["applicantPartyList"][0]["applicantSex"] == "0"
    assert (LossKind.DEFAULTED, "/case/parties/0/sex") in {(loss.kind, loss.pointer) for loss in wire.losses}


def test_a_mediator_of_unknown_sex_has_none() -> None:
    mediator = made(
        Mediator, **(docs.MEDIATOR.model_dump(mode="json") | {"sex": "unknown", "id_type": "taiwan_permit"})
    )
    wire = _translated(M.MEDIATOR_LISTED, mediator)
    assert "xb" not in wire.payload
    assert wire.payload["credentialsType"] == "09_00015-255"
    told = {(loss.kind, loss.pointer) for loss in wire.losses}
    assert {(LossKind.DROPPED, "/sex"), (LossKind.CODED, "/id_type")} <= told


def test_seconds_are_named_as_lost() -> None:
    signatures = [one.model_dump(mode="json", exclude_none=True) for one in docs.AGREEMENT.signatures]
    signatures[0]["signed_at"] = "2026-09-24T15:00:31Z"
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.agreement(signatures=signatures))
    assert wire.payload["qm"][0]["sj"] == "20260924 23:00"
    assert Loss(LossKind.CUT, "/signatures/0/signed_at", "qm[0].sj", "seconds") in wire.losses


def test_no_note_quotes_a_value() -> None:
    for case in GOLDEN:
        for loss in case.wire().losses:
            for value in ("王建国", "370102199003071238", "泉城", "拖欠"):
                assert value not in loss.note


def test_the_mediation_year_is_beijings() -> None:
    case = docs.wages(received_at="2025-12-31T18:00:00Z")
    assert _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, case=case).payload["year"] == "2026"


def test_a_mobile_number_of_a_unit_is_no_static_phone() -> None:
    person, employer = (party.model_dump(mode="json", exclude_none=True) for party in docs.WAGES.parties)
    employer["contact"]["phone"] = "13853100009"
    wire = _translated(M.AGREEMENT_CONCLUDED, docs.AGREEMENT, case=docs.wages(parties=[person, employer]))
    assert "respondentStaticPhone" not in wire.payload["respondentPartyList"][0]
