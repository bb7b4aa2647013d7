"""What goes out, field by field (page §4), and what the loss report says of the rest."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.commerce_federation import CommerceFederation, codes
from adapters.commerce_federation.case import full_years
from adapters.commerce_federation.entry import Entry
from adapters.commerce_federation.translate import CAPABILITIES, translate
from adapters.commerce_federation.wire import OutRow
from adapters.masking import mask
from adapters.tables import Losses
from contracts.adapter import Context, LossKind, Wire
from contracts.attachment import AttachmentReference
from contracts.causes import matters
from contracts.document import Document
from contracts.errors import PermanentError
from contracts.lists import CauseTable, ClaimKind, OrganizationType
from contracts.messages import MessageType as M

from . import documents as d

_LIMIT = 10 * 1024 * 1024


def wire_of(kind: M, document: Document, context: Context | None = None) -> Wire:
    """The translated message."""
    return translate(d.message(kind, document), context or d.new(), ("SD-QD-SH-003",), _LIMIT)


def nr(kind: M, document: Document, context: Context | None = None) -> dict[str, Any]:
    """Its ``NR``."""
    found: dict[str, Any] = wire_of(kind, document, context).payload["NR"]
    return found


def lost(wire: Wire) -> dict[str, LossKind]:
    """What became of each field that did not go over whole."""
    return {loss.pointer: loss.kind for loss in wire.losses}


def refused(kind: M, document: Document, context: Context | None = None) -> str:
    """The code of the refusal."""
    with pytest.raises(PermanentError) as found:
        wire_of(kind, document, context)
    return found.value.code


def test_the_example_of_the_page_byte_for_byte() -> None:
    row = OutRow.of(wire_of(M.CASE_SUBMITTED, d.wages()))
    assert row.nr == d.NR
    assert row.digest == d.DIGEST
    assert (row.out_id, row.biz_type, row.operate_type, row.file_count) == (d.MESSAGE, "01", 1, 0)
    assert (row.case_key, row.org_code) == (d.CASE_KEY, "SD-QD-SH-003")


@pytest.mark.parametrize("kind", list(d.SENT))
def test_every_type_goes_under_the_messages_id(kind: M) -> None:
    document, context = d.SENT[kind]
    wire = wire_of(kind, document, context)
    assert wire.id == d.MESSAGE
    assert wire.operation == {one.type: one.operation for one in CAPABILITIES}[kind]
    frozen = json.loads(json.dumps(wire.payload))
    assert frozen == wire.payload
    assert OutRow.of(Wire(wire.id, wire.operation, frozen)).digest == OutRow.of(wire).digest


def test_every_declared_type_is_sent_here() -> None:
    assert {one.type for one in CommerceFederation.info.capabilities} == set(d.SENT)


@pytest.mark.parametrize(
    ("kind", "biz", "operate"),
    [
        (M.CASE_SUBMITTED, "01", 1),
        (M.CASE_REVISED, "01", 2),
        (M.CASE_PROGRESSED, "02", 1),
        (M.AGREEMENT_CONCLUDED, "03", 1),
        (M.AGREEMENT_PERFORMED, "04", 1),
    ],
)
def test_each_service_has_its_codes(kind: M, biz: str, operate: int) -> None:
    payload = wire_of(kind, *d.SENT[kind]).payload
    assert (payload["BIZ_TYPE"], payload["OPERATE_TYPE"], payload["CASE_KEY"]) == (biz, operate, d.CASE_KEY)
    assert payload["NR"]["ah"] == "370202-SH003-2026-00017"


def test_a_case_that_was_never_taken_goes_as_first_filing() -> None:
    wire = wire_of(M.CASE_REVISED, d.wages())
    assert (wire.operation, wire.payload["OPERATE_TYPE"]) == ("case.submit", 1)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("370102199003071238", "370102********1238"),
        ("E12345678", "E1*****78"),
        ("H1234", "H1*34"),
        ("1234", "****"),
        ("1", "*"),
    ],
)
def test_identity_numbers_are_masked(number: str, masked: str) -> None:
    assert mask(number) == masked


@given(st.text("0123456789X", min_size=1, max_size=40))
def test_a_mask_keeps_the_length_and_hides_the_middle(number: str) -> None:
    found = mask(number)
    assert len(found) == len(number)
    assert found.count("*") >= min(len(number), 1)


def test_no_identity_number_and_no_account_goes_out() -> None:
    case = wire_of(M.CASE_SUBMITTED, d.wages())
    assert lost(case)["/parties/0/id_number"] is LossKind.MASKED
    text = json.dumps([wire_of(kind, *sent).payload for kind, sent in d.SENT.items()], ensure_ascii=False)
    for hidden in ("370102199003071238", "370213198511200024", "6222020000000000000", "中国工商银行", "1990-03-07"):
        assert hidden not in text


def test_what_has_no_place_is_reported() -> None:
    dropped = {
        pointer for pointer, kind in lost(wire_of(M.CASE_SUBMITTED, d.wages())).items() if kind is LossKind.DROPPED
    }
    assert {
        "/parties/0/ethnic_group",
        "/parties/0/occupation",
        "/parties/0/service_address",
        "/parties/0/agents",
        "/parties/0/address/region_code",
        "/parties/1/unit_type",
        "/parties/1/industry",
        "/parties/1/size",
        "/parties/1/legal_representative/position",
        "/consents",
    } <= dropped
    agreed = lost(wire_of(M.AGREEMENT_CONCLUDED, d.agreement(), d.context()))
    for pointer in ("/terms/0/payee", "/terms/0/kind", "/facts", "/effect_rule", "/signatures", "/organization_seal"):
        assert agreed[pointer] is LossKind.DROPPED


def test_facts_are_cut_at_a_thousand_characters_and_reported() -> None:
    wire = wire_of(M.CASE_SUBMITTED, d.wages(facts="事" * 1001))
    assert wire.payload["NR"]["jfjyqk"] == "事" * 1000
    assert lost(wire)["/facts"] is LossKind.CUT
    assert "/facts" not in lost(wire_of(M.CASE_SUBMITTED, d.wages(facts="事" * 1000)))


def test_claims_beyond_twenty_have_no_place() -> None:
    claims = [{"kind": "other", "text": f"{number}"} for number in range(22)]
    wire = wire_of(M.CASE_SUBMITTED, d.wages(claims=claims))
    assert len(wire.payload["NR"]["qq"]) == 20
    assert wire.payload["NR"]["qq"][0] == {"qqlx": "15", "qqnr": "0"}
    assert lost(wire)["/claims/20"] is LossKind.DROPPED


def test_long_names_are_the_senders() -> None:
    assert refused(M.CASE_SUBMITTED, d.wages(parties=[d.person(name="王" * 51), d.unit()])) == "too_long"
    assert nr(M.CASE_SUBMITTED, d.wages(parties=[d.person(), d.unit(name="司" * 100)]))["dsr"][1]["dsrxm"] == "司" * 100


@pytest.mark.parametrize(
    ("yuan", "there"),
    [
        ("18600.00", "1.860000"),
        ("0.01", "0.000001"),
        ("0", "0.000000"),
        ("9999999999999999.99", "999999999999.999999"),
    ],
)
def test_money_is_ten_thousands_with_six_decimals(yuan: str, there: str) -> None:
    entry = Entry(Losses())
    entry.money("je", Decimal(yuan), "/amount")
    assert entry.fields == {"je": there}


@pytest.mark.parametrize(("sex", "code"), [("male", "0"), ("female", "1"), ("unknown", None)])
def test_sex_is_not_the_standards(sex: str, code: str | None) -> None:
    found = nr(M.CASE_SUBMITTED, d.wages(parties=[d.person(sex=sex), d.unit()]))["dsr"][0]
    assert found.get("xb") == code


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        (date(1990, 9, 16), date(2026, 9, 16), 36),
        (date(1990, 9, 17), date(2026, 9, 16), 35),
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2026, 9, 17), date(2026, 9, 16), 0),
    ],
)
def test_age_is_in_full_years(born: date, on: date, years: int) -> None:
    assert full_years(born, on) == years


@pytest.mark.parametrize(
    ("kind", "code"),
    [("passport", "2"), ("taiwan_permit", "3"), ("hk_macao_permit", "4"), ("other", "255")],
)
def test_kinds_of_identity_documents(kind: str, code: str) -> None:
    assert codes.ID_TYPE.code(kind, Losses(), "/x", "zjlx") == code


def test_a_region_has_six_digits() -> None:
    organization = d.wages().organization.model_dump(mode="json", exclude_none=True) | {"region_code": "370202001002"}
    wire = wire_of(M.CASE_SUBMITTED, d.wages(organization=organization))
    assert wire.payload["NR"]["qhdm"] == "370202"
    assert lost(wire)["/organization/region_code"] is LossKind.CUT


def test_collective_cases() -> None:
    collective = {"worker_count": 23, "representatives": ["王建国"], "major": True}
    wire = wire_of(M.CASE_SUBMITTED, d.wages(collective=collective))
    assert (wire.payload["NR"]["sjrs"], wire.payload["NR"]["zdjt"]) == ("23", "1")
    assert lost(wire)["/collective/representatives"] is LossKind.DROPPED


def test_the_credit_code_of_another_organisation_has_no_place() -> None:
    wire = wire_of(M.CASE_SUBMITTED, d.wages(parties=[d.person(), d.unit(), another_organisation()]))
    there = wire.payload["NR"]["dsr"][2]
    assert list(there) == ["ssdw", "dsrlx", "dsrxm", "fddbr", "lxr", "dh", "dz"]
    assert lost(wire)["/parties/2/credit_code"] is LossKind.DROPPED


def another_organisation() -> dict[str, Any]:
    """A third party that is no employer."""
    return d.unit(role="third_party", kind="other_organization")


def test_mediators_are_demanded_from_the_acceptance_on() -> None:
    assert refused(M.CASE_SUBMITTED, d.wages(mediators=[])) == "required_missing"
    found = nr(M.CASE_SUBMITTED, d.wages(mediators=[], accepted_at=None))
    assert "tjy" not in found
    assert "slrq" not in found


def test_orders_of_the_contract_are_the_numbers_of_the_tables() -> None:
    assert [codes.ORGANIZATION_TYPE.rows[kind] for kind in OrganizationType] == [f"{n:02d}" for n in range(1, 11)]
    assert [codes.CLAIM.rows[kind] for kind in ClaimKind] == [f"{n:02d}" for n in range(1, 16)]


@pytest.mark.parametrize(
    ("table", "path", "code"),
    [
        ("2025", ("劳动争议", "劳动合同纠纷"), "205"),
        ("2025", ("劳动争议", "劳动合同纠纷", "竞业限制纠纷"), "205-7"),
        ("2025", ("劳动争议", "社会保险纠纷", "失业保险待遇纠纷"), "206-5"),
        ("2025", ("人事争议", "辞退纠纷"), "213"),
        ("2025", ("新就业形态用工纠纷", "新就业形态用工合同纠纷", "追索劳动报酬纠纷"), "214-2"),
        ("2025", ("新就业形态用工纠纷", "新就业形态职业伤害保障纠纷"), "216"),
        ("2025", ("劳动争议",), "205"),
        ("2020", ("劳动争议", "劳动合同纠纷", "追索劳动报酬纠纷"), "205-5"),
        ("2020", ("劳动争议", "福利待遇纠纷"), "207"),
        ("arbitration", ("确认劳动关系", "确认劳动关系"), "205-1"),
        ("arbitration", ("工作时间、休息休假、社会保险、福利、培训以及劳动保护", "社会保险"), "206"),
        ("arbitration", ("劳动报酬、工伤医疗费、经济补偿或者赔偿金", "劳动报酬"), "205"),
    ],
)
def test_causes(table: str, path: tuple[str, ...], code: str) -> None:
    found = nr(M.CASE_SUBMITTED, d.wages(cause={"table": table, "path": path}))
    assert (found["aydm"], found["aymc"]) == (code, path[-1])


def test_every_cause_has_a_number() -> None:
    for matter in matters():
        for table, path in matter.paths.items():
            code = codes.cause_code(CauseTable(table), path, Losses(), "/cause", "aydm")
            assert 205 <= int(code.partition("-")[0]) <= 216


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("received", None, {"zt": "1"}),
        ("accepted", None, {"zt": "2"}),
        ("declined", None, {"zt": "10"}),
        ("correction_required", None, {"zt": "7"}),
        ("mediating", None, {"zt": "5"}),
        ("agreed", "agreement_reached", {"zt": "6", "tjjg": "1", "jsyy": "1"}),
        ("partly_agreed", "agreement_reached", {"zt": "6", "tjjg": "1", "jsyy": "1"}),
        ("failed", "large_divergence", {"zt": "6", "tjjg": "0", "jsyy": "5"}),
        ("withdrawn", "self_settled_withdrawn", {"zt": "6", "tjjg": "0", "jsyy": "2"}),
        ("terminated", "other", {"zt": "6", "tjjg": "0", "jsyy": "8"}),
        ("transferred", None, {"zt": "11"}),
        ("closed", None, {"zt": "99"}),
    ],
)
def test_progress(status: str, reason: str | None, expected: dict[str, str]) -> None:
    document = d.progress(status=status, reason_code=reason, session=None, note=None)
    found = nr(M.CASE_PROGRESSED, document, d.context())
    assert found == {"ah": "370202-SH003-2026-00017", "sj": "2026-09-30 17:00:00"} | expected


def test_progress_with_a_session() -> None:
    found = nr(M.CASE_PROGRESSED, d.progress(), d.context())
    assert list(found) == ["ah", "zt", "sj", "jsyy", "bz", "tjjg", "tjdd"]
    assert (found["bz"], found["tjdd"]) == ("双方就补偿金额分歧较大，申请人要求终止调解", "第二调解室")


def test_undisputed_facts_stand_in_the_note() -> None:
    facts = {"text": "拖欠三个月工资", "confirmed_at": "2026-09-30T16:00:00+08:00"}
    assert "无争议事实" in nr(M.CASE_PROGRESSED, d.progress(undisputed_facts=facts), d.context())["bz"]


def test_an_agreement() -> None:
    wire = wire_of(M.AGREEMENT_CONCLUDED, d.agreement(), d.context())
    assert wire.payload["NR"]["xy"] == {
        "xybh": "历下劳人调〔2026〕123号",
        "sxsj": "2026-09-25 09:00:00",
        "fs": "3",
        "jjfw": "1",
        "xynr": [
            {
                "xh": "1",
                "nr": "被申请人于2026年10月31日前一次性支付申请人工资15000元",
                "je": "1.500000",
                "lxqx": "2026-10-31",
            },
            {"xh": "2", "nr": "申请人自愿放弃其余请求"},
        ],
    }
    assert wire.payload["FILES"] == [{"attachment": d.PAPER, "FILE_KIND": "02", "FILE_NAME": "调解协议书.pdf"}]
    assert wire.files == (d.PAPER,)


def test_an_agreement_without_terms_is_the_senders() -> None:
    assert refused(M.AGREEMENT_CONCLUDED, d.agreement(terms=[]), d.context()) == "required_missing"


def test_an_agreement_without_effect_is_the_senders() -> None:
    without = d.agreement(organization_seal=None)
    assert refused(M.AGREEMENT_CONCLUDED, without, d.context()) == "agreement_without_effect"


def test_a_performance_names_its_agreement() -> None:
    assert nr(M.AGREEMENT_PERFORMED, d.performance(), d.context())["lx"] == {
        "xybh": "历下劳人调〔2026〕123号",
        "xh": "1",
        "lxzt": "1",
        "sj": "2026-10-30 16:00:00",
        "je": "1.500000",
    }
    assert refused(M.AGREEMENT_PERFORMED, d.performance(), d.context(agreement=None)) == "context_missing"


def _case_with_files(many: int) -> Document:
    return d.wages(attachments=[{"id": d.PAPER, "kind": "evidence", "name": "证据.pdf"}] * many)


def test_attachments_beyond_twenty_have_no_place() -> None:
    wire = wire_of(M.CASE_SUBMITTED, _case_with_files(21))
    assert len(wire.payload["FILES"]) == 20
    assert wire.payload["FILES"][0]["FILE_KIND"] == "99"
    assert lost(wire)["/attachments/20"] is LossKind.DROPPED
    assert lost(wire)["/attachments/0/kind"] is LossKind.CODED
    assert "name" in AttachmentReference.model_fields


@pytest.mark.parametrize(
    ("info", "code"),
    [
        (d.file("text/plain"), "file_type"),
        (d.file(size=_LIMIT + 1), "file_too_large"),
    ],
)
def test_files_that_the_platform_does_not_take(info: Any, code: str) -> None:
    assert refused(M.CASE_SUBMITTED, _case_with_files(1), d.new(attachments={d.PAPER: info})) == code


def test_an_attachment_has_the_name_that_the_document_gives_it() -> None:
    context = d.new(attachments={d.PAPER: d.file(name="scan001.pdf")})
    wire = wire_of(M.CASE_SUBMITTED, _case_with_files(1), context)
    assert wire.payload["FILES"][0]["FILE_NAME"] == "证据.pdf"
    assert "/attachments/0/name" not in lost(wire)
    grown = "\u0958" * 60 + ".pdf"  # composed it is longer
    longer = d.wages(attachments=[{"id": d.PAPER, "kind": "evidence", "name": grown}])
    wire = wire_of(M.CASE_SUBMITTED, longer, context)
    assert len(wire.payload["FILES"][0]["FILE_NAME"]) == 100
    assert lost(wire)["/attachments/0/name"] is LossKind.CUT


def test_a_long_file_name_keeps_its_ending() -> None:
    context = d.context(attachments={d.PAPER: d.file(name="长" * 120 + ".pdf")})
    name = wire_of(M.AGREEMENT_CONCLUDED, d.agreement(), context).payload["FILES"][0]["FILE_NAME"]
    assert len(name) == 100
    assert name.endswith("长.pdf")


def test_texts_are_composed() -> None:
    assert nr(M.CASE_SUBMITTED, d.wages(facts="cafe\u0301"))["jfjyqk"] == "café"


def test_organisations_that_are_not_bound_or_cannot_be_named() -> None:
    organization = d.wages().organization.model_dump(mode="json", exclude_none=True)
    assert refused(M.CASE_SUBMITTED, d.wages(organization=organization | {"code": "SD-X"})) == "not_taken"
    hashed = d.wages(organization=organization | {"code": "SD#1"})
    with pytest.raises(PermanentError, match="forbidden_character"):
        translate(d.message(M.CASE_SUBMITTED, hashed), d.new(), (), _LIMIT)


def test_what_cannot_be_taken_at_all() -> None:
    with pytest.raises(PermanentError, match="type_not_taken"):
        wire_of(M.MEDIATOR_LISTED, d.wages())
    many = d.wages(parties=[d.person() | {"name": "王" * 40 + str(number)} for number in range(999)] + [d.unit()])
    assert refused(M.CASE_SUBMITTED, many) == "too_large"
    assert refused(M.CASE_PROGRESSED, d.progress(), d.context(case=None)) == "context_missing"
