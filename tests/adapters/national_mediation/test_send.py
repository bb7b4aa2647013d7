"""One attempt: look-up, uploads, the filing with its key, and the receipt that proves it (page §2, §3, §4)."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.national_mediation import NationalMediation
from contracts.adapter import Reply, Wire
from contracts.errors import AdapterError, EndpointError, PermanentError, RetryableError
from contracts.messages import MessageType as M
from contracts.update import Reference

from . import documents as d
from .platform import CLIENT, ISSUER, NOW, SECRET, Answer, Platform, adapter, answer, problem, public, signed


@pytest.fixture
def platform() -> Platform:
    return Platform()


def wire(one: NationalMediation, kind: M) -> Wire:
    """The wire of a sample."""
    document, context, about = d.SENT[kind]
    return one.translate(d.message(kind, document, about), context)


async def fails(one: NationalMediation, kind: M, platform: Platform) -> AdapterError:
    """The error of one attempt."""
    with pytest.raises(AdapterError) as found:
        await one.send(wire(one, kind), platform)
    return found.value


async def test_a_case_is_filed_once_under_the_messages_id(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE, caseNo="国调〔2026〕42号", version=1))
    receipt = await one.send(wire(one, M.CASE_SUBMITTED), platform)
    assert receipt.reference == d.THEIR_CASE
    assert receipt.references == (Reference("platform_no", d.THEIR_CASE), Reference("case_no", "国调〔2026〕42号"))
    assert not receipt.duplicate
    request = platform.request("file")
    headers = dict(request.headers)
    assert (request.method, request.url.rpartition("/")[2]) == ("POST", "cases")
    assert headers["Idempotency-Key"] == d.MESSAGE
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"].startswith("Bearer ey")
    assert [step for step, _, filing in platform.calls if filing] == ["file"]


async def test_the_bytes_are_the_same_at_every_attempt(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("upload", answer(201, {"fileId": "F1"}))
    platform.say("file", Reply(502), platform.filed("agreement.submit", agreementId="A1"))
    lost = await fails(one, M.AGREEMENT_CONCLUDED, platform)
    assert isinstance(lost, RetryableError)
    assert lost.maybe_accepted
    first = platform.request("file")
    receipt = await one.send(wire(one, M.AGREEMENT_CONCLUDED), platform)
    assert platform.request("file").body == first.body
    assert json.loads(first.body)["fileId"] == "F1"
    assert receipt.references == (Reference("agreement_id", "A1"),)
    assert platform.steps().count("upload") == 1, "what was uploaded is not uploaded again"


async def test_uploads_name_nobody_in_their_address(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("upload", answer(201, {"fileId": "F1"}))
    platform.say("file", platform.filed("agreement.submit", agreementId="A1"))
    await one.send(wire(one, M.AGREEMENT_CONCLUDED), platform)
    assert platform.query("upload") == {"kind": "02", "name": "调解协议书.pdf"}
    headers = dict(platform.request("upload").headers)
    assert headers["X-Content-SHA256"] == d.file().sha256
    assert "Idempotency-Key" not in headers


async def test_a_file_that_the_platform_forgot_is_uploaded_again(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("upload", answer(201, {"fileId": "F1"}))
    platform.say("file", Reply(502))
    await fails(one, M.AGREEMENT_CONCLUDED, platform)
    platform.say(
        "file", problem(422, "VALIDATION_FAILED", errors=[{"field": "fileId", "code": "FORMAT", "message": "x"}])
    )
    again = await fails(one, M.AGREEMENT_CONCLUDED, platform)
    assert isinstance(again, RetryableError)
    assert isinstance(await fails(one, M.AGREEMENT_CONCLUDED, platform), PermanentError), (
        "a fresh one is refused for good"
    )
    assert platform.steps().count("upload") == 2


async def test_a_file_that_stands_twice_is_named_once(platform: Platform) -> None:
    one = adapter(platform)
    twice = [{"id": d.PAPER, "kind": kind, "name": "材料.pdf"} for kind in ("identity_proof", "evidence")]
    platform.say("upload", answer(201, {"fileId": "F1"}))
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    await one.send(one.translate(d.message(M.CASE_SUBMITTED, d.wages(attachments=twice)), d.new()), platform)
    assert json.loads(platform.request("file").body)["fileIds"] == ["F1"]


async def test_a_revision_names_the_platforms_version(platform: Platform) -> None:
    one = adapter(platform)
    platform.say(
        "lookup", answer(200, {"items": [{"caseId": d.THEIR_CASE, "caseNo": "n", "version": 3, "status": "5"}]})
    )
    platform.say("file", platform.filed("case.revise", 200, caseId=d.THEIR_CASE, version=4))
    await one.send(wire(one, M.CASE_REVISED), platform)
    request = platform.request("file")
    assert (request.method, dict(request.headers)["If-Match"]) == ("PUT", '"3"')
    assert platform.query("lookup") == {"orgCode": "SD-JN-LX-001", "externalNo": "370102-LX001-2026-00123"}


async def test_a_revision_finds_what_no_answer_told_of(platform: Platform) -> None:
    one = adapter(platform)
    revised = one.translate(d.message(M.CASE_REVISED, d.wages()), d.new())
    platform.say("file", Reply(502), problem(409, "DUPLICATE", existing={"caseId": d.THEIR_CASE, "caseNo": "n"}))
    for _ in range(2):
        with pytest.raises(RetryableError):
            await one.send(revised, platform)
    assert "lookup" not in platform.steps(), "its own key finds what it may have filed itself"
    platform.say("lookup", answer(200, {"items": [{"caseId": d.THEIR_CASE, "version": 1}]}))
    platform.say("file", platform.filed("case.revise", 200, caseId=d.THEIR_CASE, version=2))
    receipt = await one.send(revised, platform)
    assert (platform.request("file").method, receipt.duplicate) == ("PUT", False)
    assert dict(platform.request("file").headers)["If-Match"] == '"1"'


async def test_a_case_that_the_platform_lacks_is_no_place_to_file_below(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("lookup", answer(200, {"items": []}))
    error = await fails(one, M.CASE_REVISED, platform)
    assert isinstance(error, PermanentError)
    assert error.code == "case_unknown"
    platform.say("lookup", problem(422, "VALIDATION_FAILED", errors=[{"field": "externalNo", "code": "FORMAT"}]))
    error = await fails(one, M.CASE_REVISED, platform)
    assert isinstance(error, PermanentError), "its number is refused: nobody else's case waits for that"
    platform.say("lookup", problem(403, "ORG_NOT_BOUND"))
    assert isinstance(await fails(one, M.CASE_REVISED, platform), EndpointError)


@pytest.mark.parametrize(
    ("kind", "operation", "body", "sub", "reference"),
    [
        (M.CASE_PROGRESSED, "case.progress", {"progressId": "P1"}, "P1", "P1"),
        (M.AGREEMENT_PERFORMED, "performance.submit", {"performanceId": "L1"}, "L1", "L1"),
        (M.REFERRAL_ANSWERED, "referral.answer", {"referralId": d.THEIR_REFERRAL, "state": "ACCEPTED"}, None, None),
        (M.REFERRAL_RETURNED, "referral.result", {"referralId": d.THEIR_REFERRAL, "state": "RETURNED"}, None, None),
        (M.STATISTICS_REPORTED, "statistics.submit", {"period": "2026Q3", "version": 2}, "SD-JN-LX-001/2026Q3", None),
    ],
)
async def test_every_other_filing(
    platform: Platform, kind: M, operation: str, body: dict[str, Any], sub: str | None, reference: str | None
) -> None:
    one = adapter(platform)
    platform.say("file", platform.filed(operation, sub=sub, **body))
    receipt = await one.send(wire(one, kind), platform)
    assert receipt.reference == (reference or sub or d.THEIR_REFERRAL)


async def test_a_repeat_is_a_duplicate(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE, replayed=True))
    assert (await one.send(wire(one, M.CASE_SUBMITTED), platform)).duplicate


async def test_a_duplicate_under_another_key_names_the_first(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("file", problem(409, "DUPLICATE", existing={"caseId": d.THEIR_CASE, "caseNo": "n"}))
    receipt = await one.send(wire(one, M.CASE_SUBMITTED), platform)
    assert (receipt.reference, receipt.duplicate) == (d.THEIR_CASE, True)
    platform.say("file", problem(409, "DUPLICATE"))
    assert isinstance(await fails(one, M.CASE_SUBMITTED, platform), RetryableError)


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        (M.REFERRAL_ANSWERED, problem(409, "DUPLICATE", existing={"caseId": d.THEIR_CASE, "caseNo": "n"})),
        (M.CASE_REVISED, problem(409, "DUPLICATE", existing={"caseId": "C2", "caseNo": "n"})),
        (M.CASE_REVISED, Platform().filed("case.revise", 200, caseId="C2", version=4)),
        (M.REFERRAL_ANSWERED, Platform().filed("referral.answer", 200, referralId="R2", state="ACCEPTED")),
        (M.STATISTICS_REPORTED, Platform().filed("statistics.submit", 200, sub="SD-JN-LX-001/2026Q2", period="2026Q2")),
    ],
)
async def test_an_answer_about_another_thing_settles_nothing(
    platform: Platform, kind: M, reply: Reply | Answer
) -> None:
    platform.say("lookup", answer(200, {"items": [{"caseId": d.THEIR_CASE, "version": 3}]}))
    platform.say("file", reply)
    error = await fails(adapter(platform), kind, platform)
    assert isinstance(error, RetryableError)
    assert error.maybe_accepted


async def test_a_referral_answered_alike_is_a_duplicate_and_otherwise_refused(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("file", problem(409, "REFERRAL_ANSWERED", existing={"state": "ACCEPTED"}))
    receipt = await one.send(wire(one, M.REFERRAL_ANSWERED), platform)
    assert (receipt.reference, receipt.duplicate) == (d.THEIR_REFERRAL, True)
    platform.say("file", problem(409, "REFERRAL_ANSWERED", existing={"state": "DECLINED"}))
    assert isinstance(await fails(one, M.REFERRAL_ANSWERED, platform), PermanentError)


# ------------------------------------------------------------------------------------------------------------- receipts


@pytest.mark.parametrize(
    "changes",
    [
        {"dig": "0" * 64},
        {"op": "case.revise"},
        {"sub": "C2"},
        {"aud": "another"},
        {"iss": "https://elsewhere.example"},
        {"iat": int(NOW.timestamp()) + 90},
    ],
)
async def test_a_receipt_that_proves_nothing_is_doubted_once_and_then_for_the_operator(
    platform: Platform, changes: dict[str, object]
) -> None:
    one = adapter(platform)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE, receipt=changes))
    doubt = await fails(one, M.CASE_SUBMITTED, platform)
    assert isinstance(doubt, RetryableError)
    assert doubt.maybe_accepted
    assert isinstance(await fails(one, M.CASE_SUBMITTED, platform), EndpointError)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    assert (await one.send(wire(one, M.CASE_SUBMITTED), platform)).reference == d.THEIR_CASE


def forged(platform: Platform, how: str) -> Reply:
    """An answer with a receipt that is not the platform's."""
    if how == "missing":
        return answer(201, {"caseId": d.THEIR_CASE})
    if how == "no signature":
        head, claims = (
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in ({"alg": "none", "typ": "receipt+jwt", "kid": "k1"}, {"iss": "x", "aud": CLIENT})
        )
        return answer(201, {"caseId": d.THEIR_CASE, "receipt": f"{head}.{claims}."})
    if how in ("by mac", "own key", "foreign key"):
        mine = {"iss": ISSUER, "aud": CLIENT, "iat": int(NOW.timestamp()), "op": "case.submit", "sub": d.THEIR_CASE}
        if how == "own key":
            return answer(201, {"caseId": d.THEIR_CASE, "receipt": signed(mine, "receipt+jwt", "k9", jwk=public("k9"))})
        if how == "foreign key":
            return answer(201, {"caseId": d.THEIR_CASE, "receipt": signed(mine, "receipt+jwt", "k9", kid="k1")})
        parts = ({"alg": "HS256", "typ": "receipt+jwt", "kid": "k1"}, mine)
        text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
        mac = hmac.digest(json.dumps(public("k1")).encode(), text.encode(), "sha256")
        told = f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        return answer(201, {"caseId": d.THEIR_CASE, "receipt": told})
    if how == "too long":
        return answer(201, {"caseId": d.THEIR_CASE, "receipt": "a" * 10_000})
    return answer(201, {"caseId": d.THEIR_CASE, "receipt": {"alg": "RS256"}})


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("missing", "receipt_missing"),
        ("no signature", "jws_of_another_kind"),
        ("by mac", "jws_of_another_kind"),
        ("own key", "key_unknown"),
        ("foreign key", "signature"),
        ("too long", "jws_too_long"),
        ("no text", "receipt_missing"),
    ],
)
async def test_a_forged_receipt_is_none(platform: Platform, how: str, code: str) -> None:
    platform.say("file", forged(platform, how))
    error = await fails(adapter(platform), M.CASE_SUBMITTED, platform)
    assert isinstance(error, RetryableError)
    assert error.maybe_accepted
    assert error.code == code


