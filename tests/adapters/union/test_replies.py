"""Reply classes of page §3 as a table."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from adapters.union.replies import Received, judge
from contracts.adapter import Reply
from contracts.errors import AdapterError, EndpointError, RetryableError
from contracts.update import Reference

from .platform import BATCH_NO, NOW, SECRET, coded, digest, opened, refusal, reply

PAGE = "<!DOCTYPE html>\r\n<html><head><title>系统维护</title></head><body>系统维护中</body></html>".encode("gbk")
HTML = (("Content-Type", "text/html; charset=GBK"),)
OTHER_SECRET = "another-secret-0123456789"


def judged(found: Reply, *, filing: bool = True) -> Received:
    return judge(found, SECRET, NOW, filing=filing)


def test_they_have_it() -> None:
    receipt = judged(reply()).receipt()
    assert receipt.reference == BATCH_NO
    assert receipt.references == (Reference("batch_no", BATCH_NO),)
    assert receipt.relayed
    assert not receipt.duplicate
    assert receipt.at == datetime(2026, 9, 30, 9, 5, 3, 412000, tzinfo=UTC)


def test_a_ping_has_no_batch_number() -> None:
    assert judged(reply(batchNo=""), filing=False).batch_no == ""


def _without(name: str) -> Reply:
    parameters = opened(reply().body)
    del parameters[name]
    return Reply(200, (), coded(parameters))


def _garbled() -> Reply:
    """UTF-8 bytes that say they were GB18030, signed over what they would have said."""
    parameters = opened(reply().body)
    parameters["sign"] = digest(parameters, encoding="utf-8")
    return Reply(200, (), coded(parameters, encoding="utf-8"))


IN_DOUBT: dict[str, tuple[Reply, str]] = {
    "C9": (refusal("C9"), "C9"),
    "a code of nobody": (refusal("D5"), "D5"),
    "a text for a code": (refusal("张三"), "unknown_code"),
    "refused without a code": (refusal(""), "unknown_code"),
    "500": (Reply(500), "http_500"),
    "500 with a page": (Reply(500, HTML, PAGE), "http_500"),
    "504": (Reply(504, HTML, PAGE), "http_504"),
    "507": (Reply(507), "http_507"),
    "502 without a page": (Reply(502), "http_502"),
    "503 without a page": (Reply(503, HTML, b"busy"), "http_503"),
    "503 with a form": (Reply(503, (), reply().body), "http_503"),
    "202": (Reply(202, (), reply().body), "http_202"),
    "empty": (Reply(200), "empty"),
    "portal page": (Reply(200, HTML, PAGE), "no_pair"),
    "cut inside a triplet": (Reply(200, (), reply().body[: reply().body.index(b"%") + 2]), "percent"),
    "cut at a border": (Reply(200, (), reply().body.rpartition(b"&")[0]), "wrong_sign"),
    "utf-8": (_garbled(), "encoding"),
    "bomb": (Reply(200, (("Content-Encoding", "gzip"),), gzip.compress(b"\0" * 100_000, mtime=0)), "no_pair"),
    "another secret": (reply(secret=OTHER_SECRET), "wrong_sign"),
    "refused under another secret": (reply(secret=OTHER_SECRET, result="1", code="B1"), "wrong_sign"),
    "busy under another secret": (reply(secret=OTHER_SECRET, result="1", code="C1"), "wrong_sign"),
    "A1 beside a success": (reply(secret=OTHER_SECRET, code="A1"), "wrong_sign"),
    "no sign": (_without("sign"), "wrong_sign"),
    "lower-case sign": (
        Reply(200, (), coded(opened(reply().body) | {"sign": opened(reply().body)["sign"].lower()})),
        "wrong_sign",
    ),
    "tampered": (Reply(200, (), coded(opened(reply().body) | {"batchNo": "U20260930170503000124"})), "wrong_sign"),
    "doubled": (Reply(200, (), reply().body + b"&result=0"), "doubled_name"),
    "no batch number": (reply(batchNo=""), "no_batch_no"),
    "another batch number": (reply(batchNo="B20260930170503000123"), "no_batch_no"),
    "a short batch number": (reply(batchNo=BATCH_NO[:-1]), "no_batch_no"),
    "no result": (reply(result=""), "no_result"),
    "result 2": (reply(result="2"), "no_result"),
    "result 00": (reply(result="00"), "no_result"),
    **{
        f"HTTP {status}": (Reply(status), f"http_{status}")
        for status in (300, 301, 302, 307, 400, 402, 405, 408, 409, 415, 421, 425, 429, 431, 499)
    },
}

STORED_NOTHING: dict[str, tuple[Reply, str, timedelta | None]] = {
    "C1": (refusal("C1"), "C1", timedelta(seconds=5)),
    "C2": (refusal("C2"), "C2", None),
    "A3": (refusal("A3"), "A3", timedelta(0)),
    "502 page": (Reply(502, HTML, PAGE), "http_502", None),
    "503 page": (Reply(503, HTML, PAGE), "http_503", None),
    "503 page that names its wait": (
        Reply(503, (*HTML, ("Retry-After", "1800")), PAGE),
        "http_503",
        timedelta(seconds=1800),
    ),
    "503 page without a header": (Reply(503, (), b"\r\n  <HTML><BODY>"), "http_503", None),
}

OPERATOR: dict[str, Reply] = {
    **{code: refusal(code) for code in ("A1", "A2", "A4", "B1", "B2", "B3")},
    **{f"http_{status}": Reply(status) for status in (401, 403, 404, 413)},
}


@pytest.mark.parametrize("name", IN_DOUBT)
def test_in_doubt(name: str) -> None:
    found, code = IN_DOUBT[name]
    with pytest.raises(RetryableError) as caught:
        judged(found)
    assert (caught.value.code, caught.value.maybe_accepted) == (code, True)


@pytest.mark.parametrize("name", STORED_NOTHING)
def test_retryable_with_nothing_stored(name: str) -> None:
    found, code, wait = STORED_NOTHING[name]
    with pytest.raises(RetryableError) as caught:
        judged(found)
    assert (caught.value.code, caught.value.maybe_accepted, caught.value.retry_after) == (code, False, wait)


@pytest.mark.parametrize("code", OPERATOR)
def test_operator_problem(code: str) -> None:
    with pytest.raises(EndpointError) as caught:
        judged(OPERATOR[code])
    assert caught.value.code == code


def test_secrets_that_differ_are_the_operators_although_the_refusals_sign_is_wrong() -> None:
    with pytest.raises(EndpointError) as caught:
        judged(reply(secret=OTHER_SECRET, result="1", code="A1", batchNo=""))
    assert caught.value.code == "A1"


def test_a_status_in_doubt_keeps_the_wait_that_was_asked_for() -> None:
    with pytest.raises(RetryableError) as caught:
        judged(Reply(429, (("Retry-After", "7"),)))
    assert (caught.value.maybe_accepted, caught.value.retry_after) == (True, timedelta(seconds=7))


@pytest.mark.parametrize("name", [*IN_DOUBT, *STORED_NOTHING])
def test_a_probe_is_never_in_doubt(name: str) -> None:
    found = IN_DOUBT[name][0] if name in IN_DOUBT else STORED_NOTHING[name][0]
    try:
        judged(found, filing=False)
    except EndpointError as error:
        assert found.status in range(300, 500), error.code  # noqa: PT017  nothing was filed: address or right
    except RetryableError as error:
        assert not error.maybe_accepted  # noqa: PT017  a ping without batch number is no error at all
    else:
        assert "batch number" in name


def test_errors_never_quote_a_reply() -> None:
    replies = [*(r for r, _ in IN_DOUBT.values()), *(r for r, _, _ in STORED_NOTHING.values()), *OPERATOR.values()]
    for found in replies:
        with pytest.raises(AdapterError) as caught:
            judged(found)
        assert "张三" not in f"{caught.value}{caught.value.code}{caught.value.text}"
        assert len(caught.value.code) <= 64
