"""The reply classes of page §3 as a table, and what proves nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.hr_arbitration import replies
from adapters.hr_arbitration.replies import Answer, Unreadable, read_answer
from contracts import gm
from contracts.adapter import Reply
from contracts.errors import AdapterError, EndpointError, PermanentError, Reason, RetryableError
from tests.adapters.hr_arbitration import platform
from tests.adapters.hr_arbitration.platform import Platform, keys


def judge(answer: Answer, now: datetime, *, filing: bool) -> None:
    """Raise what the answer says."""
    if (trouble := replies.judge(answer, now, filing=filing)) is not None:
        raise trouble


ASKED = platform.callback_head("TJ1003", "dlv_01JB2Z9K7Q4N")
KEYS = keys()


def _read(reply: Reply, limit: int = 2 * 1024 * 1024) -> Any:
    return read_answer(KEYS, reply.body, ASKED, limit)


@pytest.mark.parametrize("code", ["0000", "1001"])
def test_success(code: str) -> None:
    answer = _read(Platform(lower_case=True).reply(ASKED, code, {"BZR001": "90071992547409931234"}))
    judge(answer, platform.NOW, filing=True)
    assert answer.body == {"BZR001": "90071992547409931234"}


@pytest.mark.parametrize(
    ("code", "kind", "maybe"),
    [
        ("2001", RetryableError, False),
        ("2002", RetryableError, False),
        ("2999", RetryableError, False),
        ("3005", RetryableError, False),
        ("5000", RetryableError, True),
        ("5001", RetryableError, True),
        ("3001", EndpointError, None),
        ("3002", EndpointError, None),
        ("3003", EndpointError, None),
        ("3004", EndpointError, None),
        ("3006", EndpointError, None),
        ("3008", EndpointError, None),
        ("3999", EndpointError, None),
        ("4001", PermanentError, None),
        ("4002", PermanentError, None),
        ("4003", PermanentError, None),
        ("4009", PermanentError, None),
        ("4010", PermanentError, None),
        ("4011", PermanentError, None),
        ("4020", PermanentError, None),
        ("4021", PermanentError, None),
        ("4022", PermanentError, None),
        ("4023", PermanentError, None),
        ("4024", PermanentError, None),
        ("4030", PermanentError, None),
        ("4040", PermanentError, None),
        ("4050", PermanentError, None),
        ("4999", PermanentError, None),
    ],
)
def test_classes(code: str, kind: type[AdapterError], maybe: bool | None) -> None:
    answer = _read(Platform().reply(ASKED, code))
    with pytest.raises(kind) as judged:
        judge(answer, platform.NOW, filing=True)
    assert judged.value.code == code
    assert "成功" not in str(judged.value)
    if isinstance(judged.value, RetryableError):
        assert judged.value.maybe_accepted is maybe
        with pytest.raises(RetryableError) as judged:
            judge(answer, platform.NOW, filing=False)
        assert isinstance(judged.value, RetryableError)
        assert not judged.value.maybe_accepted


@pytest.mark.parametrize("code", ["0001", "1002", "6000", "9999"])
def test_codes_of_no_class_prove_nothing(code: str) -> None:
    with pytest.raises(Unreadable):
        judge(_read(Platform().reply(ASKED, code)), platform.NOW, filing=True)


@pytest.mark.parametrize(
    ("code", "after", "wait"),
    [
        ("2001", "30", timedelta(seconds=30)),
        ("2002", "999999999", timedelta(hours=24)),
        ("2002", "soon", None),
        ("5000", "7", timedelta(seconds=7)),
        ("3005", "60", timedelta(0)),
    ],
)
def test_waits(code: str, after: str, wait: timedelta | None) -> None:
    with pytest.raises(RetryableError) as judged:
        judge(_read(Platform().reply(ASKED, code, retryafter=after)), platform.NOW, filing=True)
    assert judged.value.retry_after == wait


def test_a_skewed_clock_is_told_by_how_much() -> None:
    answer = _read(Platform().reply(ASKED, "3003", timestamp="20260930171503"))
    with pytest.raises(EndpointError, match="our clock is off by -600 s"):
        judge(answer, datetime(2026, 9, 30, 9, 5, 3, tzinfo=UTC), filing=True)
    with pytest.raises(EndpointError, match=r"our clock is off$"):
        judge(_read(Platform().reply(ASKED, "3003", timestamp="?")), platform.NOW, filing=True)


def test_a_refusal_brings_all_findings() -> None:
    findings = [
        {"BZR004": "AAC147", "BZR005": "BZP000[1]", "BZR006": "王建国的证件号码有误"},
        {"bzr004": "BZA010", "bzr006": "必填"},
        "noise",
        {},
    ]
    answer = _read(Platform().reply(ASKED, "4002", {"BZR003": findings}))
    with pytest.raises(PermanentError) as judged:
        judge(answer, platform.NOW, filing=True)
    assert judged.value.reasons == (
        Reason("4002", "王建国的证件号码有误", "BZP000[1].AAC147"),
        Reason("4002", "必填", "BZA010"),
        Reason("4002"),
    )
    assert "王建国" not in str(judged.value)


def test_a_refusal_whose_findings_do_not_open_stands() -> None:
    answer = _read(Platform(key=platform.OLD_SM4_KEY).reply(ASKED, "4001", {"BZR003": []}))
    with pytest.raises(PermanentError) as judged:
        judge(answer, platform.NOW, filing=True)
    assert judged.value.reasons == ()


def _tampered(field: str, value: str) -> Callable[[], Reply]:
    def reply() -> Reply:
        envelope = json.loads(Platform().reply(ASKED, "0000", {"BZR001": "1"}).body)
        envelope["head"][field] = value
        return Reply(200, (), platform.plain(envelope))

    return reply


def _resigned(change: Callable[[bytes], bytes]) -> Callable[[], Reply]:
    def reply() -> Reply:
        envelope = json.loads(Platform().reply(ASKED, "0000", {"BZR001": "1"}).body)
        raw = base64.b64decode(envelope["head"]["sign"])
        envelope["head"]["sign"] = base64.b64encode(change(raw)).decode()
        return Reply(200, (), platform.plain(envelope))

    return reply


def _unsigned() -> Reply:
    envelope = json.loads(Platform().reply(ASKED, "0000", {"BZR001": "1"}).body)
    del envelope["head"]["sign"]
    return Reply(200, (), platform.plain(envelope))


def _numbers_in_head() -> Reply:
    envelope = json.loads(Platform().reply(ASKED, "0000", {"BZR001": "1"}).body)
    envelope["head"]["code"] = 0
    return Reply(200, (), platform.plain(envelope))


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (lambda: Reply(200, (), b""), "not_json"),
        (lambda: Reply(200, (), b"<html>maintenance</html>"), "not_json"),
        (lambda: Reply(200, (), "<html>维护</html>".encode("gb18030")), "not_utf8"),
        (lambda: Reply(200, (), b'{"head":{"code":"0000"},"bo'), "not_json"),
        (lambda: Reply(200, (), b'{"head":{"code":"0000"},"body":""}'), "wrong_signature"),
        (_unsigned, "wrong_signature"),
        (_numbers_in_head, "wrong_signature"),
        (_tampered("code", "1001"), "wrong_signature"),
        (_tampered("message", "成功"), "wrong_signature"),
        (_tampered("extra", "x"), "wrong_signature"),
        (_resigned(gm.der_from_raw), "wrong_signature"),
        (_resigned(lambda raw: raw[:63]), "wrong_signature"),
        (_resigned(lambda raw: raw[:63] + bytes([raw[63] ^ 1])), "wrong_signature"),
        (lambda: Platform().reply(ASKED, "OK"), "no_code"),
        (lambda: Platform().reply(ASKED, "0000", reqnonce="0" * 32), "wrong_reqnonce"),
        (lambda: Platform().reply(ASKED, "0000", serialno="dlv_another_one"), "wrong_serialno"),
        (lambda: Platform().reply(ASKED, "0000", serviceid="TJ1001"), "wrong_serviceid"),
        (lambda: Platform().reply(ASKED, "4001", reqnonce=""), "wrong_reqnonce"),
        (lambda: Platform(key=platform.OLD_SM4_KEY).reply(ASKED, "0000", {"BZR001": "1"}), "wrong_padding"),
    ],
)
def test_what_proves_nothing(reply: Callable[[], Reply], code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        _read(reply())
    assert refused.value.code == code


def test_the_gateways_own_signature_is_not_the_platforms() -> None:
    head = {**ASKED, "reqnonce": ASKED["nonce"], "code": "0000", "message": ""}
    with pytest.raises(Unreadable, match="wrong_signature"):
        read_answer(KEYS, KEYS.seal(head, {"BZR001": "1"}, bytes(16)), ASKED, 1000)


def test_a_signature_under_another_id_is_none() -> None:
    head = {**ASKED, "reqnonce": ASKED["nonce"], "code": "0000", "message": ""}
    raw = platform.signed(head, "", signer_id=platform.GATEWAY_ID)
    with pytest.raises(Unreadable, match="wrong_signature"):
        read_answer(KEYS, raw, ASKED, 1000)


def test_what_the_platform_could_not_read_is_echoed_empty() -> None:
    answer = _read(Platform().reply(ASKED, "3001", reqnonce="", serialno="", serviceid=""))
    with pytest.raises(EndpointError):
        judge(answer, platform.NOW, filing=True)


def test_the_limit_counts() -> None:
    reply = Platform().reply(ASKED, "0000", {"BZR001": "1" * 1000})
    assert _read(reply, len(reply.body))
    with pytest.raises(Unreadable, match="too_large"):
        _read(reply, len(reply.body) - 1)
