"""Reply classes of page §3 as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.one_stop.replies import Answer, CursorExpired, judge
from contracts.adapter import Reply
from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError
from contracts.update import Reference

from .platform import NOW, REFERENCE, envelope, fault, reply, response
from .test_wire import HOSTILE

OURS = "dlv_01JB2Z9K7Q4N"


def judged(found: Reply, *, operation: str = "reportCase", filing: bool = True) -> Answer:
    return judge(operation, OURS, found, NOW, filing=filing)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_success(encoding: str) -> None:
    answer = judged(reply(response("reportCase", OURS), encoding=encoding, declared=True))
    receipt = answer.receipt("reportCase")
    assert (receipt.reference, receipt.duplicate) == (REFERENCE, False)
    assert not receipt.relayed
    assert receipt.references == (Reference("platform_no", REFERENCE),)
    assert answer.receipt("reportProgress").references == ()


def test_duplicate_has_the_first_reference() -> None:
    receipt = judged(reply(response("reportCase", OURS, duplicate="1"))).receipt("reportCase")
    assert (receipt.reference, receipt.duplicate) == (REFERENCE, True)


def test_ping_and_pull_need_no_reference() -> None:
    for operation in ("ping", "pullChanges"):
        assert judged(reply(response(operation, OURS, reference="")), operation=operation).reference is None


RETRYABLE: dict[str, tuple[Reply, str, bool, timedelta | None]] = {
    "S003": (reply(fault("S003", side="Client"), status=500), "S003", False, timedelta(0)),
    "S004 with its wait": (reply(fault("S004", wait="7"), status=500), "S004", False, timedelta(seconds=7)),
    "S004 without": (reply(fault("S004"), status=500), "S004", False, timedelta(seconds=10)),
    "S004 unreadable wait": (reply(fault("S004", wait="soon"), status=500), "S004", False, timedelta(seconds=10)),
    "S004 endless": (reply(fault("S004", wait="9" * 30), status=500), "S004", False, timedelta(hours=24)),
    "S005": (reply(fault("S005"), status=500), "S005", False, None),
    "S009": (reply(fault("S009"), status=500), "S009", True, None),
    "S009 with 200": (reply(fault("S009")), "S009", True, None),
    "server fault without detail": (reply(fault(None), status=500), "fault_server", True, None),
    "server fault of unknown code": (reply(fault("S010"), status=500), "S010", True, None),
    "server fault with a text for a code": (reply(fault("张三"), status=500), "fault_server", True, None),
    "fault of nobody": (reply(fault(None, side="Versions"), status=500), "fault_server", True, None),
    "502": (Reply(502), "http_502", True, None),
    "504": (Reply(504), "http_504", True, None),
    "503 maintenance": (
        Reply(503, (("Retry-After", "1800"),), b"<html>"),
        "http_503",
        False,
        timedelta(seconds=1800),
    ),
    "429": (Reply(429), "http_429", False, None),
    "500 of no fault": (Reply(500, (), b"<html></html>"), "no_envelope", True, None),
    "500 with a response": (reply(response("reportCase", OURS), status=500), "status_without_fault", True, None),
    "202": (reply(response("reportCase", OURS), status=202), "http_202", True, None),
    "no reference": (reply(response("reportCase", OURS, reference="")), "no_reference", True, None),
    "busy": (reply(response("reportCase", OURS, ret="0", err="E900")), "E900", False, None),
    "not ours": (reply(response("reportCase", "dlv_other")), "foreign_external_id", True, None),
    "refusal of somebody else": (
        reply(response("reportCase", "dlv_other", ret="0", err="E101")),
        "foreign_external_id",
        True,
        None,
    ),
    "response of another operation": (reply(response("bindId", OURS)), "foreign_response", True, None),
    "retCode 2": (reply(response("reportCase", OURS, ret="2")), "no_outcome", True, None),
    "retCode with space": (reply(response("reportCase", OURS, ret="1 ")), "no_outcome", True, None),
    "no retCode": (reply(response("reportCase", OURS, ret="")), "no_outcome", True, None),
    "refused without a code": (reply(response("reportCase", OURS, ret="0")), "no_error_code", True, None),
    "two outcomes": (
        reply(response("reportCase", OURS, own="<retCode>1</retCode>")),
        "doubled_element",
        True,
        None,
    ),
}


@pytest.mark.parametrize("name", RETRYABLE)
def test_retryable(name: str) -> None:
    found, code, maybe, wait = RETRYABLE[name]
    with pytest.raises(RetryableError) as caught:
        judged(found)
    assert (caught.value.code, caught.value.maybe_accepted, caught.value.retry_after) == (code, maybe, wait)


def test_a_fault_under_a_default_namespace_is_read_all_the_same() -> None:
    inner = "<faultcode>soap:Client</faultcode><detail><fault><errCode>S002</errCode></fault></detail>"
    text = envelope(f"<soap:Fault>{inner}</soap:Fault>").replace(
        "<soap:Envelope ", '<soap:Envelope xmlns="urn:sdzz:mdjf:1" '
    )
    with pytest.raises(EndpointError, match="S002"):
        judged(reply(text, status=500))


@pytest.mark.parametrize("name", RETRYABLE)
def test_a_preparing_step_is_never_maybe_accepted(name: str) -> None:
    with pytest.raises(RetryableError) as caught:
        judged(RETRYABLE[name][0], filing=False)
    assert not caught.value.maybe_accepted


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_may_have_been_accepted(name: str) -> None:
    with pytest.raises(RetryableError) as caught:
        judged(Reply(200, (), HOSTILE[name][0]))
    assert caught.value.maybe_accepted


OPERATOR = {
    "S001": reply(fault("S001", side="Client"), status=500),
    "S002": reply(fault("S002", side="Client"), status=500),
    "S006": reply(fault("S006", side="Client"), status=500),
    "S007": reply(fault("S007", side="Client"), status=500),
    "fault_client": reply(fault(None, side="Client"), status=500),
    "S011": reply(fault("S011", side="Client"), status=500),
    "E403": reply(response("reportCase", OURS, ret="0", err="E403")),
    "http_401": Reply(401),
    "http_403": Reply(403),
    "http_404": Reply(404),
    "http_413": Reply(413),
    "http_400": Reply(400),
    "http_302": Reply(302, (("Location", "https://elsewhere.example"),)),
}


@pytest.mark.parametrize("code", OPERATOR)
def test_operator_problem(code: str) -> None:
    with pytest.raises(EndpointError) as caught:
        judged(OPERATOR[code])
    assert caught.value.code == code


@pytest.mark.parametrize("code", ["E101", "E199", "E404", "E409", "E410", "E420", "E423", "E424", "E425", "E999"])
def test_refused_names_the_item_and_keeps_the_platforms_words_apart(code: str) -> None:
    spoken = "号码 370102199003071238 校验失败"
    found = reply(response("reportCase", OURS, ret="0", err=code, item="主要当事人[2]/号码", message=spoken))
    with pytest.raises(PermanentError) as caught:
        judged(found)
    error = caught.value
    assert error.code == code
    assert "370102199003071238" not in f"{error} {error.text}"
    (reason,) = error.reasons
    assert (reason.code, reason.place, reason.text) == (code, "主要当事人[2]/号码", spoken)


def test_the_platforms_words_end() -> None:
    with pytest.raises(PermanentError) as caught:
        judged(reply(response("reportCase", OURS, ret="0", err="E101", item="甲" * 9999, message="乙" * 9999)))
    assert len(caught.value.reasons[0].text) == 500
    assert len(caught.value.reasons[0].place) == 500


def test_an_expired_cursor_is_a_class_of_its_own() -> None:
    with pytest.raises(CursorExpired):
        judged(reply(response("pullChanges", OURS, ret="0", err="E410")), operation="pullChanges", filing=False)


def test_errors_never_quote_a_reply() -> None:
    for found in [*(entry[0] for entry in RETRYABLE.values()), *OPERATOR.values()]:
        with pytest.raises(AdapterError) as caught:
            judged(found)
        assert "成功" not in str(caught.value)
        assert "张三" not in str(caught.value)