async def test_a_receipt_under_a_new_key_makes_the_keys_be_read_again(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    await one.send(wire(one, M.CASE_SUBMITTED), platform)
    platform.pass_time(70)
    platform.key = "k2"
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    assert (await one.send(wire(one, M.CASE_SUBMITTED), platform)).reference == d.THEIR_CASE
    assert platform.steps().count("jwks") == 2


# ---------------------------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("reply", "kind", "maybe"),
    [
        (problem(429, "RATE_LIMITED", Retry_After="7"), RetryableError, False),
        (problem(503, "MAINTENANCE"), RetryableError, False),
        (problem(503, "BUSY"), RetryableError, False),
        (problem(409, "IDEMPOTENCY_IN_PROGRESS"), RetryableError, False),
        (problem(404, "FILE_NOT_READY"), RetryableError, False),
        (Reply(500), RetryableError, True),
        (Reply(504), RetryableError, True),
        (Reply(503, (), b"<html>busy</html>"), RetryableError, True),
        (problem(503, "ELSEWHERE"), RetryableError, True),
        (problem(500, "BUSY"), RetryableError, False),
        (problem(500, "INTERNAL"), RetryableError, True),
        (Reply(200, (), b"<html>login</html>"), RetryableError, True),
        (Reply(201, (), b'{"caseId":"C'), RetryableError, True),
        (Reply(200, (), b""), RetryableError, True),
        (answer(201, {"caseNo": "n"}), RetryableError, True),
        (problem(401, "CLIENT_DISABLED"), EndpointError, False),
        (problem(403, "SCOPE_MISSING"), EndpointError, False),
        (problem(403, "IP_NOT_ALLOWED"), EndpointError, False),
        (problem(403, "ORG_NOT_BOUND"), EndpointError, False),
        (problem(404, "PATH_UNKNOWN"), EndpointError, False),
        (problem(400, "BODY_UNREADABLE"), EndpointError, False),
        (problem(400, "IDEMPOTENCY_KEY_MISSING"), EndpointError, False),
        (problem(422, "IDEMPOTENCY_MISMATCH"), EndpointError, False),
        (Reply(302, (("Location", "https://elsewhere.example"),)), EndpointError, False),
        (Reply(404, (), b"<html>no such page</html>"), EndpointError, False),
        (problem(422, "VALIDATION_FAILED"), PermanentError, False),
        (problem(404, "CASE_UNKNOWN"), PermanentError, False),
        (problem(409, "CASE_CLOSED"), PermanentError, False),
        (problem(409, "REFERRAL_RECALLED"), PermanentError, False),
        (problem(409, "PERIOD_CLOSED"), PermanentError, False),
        (problem(412, "VERSION_STALE"), PermanentError, False),
        (problem(413, "TOO_LARGE"), PermanentError, False),
        (problem(415, "TYPE_REFUSED"), PermanentError, False),
        (problem(418, "NEW_REFUSAL"), PermanentError, False),
        (Reply(418), PermanentError, False),
        (problem(200 + 222, "BUSY"), RetryableError, False),
    ],
)
async def test_who_heals_what(platform: Platform, reply: Reply, kind: type[AdapterError], maybe: bool) -> None:
    platform.say("file", reply)
    error = await fails(adapter(platform), M.CASE_SUBMITTED, platform)
    assert type(error) is kind
    assert getattr(error, "maybe_accepted", False) is maybe
    assert "王建国" not in f"{error} {error.code} {error.text}"


