"""The login session: one for all attempts, renewed once, and a refused login that nobody repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from adapters.court_mediation.translate import translate
from contracts.adapter import Reply, Request, Wire
from contracts.errors import EndpointError, RetryableError
from contracts.messages import MessageType
from tests.adapters.court_mediation import documents as docs
from tests.adapters.court_mediation.platform import (
    Clock,
    Memory,
    Nonces,
    Platform,
    adapter,
    answer,
    html,
    login_page,
    raw,
    reset,
    settings,
)
from tests.adapters.ways import HttpAlone


def _wire(delivery: str = docs.DELIVERY) -> Wire:
    context = docs.context(delivery=delivery, referral=docs.REFERRAL)
    return translate(docs.message(MessageType.REFERRAL_ANSWERED, docs.ANSWER), context, settings())


def _moments(platform: Platform) -> list[str]:
    return [dict(parse_qsl(step.request.body.decode()))["yzsj"] for step in platform.served("login")]


async def test_the_first_attempt_logs_in_and_the_next_ones_go_on() -> None:
    platform = Platform()
    court = adapter(platform.clock)
    for number in range(3):
        await court.send(_wire(f"dlv_{number}"), platform)
    assert platform.path() == ["login", "task/answer", "task/answer", "task/answer"]
    login = platform.steps[0]
    assert login.request.url == "http://127.0.0.1:9102/fayuan/a/login"
    assert not login.filing
    assert _moments(platform) == ["20261012100030"]
    cookies = {dict(step.request.headers)["Cookie"] for step in platform.steps[1:]}
    assert len(cookies) == 1


async def test_a_session_outlives_a_restart() -> None:
    platform, memory = Platform(), Memory(Clock())
    await adapter(platform.clock, memory=memory).send(_wire("dlv_1"), platform)
    await adapter(platform.clock, memory=memory).send(_wire("dlv_2"), platform)
    assert platform.path().count("login") == 1


async def test_a_login_page_in_place_of_the_filing_is_answered_by_one_login() -> None:
    platform = Platform()
    court = adapter(platform.clock)
    await court.send(_wire("dlv_1"), platform)
    platform.end_sessions()
    platform.steps.clear()
    receipt = await court.send(_wire("dlv_2"), platform)
    assert [(step.service, step.filing) for step in platform.steps] == [
        ("task/answer", True),
        ("login", False),
        ("task/answer", True),
    ]
    assert platform.steps[0].request.body == platform.steps[2].request.body
    assert [entry["tjbh"] for entry in platform.ledger] == ["dlv_1", "dlv_2"]
    assert receipt.reference == platform.ledger[1]["uuid"]


async def test_a_login_page_right_after_the_first_login_is_not_the_end() -> None:
    platform = Platform()
    platform.script("task/answer", login_page())
    await adapter(platform.clock).send(_wire(), platform)
    assert platform.path() == ["login", "task/answer", "login", "task/answer"]
    assert len(set(_moments(platform))) == 2


async def test_a_second_login_page_is_an_operators_problem() -> None:
    platform = Platform()
    platform.script("task/answer", login_page(), login_page())
    with pytest.raises(EndpointError) as refused:
        await adapter(platform.clock).send(_wire(), platform)
    assert refused.value.code == "login_page"
    assert platform.path() == ["login", "task/answer", "login", "task/answer"]
    assert not platform.ledger


async def test_a_portal_page_is_no_login_page() -> None:
    platform = Platform()
    platform.script("task/answer", html("<html>人民法院调解平台</html>".encode()))
    with pytest.raises(RetryableError) as lost:
        await adapter(platform.clock).send(_wire(), platform)
    assert lost.value.maybe_accepted
    assert platform.path() == ["login", "task/answer"]


async def test_one_login_serves_all_who_wait_for_it() -> None:
    platform = Platform()
    court = adapter(platform.clock)

    class Slow(HttpAlone):
        async def call(self, step: str, request: Request, **more: Any) -> Reply:
            await asyncio.sleep(0)
            return await platform.call(step, request, **more)

    await asyncio.gather(*(court.send(_wire(f"dlv_{number}"), Slow()) for number in range(5)))
    assert platform.path().count("login") == 1
    platform.end_sessions()
    await asyncio.gather(*(court.send(_wire(f"dlv_{number}"), Slow()) for number in range(5, 10)))
    assert platform.path().count("login") == 2
    assert len(platform.ledger) == 10


async def test_another_processs_newer_session_is_tried_before_a_login() -> None:
    platform, memory, nonces = Platform(), Memory(Clock()), Nonces()
    memory.clock = platform.clock
    one, other = (adapter(platform.clock, memory=memory, nonces=nonces) for _ in range(2))
    await one.send(_wire("dlv_1"), platform)

    def other_logs_in(_: Request) -> Reply:
        platform.end_sessions()
        asyncio.get_running_loop().create_task(memory.forget("session"))
        return login_page()

    platform.script("task/answer", other_logs_in)
    await other.send(_wire("dlv_2"), platform)
    await one.send(_wire("dlv_3"), platform)
    assert platform.path().count("login") == 2
    assert len(platform.ledger) == 3


async def test_a_session_from_the_memory_that_has_ended_too_still_leaves_the_login() -> None:
    platform, memory = Platform(), Memory(Clock())
    memory.clock = platform.clock
    court = adapter(platform.clock, memory=memory)
    await court.send(_wire("dlv_1"), platform)
    stale = memory.kept["session"]

    def replaced(_: Request) -> Reply:
        text, until = stale
        memory.kept["session"] = (text.replace(next(iter(platform.sessions)), "B" * 32), until)
        platform.end_sessions()
        return login_page()

    platform.script("task/answer", replaced)
    platform.steps.clear()
    await court.send(_wire("dlv_2"), platform)
    assert platform.path() == ["task/answer", "task/answer", "login", "task/answer"]
    assert len(platform.ledger) == 2


async def test_others_sessions_are_not_tried_without_end() -> None:
    platform, memory = Platform(), Memory(Clock())
    memory.clock = platform.clock
    court = adapter(platform.clock, memory=memory)
    await court.send(_wire("dlv_1"), platform)
    (own,) = platform.sessions
    text, until = memory.kept["session"]

    def replaced_by(cookie: str) -> Callable[[Request], Reply]:
        def page(_: Request) -> Reply:
            memory.kept["session"] = (text.replace(own, cookie), until)
            platform.sessions[cookie] = (platform.clock(), platform.clock())
            return login_page()

        return page

    platform.script("task/answer", *(replaced_by(letter * 32) for letter in "BC"))
    platform.steps.clear()
    await court.send(_wire("dlv_2"), platform)
    assert platform.path() == ["task/answer", "task/answer", "login", "task/answer"]


@pytest.mark.parametrize(("idle", "logins"), [(18 * 60, 1), (19 * 60 + 1, 2), (3 * 3600, 2)])
async def test_a_session_that_must_have_ended_is_not_tried(idle: float, logins: int) -> None:
    platform = Platform()
    court = adapter(platform.clock)
    await court.send(_wire("dlv_1"), platform)
    platform.clock.wait(idle)
    await court.send(_wire("dlv_2"), platform)
    assert platform.path().count("login") == logins
    assert platform.path().count("task/answer") == 2


async def test_use_prolongs_a_session_up_to_two_hours() -> None:
    platform = Platform()
    court = adapter(platform.clock)
    for number in range(12):
        await court.send(_wire(f"dlv_{number}"), platform)
        platform.clock.wait(10 * 60)
    assert platform.path().count("login") == 1
    await court.send(_wire("dlv_last"), platform)
    assert platform.path().count("login") == 2
    assert platform.path().count("task/answer") == 13, "no login page was ever met"


async def test_the_memory_is_not_written_at_every_use() -> None:
    platform, memory = Platform(), Memory(Clock())
    court = adapter(platform.clock, memory=memory)
    for number in range(5):
        await court.send(_wire(f"dlv_{number}"), platform)
    assert memory.puts == ["session"]


# ------------------------------------------------------------------------------------------------------- refused logins


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer("401", msg="密码错误"), "401"),
        (answer("423", msg="账号已锁定"), "423"),
        (answer("403"), "403"),
        (answer("400"), "400"),
        (raw(b"", 404), "http_404"),
        (login_page(), "login_page"),
    ],
)
async def test_a_refused_login_is_never_repeated_by_itself(reply: Reply, code: str) -> None:
    platform = Platform()
    court = adapter(platform.clock)
    platform.script("login", reply)
    for number in range(4):
        with pytest.raises(EndpointError) as refused:
            await court.send(_wire(f"dlv_{number}"), platform)
        assert refused.value.code == code
    assert platform.path() == ["login"]
    platform.clock.wait(151)
    await court.send(_wire("dlv_later"), platform)
    assert platform.path() == ["login", "login", "task/answer"]


async def test_those_who_wait_for_a_login_get_its_refusal() -> None:
    platform = Platform(password="another")
    court = adapter(platform.clock)
    outcomes = await asyncio.gather(
        *(court.send(_wire(f"dlv_{number}"), platform) for number in range(6)), return_exceptions=True
    )
    assert all(isinstance(outcome, EndpointError) for outcome in outcomes)
    assert platform.path() == ["login"]


async def test_other_credentials_may_try_at_once() -> None:
    platform = Platform()
    kept: dict[str, Any] = {"memory": Memory(Clock()), "nonces": Nonces()}
    with pytest.raises(EndpointError):
        await adapter(platform.clock, configured={"password": "wrong"}, **kept).send(_wire(), platform)
    await adapter(platform.clock, **kept).send(_wire(), platform)
    assert platform.path() == ["login", "login", "task/answer"]


async def test_in_ten_minutes_no_account_is_locked() -> None:
    platform = Platform(password="another")
    court = adapter(platform.clock)
    for _ in range(60):
        with pytest.raises(EndpointError):
            await court.send(_wire(), platform)
        platform.clock.wait(10)
    assert len(platform.served("login")) <= 4


@pytest.mark.parametrize("reply", [answer("429"), answer("503"), html(b"-1"), raw(b"", 500), answer("200"), reset])
async def test_a_login_that_time_heals_leaves_no_doubt(reply: Any) -> None:
    platform = Platform()
    court = adapter(platform.clock)
    platform.script("task/answer", login_page())
    platform.script("login", None, reply)
    with pytest.raises(RetryableError) as lost:
        await court.send(_wire(), platform)
    assert not lost.value.maybe_accepted, "the filing before it was answered by a login page"
    await court.send(_wire(), platform)
    assert len(platform.ledger) == 1


async def test_no_moment_is_used_twice() -> None:
    platform, nonces = Platform(), Nonces()
    for number in range(4):
        # Four processes with one nonce store and nothing else in common log in within one second.
        await adapter(platform.clock, nonces=nonces).send(_wire(f"dlv_{number}"), platform)
    assert _moments(platform) == ["20261012100030", "20261012100031", "20261012100032", "20261012100033"]


async def test_moments_that_run_out_are_waited_for() -> None:
    class Full(Nonces):
        async def first_seen(self, nonce: str, keep: object) -> bool:
            return False

    platform = Platform()
    with pytest.raises(RetryableError) as lost:
        await adapter(platform.clock, nonces=Full()).send(_wire(), platform)
    assert lost.value.code == "no_yzsj"
    assert platform.path() == []


async def test_a_shorter_idle_time_is_believed() -> None:
    platform = Platform()
    court = adapter(platform.clock, configured={"idle_s": 300.0})
    await court.send(_wire("dlv_1"), platform)
    platform.clock.wait(290)
    await court.send(_wire("dlv_2"), platform)
    assert platform.path().count("login") == 2
