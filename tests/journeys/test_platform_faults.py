"""Arbitration and one-stop platform failing in every way they know: each case arrives once, and one sees why it waited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from contracts.messages import HR, ONE_STOP
from gateway.flow.house import House
from tests.house import Gateways, standing
from tests.journeys import province as places
from tests.journeys.province import Province

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATION = {HR: "TJ1001", ONE_STOP: "reportCase"}
SHORT: dict[str, dict[str, Any]] = {
    HR: {"deadline_s": 1.0, "deadline_files_s": 1.0, "connect_s": 0.5},
    ONE_STOP: {"deadline_s": 1.0, "deadline_files_s": 1.0, "connect_s": 0.5, "exchange_s": 0.8},
}
LOST = {"timeout", "broken_off"}


class Patient(Gateways):
    """Tries for as long as a platform here is away."""

    async def __call__(self, endpoints: Any, **more: Any) -> House:
        patience = {"standard": (0.2,) * 200, "statutory": (0.2,), "breaker": 0.2}
        more["retry"] = more["retry"].model_copy(update=patience)
        return await super().__call__(endpoints, **more)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def province(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Province]:
    """The platforms and a gateway with short deadlines, for every fault of this page."""
    room = tmp_path_factory.mktemp("faults")
    async with standing(request, room, Patient) as houses:
        with pytest.MonkeyPatch.context() as patch:
            for name, limits in SHORT.items():
                patch.setitem(places._OURS, name, places._OURS[name] | limits)
            opened = await Province.open(houses, room / "mocks")
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def healed(province: Province) -> AsyncIterator[None]:
    """After each test the platforms are well again and nothing is paused."""
    yield
    for name in OPERATION:
        await province.http.delete(f"{province.urls[name]}/_mock/faults")
        await province.house.store.write("resume_endpoint", (name,))
    province.house.bells.committed()


async def script(province: Province, platform: str, **fault: Any) -> None:
    reply = await province.http.post(
        f"{province.urls[platform]}/_mock/faults", json=[{"op": OPERATION[platform], **fault}]
    )
    assert reply.status_code == 200, reply.text


async def refuses(url: str) -> bool:
    """Whether nobody listens there: the platform answers the order before it closes its port."""
    where = httpx.URL(url)
    try:
        _, writer = await asyncio.open_connection(where.host, where.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def seen(province: Province, case: str, platform: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The case's delivery to a platform and its attempts, by the operator's calls."""
    items = (await province.get(f"/v1/ops/deliveries?case={case}&endpoint={platform}", province.ops))["items"]
    (found,) = [item for item in items if item["type"] == "case.submitted"]
    attempts = await province.get(f"/v1/ops/deliveries/{found['id']}/attempts", province.ops)
    return found, attempts["items"]


async def effects(province: Province, platform: str, delivery: str) -> list[str]:
    """What the platform's own journal says about the delivery."""
    entries = await province.journal(platform)
    return [one["effect"] for one in entries if one["message_id"] == delivery and one["kind"] == OPERATION[platform]]


FAULTS: list[tuple[dict[str, Any], set[str] | None, list[str]]] = [
    # fault, codes of the first attempt (None: unreadable), effects in the platform's journal
    ({"action": "reset"}, LOST, ["created"]),
    ({"action": "stall"}, {"timeout"}, ["created"]),
    ({"action": "accept_then_silent"}, {"timeout"}, ["created", "repeated"]),
    ({"action": "accept_then_reset"}, LOST, ["created", "repeated"]),
    ({"action": "drip", "after_ms": 200}, {"timeout"}, ["created", "repeated"]),
    ({"action": "garbage", "kind": "html"}, None, ["created", "repeated"]),
    ({"action": "garbage", "kind": "truncated"}, None, ["created", "repeated"]),
    ({"action": "garbage", "kind": "empty"}, None, ["created", "repeated"]),
    ({"action": "garbage", "kind": "gbk"}, None, ["created", "repeated"]),
    ({"action": "http", "status": 502}, {"http_502"}, ["created"]),
    ({"action": "maintenance"}, {"http_503"}, ["created"]),
]