async def test_the_wait_is_the_platforms(platform: Platform) -> None:
    platform.say("file", problem(429, "RATE_LIMITED", Retry_After="7"))
    error = await fails(adapter(platform), M.CASE_SUBMITTED, platform)
    assert isinstance(error, RetryableError)
    assert error.retry_after is not None
    assert error.retry_after.total_seconds() == 7


async def test_findings_name_fields_and_codes(platform: Platform) -> None:
    findings = [
        {"field": "parties[0].idNumber", "code": "CHECKSUM", "message": "校验码错误"},
        {"field": "王建国", "code": "x y"},
    ]
    platform.say("file", problem(422, "VALIDATION_FAILED", errors=findings))
    error = await fails(adapter(platform), M.CASE_SUBMITTED, platform)
    assert isinstance(error, PermanentError)
    told = [(reason.code, reason.place) for reason in error.reasons]
    assert told == [("CHECKSUM", "parties[0].idNumber"), ("", "")]


# ---------------------------------------------------------------------------------------------------------------- token


async def test_one_token_serves_until_shortly_before_its_end(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    for wait in (0, 200, 69, 2):
        platform.pass_time(wait)
        await one.send(wire(one, M.CASE_SUBMITTED), platform)
    assert platform.steps().count("token") == 2
    request = platform.request("token")
    assert request.body == b"grant_type=client_credentials&scope=case+referral+file+stat"
    given = dict(request.headers)["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(given).decode() == f"{CLIENT}:{SECRET}"


async def test_a_refused_token_is_dropped_and_the_second_is_for_the_operator(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("file", problem(401, "TOKEN_EXPIRED"))
    first = await fails(one, M.CASE_SUBMITTED, platform)
    assert isinstance(first, RetryableError)
    assert not first.maybe_accepted
    assert isinstance(await fails(one, M.CASE_SUBMITTED, platform), EndpointError)
    assert platform.steps().count("token") == 2


async def test_a_refusal_between_two_successes_is_no_second_one(platform: Platform) -> None:
    one = adapter(platform)
    for _ in range(2):
        platform.say("file", problem(401, "TOKEN_INVALID"), platform.filed("case.submit", caseId=d.THEIR_CASE))
        assert isinstance(await fails(one, M.CASE_SUBMITTED, platform), RetryableError)
        await one.send(wire(one, M.CASE_SUBMITTED), platform)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(401, {"error": "invalid_client"}), EndpointError),
        (answer(400, {"error": "invalid_scope"}), EndpointError),
        (answer(429, {}), RetryableError),
        (Reply(500), RetryableError),
        (answer(200, {"token_type": "Bearer"}), RetryableError),
        (Reply(200, (), b"<html>"), RetryableError),
        (answer(200, {"access_token": "a.b.c", "token_type": "Bearer"}), EndpointError),
    ],
)
async def test_no_token(platform: Platform, reply: Reply, kind: type[AdapterError]) -> None:
    platform.say("token", reply)
    error = await fails(adapter(platform), M.CASE_SUBMITTED, platform)
    assert type(error) is kind
    assert not getattr(error, "maybe_accepted", False)
    assert "file" not in platform.steps()


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"iss": "https://x.example"},
        {"sub": "SD999"},
        {"exp": int(NOW.timestamp()) - 61},
        {"exp": "soon"},
    ],
)
async def test_a_token_that_is_not_ours_is_never_used(platform: Platform, claims: dict[str, object]) -> None:
    platform.claims = claims
    assert isinstance(await fails(adapter(platform), M.CASE_SUBMITTED, platform), EndpointError)
    assert "file" not in platform.steps()


