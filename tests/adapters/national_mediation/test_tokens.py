"""Tokens and signing keys between calls that run at once, and times that signed texts tell (page §2)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from adapters.national_mediation import NationalMediation
from contracts.adapter import Reply, Request
from contracts.errors import AdapterError, EndpointError, RetryableError
from contracts.messages import MessageType as M

from . import documents as d
from .platform import NOW, Platform, adapter, answer, problem, public


async def attempt(one: NationalMediation, platform: Platform) -> AdapterError | None:
    """One filing of a case; what went wrong."""
    document, context, about = d.SENT[M.CASE_SUBMITTED]
    wire = one.translate(d.message(M.CASE_SUBMITTED, document, about), context)
    try:
        await one.send(wire, platform)
    except AdapterError as error:
        return error
    return None


class Together(Platform):
    """Answers filings when so many of them wait for an answer."""

    many = 1
    waiting = 0

    async def call(
        self,
        step: str,
        request: Request,
        *,
        filing: bool = False,
        within: float | None = None,
        limit: int | None = None,
    ) -> Reply:
        """See ``Platform.call``."""
        if step == "file":
            self.waiting += 1
            while self.waiting < self.many:
                await asyncio.sleep(0)
        return await super().call(step, request, filing=filing, within=within, limit=limit)


async def test_one_token_that_ends_under_several_calls_is_one_refusal() -> None:
    platform = Together()
    one = adapter(platform)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    assert await attempt(one, platform) is None
    platform.many, platform.waiting = 3, 0
    platform.say("file", problem(401, "TOKEN_EXPIRED"))
    errors = await asyncio.gather(*(attempt(one, platform) for _ in range(3)))
    assert [type(error) for error in errors] == [RetryableError] * 3
    platform.many = 1
    assert isinstance(await attempt(one, platform), EndpointError), "a fresh one is refused as well"


async def test_a_late_refusal_of_an_old_token_leaves_the_new_one() -> None:
    platform = Together()
    one = adapter(platform)
    told = platform.filed("case.submit", caseId=d.THEIR_CASE)
    platform.say("file", told)
    assert await attempt(one, platform) is None
    platform.many, platform.waiting = 2, 0
    platform.say("file", told, problem(401, "TOKEN_EXPIRED"))
    late = asyncio.create_task(attempt(one, platform))
    while not platform.waiting:
        await asyncio.sleep(0)
    platform.pass_time(280)
    assert await attempt(one, platform) is None
    assert isinstance(await late, RetryableError)
    platform.say("file", told)
    assert await attempt(one, platform) is None
    assert platform.steps().count("token") == 2


@pytest.mark.parametrize(
    "between",
    [Reply(304), problem(422, "VALIDATION_FAILED"), problem(410, "CURSOR_EXPIRED"), answer(200, {"platformTime": "x"})],
)
async def test_any_answer_of_the_platform_itself_ends_the_row(between: Reply) -> None:
    platform = Platform()
    one = adapter(platform)
    for _ in range(2):
        platform.say("file", problem(401, "TOKEN_EXPIRED"))
        assert isinstance(await attempt(one, platform), RetryableError)
        platform.say("file", between)
        await attempt(one, platform)


async def test_a_refusal_that_saw_no_token_ends_no_row() -> None:
    platform = Platform()
    one = adapter(platform)
    for reply in (problem(401, "TOKEN_EXPIRED"), problem(429, "RATE_LIMITED")):
        platform.say("file", reply)
        assert isinstance(await attempt(one, platform), RetryableError)
    platform.say("file", problem(401, "TOKEN_EXPIRED"))
    assert isinstance(await attempt(one, platform), EndpointError)


@pytest.mark.parametrize("iat", [10**13, "soon", True, 1e300])
async def test_a_time_that_is_none_proves_nothing(iat: object) -> None:
    platform = Platform()
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE, receipt={"iat": iat}))
    error = await attempt(adapter(platform), platform)
    assert isinstance(error, RetryableError)
    assert error.maybe_accepted
    platform = Platform(claims={"nbf": iat})
    assert isinstance(await attempt(adapter(platform), platform), EndpointError)


async def test_a_time_may_have_a_fraction() -> None:
    platform = Platform(claims={"exp": NOW.timestamp() + 300.5})
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    assert await attempt(adapter(platform), platform) is None


async def test_a_receipt_whose_key_cannot_be_asked_for_yet_is_no_forged_one() -> None:
    platform = Platform()
    one = adapter(platform)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE, key="k2"))
    for wait in (0, 5, 5):
        platform.pass_time(wait)
        error = await attempt(one, platform)
        assert isinstance(error, RetryableError), "the keys were read less than a minute ago"
        assert error.maybe_accepted
        assert error.retry_after is not None
    platform.pass_time(60)
    platform.say("jwks", Reply(404))
    error = await attempt(one, platform)
    assert isinstance(error, RetryableError), "nor can they be read"
    assert error.maybe_accepted
    platform.answers.pop("jwks")
    for expected in (RetryableError, EndpointError):
        platform.pass_time(61)
        assert type(await attempt(one, platform)) is expected, "asked for twice, and not published"


async def test_keys_are_read_again_every_five_minutes() -> None:
    platform = Platform()
    one = adapter(platform)
    for wait, times in ((0, 1), (290, 1), (10, 2)):
        platform.pass_time(wait)
        platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
        assert await attempt(one, platform) is None
        assert platform.steps().count("jwks") == times


async def test_the_token_that_was_refused_is_no_fresh_one() -> None:
    platform = Platform()
    one = adapter(platform)
    platform.say("token", platform.token())
    platform.say("file", problem(401, "TOKEN_INVALID"))
    assert isinstance(await attempt(one, platform), RetryableError)
    assert isinstance(await attempt(one, platform), EndpointError)
    assert platform.steps().count("file") == 1


async def test_a_clock_that_is_set_back_holds_nobody_up() -> None:
    platform = Platform()
    one = adapter(platform)
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    assert await attempt(one, platform) is None
    platform.pass_time(-7200)
    await one.tools.memory.forget("token")
    platform.key = "k2"
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE))
    assert await attempt(one, platform) is None


async def test_a_signed_text_of_another_kind_is_no_token_and_no_receipt() -> None:
    platform = Platform()
    platform.say("token", platform.token("receipt+jwt"))
    assert isinstance(await attempt(adapter(platform), platform), EndpointError)
    platform = Platform()
    platform.say("file", platform.filed("case.submit", caseId=d.THEIR_CASE, kind="at+jwt"))
    assert isinstance(await attempt(adapter(platform), platform), RetryableError)


@pytest.mark.parametrize("changes", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "EC"}, {"kid": ""}, {"n": 5}])
async def test_a_key_for_something_else_signs_nothing(changes: dict[str, Any]) -> None:
    platform = Platform(keys=(public(**changes),))
    error = await attempt(adapter(platform), platform)
    assert isinstance(error, RetryableError)
    assert error.code == "no_keys"


async def test_a_token_of_another_type_is_none() -> None:
    platform = Platform()
    token = json.loads(platform.token().body)
    platform.say("token", answer(200, token | {"token_type": "mac"}))
    error = await attempt(adapter(platform), platform)
    assert isinstance(error, RetryableError)
    assert error.code == "no_token"
