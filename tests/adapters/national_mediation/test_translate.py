"""What goes out, field by field (page §5), and what the loss report says of the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.national_mediation import NationalMediation
from adapters.national_mediation.translate import CAPABILITIES, translate
from contracts.adapter import Context, ExternalReference, LossKind, Wire
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.messages import MessageType as M

from . import documents as d


def body(kind: M, document: Document, context: Context) -> dict[str, Any]:
    """The body of a translated message."""
    found: dict[str, Any] = translate(d.message(kind, document), context).payload["body"]
    return found


def lost(wire: Wire) -> dict[str, LossKind]:
    """What became of each field that did not go over whole."""
    return {loss.pointer: loss.kind for loss in wire.losses}


def test_the_example_of_the_page() -> None:
    facts = "申请人自2024年3月起在被申请人处任厨师，月工资6200元。"
    sent = body(M.CASE_SUBMITTED, d.wages(facts=facts), d.new())
    example = json.loads(
        '{"externalNo":"370102-LX001-2026-00123","orgCode":"SD-JN-LX-001",'
        '"orgName":"济南市历下区劳动人事争议仲裁院调解中心","orgType":"03","regionCode":"370102","sourceChannel":"5",'
        '"form":"1","receivedAt":"2026-09-16T01:30:00.000Z","acceptedAt":"2026-09-17T02:00:00.000Z",'
        '"causeCode":"20505","causeName":"劳动争议/劳动合同纠纷/追索劳动报酬纠纷",'
        '"facts":"申请人自2024年3月起在被申请人处任厨师，月工资6200元。",'
        '"claims":[{"kind":"01","text":"支付2026年6月至8月工资18600元","amountFen":1860000}],"amountFen":1860000,'
        '"parties":[{"role":"1","kind":"1","name":"王建国","idType":"01","idNumber":"370102199003071238","sex":"1",'
        '"birthDate":"1990-03-07","phone":"13853100001","address":{"regionCode":"370102",'
        '"detail":"历下区文化东路1号1单元101"},"serviceAddress":{"regionCode":"370102",'
        '"detail":"历下区文化东路1号1单元101","eConsent":true},"agents":[{"name":"赵敏","phone":"13853100002"}]},'
        '{"role":"2","kind":"2","name":"济南泉城餐饮管理有限公司","creditCode":"91370102MA0DEM013R",'
        '"legalName":"孙立","contactName":"周芳","contactPhone":"0531-86000001",'
        '"address":{"regionCode":"370102","detail":"历下区泉城路180号"}}],'
        '"mediators":[{"certNo":"LDTJ-3701-2023-0456","name":"李明"}]}'
    )
    assert sent == example


@pytest.mark.parametrize("kind", list(d.SENT))
def test_every_type_goes_under_the_messages_id(kind: M) -> None:
    document, context, about = d.SENT[kind]
    wire = translate(d.message(kind, document, about), context)
    assert wire.id == d.MESSAGE
    assert wire.operation == {one.type: one.operation for one in CAPABILITIES}[kind]
    assert json.loads(json.dumps(wire.payload)) == wire.payload


def test_every_declared_type_is_sent_here() -> None:
    assert {one.type for one in NationalMediation.info.capabilities} == set(d.SENT)


def test_a_case_that_was_never_taken_goes_as_first_filing() -> None:
    for kind, asks in ((M.CASE_SUBMITTED, False), (M.CASE_REVISED, True)):
        wire = translate(d.message(kind, d.wages()), d.new())
        assert (wire.operation, wire.payload["path"], "find" in wire.payload) == ("case.submit", {}, asks)


def test_a_revision_asks_the_platform_for_its_own_version() -> None:
    wire = translate(d.message(M.CASE_REVISED, d.wages()), d.context())
    assert wire.operation == "case.revise"
    assert wire.payload["find"] == {"orgCode": "SD-JN-LX-001", "externalNo": "370102-LX001-2026-00123"}


def test_a_call_below_a_case_names_it_or_finds_it() -> None:
    known = translate(d.message(M.CASE_PROGRESSED, d.progress()), d.context())
    assert known.payload["path"] == {"caseId": d.THEIR_CASE}
    assert "find" not in known.payload
    unknown = translate(d.message(M.CASE_PROGRESSED, d.progress()), d.context(references=()))
    assert unknown.payload["path"] == {}
    assert unknown.payload["find"]["externalNo"] == "370102-LX001-2026-00123"


def test_a_case_handed_over_names_its_referral() -> None:
    case = d.wages(referral=d.REFERRAL_ID)
    assert body(M.CASE_SUBMITTED, case, d.new(referral=d.referral()))["referralId"] == d.THEIR_REFERRAL
    of_a_court = d.referral(kind="court_delegated", endpoint="court")
    wire = translate(d.message(M.CASE_SUBMITTED, case), d.new(referral=of_a_court))
    assert "referralId" not in wire.payload["body"]
    assert lost(wire)["/referral"] is LossKind.DROPPED


def test_long_texts_are_cut_and_reported() -> None:
    claim = {"kind": "other", "text": "求" * 501}
    wire = translate(d.message(M.CASE_SUBMITTED, d.wages(facts="事" * 2001, claims=[claim])), d.new())
    assert wire.payload["body"]["facts"] == "事" * 1999 + "…"
    assert wire.payload["body"]["claims"][0]["text"] == "求" * 499 + "…"
    assert {pointer for pointer, kind in lost(wire).items() if kind is LossKind.CUT} == {"/facts", "/claims/0/text"}
    whole = body(M.CASE_SUBMITTED, d.wages(facts="事" * 2000), d.new())
    assert whole["facts"] == "事" * 2000


PERSON, UNIT = d.fields_of("POST cases - wages")["parties"]
FACTS = {"text": "无" * 500, "confirmed_at": "2026-09-30T10:00:00+08:00"}
SESSION = d.fields_of("POST cases {id} progress - failed")["session"] | {"place": "室" * 101}
FAR = PERSON["address"] | {"detail": "路" * 201}


@pytest.mark.parametrize(
    ("kind", "document", "path", "limit"),
    [
        (M.CASE_PROGRESSED, d.progress(undisputed_facts=FACTS), ("note",), 500),
        (M.CASE_PROGRESSED, d.progress(session=SESSION), ("session", "place"), 100),
        (M.AGREEMENT_CONCLUDED, d.agreement(facts="实" * 2001), ("facts",), 2000),
        (M.REFERRAL_ANSWERED, d.answer(answer="decline", reason="因" * 201), ("reason",), 200),
        (M.REFERRAL_RETURNED, d.result(report="报" * 2001), ("report",), 2000),
        (
            M.CASE_SUBMITTED,
            d.wages(parties=[PERSON | {"address": FAR}, UNIT]),
            ("parties", 0, "address", "detail"),
            200,
        ),
    ],
)
def test_every_text_has_its_limit(kind: M, document: Document, path: tuple[str | int, ...], limit: int) -> None:
    found: Any = body(kind, document, d.handed_over())
    for part in path:
        found = found[part]
    assert len(found) == limit
    assert found.endswith("…")


def test_money_is_whole_fen_up_to_its_limit() -> None:
    claim = {"kind": "other", "text": "x", "amount": "0.05"}
    sent = body(M.CASE_SUBMITTED, d.wages(amount="10000000000000.00", claims=[claim]), d.new())
    assert (sent["amountFen"], sent["claims"][0]["amountFen"]) == (10**15, 5)
    with pytest.raises(PermanentError, match="too_long"):
        body(M.CASE_SUBMITTED, d.wages(amount="10000000000000.01"), d.new())


def test_two_agents_and_names_of_fifty() -> None:
    three = PERSON | {"agents": PERSON["agents"] * 3}
    wire = translate(d.message(M.CASE_SUBMITTED, d.wages(parties=[three, UNIT])), d.new())
    assert len(wire.payload["body"]["parties"][0]["agents"]) == 2
    assert lost(wire)["/parties/0/agents/2"] is LossKind.DROPPED
    with pytest.raises(PermanentError, match="too_long"):
        body(M.CASE_SUBMITTED, d.wages(parties=[PERSON | {"name": "王" * 51}, UNIT]), d.new())


def test_what_has_no_place_is_reported() -> None:
    claims = [{"kind": "other", "text": f"{number}"} for number in range(22)]
    mediators = [{"certificate_no": f"L{number}", "name": "李明"} for number in range(6)]
    wire = translate(d.message(M.CASE_SUBMITTED, d.wages(claims=claims, mediators=mediators)), d.new())
    assert len(wire.payload["body"]["claims"]) == 20
    assert len(wire.payload["body"]["mediators"]) == 5
    dropped = {pointer for pointer, kind in lost(wire).items() if kind is LossKind.DROPPED}
    assert {"/claims/20", "/claims/21", "/mediators/5", "/parties/0/ethnic_group", "/consents"} <= dropped


@pytest.mark.parametrize(
    ("code", "town"), [("370102001", "370102001"), ("370102001002", "370102001002"), ("370102", None)]
)
def test_a_town_code_stands_whole_beside_its_six_digits(code: str, town: str | None) -> None:
    organization = d.fields_of("POST cases - wages")["organization"] | {"region_code": code}
    sent = body(M.CASE_SUBMITTED, d.wages(organization=organization), d.new())
    assert (sent["regionCode"], sent.get("townCode")) == ("370102", town)


def test_a_small_collective_case_has_no_count_there() -> None:
    parts = {"worker_count": 9, "representatives": [], "major": False}
    wire = translate(d.message(M.CASE_SUBMITTED, d.collective(collective=parts)), d.new())
    assert "workerCount" not in wire.payload["body"]
    assert lost(wire)["/collective"] is LossKind.DROPPED


def test_a_kind_of_document_without_row_is_the_senders() -> None:
    person, unit = d.fields_of("POST cases - wages")["parties"]
    case = d.wages(parties=[person | {"id_type": "other", "id_number": "X1"}, unit])
    with pytest.raises(PermanentError, match="code_without_row"):
        translate(d.message(M.CASE_SUBMITTED, case), d.new())


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("received", None, {"status": "1"}),
        ("accepted", None, {"status": "2"}),
        ("declined", None, {"status": "10"}),
        ("correction_required", None, {"status": "7"}),
        ("mediating", None, {"status": "5"}),
        ("agreed", "agreement_reached", {"status": "6", "result": "1", "endReason": "1"}),
        ("partly_agreed", "agreement_reached", {"status": "6", "result": "2", "endReason": "1"}),
        ("failed", "unreachable", {"status": "6", "result": "3", "endReason": "3"}),
        ("withdrawn", "self_settled_withdrawn", {"status": "6", "result": "4", "endReason": "2"}),
        ("terminated", "other", {"status": "6", "result": "5", "endReason": "8"}),
        ("transferred", None, {"status": "11"}),
        ("closed", None, {"status": "99"}),
    ],
)
def test_statuses(status: str, reason: str | None, expected: dict[str, str]) -> None:
    changes: dict[str, Any] = {"status": status, "reason_code": reason, "session": None, "note": None}
    sent = body(M.CASE_PROGRESSED, d.progress(**changes), d.context())
    assert {key: value for key, value in sent.items() if key != "at"} == expected


@pytest.mark.parametrize(
    ("about", "status", "platform", "expected"),
    [
        ("confirmation", "requested", "hr_arbitration", {"status": "12", "route": "2"}),
        ("confirmation", "confirmed", "court_mediation", {"status": "13", "route": "1"}),
        ("confirmation", "rejected", "court_mediation", {"status": "14", "route": "1"}),
        ("transfer", "filed", "court_mediation", {"status": "8"}),
        ("transfer", "filed", "hr_arbitration", {"status": "11"}),
    ],
)
def test_words_of_other_platforms(about: str, status: str, platform: str, expected: dict[str, str]) -> None:
    sent = body(M.STATUS_REPORTED, d.report(about, status, source_platform=platform), d.context())
    assert {key: value for key, value in sent.items() if key != "at"} == expected


def test_the_way_of_a_confirmation_is_the_requests() -> None:
    word = d.report(source_platform="one_stop")
    assert body(M.STATUS_REPORTED, word, d.context(confirmation=d.judicial()))["route"] == "1"
    with pytest.raises(PermanentError, match="context_missing"):
        translate(d.message(M.STATUS_REPORTED, word), d.context())


@pytest.mark.parametrize(
    ("about", "status"), [("transfer", "refused"), ("case", "mediating"), ("fulfilment", "performed")]
)
def test_words_that_it_has_no_status_for(about: str, status: str) -> None:
    with pytest.raises(PermanentError, match="not_taken"):
        translate(d.message(M.STATUS_REPORTED, d.report(about, status)), d.context())


def test_the_agreements_text_travels_under_no_persons_name() -> None:
    wire = translate(d.message(M.AGREEMENT_CONCLUDED, d.agreement(), d.AGREEMENT_ID), d.context())
    assert wire.payload["body"]["fileId"] == {"attachment": d.PAPER, "kind": "02", "name": "调解协议书.pdf"}
    assert wire.files == (d.PAPER,)
    assert "王建国" not in json.dumps(wire.payload["body"]["fileId"], ensure_ascii=False)
    assert lost(wire)["/terms/0/payee"] is LossKind.DROPPED


def test_attachments_travel_up_to_twenty() -> None:
    listed = [{"id": d.PAPER, "kind": "identity_proof", "name": "王建国身份证.pdf"}] * 21
    wire = translate(d.message(M.CASE_SUBMITTED, d.wages(attachments=listed)), d.new())
    assert wire.payload["body"]["fileIds"][0] == {"attachment": d.PAPER, "kind": "04", "name": "身份资格证明.pdf"}
    assert len(wire.payload["body"]["fileIds"]) == 20
    assert lost(wire)["/attachments/0/name"] is LossKind.MASKED
    assert lost(wire)["/attachments/20"] is LossKind.DROPPED
    with pytest.raises(PermanentError, match="file_type"):
        word = {d.PAPER: d.file("application/msword")}
        translate(d.message(M.CASE_SUBMITTED, d.wages(attachments=listed)), d.new(attachments=word))


def test_an_answer_that_declines_says_why() -> None:
    sent = body(M.REFERRAL_ANSWERED, d.answer(answer="decline", reason="不属受理范围"), d.handed_over())
    assert sent == {"accept": False, "reason": "不属受理范围", "answeredAt": "2026-09-16T02:00:00.000Z"}


def test_a_result_names_the_agreement_by_the_platforms_number() -> None:
    wire = translate(d.message(M.REFERRAL_RETURNED, d.result(), d.REFERRAL_ID), d.handed_over())
    assert wire.payload["path"] == {"referralId": d.THEIR_REFERRAL}
    assert wire.payload["body"] == {"result": "1", "agreementId": d.THEIR_AGREEMENT, "report": "已达成协议。"}
    with pytest.raises(PermanentError, match="context_missing"):
        translate(d.message(M.REFERRAL_RETURNED, d.result(), d.REFERRAL_ID), d.handed_over(references=()))


def test_an_end_without_agreement_has_a_reason() -> None:
    failed = d.result(outcome="failed", agreement=None)
    wire = translate(d.message(M.REFERRAL_RETURNED, failed, d.REFERRAL_ID), d.handed_over())
    assert wire.payload["body"]["endReason"] == "8"
    assert lost(wire)["/reason_code"] is LossKind.DEFAULTED


def test_undisputed_facts_stand_in_words() -> None:
    facts = {"text": "双方劳动关系自2024年3月起", "confirmed_at": "2026-09-30T10:00:00+08:00"}
    failed = {"outcome": "failed", "reason_code": "large_divergence", "agreement": None, "undisputed_facts": facts}
    sent = body(M.REFERRAL_RETURNED, d.result(**failed), d.handed_over())
    assert "双方劳动关系自2024年3月起" in sent["report"]


def test_figures_of_a_quarter() -> None:
    wire = translate(d.message(M.STATISTICS_REPORTED, d.statistics(), d.REPORT_ID), d.context())
    assert wire.payload["path"] == {"orgCode": "SD-JN-LX-001", "period": "2026Q3"}
    sent = wire.payload["body"]
    assert (sent["version"], sent["filledAt"]) == (1, "2026-09-30T01:02:03.000Z")
    assert (sent["items"]["A01"], sent["items"]["M1"]) == (7, 1860050)
    assert "N01" not in sent["items"]
    assert LossKind.DROPPED in {loss.kind for loss in wire.losses if loss.pointer.startswith("/items/")}


def test_versions_count_what_reached_the_platform() -> None:
    told = (ExternalReference("document_no", "SD-JN-LX-001/2026Q3/3", d.REPORT_ID),)
    for context, version in ((d.context(), 1), (d.context(references=told), 4)):
        wire = translate(d.message(M.STATISTICS_REPORTED, d.statistics(), d.REPORT_ID), context)
        assert wire.payload["body"]["version"] == version
        assert lost(wire)["/version"] is LossKind.MAPPED
    first = translate(d.message(M.STATISTICS_REPORTED, d.statistics(version=1), d.REPORT_ID), d.context())
    assert "/version" not in lost(first)


def test_no_other_period_and_no_lacking_figure() -> None:
    month = {"from": "2026-07-01", "to": "2026-07-31"}
    with pytest.raises(PermanentError, match="period_not_taken"):
        translate(d.message(M.STATISTICS_REPORTED, d.statistics(period=month), d.REPORT_ID), d.context())
    with pytest.raises(PermanentError, match="required_missing"):
        translate(d.message(M.STATISTICS_REPORTED, d.statistics(items=[]), d.REPORT_ID), d.context())


def test_what_it_does_not_take() -> None:
    with pytest.raises(PermanentError, match="type_not_taken"):
        translate(d.message(M.CONFIRMATION_REQUESTED, d.judicial()), d.context())


def test_more_than_a_mebibyte_does_not_fit() -> None:
    terms = [{"no": number, "kind": "other", "text": "条" * 20_000} for number in range(1, 20)]
    with pytest.raises(PermanentError, match="too_large"):
        translate(d.message(M.AGREEMENT_CONCLUDED, d.agreement(terms=terms), d.AGREEMENT_ID), d.context())