async def test_a_token_under_an_unpublished_key_waits_for_the_keys(platform: Platform) -> None:
    one = adapter(platform)
    platform.keys = ({"kty": "RSA", "kid": "k1", "use": "enc", "n": "AQAB", "e": "AQAB"},)
    assert (await fails(one, M.CASE_SUBMITTED, platform)).code == "no_keys"
    platform.keys = ()
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    await one.send(wire(one, M.CASE_SUBMITTED), platform)
    platform.pass_time(280)
    platform.key = "k2"
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    await one.send(wire(one, M.CASE_SUBMITTED), platform)


@pytest.mark.parametrize("key", ["weak", "unpublished"])
async def test_a_key_that_may_not_sign_proves_no_token(platform: Platform, key: str) -> None:
    platform.key = key
    platform.keys = (public("weak"), public("k1"))
    error = await fails(adapter(platform), M.CASE_SUBMITTED, platform)
    assert isinstance(error, RetryableError)
    assert error.code == "key_unknown"
    assert error.retry_after is not None
    platform.pass_time(61)
    assert isinstance(await fails(adapter(platform), M.CASE_SUBMITTED, platform), RetryableError)


# ------------------------------------------------------------------------------------------------------- probe, download


async def test_the_probe_proves_client_and_clock(platform: Platform) -> None:
    one = adapter(platform)
    platform.say("probe", answer(200, {"platformTime": "x"}, Date="Wed, 30 Sep 2026 01:06:00 GMT"))
    await one.probe(platform)
    platform.say("probe", answer(200, {"platformTime": "x"}, Date="Wed, 30 Sep 2026 01:08:00 GMT"))
    with pytest.raises(EndpointError, match="clock"):
        await one.probe(platform)
    until = {"from": "2026-09-30T01:00:00.000Z", "to": "2026-09-30T01:15:00.000Z"}
    platform.say("probe", answer(200, {"platformTime": "x", "maintenance": until}))
    with pytest.raises(RetryableError, match="MAINTENANCE") as found:
        await one.probe(platform)
    assert found.value.retry_after is not None
    assert found.value.retry_after.total_seconds() == 600
    for window in (
        {"from": "2026-09-30T01:06:00.000Z", "to": "2026-09-30T05:00:00.000Z"},
        {"from": "2026-09-29T01:00:00.000Z", "to": "2026-09-30T01:05:00.000Z"},
    ):
        platform.say("probe", answer(200, {"platformTime": "x", "maintenance": window}))
        await one.probe(platform)  # it is announced, or over
    platform.say("probe", answer(200, {"maintenance": {"to": "2099-09-30T01:00:00.000Z"}}))
    with pytest.raises(RetryableError) as held:
        await one.probe(platform)
    assert held.value.retry_after == timedelta(hours=24)


def test_nothing_of_the_client_shows(platform: Platform) -> None:
    assert SECRET not in repr(adapter(platform).settings)