IDS = [" ".join(str(part) for part in fault.values()) for fault, _, _ in FAULTS]


@pytest.mark.parametrize("platform", [HR, ONE_STOP])
@pytest.mark.parametrize(("fault", "codes", "journal"), FAULTS, ids=IDS)
async def test_it_arrives_once_and_the_attempts_say_why_it_waited(
    province: Province, platform: str, fault: dict[str, Any], codes: set[str] | None, journal: list[str]
) -> None:
    if fault["action"] == "maintenance":
        fault = {**fault, "after_ms": 2_000}  # the case must come to it before it is over, on a busy machine too
    await script(province, platform, **fault)
    case = await province.case()
    await province.delivered(case, "case.submitted", platform)
    found, attempts = await seen(province, case, platform)
    assert attempts[-1]["outcome"] == "delivered"
    assert attempts[0]["outcome"] == "pending"
    assert len(attempts) >= 2
    first = attempts[0]["code"]
    assert first in codes if codes is not None else first not in LOST, first
    assert [one["filing"] for one in attempts[0]["steps"]][-1:] == [True]
    assert all(datetime.fromisoformat(one["at"]).utcoffset() is not None for one in attempts[0]["steps"])
    told = await effects(province, platform, found["id"])
    assert told[: len(journal)] == journal
    assert told.count("created") == 1
    other = ONE_STOP if platform == HR else HR
    await province.delivered(case, "case.submitted", other)
    assert len((await seen(province, case, other))[1]) == 1


@pytest.mark.parametrize("platform", [HR, ONE_STOP])
async def test_a_closed_port_files_nothing_twice(province: Province, platform: str) -> None:
    await script(province, platform, action="refuse", after_ms=700)
    await province.until(lambda: refuses(province.urls[platform]), "the port is closed")
    case = await province.case()
    await province.delivered(case, "case.submitted", platform)
    found, attempts = await seen(province, case, platform)
    codes = [one["code"] for one in attempts[:-1]]
    # A connection kept from before may break off once as the port closes; then nobody listens.
    assert set(codes[1:]) <= {"unreachable"}
    assert set(codes[:1]) <= {"unreachable", "broken_off"}
    assert await effects(province, platform, found["id"]) == ["created"]


@pytest.mark.parametrize("platform", [HR, ONE_STOP])
async def test_the_platforms_patience_holds_for_the_whole_endpoint(province: Province, platform: str) -> None:
    await script(province, platform, action="http", status=503, retry_after="1")
    case = await province.case()

    async def quiet() -> Any:
        listed = (await province.get("/v1/ops/endpoints", province.ops))["items"]
        return next(one for one in listed if one["name"] == platform).get("quiet_until")

    assert await province.until(quiet, "the endpoint is quiet")
    second = await province.case()
    for each in (case, second):
        await province.delivered(each, "case.submitted", platform)
    _, attempts = await seen(province, case, platform)
    assert [one["code"] for one in attempts[:1]] == ["http_503"]
    first, next_try = (datetime.fromisoformat(one["ended_at"]) for one in attempts[:2])
    assert (next_try - first).total_seconds() >= 0.95
    _, late = await seen(province, second, platform)
    assert (datetime.fromisoformat(late[0]["ended_at"]) - first).total_seconds() >= 0.95


