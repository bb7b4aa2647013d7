"""The reply classes of page §3 as a table; findings; what a query and an upload say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.court_mediation import replies
from contracts.adapter import Json, Reply
from contracts.errors import AdapterError, EndpointError, PermanentError, Reason, RetryableError
from contracts.update import Reference
from tests.adapters.court_mediation.platform import NOW, PORTAL, answer, html, raw

UUID = "6F1C0C5A0B7E4D7C9D0E11AA22BB33CC"
NUMBER = "dlv_01JB2Z9K7Q4N"
FILED: Json = {"uuid": UUID, "tjbh": NUMBER, "djsj": "20260928 10:02"}


def _judge(reply: Reply, *, filing: bool = True) -> Json:
    return replies.judge(reply, now=NOW, rate_wait=timedelta(seconds=10), filing=filing)


def _receipt(reply: Reply) -> Any:
    return replies.receipt(_judge(reply), NUMBER, opens=True)


@pytest.mark.parametrize("code", ["200", 200])
def test_success(code: str | int) -> None:
    receipt = _receipt(answer(code, FILED))
    assert receipt.reference == UUID
    assert receipt.references == (Reference("platform_no", UUID),)
    assert receipt.at == datetime(2026, 9, 28, 2, 2, tzinfo=UTC)
    assert (receipt.duplicate, receipt.relayed, receipt.filed_twice) == (False, False, False)


def test_a_follow_ups_number_does_not_stand_beside_the_things_own() -> None:
    receipt = replies.receipt(FILED, NUMBER, opens=False)
    assert (receipt.reference, receipt.references) == (UUID, ())


def test_a_receipt_without_its_time_is_one() -> None:
    assert _receipt(answer("200", FILED | {"djsj": "soon"})).at is None


MAYBE, NOTHING_DONE, OPERATOR, REFUSED = "maybe accepted", "nothing done", "operator", "refused"

CLASSES: list[tuple[str, Reply, str, str]] = [
    ("minus one", html(b"-1"), MAYBE, "minus_one"),
    ("500", answer("500"), MAYBE, "500"),
    ("500 as a number", answer(500), MAYBE, "500"),
    ("HTTP 500", raw(b"", 500), MAYBE, "http_500"),
    ("HTTP 502", html(b"<html>Bad Gateway</html>", 502), MAYBE, "http_502"),
    ("HTTP 504", html(b"", 504), MAYBE, "http_504"),
    ("empty", raw(b""), MAYBE, "not_json"),
    ("cut", raw(b'{"code":"200","content":{"uu'), MAYBE, "not_json"),
    ("portal page", html(PORTAL), MAYBE, "not_json"),
    ("login form under another type", raw(b'<form id="loginForm">'), MAYBE, "not_json"),
    ("GBK", raw('{"code":"200","msg":"成功"}'.encode("gbk")), MAYBE, "not_utf8"),
    ("ten thousand lists", raw(b'{"code":"200","content":{"a":[' + b"[]," * 10_000 + b"[]]}}"), MAYBE, "too_many_values"),
    ("gzip unasked", raw(b"\x1f\x8b\x08\x00\x00"), MAYBE, "not_utf8"),
    ("success without uuid", answer("200", {"tjbh": NUMBER}), MAYBE, "no_uuid"),
    ("success with empty uuid", answer("200", FILED | {"uuid": ""}), MAYBE, "no_uuid"),
    ("success without content", answer("200"), MAYBE, "no_uuid"),
    ("success of another", answer("200", FILED | {"tjbh": "dlv_other"}), MAYBE, "wrong_tjbh"),
    ("unknown code", answer("-1"), MAYBE, "unknown_code"),
    ("unknown three digits", answer("299"), MAYBE, "unknown_code"),
    ("no digits", answer("OK"), MAYBE, "unknown_code"),
    ("429", answer("429"), NOTHING_DONE, "429"),
    ("503", answer("503", msg="系统维护中"), NOTHING_DONE, "503"),
    ("HTTP 503", html(b"", 503), NOTHING_DONE, "http_503"),
    ("HTTP 429", raw(b"", 429), NOTHING_DONE, "429"),
    ("401", answer("401"), OPERATOR, "401"),
    ("403", answer(403), OPERATOR, "403"),
    ("423", answer("423"), OPERATOR, "423"),
    ("HTTP 401", html(b"", 401), OPERATOR, "http_401"),
    ("HTTP 403", html(b"", 403), OPERATOR, "http_403"),
    ("HTTP 404", html(b"", 404), OPERATOR, "http_404"),
    ("redirect", raw(b"", 302), OPERATOR, "http_302"),
    ("400", answer("400"), REFUSED, "400"),
    ("413", answer("413"), REFUSED, "413"),
    ("HTTP 413", html(b"", 413), REFUSED, "http_413"),
    *((code, answer(code), REFUSED, code) for code in (str(number) for number in range(1001, 1009))),
    ("another code of four digits", answer("1999"), REFUSED, "1999"),
    ("four digits as a number", answer(2001), REFUSED, "2001"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reply", "kind", "code"), CLASSES, ids=[row[0] for row in CLASSES])
def test_classes(name: str, reply: Reply, kind: str, code: str) -> None:
    with pytest.raises(AdapterError) as judged:
        _receipt(reply)
    error = judged.value
    assert error.code == code
    if kind is OPERATOR:
        assert isinstance(error, EndpointError)
    elif kind is REFUSED:
        assert isinstance(error, PermanentError)
    else:
        assert isinstance(error, RetryableError)
        assert error.maybe_accepted is (kind is MAYBE)


@pytest.mark.parametrize(("name", "reply", "kind", "code"), CLASSES, ids=[row[0] for row in CLASSES])
def test_a_question_is_never_accepted(name: str, reply: Reply, kind: str, code: str) -> None:
    if code in ("no_uuid", "wrong_tjbh"):
        assert _judge(reply, filing=False) == json.loads(reply.body).get("content", {})
        return
    with pytest.raises(AdapterError) as judged:
        _judge(reply, filing=False)
    assert not getattr(judged.value, "maybe_accepted", False)


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (answer("429"), timedelta(seconds=10)),
        (raw(b"", 429), timedelta(seconds=10)),
        (raw(b"", 429, "text/html", ("Retry-After", "25")), timedelta(seconds=25)),
        (Reply(200, (("Retry-After", "30"),), b'{"code":"503"}'), timedelta(seconds=30)),
        (answer("503"), None),
        (answer("500"), None),
    ],
)
def test_waits(reply: Reply, wait: timedelta | None) -> None:
    with pytest.raises(RetryableError) as judged:
        _judge(reply)
    assert judged.value.retry_after == wait


def test_a_refusal_brings_all_findings() -> None:
    errors = [
        {"zd": "applicantPartyList[0].applicantName", "yy": "王建国<br/>姓名有误"},
        {"yy": "必填"},
        "noise",
        {"zd": 7, "yy": None},
    ]
    with pytest.raises(PermanentError) as judged:
        _judge(answer("400", {"errors": errors}, "有误<br>"))
    assert judged.value.reasons == (
        Reason("400", "王建国\n姓名有误", "applicantPartyList[0].applicantName"),
        Reason("400", "必填"),
        Reason("400", "", "7"),
    )
    assert "王建国" not in str(judged.value)


def test_a_refusal_without_findings_brings_its_message() -> None:
    with pytest.raises(PermanentError) as judged:
        _judge(answer("1004", msg="已有在办<br>申请" + "长" * 2000))
    assert judged.value.reasons[0].text.startswith("已有在办\n申请")
    assert len(judged.value.reasons[0].text) == 1000
    assert "已有在办" not in str(judged.value)


# --------------------------------------------------------------------------------------------------------------- query


def _record(uuid: str, at: str, **more: str) -> Json:
    return {"tjbh": NUMBER, "uuid": uuid, "fwlx": "sfqr/add", "djsj": at, "zt": "2", "money": "18600.0", **more}


def test_none_is_said() -> None:
    assert replies.found({"total": "0", "list": []}, NUMBER, opens=True) is None
    assert replies.found({"total": 0}, NUMBER, opens=True) is None


def test_one_record_is_the_receipt() -> None:
    content = {"total": "1", "list": [_record(UUID, "20261012 10:00", ah="（2026）鲁0102诉前调确7号")]}
    receipt = replies.found(content, NUMBER, opens=True)
    assert receipt is not None
    assert receipt.reference == UUID
    assert receipt.references == (
        Reference("platform_no", UUID),
        Reference("case_no", "（2026）鲁0102诉前调确7号"),
    )
    assert receipt.at == datetime(2026, 10, 12, 2, 0, tzinfo=UTC)
    assert not receipt.filed_twice


def test_two_records_are_filed_twice_and_the_first_counts() -> None:
    rows = [
        _record("B" * 32, "20261012 10:05"),
        _record("A" * 32, "20261012 10:01"),
        _record("C" * 32, "20261012 10:01"),
    ]
    receipt = replies.found({"total": "3", "list": rows}, NUMBER, opens=False)
    assert receipt is not None
    assert (receipt.reference, receipt.references, receipt.filed_twice) == ("A" * 32, (), True)


def test_a_list_cut_short_still_tells_how_many() -> None:
    receipt = replies.found({"total": "2", "list": [_record(UUID, "20261012 10:05")]}, NUMBER, opens=True)
    assert receipt is not None
    assert receipt.filed_twice


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"list": []},
        {"total": "0", "list": [_record(UUID, "20261012 10:00")]},
        {"total": "1", "list": []},
        {"total": "1"},
        {"total": "1", "list": [_record(UUID, "x"), _record(UUID, "y")]},
        {"total": "-1", "list": [_record(UUID, "x")]},
        {"total": "many", "list": [_record(UUID, "x")]},
        {"total": "1", "list": [_record("", "20261012 10:00")]},
        {"total": "1", "list": [_record(UUID, "20261012 10:00") | {"tjbh": "dlv_other"}]},
    ],
)
def test_an_answer_that_says_neither_is_asked_for_again(content: Json) -> None:
    with pytest.raises(RetryableError) as judged:
        replies.found(content, NUMBER, opens=True)
    assert not judged.value.maybe_accepted


# -------------------------------------------------------------------------------------------------------------- upload


def test_an_upload_is_proven_by_its_bytes() -> None:
    told = {"fileId": "a" * 32, "wjdx": "4", "sha256": "AB" * 32}
    assert replies.uploaded(told, 4, "ab" * 32) == "a" * 32
    for change in ({"fileId": ""}, {"wjdx": "5"}, {"sha256": "cd" * 32}, {"fileId": "x y"}):
        with pytest.raises(RetryableError) as judged:
            replies.uploaded(json.loads(json.dumps(told | change)), 4, "ab" * 32)
        assert not judged.value.maybe_accepted
