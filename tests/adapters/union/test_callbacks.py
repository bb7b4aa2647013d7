"""Callbacks in canonical words: results, statuses, handed-over cases, recalls, and what nobody understands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.adapter import InboundCall
from contracts.errors import Reason, UnreadableCallback
from contracts.lists import Channel, ClaimKind, IdType, PartyRole, ReferralKind, Sex, UnitSize, UnitType
from contracts.referral import Referral
from contracts.update import About, Inbound, Key, KeyKind, Reference, ReferralOffered, StatusUpdate

from .platform import BATCH_NO, ENDPOINT, NOW, UNION_NO, adapter, call, call_of

ORGANIZATIONS = ("SD-JN-LX-001",)


def parsed(found: InboundCall, organizations: tuple[str, ...] = ORGANIZATIONS) -> tuple[Inbound, ...]:
    return adapter(organization_codes=organizations).parse_callback(found)


def words(found: InboundCall, organizations: tuple[str, ...] = ORGANIZATIONS) -> list[StatusUpdate]:
    inbound = parsed(found, organizations)
    updates = [word for word in inbound if isinstance(word, StatusUpdate)]
    assert len(updates) == len(inbound)
    return updates


def results(*items: dict[str, str], **changes: str) -> list[StatusUpdate]:
    flat = {f"i{number}.{name}": value for number, item in enumerate(items, 1) for name, value in item.items()}
    return words(call("batch.result", {"batchNo": BATCH_NO, **flat}, n=str(len(items)), **changes))


# ------------------------------------------------------------------------------------------------------------- results


def test_accepted() -> None:
    assert results({"xlh": "dlv_1", "jg": "1", "slh": UNION_NO, "yy": "", "yysm": ""}) == [
        StatusUpdate(
            event_id=f"{BATCH_NO}:dlv_1",
            about=About.DELIVERY,
            keys=(Key(KeyKind.DELIVERY, "dlv_1"),),
            status="accepted",
            raw_status="1",
            at=NOW,
            references=(Reference("platform_no", UNION_NO), Reference("batch_no", BATCH_NO)),
            sending=BATCH_NO,
        )
    ]


@pytest.mark.parametrize("code", ["L1", "L2", "L3", "L4", "L5", "L6", "P1", "T1", "Z9"])
def test_refused_with_code_and_reasons(code: str) -> None:
    (word,) = results({"xlh": "dlv_1", "jg": "0", "yy": code, "yysm": "案件 a&b=c 不存在"})
    assert (word.status, word.raw_status, word.reason_code) == ("refused", "0", code)
    assert word.reasons == (Reason(code, "案件 a&b=c 不存在"),)
    assert word.sending == BATCH_NO, "the receipt's reference: which of several sendings was refused"
    assert word.references == (Reference("batch_no", BATCH_NO),)


def test_a_text_for_a_code_stays_among_the_reasons() -> None:
    (word,) = results({"xlh": "dlv_1", "jg": "0", "yy": "王建国 370102199003071238"})
    assert word.reason_code is None
    assert word.reasons[0].code == "王建国 370102199003071238"


def test_refused_without_words() -> None:
    (word,) = results({"xlh": "dlv_1", "jg": "0"})
    assert (word.status, word.reason_code, word.reasons) == ("refused", None, ())


@pytest.mark.parametrize("raw", ["", "2", "01", "同意"])
def test_an_unknown_result_stays_unknown(raw: str) -> None:
    (word,) = results({"xlh": "dlv_1", "jg": raw, "slh": UNION_NO})
    assert (word.status, word.raw_status) == ("unknown", raw or "batch.result")


def test_each_item_is_a_word_of_its_own_also_of_unknown_deliveries() -> None:
    found = results({"xlh": "dlv_1", "jg": "1"}, {"xlh": "who", "jg": "1"}, {"xlh": "dlv_3", "jg": "0", "yy": "L1"})
    assert [(word.event_id, word.status) for word in found] == [
        (f"{BATCH_NO}:dlv_1", "accepted"),
        (f"{BATCH_NO}:who", "accepted"),
        (f"{BATCH_NO}:dlv_3", "refused"),
    ]
    assert found[1].keys == (Key(KeyKind.DELIVERY, "who"),)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_an_item_named_twice_the_first_acceptance_counts(order: tuple[int, int]) -> None:
    both = [{"xlh": "dlv_1", "jg": "0", "yy": "L6"}, {"xlh": "dlv_1", "jg": "1", "slh": UNION_NO}]
    (word,) = results(*(both[place] for place in order))
    assert word.status == "accepted"
    (first,) = results(both[1], both[1] | {"slh": "37000020260930000999"})
    assert first.references[0].value == UNION_NO


def test_an_item_without_a_number_is_not_lost() -> None:
    found = results({"xlh": "dlv_1", "jg": "1"}, {"jg": "1"})
    assert found[0].status == "accepted"
    assert found[1].keys == ()


def test_a_union_number_of_no_form_is_no_number() -> None:
    (word,) = results({"xlh": "dlv_1", "jg": "1", "slh": "王 建国"})
    assert word.references == (Reference("batch_no", BATCH_NO),)


def test_repeats_say_the_same_but_for_the_time_of_telling() -> None:
    (first,) = results({"xlh": "dlv_1", "jg": "1"})
    (later,) = results({"xlh": "dlv_1", "jg": "1"}, timestamp="1790759163000", nonce="b" * 16)
    assert first.event_id == later.event_id
    assert (later.at - first.at).total_seconds() == 60


# ------------------------------------------------------------------------------------------------------------ statuses

STATUS = {
    "i1.ajbh": "370102-LX001-2026-00123",
    "i1.slh": UNION_NO,
    "i1.zt": "02",
    "i1.sj": "20260930170000",
    "i1.sm": "",
    "i1.sjbh": "EV-2026-1",
}
AT = datetime(2026, 9, 30, 9, 0, tzinfo=UTC)
CASE_KEY = Key(KeyKind.CASE_NO_OF_SOURCE, "370102-LX001-2026-00123", "SD-JN-LX-001")
UNION_KEY = Key(KeyKind.REFERENCE, UNION_NO, "platform_no")


def status(**changes: str) -> StatusUpdate:
    (word,) = words(call("case.status", STATUS | {f"i1.{name}": value for name, value in changes.items()}))
    return word


def test_a_case_status() -> None:
    assert status(sm="已受理") == StatusUpdate(
        event_id="EV-2026-1",
        about=About.CASE,
        keys=(CASE_KEY, UNION_KEY),
        status="accepted",
        raw_status="02",
        at=AT,
        references=(Reference("platform_no", UNION_NO),),
        note="已受理",
    )


@pytest.mark.parametrize(
    ("raw", "about", "word"),
    [
        ("01", About.CASE, "received"),
        ("02", About.CASE, "accepted"),
        ("03", About.CASE, "declined"),
        ("04", About.CASE, "correction_required"),
        ("05", About.CASE, "mediating"),
        ("06", About.CASE, "agreed"),
        ("07", About.CASE, "partly_agreed"),
        ("08", About.CASE, "failed"),
        ("09", About.CASE, "withdrawn"),
        ("10", About.CASE, "terminated"),
        ("11", About.CASE, "transferred"),
        ("99", About.CASE, "closed"),
        ("71", About.TRANSFER, "filed"),
        ("72", About.TRANSFER, "refused"),
        ("52", About.CASE, "unknown"),
        ("12", About.CASE, "unknown"),
        ("1", About.CASE, "unknown"),
        ("", About.CASE, "unknown"),
    ],
)
def test_statuses(raw: str, about: About, word: str) -> None:
    found = status(zt=raw)
    assert (found.about, found.status, found.raw_status) == (about, word, raw or "case.status")
    assert UNION_KEY in found.keys


def test_the_case_number_is_asked_for_under_every_organisation_of_the_union() -> None:
    found = words(call("case.status", STATUS), ("A", "B"))[0]
    assert [(key.scope, key.value) for key in found.keys[:-1]] == [("A", CASE_KEY.value), ("B", CASE_KEY.value)]
    alone = words(call("case.status", STATUS), ())[0]
    assert alone.keys == (Key(KeyKind.CASE_NO_OF_SOURCE, CASE_KEY.value), UNION_KEY)
    assert status(ajbh="").keys == (UNION_KEY,)
    assert status(slh="").keys == (CASE_KEY,)


def test_a_fact_without_time_is_of_the_time_of_telling() -> None:
    for text in ("", "20260930", "20261330170000", "2026093017000０", "00260930170000"):
        assert status(sj=text).at == NOW


# ----------------------------------------------------------------------------------------------------------- handovers

HANDOVER = {
    "yjbh": "YJ3701022026000045",
    "jgdm": "SD-JN-LX-001",
    "dfqx": "20261005170000",
    "ajbh": "GH-2026-00077",
    "qh": "370102",
    "ly": "1",
    "sqsj": "20260928093000",
    "slsj": "20260929100000",
    "lb": "1",
    "ay": "劳动争议/劳动合同纠纷/追索劳动报酬纠纷",
    "jq": "拖欠三个月工资。",
    "qq.1.lx": "01",
    "qq.1.nr": "支付工资18600元",
    "qq.1.je": "1860000",
    "qq.2.lx": "77",
    "qq.2.nr": "其他请求",
    "je": "1860000",
    "rs": "12",
    "zd": "1",
    "dbr": "王建国、刘秀英",
    "sqr.1.xm": "王建国",
    "sqr.1.zjlx": "1",
    "sqr.1.zjhm": "37010219900307123x",
    "sqr.1.csrq": "19900307",
    "sqr.1.xb": "男",
    "sqr.1.dh": "13853100001",
    "sqr.1.gz": "厨师",
    "sqr.1.dzqh": "370102",
    "sqr.1.dz": "历下区文化东路1号1单元101",
    "sqr.2.xm": "刘秀英",
    "bsqr.1.mc": "济南泉城餐饮管理有限公司",
    "bsqr.1.xydm": "91370102MA0DEM013R",
    "bsqr.1.dwlx": "有限责任公司",
    "bsqr.1.fr": "孙立",
    "bsqr.1.lxr": "周芳",
    "bsqr.1.dh": "0531-86000001",
    "bsqr.1.dzqh": "370102",
    "bsqr.1.dz": "历下区泉城路180号",
    "bsqr.1.gm": "3",
    "dsr.1.mc": "某平台公司",
    "dlr.1.xm": "赵敏",
    "dlr.1.dsr": "2",
    "dlr.1.zjhm": "370213198511200024",
    "dlr.1.dh": "13853100002",
    "dlr.1.dlx": "1",
}


def handover(*items: dict[str, str]) -> InboundCall:
    flat = {f"i{number}.{name}": value for number, item in enumerate(items, 1) for name, value in item.items()}
    return call("case.handover", flat, path="/handover", n=str(len(items)))


def offered(*items: dict[str, str]) -> list[ReferralOffered]:
    found = parsed(handover(*items))
    offers = [word for word in found if isinstance(word, ReferralOffered)]
    assert len(offers) == len(found)
    return offers


def draft(**changes: str) -> Referral:
    (found,) = offered(HANDOVER | changes)
    return found.referral


def test_a_handed_over_case() -> None:
    (found,) = offered(HANDOVER)
    referral = found.referral
    assert (found.event_id, found.at) == ("case.handover:YJ3701022026000045", NOW)
    assert (referral.kind, referral.endpoint) == (ReferralKind.UNION_HANDED_OVER, ENDPOINT)
    assert (referral.task_no, referral.organization_code) == ("YJ3701022026000045", "SD-JN-LX-001")
    assert referral.due_at == datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
    assert [(number.kind, number.value) for number in referral.external_refs] == [("case_no", "GH-2026-00077")]
    case = referral.case
    assert case.source_case_no == "GH-2026-00077"
    assert case.organization is not None
    assert (case.organization.code, case.organization.region_code) == ("SD-JN-LX-001", "370102")
    assert case.organization.type is None
    assert case.channel is Channel.WINDOW
    assert case.received_at == datetime(2026, 9, 28, 1, 30, tzinfo=UTC)
    assert case.accepted_at == datetime(2026, 9, 29, 2, 0, tzinfo=UTC)
    assert case.cause is not None
    assert (case.cause.table, case.cause.path[-1]) == ("2025", "追索劳动报酬纠纷")
    assert case.amount == Decimal("18600.00")
    assert [(claim.kind, claim.text, claim.amount) for claim in case.claims] == [
        (ClaimKind.LABOR_REMUNERATION, "支付工资18600元", Decimal("18600.00")),
        (None, "其他请求", None),
    ]
    assert case.collective is not None
    assert (case.collective.worker_count, case.collective.representatives, case.collective.major) == (
        12,
        ("王建国", "刘秀英"),
        True,
    )
    person, second, unit, third = case.parties
    assert (person.role, person.kind, person.name) == (PartyRole.APPLICANT, "person", "王建国")
    assert (person.id_type, person.id_number) == (IdType.RESIDENT_ID, "37010219900307123X")
    assert (person.birth_date, person.sex, person.occupation) == (date(1990, 3, 7), Sex.MALE, "厨师")
    assert person.address is not None
    assert (person.address.region_code, person.address.detail) == ("370102", "历下区文化东路1号1单元101")
    assert (second.name, second.id_number, second.address) == ("刘秀英", None, None)
    assert (unit.role, unit.kind, unit.unit_type, unit.size) == (
        PartyRole.RESPONDENT,
        "employer",
        UnitType.LIMITED_COMPANY,
        UnitSize.SMALL,
    )
    assert unit.contact is not None
    assert (unit.contact.name, unit.contact.phone, unit.credit_code) == ("周芳", "0531-86000001", "91370102MA0DEM013R")
    assert [agent.name for agent in unit.agents] == ["赵敏"]
    assert (third.role, third.kind, third.agents) == (PartyRole.THIRD_PARTY, "other_organization", ())
    assert Referral.model_validate_json(referral.model_dump_json(exclude_none=True)) == referral


def test_one_call_may_hold_several() -> None:
    found = offered(HANDOVER, HANDOVER | {"yjbh": "YJ2"})
    assert [one.event_id for one in found] == ["case.handover:YJ3701022026000045", "case.handover:YJ2"]


def test_what_is_not_sent_or_not_known_is_absent() -> None:
    bare = {name: HANDOVER[name] for name in ("yjbh", "jgdm", "dfqx", "jq")}
    (found,) = offered(bare)
    case = found.referral.case
    assert case.facts == "拖欠三个月工资。"
    assert (case.channel, case.cause, case.amount, case.collective, case.source_case_no) == (None,) * 5
    assert (case.parties, case.claims, found.referral.external_refs) == ((), (), ())
    odd = draft(ly="3", ay="没有/这个", je="1.50", rs="0", zd="1", sqsj="yesterday", **{"bsqr.1.dwlx": "某类"}).case
    assert (odd.channel, odd.cause, odd.amount, odd.received_at) == (None, None, None, None)
    assert odd.collective is not None
    assert odd.collective.worker_count is None
    assert odd.parties[2].unit_type is None


def test_without_the_mark_a_case_is_not_collective() -> None:
    assert draft(zd="").case.collective is None


def test_a_unit_type_may_come_in_our_word() -> None:
    assert draft(**{"bsqr.1.dwlx": "limited_company"}).case.parties[2].unit_type is UnitType.LIMITED_COMPANY


def test_a_due_day_lasts_until_its_end() -> None:
    assert draft(dfqx="20261005").due_at == datetime(2026, 10, 5, 15, 59, 59, tzinfo=UTC)


def test_a_mistyped_year_is_absent() -> None:
    """Kept, the referral could be stored and never read again."""
    found = draft(sqsj="00260916093000", slsj="22060916093000", **{"sqr.1.csrq": "18900307"})
    assert (found.case.received_at, found.case.accepted_at, found.case.parties[0].birth_date) == (None, None, None)
    assert Referral.model_validate_json(found.to_json()) == found


def test_overlong_and_hostile_texts_are_made_to_fit() -> None:
    case = draft(jq="甲\x00" * 25_000, ajbh="G" * 60, **{"sqr.1.xm": "乙" * 300, "sqr.1.dz": "\x07\x08"}).case
    assert case.facts == "甲" * 20_000
    assert case.source_case_no is None
    assert case.parties[0].name == "乙" * 100
    assert case.parties[0].address is not None
    assert case.parties[0].address.detail is None


@pytest.mark.parametrize("missing", ["yjbh", "jgdm", "dfqx", "jq"])
def test_an_incomplete_one_beside_a_sound_one_is_not_lost(missing: str) -> None:
    sound, broken = parsed(handover(HANDOVER, HANDOVER | {"yjbh": "YJ2", missing: ""}))
    assert isinstance(sound, ReferralOffered)
    assert isinstance(broken, StatusUpdate)
    assert (broken.about, broken.status) == (About.REFERRAL, "unknown")
    keys = () if missing == "yjbh" else (Key(KeyKind.REFERENCE, "YJ2", "task_no"),)
    assert broken.keys == keys
    with pytest.raises(UnreadableCallback) as caught:
        parsed(handover(HANDOVER | {missing: " "}))
    assert caught.value.code == "referral_incomplete"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_a_task_named_twice_the_sound_item_counts(order: tuple[int, int]) -> None:
    both = (HANDOVER | {"jq": ""}, HANDOVER)
    (found,) = offered(*(both[place] for place in order))
    assert found.referral.case.facts == HANDOVER["jq"]
    (first,) = offered(HANDOVER, HANDOVER | {"jq": "另一案情。"})
    assert first.referral.case.facts == HANDOVER["jq"]


# ------------------------------------------------------------------------------------------------------------- recalls


def test_a_recall() -> None:
    found = words(
        call(
            "case.recall",
            {"i1.yjbh": "YJ1", "i1.sm": "申请人撤回\x00", "i2.yjbh": "YJ2"},
            path="/handover",
            n="2",
        )
    )
    assert found[0] == StatusUpdate(
        event_id="case.recall:YJ1",
        about=About.REFERRAL,
        keys=(Key(KeyKind.REFERENCE, "YJ1", "task_no"),),
        status="recalled",
        raw_status="case.recall",
        at=NOW,
        note="申请人撤回 ",
    )
    assert (found[1].event_id, found[1].note) == ("case.recall:YJ2", None)


def test_a_task_recalled_twice_in_one_call_is_one_word() -> None:
    twice = {"i1.yjbh": "YJ1", "i2.yjbh": "YJ1"}
    assert len(words(call("case.recall", twice, path="/handover", n="2"))) == 1


# ---------------------------------------------------------------------------------------------------------- unreadable


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (call_of(b""), "empty"),
        (call_of(b"a=%8"), "percent"),
        (call("case.notice", {"i1.xlh": "x"}), "unknown_method"),
        (call("batch.result", {"i1.xlh": "x", "i1.jg": "1"}), "no_batch_no"),
        (call("batch.result", {"batchNo": BATCH_NO, "i1.jg": "1"}), "no_key"),
        (call("case.status", {"i1.zt": "02", "i1.sjbh": "EV"}), "no_key"),
        (call("case.status", {"i1.zt": "02", "i1.slh": UNION_NO}), "no_event_id"),
        (call("case.recall", {"i1.sm": "x"}), "no_key"),
        (call("case.handover", {"i1.sm": "x"}), "referral_incomplete"),
    ],
)
def test_nothing_can_be_understood(found: InboundCall, code: str) -> None:
    with pytest.raises(UnreadableCallback) as caught:
        parsed(found)
    assert caught.value.code == code


_VALUES = st.one_of(st.sampled_from([*HANDOVER.values(), "", " ", "0", "\x00"]), st.text(max_size=30))
_ITEM = st.dictionaries(
    st.sampled_from(sorted({*HANDOVER, "xlh", "jg", "slh", "yy", "yysm", "zt", "sj", "sm", "sjbh"})), _VALUES
)


@settings(max_examples=200)
@given(st.sampled_from(["batch.result", "case.status", "case.handover", "case.recall"]), _ITEM)
def test_whatever_comes_is_read_or_unreadable(method: str, item: dict[str, str]) -> None:
    values = {name: text for name, text in item.items() if not any("\ud800" <= c <= "\udfff" for c in text)}
    found = call(method, {"batchNo": BATCH_NO, **{f"i1.{name}": text for name, text in values.items()}})
    try:
        inbound = parsed(found)
    except UnreadableCallback:
        return
    assert len(inbound) <= 1
    for word in inbound:
        assert word.event_id
        if isinstance(word, StatusUpdate):
            assert len(word.raw_status) <= 64
        else:
            assert Referral.model_validate_json(word.referral.model_dump_json(exclude_none=True)) == word.referral


def test_fields_in_excess_are_passed_over() -> None:
    found = results({"xlh": "dlv_1", "jg": "1", "new": "x", "rows.1.a": "b", "deep.1.a.2.b": "c"})
    assert [word.status for word in found] == ["accepted"]


def test_rows_are_read_in_the_order_of_their_numbers() -> None:
    claims = {f"qq.{number}.nr": f"第{number}项" for number in (10, 2, 9)}
    bare = {name: HANDOVER[name] for name in ("yjbh", "jgdm", "dfqx", "jq")}
    (found,) = offered(bare | claims)
    assert [claim.text for claim in found.referral.case.claims] == ["第2项", "第9项", "第10项"]
