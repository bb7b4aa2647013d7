"""Pushes in canonical words: every kind of the page, unknown ones, referrals, and hostile bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.court_mediation import callbacks
from adapters.court_mediation.translate import translate
from contracts.adapter import InboundCall, Json
from contracts.errors import Reason, UnreadableCallback
from contracts.lists import CauseTable
from contracts.messages import MessageType
from contracts.referral import Referral
from contracts.status import ConfirmationStatus, ReferralStatus, TransferStatus
from contracts.update import (
    About,
    DocumentLink,
    Inbound,
    Key,
    KeyKind,
    Reference,
    ReferralOffered,
    StatusUpdate,
)
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.platform import NOW, call_of, push, push_body
from tests.adapters.court_mediation.platform import settings as configured

UUID = docs.UUID
CASE_NO = "（2026）鲁0102诉前调确7号"
WRIT: Json = {
    "c_wsmc": "民事裁定书",
    "c_wsbh": "WS20261012001",
    "c_fymc": "济南市历下区人民法院",
    "wjlj": "http://127.0.0.1:9102/fayuan/a/file/get/WS1?t=abc",
    "wjyxq": "20261012 10:10",
    "wjdx": "18233",
    "sha256": "AB" * 32,
}
LINK = DocumentLink(
    ref="WS20261012001",
    kind="decision",
    name="民事裁定书",
    link="http://127.0.0.1:9102/fayuan/a/file/get/WS1?t=abc",
    expires_at=datetime(2026, 10, 12, 2, 10, tzinfo=UTC),
    size=18233,
    sha256="ab" * 32,
)


def _read(call: InboundCall) -> Inbound:
    (found,) = callbacks.parse(call, "court")
    return found


def _update(kind: str, content: Json, **changes: Any) -> StatusUpdate:
    found = _read(push(kind, content, **changes))
    assert isinstance(found, StatusUpdate)
    return found


_CNF, _TRF = Key(KeyKind.CONFIRMATION, "cnf_1"), Key(KeyKind.TRANSFER, "trf_1")
_NUMBER = Key(KeyKind.REFERENCE, UUID, "platform_no")

FACTS: list[tuple[str, Json, About, str, dict[str, Any]]] = [
    ("sqys", {}, About.CONFIRMATION, "requested", {}),
    (
        "sqbz",
        {"bznr": ["身份证复印件", "送达地址确认书"], "bzqx": "20261020"},
        About.CONFIRMATION,
        "correction_required",
        {
            "due_at": date(2026, 10, 20),
            "reasons": (Reason("sqbz", "身份证复印件", "bznr[0]"), Reason("sqbz", "送达地址确认书", "bznr[1]")),
        },
    ),
    (
        "sqsl",
        {"ah": CASE_NO, "larq": "20261012", "cbr": "张法官"},
        About.CONFIRMATION,
        "accepted",
        {"note": "立案日期：2026-10-12；承办人：张法官", "numbers": [("case_no", CASE_NO)]},
    ),
    (
        "sqbysl",
        {"yy": "不属于本院管辖"},
        About.CONFIRMATION,
        "not_accepted",
        {"note": "理由：不属于本院管辖", "reasons": (Reason("sqbysl", "不属于本院管辖", "yy"),)},
    ),
    (
        "cdyx",
        {"ah": CASE_NO, "cdrq": "20261012", "wslist": [WRIT]},
        About.CONFIRMATION,
        "confirmed",
        {
            "note": "裁定日期：2026-10-12",
            "documents": (LINK,),
            "numbers": [("case_no", CASE_NO), ("document_no", "WS20261012001")],
        },
    ),
    (
        "cdbh",
        {"ah": CASE_NO, "cdrq": "20261012", "yy": "违反法律", "wslist": [WRIT]},
        About.CONFIRMATION,
        "rejected",
        {
            "note": "裁定日期：2026-10-12；理由：违反法律",
            "reasons": (Reason("cdbh", "违反法律", "yy"),),
            "documents": (LINK,),
            "numbers": [("case_no", CASE_NO), ("document_no", "WS20261012001")],
        },
    ),
    ("zych", {"cdrq": "20261012"}, About.CONFIRMATION, "withdrawn", {"note": "裁定日期：2026-10-12"}),
    ("acch", {"cdrq": "20261012"}, About.CONFIRMATION, "deemed_withdrawn", {"note": "裁定日期：2026-10-12"}),
    (
        "yysl",
        {"yyr": "案外人某", "yyrq": "20261012", "ah": CASE_NO},
        About.CONFIRMATION,
        "objected",
        {"note": "异议人：案外人某；异议日期：2026-10-12", "numbers": [("case_no", CASE_NO)]},
    ),
    (
        "ssla",
        {"ah": "（2026）鲁0102民初12号", "larq": "20261012"},
        About.TRANSFER,
        "filed",
        {"note": "立案日期：2026-10-12", "numbers": [("case_no", "（2026）鲁0102民初12号")]},
    ),
    (
        "ssbl",
        {"yy": "未经仲裁前置"},
        About.TRANSFER,
        "refused",
        {"note": "理由：未经仲裁前置", "reasons": (Reason("ssbl", "未经仲裁前置", "yy"),)},
    ),
    (
        "ssbz",
        {"bznr": ["起诉状"], "bzqx": "20261020"},
        About.TRANSFER,
        "correction_required",
        {"due_at": date(2026, 10, 20), "reasons": (Reason("ssbz", "起诉状", "bznr[0]"),)},
    ),
]


@pytest.mark.parametrize(("kind", "content", "about", "status", "more"), FACTS, ids=[row[0] for row in FACTS])
def test_facts(kind: str, content: Json, about: About, status: str, more: dict[str, Any]) -> None:
    own, key = ("sqbh", _CNF) if about is About.CONFIRMATION else ("ysbh", _TRF)
    told = dict(more)
    numbers = [("platform_no", UUID), *told.pop("numbers", [])]
    found = _update(kind, content | {"uuid": UUID, own: key.value})
    assert found == StatusUpdate(
        event_id="TS20261012000001",
        about=about,
        keys=(key, _NUMBER),
        status=status,
        raw_status=kind,
        at=found.at,
        references=tuple(Reference(*number) for number in numbers),
        **told,
    )


def test_the_statuses_are_canonical_words() -> None:
    for _, _, about, status, _ in FACTS:
        words = ConfirmationStatus if about is About.CONFIRMATION else TransferStatus
        assert status in set(words)
        assert status != "unknown"


def test_the_uuid_alone_tells_the_matter() -> None:
    assert _update("sqsl", {"uuid": UUID}).keys == (_NUMBER,)
    assert _update("ssla", {"uuid": UUID}).keys == (_NUMBER,)


def test_our_own_numbers_stand_first() -> None:
    found = _update("sqsl", {"uuid": UUID, "sqbh": "cnf_1"}, tjbh="dlv_1")
    assert found.keys == (Key(KeyKind.DELIVERY, "dlv_1"), _CNF, _NUMBER)
    assert _update("sqsl", {"sqbh": "cnf_1"}).references == ()


def test_a_push_that_names_nothing() -> None:
    for kind in ("sqsl", "ssla", "rwcx", "zzzz"):
        with pytest.raises(UnreadableCallback) as unreadable:
            _read(push(kind, {"ah": CASE_NO}))
        assert unreadable.value.code == "no_key"


@pytest.mark.parametrize(
    ("content", "about", "key"),
    [
        ({"sqbh": "cnf_1"}, About.CONFIRMATION, _CNF),
        ({"ysbh": "trf_1"}, About.TRANSFER, _TRF),
        ({"rwbh": "WP1"}, About.REFERRAL, Key(KeyKind.REFERENCE, "WP1", "task_no")),
        ({"uuid": UUID}, About.CASE, _NUMBER),
    ],
)
def test_an_unknown_kind_stays_unknown(content: Json, about: About, key: Key) -> None:
    found = _update("zzzz", content | {"yy": "其他"})
    assert (found.status, found.raw_status, found.about, found.keys) == ("unknown", "zzzz", about, (key,))


def test_a_push_without_a_kind_is_unknown() -> None:
    body = json.dumps({"tsbh": "TS1", "content": {"uuid": UUID}}).encode()
    found = _read(call_of(body))
    assert isinstance(found, StatusUpdate)
    assert (found.status, found.raw_status, found.at) == ("unknown", "", NOW)


# --------------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("told", "came", "fact"),
    [
        # The push came in the very minute: the fact lies before it.
        ("20261012 10:00", "2026-10-12T10:00:30+08:00", "2026-10-12T10:00:30+08:00"),
        # It came in the next one: the fact lies at the latest at the end of its own.
        ("20261012 10:00", "2026-10-12T10:01:05+08:00", "2026-10-12T10:00:59+08:00"),
        # It came late, or the platform's clock is ahead: the minute itself.
        ("20261012 10:00", "2026-10-12T16:00:00+08:00", "2026-10-12T10:00:00+08:00"),
        ("20261012 10:00", "2026-10-12T09:59:00+08:00", "2026-10-12T10:00:00+08:00"),
        ("soon", "2026-10-12T09:59:00+08:00", "2026-10-12T09:59:00+08:00"),
        ("00010101 00:00", "2026-10-12T09:59:00+08:00", "2026-10-12T09:59:00+08:00"),
    ],
)
def test_the_time_of_the_fact(told: str, came: str, fact: str) -> None:
    call = replace(push("sqsl", {"uuid": UUID}, tssj=told), received_at=datetime.fromisoformat(came))
    found = _read(call)
    assert isinstance(found, StatusUpdate)
    assert found.at == datetime.fromisoformat(fact)


# ----------------------------------------------------------------------------------------------------------- documents


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, {}),
        ({"wjdx": "many"}, {"size": None}),
        ({"wjdx": "-1"}, {"size": None}),
        ({"sha256": "xyz"}, {"sha256": None}),
        ({"wjyxq": "20261012"}, {"expires_at": None}),
        ({"wjlj": ""}, {"link": None}),
        ({"wjlj": "http://x/" + "y" * 3000}, {"link": None}),
        ({"c_wsmc": ""}, {"name": "裁判文书"}),
        ({"c_wsmc": "长" * 200}, {"name": "长" * 100}),
    ],
)
def test_documents(changes: Json, told: dict[str, Any]) -> None:
    found = _update("cdyx", {"uuid": UUID, "wslist": [WRIT | changes]})
    assert found.documents == (replace(LINK, **told),)


def test_documents_without_a_number_cannot_be_fetched_later() -> None:
    rows = [WRIT | {"c_wsbh": ""}, "noise", WRIT]
    assert _update("cdyx", {"uuid": UUID, "wslist": rows}).documents == (LINK,)
    assert _update("cdyx", {"uuid": UUID, "wslist": "noise"}).documents == ()


def test_a_correction_with_a_time_as_its_end() -> None:
    found = _update("sqbz", {"uuid": UUID, "bzqx": "20261020 17:30", "bznr": ["x", "", {"a": "b"}]})
    assert found.due_at == datetime(2026, 10, 20, 9, 30, tzinfo=UTC)
    assert [reason.text for reason in found.reasons] == ["x"]
    assert _update("sqbz", {"uuid": UUID, "bzqx": "尽快", "bznr": "x"}).due_at is None


# ----------------------------------------------------------------------------------------------------------- referrals


def _task(**changes: Any) -> Json:
    """A task as the platform words it: the party and case keys of a filing, and its own."""
    case = docs.wages(facts="拖欠三个月工资")
    wire = translate(
        docs.message(MessageType.AGREEMENT_CONCLUDED, docs.AGREEMENT), docs.context(case=case), configured()
    )
    kept = (
        "mediationCaseNo causeCode disputeType money startTimeStr dispute claims applicantPartyList respondentPartyList"
    )
    content = {key: wire.payload[key] for key in kept.split()}
    content |= {
        "rwbh": "WP20260928000123",
        "wplx": "1",
        "ah": "（2026）鲁0102诉前调12号",
        "jgdm": "SD-JN-LX-001",
        "qrqx": "20261015 17:00",
        "tjqx": "20261111",
        "wslist": [WRIT],
    }
    return {key: value for key, value in (content | changes).items() if value is not None}


def _referral(content: Json, **changes: Any) -> Referral:
    found = _read(push("rwxd", content, **changes))
    assert isinstance(found, ReferralOffered)
    assert found.event_id == "TS20261012000001"
    # What is kept must be readable again.
    assert Referral.model_validate_json(found.referral.model_dump_json(exclude_none=True)) == found.referral
    return found.referral


def test_a_task_is_a_referral() -> None:
    found = _referral(_task())
    assert (found.kind, found.endpoint, found.task_no) == ("court_delegated", "court", "WP20260928000123")
    assert found.authority is not None
    assert (found.authority.kind, found.authority.code, found.authority.name) == (
        "court",
        "鲁0102",
        "济南市历下区人民法院",
    )
    assert found.organization_code == "SD-JN-LX-001"
    assert found.due_at == datetime(2026, 10, 15, 9, 0, tzinfo=UTC)
    assert found.mediation_due_at == datetime(2026, 11, 11, 15, 59, 59, tzinfo=UTC)
    assert [(number.kind, number.value) for number in found.external_refs] == [
        ("case_no", "（2026）鲁0102诉前调12号"),
        ("document_no", "WS20261012001"),
    ]


def test_the_draft_holds_what_was_sent() -> None:
    draft = _referral(_task()).case
    assert draft.source_case_no == "370102-LX001-2026-00123"
    assert draft.channel == "referral"
    assert draft.facts == "拖欠三个月工资"
    assert draft.cause is not None
    assert draft.cause.table is CauseTable.COURT_2025
    assert draft.cause.path == docs.WAGES.cause.path
    assert draft.amount == Decimal("18600.00")
    assert draft.received_at == docs.WAGES.received_at
    assert [(claim.kind, claim.text, claim.amount) for claim in draft.claims] == [
        ("labor_remuneration", "支付2026年6月至8月工资18600元", Decimal("18600.00"))
    ]
    person, unit = draft.parties
    sent_person, sent_unit = (party.model_dump(mode="json", exclude_none=True) for party in docs.WAGES.parties)
    lost_person, lost_unit = {"occupation"}, {"unit_type", "industry", "size"}
    assert person.model_dump(mode="json", exclude_none=True) == _without(sent_person, lost_person)
    assert unit.model_dump(mode="json", exclude_none=True) == _without(sent_unit, lost_unit)


def _without(tree: Json, keys: set[str]) -> Json:
    return {key: value for key, value in tree.items() if key not in keys}


def test_an_entrusted_task_without_documents_calls_its_court_by_its_code() -> None:
    found = _referral(_task(wplx="2", wslist=None, ah=None, tjqx=None))
    assert found.kind == "court_entrusted"
    assert found.authority is not None
    assert found.authority.name == "鲁0102"
    assert found.mediation_due_at is None
    assert found.external_refs == ()


def test_a_task_of_a_collective() -> None:
    draft = _referral(_task(sjrs="23", dbr=["刘秀英", "", "李春梅"])).case
    assert draft.collective is not None
    assert draft.collective.worker_count == 23
    assert draft.collective.representatives == ("刘秀英", "李春梅")
    assert _referral(_task(sjrs="0")).case.collective is None


@pytest.mark.parametrize(
    "changes",
    [
        {"rwbh": None},
        {"jgdm": None},
        {"qrqx": None},
        {"qrqx": "tomorrow"},
        {"wplx": None},
        {"wplx": "3"},
        {"dispute": None},
        {"dispute": " \n"},
        {"jgdm": "x" * 33},
    ],
)
def test_a_task_that_nobody_could_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(UnreadableCallback) as unreadable:
        _read(push("rwxd", _task(**changes)))
    assert unreadable.value.code == "referral_incomplete"


def test_what_no_field_can_hold_is_absent() -> None:
    rows = [
        {"applicantType": "0", "applicantName": "甲", "applicantSex": "9", "applicantBirthday": "19901301"},
        {"applicantType": "0", "applicantName": ""},
        {"applicantType": "7", "applicantName": "乙"},
        {"applicantType": "2", "applicantName": "丙社", "credentialsType": "x", "applicantStaticPhone": "0531-1"},
        "noise",
    ]
    content = _task(
        applicantPartyList=rows,
        causeCode="2025-999-9",
        money="many",
        mediationCaseNo="长" * 60,
        startTimeStr="x",
        claims=[{"lx": "??", "nr": "", "je": "18600.0"}],
    )
    draft = _referral(content).case
    assert (draft.cause, draft.amount, draft.source_case_no, draft.received_at) == (None, None, None, None)
    assert (draft.claims[0].kind, draft.claims[0].text, draft.claims[0].amount) == (None, None, Decimal("18600.00"))
    first, second = (party for party in draft.parties if party.role == "applicant")
    assert (first.name, first.sex, first.birth_date, first.id_type) == ("甲", None, None, None)
    assert (second.kind, second.name) == ("other_organization", "丙社")
    assert second.contact is not None
    assert second.contact.phone == "0531-1"


def test_agents_and_service_addresses_as_far_as_they_go() -> None:
    row = {
        "applicantType": "0",
        "applicantName": "甲",
        "applicantSddz": "济南市历下区",
        "agentList": [{"dllx": "1"}, {"xm": "乙", "dllx": "9", "dlqx": "2"}],
    }
    party = _referral(_task(applicantPartyList=[row])).case.parties[0]
    assert party.service_address is not None
    assert (party.service_address.region_code, party.service_address.detail) == (None, "济南市历下区")
    assert [(agent.name, agent.kind, agent.authority) for agent in party.agents] == [("乙", None, "special")]


def test_a_court_that_does_not_say_which_it_is() -> None:
    body = json.loads(push_body("rwxd", _task()))
    for court in ("", " ", "鲁\x00", "鲁" * 101):
        assert _referral(_task(), fydm=court).authority is None
    del body["fydm"]
    found = _read(call_of(json.dumps(body).encode()))
    assert isinstance(found, ReferralOffered)
    assert found.referral.authority is None


def test_long_facts_and_control_characters() -> None:
    draft = _referral(_task(dispute="\x00事" + "长" * 30_000)).case
    assert draft.facts == "事" + "长" * 19_998


def test_documents_of_persons_that_only_callbacks_bring() -> None:
    row = {
        "applicantType": "0",
        "applicantName": "甲",
        "credentialsType": "09_00015-2",
        "credentialsName": "军官证",
        "applicantIDCardNo": "军字第1号",
    }
    party = _referral(_task(applicantPartyList=[row])).case.parties[0]
    assert (party.id_type, party.id_number) == ("other", "军字第1号")


def test_a_recalled_task() -> None:
    found = _update("rwcx", {"rwbh": "WP20260928000123", "yy": "当事人撤诉"})
    assert found.about is About.REFERRAL
    assert found.status in set(ReferralStatus)
    assert found.status == "recalled"
    assert found.keys == (Key(KeyKind.REFERENCE, "WP20260928000123", "task_no"),)
    assert found.references == (Reference("task_no", "WP20260928000123"),)
    assert found.note == "理由：当事人撤诉"


# ------------------------------------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"tsbh":"1","tsbh":"2"}', b"{" * 100])
def test_bytes_that_are_no_push(body: bytes) -> None:
    with pytest.raises(UnreadableCallback):
        _read(call_of(body))


JSON_VALUES = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["20261012 10:00", "20261012", "00010101", "99991231 23:59", "1", "0", "18600.00", UUID]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                sorted({*_task(), *WRIT, "applicantType", "applicantName", "applicantBirthday", "xm", "nr"})
            ),
            below,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([*callbacks._KINDS, "zzzz"]),
    st.dictionaries(
        st.sampled_from(sorted({*_task(), *WRIT, "sqbh", "ysbh", "uuid", "bznr", "bzqx", "yy"})), JSON_VALUES
    ),
    st.booleans(),
)
def test_whatever_comes_is_read_or_told_unreadable(kind: str, content: Json, whole: bool) -> None:
    sent = _task() | content if whole else content
    try:
        found = _read(call_of(push_body(kind, sent)))
    except UnreadableCallback:
        return
    if isinstance(found, ReferralOffered):
        assert Referral.model_validate_json(found.referral.model_dump_json(exclude_none=True)) == found.referral
    else:
        assert found.keys
        assert all(key.value for key in found.keys)
        assert found.at.utcoffset() is not None


def test_parsing_is_pure() -> None:
    call = push("cdyx", {"uuid": UUID, "wslist": [WRIT]})
    assert callbacks.parse(call, "court") == callbacks.parse(call, "court")
