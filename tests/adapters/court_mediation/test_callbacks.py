"""Pushes in canonical words: every kind of the page, unknown ones, referrals, and hostile bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.court_mediation import callbacks
from contracts.adapter import Json
from contracts.errors import Reason, UnreadableCallback
from contracts.referral import Referral
from contracts.status import ConfirmationStatus, TransferStatus
from contracts.update import (
    About,
    DocumentLink,
    Key,
    KeyKind,
    Reference,
    ReferralOffered,
    StatusUpdate,
)
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.platform import call_of, push, push_body
from tests.adapters.court_mediation.pushes import WRIT, read, task, update

UUID = docs.UUID
CASE_NO = "（2026）鲁0102诉前调确7号"
LINK = DocumentLink(
    ref="WS20261012001",
    kind="decision",
    name="民事裁定书",
    link="http://127.0.0.1:9102/fayuan/a/file/get/WS1?t=abc",
    expires_at=datetime(2026, 10, 12, 2, 10, tzinfo=UTC),
    size=18233,
    sha256="ab" * 32,
)


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
    found = update(kind, content | {"uuid": UUID, own: key.value})
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
    assert update("sqsl", {"uuid": UUID}).keys == (_NUMBER,)
    assert update("ssla", {"uuid": UUID}).keys == (_NUMBER,)


def test_our_own_numbers_stand_first() -> None:
    found = update("sqsl", {"uuid": UUID, "sqbh": "cnf_1"}, tjbh="dlv_1")
    assert found.keys == (Key(KeyKind.DELIVERY, "dlv_1"), _CNF, _NUMBER)
    assert update("sqsl", {"sqbh": "cnf_1"}).references == ()


def test_a_push_that_names_nothing() -> None:
    for kind in ("sqsl", "ssla", "rwcx", "zzzz"):
        with pytest.raises(UnreadableCallback) as unreadable:
            read(push(kind, {"ah": CASE_NO}))
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
    found = update("zzzz", content | {"yy": "其他"})
    assert (found.status, found.raw_status, found.about, found.keys) == ("unknown", "zzzz", about, (key,))


@pytest.mark.parametrize(
    "head", [{"tsbh": "TS1"}, {"tslx": "sqsl"}, {"tsbh": "TS1", "tslx": ""}, {"tsbh": "", "tslx": "zzzz"}]
)
def test_a_push_without_a_number_or_a_kind(head: Json) -> None:
    with pytest.raises(UnreadableCallback) as unreadable:
        read(call_of(json.dumps(head | {"content": {"uuid": UUID}}).encode()))
    assert unreadable.value.code == "no_number_or_kind"


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
    found = read(call)
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
    found = update("cdyx", {"uuid": UUID, "wslist": [WRIT | changes]})
    assert found.documents == (replace(LINK, **told),)


def test_documents_without_a_number_cannot_be_fetched_later() -> None:
    rows = [WRIT | {"c_wsbh": ""}, "noise", WRIT]
    assert update("cdyx", {"uuid": UUID, "wslist": rows}).documents == (LINK,)
    assert update("cdyx", {"uuid": UUID, "wslist": "noise"}).documents == ()


def test_a_correction_with_a_time_as_its_end() -> None:
    found = update("sqbz", {"uuid": UUID, "bzqx": "20261020 17:30", "bznr": ["x", "", {"a": "b"}]})
    assert found.due_at == datetime(2026, 10, 20, 9, 30, tzinfo=UTC)
    assert [reason.text for reason in found.reasons] == ["x"]
    assert update("sqbz", {"uuid": UUID, "bzqx": "尽快", "bznr": "x"}).due_at is None


# ------------------------------------------------------------------------------------------------------------- hostile


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"tsbh":"1","tsbh":"2"}', b"{" * 100])
def test_bytes_that_are_no_push(body: bytes) -> None:
    with pytest.raises(UnreadableCallback):
        read(call_of(body))


JSON_VALUES = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["20261012 10:00", "20261012", "00010101", "99991231 23:59", "1", "0", "18600.00", UUID]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                sorted({*task(), *WRIT, "applicantType", "applicantName", "applicantBirthday", "xm", "nr"})
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
        st.sampled_from(sorted({*task(), *WRIT, "sqbh", "ysbh", "uuid", "bznr", "bzqx", "yy"})), JSON_VALUES
    ),
    st.booleans(),
)
def test_whatever_comes_is_read_or_told_unreadable(kind: str, content: Json, whole: bool) -> None:
    sent = task() | content if whole else content
    try:
        found = read(call_of(push_body(kind, sent)))
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
