"""A stored change in canonical words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.one_stop.pulling import raw_item
from adapters.one_stop.translate import translate
from adapters.one_stop.wire import build, read, read_body, write
from contracts.adapter import InboundCall, Origin
from contracts.errors import Reason, UnreadableCallback
from contracts.lists import ClaimKind, IdType, PartyRole, Sex
from contracts.messages import MessageType as M
from contracts.referral import AddressDraft, CaseDraft, ContactDraft, Referral
from contracts.update import About, Inbound, Key, KeyKind, Reference, ReferralOffered, StatusUpdate

from . import documents as d
from .platform import ENDPOINT, NOW, ORGANIZATION, REFERENCE, adapter

CASE_NO = "370102-LX001-2026-00123"
BEIJING = timezone(timedelta(hours=8))
AT = datetime(2026, 9, 30, 10, 0, tzinfo=BEIJING)
CASE_KEYS = (Key(KeyKind.CASE_NO_OF_SOURCE, CASE_NO, ORGANIZATION), Key(KeyKind.REFERENCE, REFERENCE, "platform_no"))


def change(kind: str, own: str = "", **head: str) -> str:
    """A change as the platform lists it; ``head`` overrides or removes (empty) the items that all have."""
    items = {
        "变更序号": "CH-1",
        "变更类型": kind,
        "平台编号": REFERENCE,
        "案件外部编号": CASE_NO,
        "机构编码": ORGANIZATION,
        "变更时间": "2026-09-30 10:00:00",
    } | head
    written = "".join(f"<{name}>{value}</{name}>" for name, value in items.items() if value)
    return f'<变更 xmlns="urn:sdzz:mdjf:1">{written}{own}</变更>'


def call(text: str | bytes) -> InboundCall:
    body = text if isinstance(text, bytes) else raw_item(read(text.encode()), (ORGANIZATION,)).body
    return InboundCall("POST", "", (), body, NOW, origin=Origin.POLL)


def parsed(text: str) -> Inbound:
    (found,) = adapter().parse_callback(call(text))
    return found


def update(text: str) -> StatusUpdate:
    found = parsed(text)
    assert isinstance(found, StatusUpdate)
    return found


def status(category: str, code: str, own: str = "") -> str:
    return change("3", f"<进展类别>{category}</进展类别><状态>{code}</状态>{own}")


# ------------------------------------------------------------------------------------------------------------- status


@pytest.mark.parametrize(
    ("category", "code", "about", "word"),
    [
        ("1", "01", About.CASE, "received"),
        ("1", "08", About.CASE, "failed"),
        ("1", "99", About.CASE, "closed"),
        ("2", "21", About.CONFIRMATION, "requested"),
        ("2", "26", About.CONFIRMATION, "confirmed"),
        ("2", "30", About.CONFIRMATION, "objected"),
        ("3", "41", About.TRANSFER, "requested"),
        ("3", "42", About.TRANSFER, "filed"),
        ("3", "43", About.TRANSFER, "refused"),
        ("3", "44", About.TRANSFER, "correction_required"),
        ("4", "51", About.FULFILMENT, "performing"),
        ("4", "54", About.FULFILMENT, "breached"),
    ],
)
def test_status(category: str, code: str, about: About, word: str) -> None:
    assert update(status(category, code)) == StatusUpdate("CH-1", about, CASE_KEYS, word, code, AT)


@pytest.mark.parametrize(
    ("category", "code", "about", "raw"),
    [
        ("1", "77", About.CASE, "77"),
        ("1", "26", About.CASE, "26"),
        ("3", "08", About.TRANSFER, "08"),
        ("7", "08", About.CASE, "7/08"),
        ("", "08", About.CASE, "/08"),
    ],
)
def test_an_unknown_code_stays_unknown_with_its_raw_value(category: str, code: str, about: About, raw: str) -> None:
    found = update(status(category, code))
    assert (found.about, found.status, found.raw_status) == (about, "unknown", raw)


def test_reasons_and_numbers() -> None:
    ended = update(status("1", "10", "<原因>05</原因>"))
    assert (ended.reason_code, ended.reasons) == ("large_divergence", ())
    moved = update(status("3", "42", "<原因>03</原因><文书号>（2026）鲁0102民初9号</文书号>"))
    assert moved.reason_code == "not_performed"
    assert moved.references == (Reference("document_no", "（2026）鲁0102民初9号"),)
    unmapped = update(status("3", "43", "<原因>88</原因>"))
    assert (unmapped.reason_code, unmapped.reasons) == (None, (Reason("88", "88", "原因"),))
    spoken = update(status("2", "27", "<原因>材料不全</原因>"))
    assert spoken.reasons == (Reason("", "材料不全", "原因"),)


def test_a_change_of_a_case_without_number_of_its_own_names_the_referral() -> None:
    found = update(change("3", "<进展类别>1</进展类别><状态>05</状态>", 案件外部编号="ref_01JB2Z9K7Q4N"))
    assert found.keys == (Key(KeyKind.REFERRAL, "ref_01JB2Z9K7Q4N"), Key(KeyKind.REFERENCE, REFERENCE, "platform_no"))
    foreign = update(change("3", "<进展类别>1</进展类别><状态>05</状态>", 案件外部编号="ref_2026"))
    assert foreign.keys[0].kind is KeyKind.CASE_NO_OF_SOURCE
    assert update(change("3", "<进展类别>1</进展类别><状态>05</状态>", 案件外部编号="")).keys == CASE_KEYS[1:]


# -------------------------------------------------------------------------------------------------- recall, note, other


def test_recalled_and_expired() -> None:
    keys = (Key(KeyKind.REFERENCE, REFERENCE, "task_no"),)
    recalled = update(change("2", "<原因>当事人撤回</原因>"))
    assert recalled == StatusUpdate("CH-1", About.REFERRAL, keys, "recalled", "2", AT, note="当事人撤回")
    expired = update(change("2", "<原因>逾期未签收</原因>", 案件外部编号=""))
    assert (expired.status, expired.keys) == ("expired", keys)
    bound = update(change("2", 案件外部编号="ref_01JB2Z9K7Q4N"))
    assert bound.keys == (Key(KeyKind.REFERRAL, "ref_01JB2Z9K7Q4N"), *keys)
    nameless = update(change("2", 平台编号=""))
    assert nameless.keys == CASE_KEYS[:1]


@pytest.mark.parametrize(
    ("limit", "due"),
    [
        ("", None),
        ("2026-10-08", date(2026, 10, 8)),
        ("2026-10-08 12:00:00", datetime(2026, 10, 8, 12, tzinfo=BEIJING)),
        ("尽快", None),
    ],
)
def test_supervision_is_a_note_without_status(limit: str, due: date | datetime | None) -> None:
    found = update(change("4", f"<督办意见>请于期限内反馈</督办意见><反馈期限>{limit}</反馈期限>"))
    assert found == StatusUpdate("CH-1", About.CASE, CASE_KEYS, "", "4", AT, due_at=due, note="请于期限内反馈")


@pytest.mark.parametrize("kind", ["5", "99", "其他"])
def test_an_unknown_kind_is_unknown(kind: str) -> None:
    found = update(change(kind, "<什么><都><行/></都></什么>"))
    assert found == StatusUpdate("CH-1", About.CASE, CASE_KEYS, "unknown", kind, AT)
    timeless = update(change(kind, 变更时间="昨天"))
    assert timeless.at == NOW


# --------------------------------------------------------------------------------------------------------- unreadable


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "empty"),
        (b"<html><body>maintenance</body></html>", "not_a_change"),
        (b"<!DOCTYPE a><a/>", "doctype"),
        (change("4", "<督办意见>x</督办意见>", 变更序号=""), "no_event_number"),
        (change("4", "<督办意见>x</督办意见><变更序号>2</变更序号>"), "no_event_number"),
        (change("4", "<督办意见>x</督办意见>", 变更序号="x" * 33), "no_event_number"),
        (change("4", "<督办意见>x</督办意见>", 机构编码="SD-XX-001"), "foreign_organization"),
        (change("4", "<督办意见>x</督办意见>", 机构编码=""), "foreign_organization"),
        (change("", "<督办意见>x</督办意见>"), "no_type"),
        (change("2", 平台编号="", 案件外部编号=""), "no_key"),
        (change("4", "<督办意见>x</督办意见>", 平台编号="", 案件外部编号=""), "no_key"),
        (change("99", 平台编号="", 案件外部编号=""), "no_key"),
        (change("4"), "no_note"),
        (change("3", "<进展类别>1</进展类别>"), "no_status"),
        (change("3", "<进展类别>1</进展类别><状态>05</状态>", 变更时间="2026-09-30"), "no_time"),
        (change("3", "<进展类别>1</进展类别><状态>05</状态><状态>06</状态>"), "doubled_element"),
        (change("1"), "incomplete_assignment"),
    ],
)
def test_unreadable_and_not_quoted(text: str | bytes, code: str) -> None:
    with pytest.raises(UnreadableCallback) as caught:
        adapter().parse_callback(call(text))
    assert caught.value.code == code
    assert str(caught.value) == code


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_else(raw: bytes) -> None:
    for body in (
        raw,
        b'<m:\xe5\x8f\x98\xe6\x9b\xb4 xmlns:m="urn:sdzz:mdjf:1">' + raw + b"</m:\xe5\x8f\x98\xe6\x9b\xb4>",
    ):
        with pytest.raises(UnreadableCallback):
            adapter().parse_callback(call(body))


# --------------------------------------------------------------------------------------------------------- assignment

ASSIGNED_HEAD = "<指派单号>ZP-2026-0045</指派单号><签收期限>2026-10-02 17:00:00</签收期限>"


def offered(own: str, **head: str) -> ReferralOffered:
    found = parsed(change("1", own, **({"案件外部编号": ""} | head)))
    assert isinstance(found, ReferralOffered)
    return found


def draft(own: str) -> CaseDraft:
    return offered(ASSIGNED_HEAD + own).referral.case


def test_an_assignment_of_little_more_than_its_facts() -> None:
    found = offered(ASSIGNED_HEAD + "<化解时限>2026-10-20</化解时限><简述>拖欠工资</简述>")
    assert (found.event_id, found.at) == ("CH-1", AT)
    referral = found.referral
    assert (referral.kind, referral.endpoint) == ("one_stop_assigned", ENDPOINT)
    assert (referral.task_no, referral.letter_no, referral.organization_code) == (
        REFERENCE,
        "ZP-2026-0045",
        ORGANIZATION,
    )
    assert referral.due_at == datetime(2026, 10, 2, 17, tzinfo=BEIJING)
    assert referral.mediation_due_at == datetime(2026, 10, 20, 23, 59, 59, tzinfo=BEIJING)
    sent = referral.case.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    assert sent == {"facts": "拖欠工资", "channel": "referral", "organization": {"code": ORGANIZATION}}


@pytest.mark.parametrize(
    "own",
    [
        "<简述>拖欠工资</简述>",
        ASSIGNED_HEAD,
        ASSIGNED_HEAD + "<简述> \n</简述>",
        "<签收期限>明天</签收期限><简述>拖欠工资</简述>",
        "<签收期限>0026-10-14 17:00:00</签收期限><简述>拖欠工资</简述>",
    ],
)
def test_an_assignment_that_nobody_could_answer(own: str) -> None:
    with pytest.raises(UnreadableCallback, match="incomplete_assignment"):
        offered(own)
    with pytest.raises(UnreadableCallback, match="incomplete_assignment"):
        offered(ASSIGNED_HEAD + "<简述>拖欠工资</简述>", 平台编号="")


def assigned_items(case: Any) -> str:
    """What we would report about a case, from 名称 on, as the platform would hand it over."""
    wire = translate(d.message(M.CASE_SUBMITTED, case), d.context(case))
    request = read_body(build(wire.operation, wire.payload, NOW))
    names = [child.name for child in request.children]
    kept = request.children[names.index("名称") : names.index("化解时限")]
    kept += tuple(child for child in request.children if child.name == "续页列表")
    return "".join(write(child).decode() for child in kept)


def test_a_case_comes_back_as_it_went() -> None:
    case = d.case()
    found = draft(assigned_items(case))
    assert found.facts == case.facts
    assert found.cause == case.cause
    assert found.amount == case.amount
    assert [(claim.kind, claim.text, claim.amount) for claim in found.claims] == [
        (ClaimKind.LABOR_REMUNERATION, case.claims[0].text, case.claims[0].amount)
    ]
    person, employer = found.parties
    assert (person.kind, person.role, person.name) == ("person", PartyRole.APPLICANT, "王建国")
    assert (person.id_type, person.id_number, person.sex) == (IdType.RESIDENT_ID, "370102199003071238", Sex.MALE)
    assert (person.ethnic_group, person.phone) == ("汉族", "13853100001")
    assert person.address == AddressDraft(region_code="370102", detail="历下区文化东路1号1单元101")
    (agent,) = person.agents
    assert (agent.name, agent.id_number, agent.phone) == ("赵敏", "370213198511200024", "13853100002")
    assert (employer.kind, employer.role) == ("employer", PartyRole.RESPONDENT)
    assert (employer.name, employer.credit_code) == ("济南泉城餐饮管理有限公司", "91370102MA0DEM013R")
    assert employer.contact == ContactDraft(name="周芳", phone="0531-86000001")
    assert found.collective is None
    assert found.received_at is None  # 发生日期 is a day: a time would be invented


def test_a_collective_case_comes_back_with_its_number_of_workers() -> None:
    found = draft(assigned_items(d.collective()))
    assert found.collective is not None
    assert (found.collective.worker_count, found.collective.major) == (23, None)
    assert [party.kind for party in found.parties] == ["person", "employer", "employer"]


def test_long_texts_come_back_whole() -> None:
    case = d.changed(d.case(), facts="申请人陈述：" + "𠮷吉" * 1500)
    assert draft(assigned_items(case)).facts == case.facts


@pytest.mark.parametrize(
    "pages",
    [
        "<续页><项名>简述</项名><页号>3</页号><页数>3</页数><内容>乙</内容></续页>",
        "<续页><项名>简述</项名><页号>2</页号><页数>3</页数><内容>乙</内容></续页>",
        "<续页><项名>简述</项名><页号>2</页号><页数>2</页数><内容>乙</内容></续页>" * 2,
    ],
)
def test_pages_with_gaps_are_unreadable(pages: str) -> None:
    with pytest.raises(UnreadableCallback, match="pages_with_gaps"):
        offered(ASSIGNED_HEAD + f"<简述>甲</简述><续页列表>{pages}</续页列表>")


def test_what_no_field_can_hold_is_absent_and_the_rest_stays() -> None:
    found = draft(
        "<案由>2025:没有/这个案由</案由><简述>拖欠\u0085工资</简述><规模>04</规模><涉及人数>很多</涉及人数>"
        "<请求事项列表><请求事项><种类>55</种类><内容>支付工资</内容><金额>若干</金额></请求事项></请求事项列表>"
        "<涉案金额>1.0000001</涉案金额>"
        "<主要当事人列表>"
        "<主要当事人><角色>1</角色><证件代码>000</证件代码><号码>370***</号码><姓名>王建国</姓名><性别>5</性别>"
        "<民族>99</民族><居住详址>历下区</居住详址><联系方式>不详</联系方式></主要当事人>"
        "<主要当事人><角色>9</角色><姓名>无名</姓名></主要当事人><主要当事人><角色>1</角色></主要当事人>"
        "</主要当事人列表>"
        "<单位当事人列表><单位当事人><角色>3</角色><单位名称>某中心</单位名称></单位当事人></单位当事人列表>"
        "<代理人列表><代理人><代理当事人序号>7</代理当事人序号><姓名>甲</姓名></代理人>"
        "<代理人><代理当事人序号>x</代理当事人序号><姓名>乙</姓名></代理人>"
        "<代理人><代理当事人序号>0</代理当事人序号></代理人></代理人列表>"
    )
    assert found.model_dump(mode="json", exclude_none=True, exclude_defaults=True) == {
        "organization": {"code": ORGANIZATION},
        "channel": "referral",
        "facts": "拖欠工资",
        "claims": [{"text": "支付工资"}],
        "collective": {},
        "parties": [
            {
                "role": "applicant",
                "kind": "person",
                "name": "王建国",
                "id_number": "370***",
                "address": {"detail": "历下区"},
                "phone": "不详",
            },
            {"role": "third_party", "kind": "other_organization", "name": "某中心"},
        ],
    }


def test_a_limit_of_a_mistyped_year_is_absent() -> None:
    """Kept, the referral could be stored and never read again."""
    head = "<指派单号>ZP1</指派单号><签收期限>2026-10-14 17:00:00</签收期限><化解时限>2206-10-20</化解时限>"
    found = offered(head + "<简述>拖欠工资</简述>").referral
    assert found.mediation_due_at is None
    assert Referral.model_validate_json(found.to_json()) == found


def test_times_are_beijings() -> None:
    assert offered(ASSIGNED_HEAD + "<简述>拖欠工资</简述>").referral.due_at.astimezone(UTC).hour == 9
