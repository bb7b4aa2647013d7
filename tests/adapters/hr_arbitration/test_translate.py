"""Every service of the page from the samples, word for word; what is refused; what the loss report says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.hr_arbitration.translate import CAPABILITIES, translate
from contracts.adapter import AttachmentInfo, Context, LossKind
from contracts.agreement import Agreement
from contracts.case import Case, CaseProgress
from contracts.confirmation import ConfirmationRequest
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.messages import MESSAGE_TYPES, MessageType
from contracts.referral import ReferralAnswer, ReferralResult
from contracts.report import StatusReport
from contracts.transfer import Transfer
from tests.adapters.hr_arbitration import documents as docs
from tests.adapters.hr_arbitration.documents import context, made, message, sample


@dataclass
class Golden:
    """One golden file: what is translated, and how."""

    file: str
    kind: MessageType
    document: Document
    operation: str
    about: str = docs.CASE_ID
    context: dict[str, Any] = field(default_factory=dict)


def _report(**changes: Any) -> StatusReport:
    return made(StatusReport, **(json.loads(docs.REPORT.to_json()) | changes))


GOLDEN = [
    Golden("TJ1001 wages", MessageType.CASE_SUBMITTED, docs.WAGES, "TJ1001", context={"registered_version": None}),
    Golden(
        "TJ1001 collective",
        MessageType.CASE_SUBMITTED,
        docs.COLLECTIVE,
        "TJ1001",
        context={"registered_version": None, "case": docs.COLLECTIVE},
    ),
    Golden("TJ1002 with papers", MessageType.CASE_REVISED, docs.CASE_WITH_PAPERS, "TJ1002"),
    Golden("TJ1003 failed", MessageType.CASE_PROGRESSED, docs.PROGRESS, "TJ1003"),
    Golden("TJ1004 wages", MessageType.AGREEMENT_CONCLUDED, docs.AGREEMENT, "TJ1004", docs.AGREEMENT_ID),
    Golden("TJ1005 performed", MessageType.AGREEMENT_PERFORMED, docs.PERFORMANCE, "TJ1005", docs.AGREEMENT_ID),
    Golden("TJ1006 confirmed", MessageType.STATUS_REPORTED, docs.REPORT, "TJ1006", docs.CONFIRMATION_ID),
    Golden(
        "TJ2001 review",
        MessageType.CONFIRMATION_REQUESTED,
        docs.REQUEST,
        "TJ2001",
        docs.CONFIRMATION_ID,
        {"case": docs.CASE_WITH_PAPERS},
    ),
    Golden("TJ2002 supplement", MessageType.CONFIRMATION_SUPPLEMENTED, docs.SUPPLEMENT, "TJ2002", docs.CONFIRMATION_ID),
    Golden(
        "TJ2003 withdrawal",
        MessageType.CONFIRMATION_WITHDRAWAL_REQUESTED,
        docs.WITHDRAWAL,
        "TJ2003",
        docs.CONFIRMATION_ID,
    ),
    Golden("TJ3001 transfer", MessageType.TRANSFER_REQUESTED, docs.TRANSFER, "TJ3001", docs.TRANSFER_ID),
    Golden("TJ3002 alert", MessageType.CASE_ALERTED, docs.ALERT, "TJ3002", context={"case": docs.COLLECTIVE}),
    Golden("TJ4001 mediator", MessageType.MEDIATOR_LISTED, docs.MEDIATOR, "TJ4001", "LDTJ-3701-2023-0456"),
    Golden(
        "TJ5001 declined",
        MessageType.REFERRAL_ANSWERED,
        docs.ANSWER,
        "TJ5001",
        docs.REFERRAL_ID,
        {"referral": docs.REFERRAL, "case": None},
    ),
    Golden(
        "TJ5002 partly agreed",
        MessageType.REFERRAL_RETURNED,
        docs.RESULT,
        "TJ5002",
        docs.REFERRAL_ID,
        {"referral": docs.REFERRAL},
    ),
]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.file)
def test_golden(case: Golden) -> None:
    wire = translate(message(case.kind, case.document, case.about), context(**case.context))
    assert (wire.id, wire.operation, wire.mapping) == (docs.DELIVERY, case.operation, "1")
    golden = json.loads((docs.GOLDEN / f"{case.file}.json").read_text(encoding="utf-8"))
    assert wire.payload == golden["payload"]
    assert [[loss.kind, loss.pointer, loss.place, loss.note] for loss in wire.losses] == golden["losses"]
    assert list(wire.files) == golden["files"]


def test_every_service_has_its_golden_file() -> None:
    assert {case.operation for case in GOLDEN} == {capability.operation for capability in CAPABILITIES}
    assert {case.kind for case in GOLDEN} == {capability.type for capability in CAPABILITIES}


def test_the_capabilities_are_what_the_routes_may_send_here() -> None:
    taken = {capability.type for capability in CAPABILITIES}
    for kind, row in MESSAGE_TYPES.items():
        named_here = any(recipient.adapter == "hr_arbitration" for recipient in row.recipients)
        assert not named_here or kind in taken
    assert MessageType.CASE_FOLLOWED_UP not in taken
    assert MessageType.STATISTICS_REPORTED not in taken


def test_the_worked_example_of_the_page() -> None:
    wire = translate(message(MessageType.CASE_PROGRESSED, docs.PROGRESS), context())
    page = (
        '{"BZA001":"370102-LX001-2026-00123","BZA002":"SD-JN-LX-001","BZS001":"08","AAE036":"20260930170000",'
        '"BZS005":"05","AAE013":"双方就补偿金额分歧较大，申请人要求终止调解","BZS010":"20260930140000",'
        '"BZS011":"20260930165000","BZS012":"第二调解室","BZS013":"1"}'
    )
    assert json.dumps(wire.payload, ensure_ascii=False, separators=(",", ":")) == page


def test_what_the_endpoint_holds_decides_between_registration_and_revision() -> None:
    for kind in (MessageType.CASE_SUBMITTED, MessageType.CASE_REVISED):
        sent = message(kind, docs.WAGES)
        assert translate(sent, context(registered_version=None)).operation == "TJ1001"
        assert translate(sent, context(registered_version=3)).operation == "TJ1002"


def test_the_task_number_travels_with_a_case_of_this_platforms_referral() -> None:
    case = sample(Case, "POST cases - wages", referral=docs.REFERRAL_ID)
    sent = message(MessageType.CASE_SUBMITTED, case)
    here = translate(sent, context(referral=docs.REFERRAL, case=case))
    assert here.payload["BZJ001"] == "WT370102202600017"
    assert "/referral" not in [loss.pointer for loss in here.losses]
    elsewhere = translate(sent, context(referral=docs.REFERRAL.model_copy(update={"endpoint": "court"}), case=case))
    assert "BZJ001" not in elsewhere.payload
    assert "/referral" in [loss.pointer for loss in elsewhere.losses]


def test_own_papers_of_a_request_take_the_place_of_the_cases() -> None:
    request = sample(
        ConfirmationRequest,
        "POST agreements {id} confirmations - arbitration review",
        attachments=[
            docs.attachment(docs.IDENTITY, "confirmation_application"),
            docs.attachment(docs.PAPER, "mediation_agreement"),
        ],
    )
    wire = translate(
        message(MessageType.CONFIRMATION_REQUESTED, request, docs.CONFIRMATION_ID),
        context(case=docs.CASE_WITH_PAPERS),
    )
    assert wire.payload["BZF000"] == [
        {"BZF001": {"attachment": docs.IDENTITY}, "BZF005": "01"},
        {"BZF001": {"attachment": docs.PAPER}, "BZF005": "05"},
        {"BZF001": {"attachment": docs.IDENTITY}, "BZF005": "02"},
    ]
    assert wire.files == (docs.IDENTITY, docs.PAPER)


def test_long_text_goes_on_in_rows() -> None:
    facts = "甲" * 2000 + "乙" * 2000 + "😀"
    case = sample(Case, "POST cases - wages", facts=facts)
    wire = translate(message(MessageType.CASE_SUBMITTED, case), context())
    assert wire.payload["BZA010"] == "甲" * 2000
    assert wire.payload["BZX000"] == [
        {"BZX001": "BZA010", "BZX002": "2", "BZX003": "乙" * 2000},
        {"BZX001": "BZA010", "BZX002": "3", "BZX003": "😀"},
    ]
    assert "/facts" not in [loss.pointer for loss in wire.losses]


@pytest.mark.parametrize("length", [1999, 2000])
def test_a_text_within_its_limit_has_no_row(length: int) -> None:
    case = sample(Case, "POST cases - wages", facts="甲" * length)
    assert "BZX000" not in translate(message(MessageType.CASE_SUBMITTED, case), context()).payload


def test_long_text_stands_in_the_row_it_belongs_to() -> None:
    case = sample(Case, "POST cases - wages", claims=[{"kind": "other", "text": "请" * 501}])
    claim = translate(message(MessageType.CASE_SUBMITTED, case), context()).payload["BZQ000"][0]
    assert claim == {
        "BZQ001": "1",
        "BZQ002": "99",
        "BZQ003": "请" * 500,
        "BZX000": [{"BZX001": "BZQ003", "BZX002": "2", "BZX003": "请"}],
    }


def test_a_stranger_has_no_nationality() -> None:
    fields = json.loads(docs.WAGES.to_json())["parties"]
    fields[0] |= {"id_type": "passport", "id_number": "E12345678", "ethnic_group": "穿青人"}
    wire = translate(message(MessageType.CASE_SUBMITTED, sample(Case, "POST cases - wages", parties=fields)), context())
    person = wire.payload["BZP000"][0]
    assert "AAC161" not in person
    assert (person["AAC058"], person["AAC005"]) == ("02", "97")
    assert [loss.pointer for loss in wire.losses if loss.kind is LossKind.CODED] == ["/parties/0/ethnic_group"]


def test_the_agents_of_a_unit_have_no_place_and_that_is_said() -> None:
    fields = json.loads(docs.WAGES.to_json())["parties"]
    fields[1]["agents"] = [{"kind": "lawyer", "name": "钱律师", "authority": "special"}]
    wire = translate(message(MessageType.CASE_SUBMITTED, sample(Case, "POST cases - wages", parties=fields)), context())
    assert {(loss.kind, loss.pointer) for loss in wire.losses} == {
        (LossKind.DROPPED, "/schema_version"),
        (LossKind.DROPPED, "/parties/1/agents"),
    }


def test_a_transfer_without_claims_sends_none() -> None:
    transfer = made(
        Transfer,
        to="arbitration",
        authority={"kind": "arbitration_commission", "code": "370102", "name": "仲裁委员会"},
        reason_code="unwilling",
    )
    wire = translate(message(MessageType.TRANSFER_REQUESTED, transfer, docs.TRANSFER_ID), context())
    assert wire.payload.keys() == {"BZA001", "BZA002", "BZG001", "BZC003", "BZC004", "BZG002"}
    assert wire.payload["BZG002"] == "99"
    assert {(loss.kind, loss.pointer) for loss in wire.losses} == {
        (LossKind.CODED, "/reason_code"),
        (LossKind.DROPPED, "/to"),
        (LossKind.DROPPED, "/authority/kind"),
        (LossKind.DROPPED, "/schema_version"),
    }


def test_an_accepted_referral_and_a_result_without_agreement() -> None:
    answer = made(ReferralAnswer, answer="accept", at="2026-10-02T09:00:00+08:00")
    given = context(referral=docs.REFERRAL, agreement=None)
    wire = translate(message(MessageType.REFERRAL_ANSWERED, answer, docs.REFERRAL_ID), given)
    assert wire.payload == {
        "BZJ001": "WT370102202600017",
        "BZA002": "SD-JN-LX-001",
        "BZJ004": "1",
        "AAE036": "20261002090000",
    }
    result = made(ReferralResult, outcome="failed", at="2026-10-02T09:00:00+08:00", report="未达成")
    wire = translate(message(MessageType.REFERRAL_RETURNED, result, docs.REFERRAL_ID), given)
    assert wire.payload["BZJ005"] == "2"
    assert "BZD001" not in wire.payload


@pytest.mark.parametrize(
    ("about", "status", "code"),
    [
        ("case", "closed", "99"),
        ("confirmation", "objected", "30"),
        ("transfer", "correction_required", "44"),
        ("fulfilment", "breached", "54"),
    ],
)
def test_a_status_goes_by_the_table_of_what_it_is_about(about: str, status: str, code: str) -> None:
    report = _report(about=about, status=status, source_platform="elsewhere")
    wire = translate(message(MessageType.STATUS_REPORTED, report), context())
    assert wire.payload["BZS001"] == code
    assert wire.payload["BZS003"] == "9"


def test_a_long_event_number_keeps_its_identity() -> None:
    first, second = (_report(event_id="e" * 64 + end) for end in "ab")
    numbers = [
        translate(message(MessageType.STATUS_REPORTED, report), context()).payload["BZS004"]
        for report in (first, second, second)
    ]
    assert len({*numbers}) == 2
    assert all(len(number) == 64 for number in numbers)


def _too_large_attachment(**changes: Any) -> Context:
    info: dict[str, Any] = {
        "id": docs.PAPER,
        "kind": "x",
        "name": "x",
        "media_type": "application/pdf",
        "size": 1,
        "sha256": "0" * 64,
    }
    return context(attachments={docs.PAPER: AttachmentInfo(**(info | changes))})


_AGREEMENT = message(MessageType.AGREEMENT_CONCLUDED, docs.AGREEMENT, docs.AGREEMENT_ID)


@pytest.mark.parametrize(
    ("sent", "given", "code"),
    [
        (message(MessageType.STATISTICS_REPORTED, docs.WAGES), context(), "type_not_taken"),
        (message(MessageType.CASE_PROGRESSED, docs.PROGRESS), context(case=None), "context_missing"),
        (
            message(MessageType.AGREEMENT_PERFORMED, docs.PERFORMANCE),
            context(agreement=None),
            "context_missing",
        ),
        (message(MessageType.REFERRAL_ANSWERED, docs.ANSWER), context(), "context_missing"),
        (
            message(MessageType.STATUS_REPORTED, _report(status="unknown")),
            context(),
            "code_without_row",
        ),
        (
            message(MessageType.STATUS_REPORTED, _report(document_no="1" * 61)),
            context(),
            "too_long",
        ),
        (
            message(MessageType.CASE_SUBMITTED, sample(Case, "POST cases - wages", amount="100000000000000.00")),
            context(),
            "too_large",
        ),
        (
            message(
                MessageType.CASE_SUBMITTED,
                sample(
                    Case,
                    "POST cases - wages",
                    collective={"worker_count": 10, "representatives": ["刘" * 51], "major": False},
                ),
            ),
            context(),
            "too_long",
        ),
        (
            message(
                MessageType.AGREEMENT_CONCLUDED, sample(Agreement, "POST cases {id} agreements - wages", copies=100)
            ),
            context(),
            "too_large",
        ),
        (
            message(
                MessageType.AGREEMENT_CONCLUDED,
                sample(Agreement, "POST cases {id} agreements - wages", organization_seal=None),
            ),
            context(),
            "agreement_without_effect",
        ),
        (
            message(
                MessageType.TRANSFER_REQUESTED,
                docs.TRANSFER.model_copy(
                    update={"authority": docs.TRANSFER.authority.model_copy(update={"code": "3" * 13})}
                ),
            ),
            context(),
            "too_long",
        ),
        (
            message(
                MessageType.CASE_SUBMITTED,
                sample(Case, "POST cases - wages", claims=[{"kind": "other", "text": "请" * 20_000}] * 40),
            ),
            context(),
            "too_large",
        ),
        (_AGREEMENT, _too_large_attachment(media_type="application/zip"), "file_type"),
        (_AGREEMENT, _too_large_attachment(size=10 * 1024 * 1024 + 1), "file_too_large"),
        # 10 MiB are allowed by §4, but twice base64 they are over the 16 MiB of §1.
        (_AGREEMENT, _too_large_attachment(size=10 * 1024 * 1024), "file_too_large"),
    ],
)
def test_what_is_refused(sent: Any, given: Context, code: str) -> None:
    with pytest.raises(PermanentError) as refused:
        translate(sent, given)
    assert refused.value.code == code


def test_a_file_of_nine_mebibytes_less_a_little_goes() -> None:
    translate(_AGREEMENT, _too_large_attachment(size=9 * 1024 * 1024 - 4096))


def test_a_message_with_another_document_than_it_says_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="carries no Case"):
        translate(message(MessageType.CASE_SUBMITTED, docs.PROGRESS), context())


def test_nothing_of_the_document_is_in_an_error() -> None:
    case = sample(
        Case,
        "POST cases - wages",
        collective={"worker_count": 10, "representatives": ["欧阳" * 30], "major": False},
    )
    with pytest.raises(PermanentError) as refused:
        translate(message(MessageType.CASE_SUBMITTED, case), context())
    assert "欧阳" not in str(refused.value)
    assert refused.value.text.startswith("/collective/representatives/0")


@pytest.mark.parametrize(
    ("at", "lost"),
    [("2026-09-30T17:00:00+08:00", []), ("2026-09-30T10:00:00.25+01:00", ["fraction of a second"])],
)
def test_times_go_to_beijing_and_say_what_they_lose(at: str, lost: list[str]) -> None:
    progress = sample(CaseProgress, "POST cases {id} progress - failed", at=at)
    wire = translate(message(MessageType.CASE_PROGRESSED, progress), context())
    assert wire.payload["AAE036"] == "20260930170000"
    assert [loss.note for loss in wire.losses if loss.pointer == "/at"] == lost