@pytest.mark.parametrize(("platform", "code"), [(HR, "3004"), (ONE_STOP, "S001")])
async def test_an_operators_problem_pauses_until_an_operator_resumes(
    province: Province, platform: str, code: str
) -> None:
    await script(province, platform, action="business_error", code=code)
    case = await province.case()

    async def paused() -> Any:
        listed = (await province.get("/v1/ops/endpoints", province.ops))["items"]
        found = next(one for one in listed if one["name"] == platform)
        return found if found["paused"] else None

    shown = await province.until(paused, "the endpoint is paused")
    assert (shown["paused_by"], shown["reason"]) == ("gateway", code)
    waiting, attempts = await seen(province, case, platform)
    assert (waiting["state"], waiting["code"]) == ("pending", code)
    assert [one["code"] for one in attempts] == [code]
    second = await province.case()
    flow = (await province.get("/v1/ops/flow", province.ops))["items"]
    assert next(one for one in flow if one["endpoint"] == platform)["deliveries"]["pending"] >= 2
    reply = await province.ops.post(f"/v1/ops/endpoints/{platform}/resume", json={"reason": "密钥已更换"})
    assert reply.status_code == 200, reply.text
    for each in (case, second):
        await province.delivered(each, "case.submitted", platform)
        found, _ = await seen(province, each, platform)
        assert (await effects(province, platform, found["id"])).count("created") == 1


@pytest.mark.parametrize(("platform", "code"), [(HR, "2001"), (HR, "5000"), (ONE_STOP, "E900"), (ONE_STOP, "S009")])
async def test_what_time_heals_is_tried_again(province: Province, platform: str, code: str) -> None:
    await script(province, platform, action="business_error", code=code)
    case = await province.case()
    await province.delivered(case, "case.submitted", platform)
    _, attempts = await seen(province, case, platform)
    assert [one["code"] for one in attempts if one["code"]] == [code]


@pytest.mark.parametrize(("platform", "code"), [(HR, "4002"), (ONE_STOP, "E105")])
async def test_a_refusal_is_final_until_somebody_corrects_it(province: Province, platform: str, code: str) -> None:
    await script(province, platform, action="business_error", code=code)
    case = await province.case()

    async def rejected() -> Any:
        found, _ = await seen(province, case, platform)
        return found if found["state"] == "rejected" else None

    found = await province.until(rejected, "the case is refused")
    assert found["code"] == code
    shown = await province.get(f"/v1/ops/deliveries/{found['id']}", province.ops)
    assert shown["reasons"][0]["code"] == code
    about = [task for task in await province.tasks("rejected") if task["about"] == found["id"]]
    assert len(about) == 1
    read = await province.api.get(f"/v1/cases/{case}")
    body = read.json()["document"] | {"facts": "更正后的事实。"}
    reply = await province.api.put(f"/v1/cases/{case}", json=body, headers={"If-Match": read.headers["ETag"]})
    assert reply.status_code == 202, reply.text
    await province.delivered(case, "case.revised", platform)
    filed = [one for one in await province.journal(platform) if one["kind"] == OPERATION[platform]]
    kept = [one for one in filed if one["effect"] == "created"]
    assert "更正后的事实。" in str(kept[-1]["payload"]), "a first registration where the case was never taken"


@pytest.mark.parametrize("platform", [HR, ONE_STOP])
async def test_a_changed_key_pauses_and_nothing_is_lost(province: Province, platform: str) -> None:
    reply = await province.http.post(
        f"{province.urls[platform]}/_mock/faults", json=[{"op": "*", "action": "expire_session", "times": 0}]
    )
    assert reply.status_code == 200, reply.text
    case = await province.case()

    async def paused() -> Any:
        listed = (await province.get("/v1/ops/endpoints", province.ops))["items"]
        return next(one for one in listed if one["name"] == platform)["paused"]

    await province.until(paused, "the endpoint is paused")
    await province.http.delete(f"{province.urls[platform]}/_mock/faults")
    reply = await province.ops.post(f"/v1/ops/endpoints/{platform}/resume", json={"reason": "密钥已更换"})
    assert reply.status_code in (200, 409)
    await province.delivered(case, "case.submitted", platform)
    found, _ = await seen(province, case, platform)
    assert (await effects(province, platform, found["id"])).count("created") == 1
