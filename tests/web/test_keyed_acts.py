"""Acts under an ``Idempotency-Key``: whoever lost the answer asks again, and is answered alike; nothing is done twice."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from contracts.errors import PermanentError, RetryableError
from contracts.messages import HR, UNION
from gateway.flow.moving.once import Once
from gateway.web.description import _KEYED, described
from tests.flow.stage import until
from tests.servers.databases import table
from tests.web.site import Site
from tests.web.test_ops import reaches, trail
from tests.web.test_redrives import ALL, PATH, START, refused_cases

JOB = {"filter": ALL} | START
DAYS = {"endpoint": HR, "from": "2026-10-09", "to": "2026-10-10"}
REFUSED = PermanentError("E1001")


async def keyed(site: Site, path: str, body: dict[str, Any], key: str = "evening-7") -> httpx.Response:
    return await site.post(path, body, by=site.op, headers={"Idempotency-Key": key})


def alike(first: httpx.Response, again: httpx.Response) -> None:
    """The same answer, marked as a repeat's."""
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers.get("Location") == first.headers.get("Location")
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


async def acts(site: Site, act: str) -> int:
    return sum(entry[1] == act for entry in await trail(site))


async def test_a_bulk_redrive_is_started_once(busy: Site) -> None:
    await refused_cases(busy, 2)
    first = await keyed(busy, PATH, JOB)
    assert first.status_code == 202, first.text
    alike(first, await keyed(busy, PATH, JOB))

    async def done() -> bool:
        return bool((await busy.op.get(f"{PATH}/{first.json()['id']}")).json()["state"] == "done")

    await until(done, "the job is through", 20)
    alike(first, await keyed(busy, PATH, JOB))  # though nothing is left that could be redriven
    other = await keyed(busy, PATH, JOB | {"rate": 2})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await busy.op.get(PATH)).json()["items"]) == 1
    assert await acts(busy, "job.ask") == 1
    fresh = await keyed(busy, PATH, JOB, "morning-8")
    assert (fresh.status_code, fresh.json()["code"]) == (422, "nothing_to_redrive")
    await refused_cases(busy, 1)
    assert (await keyed(busy, PATH, JOB, "morning-8")).status_code == 202, "what was refused left its key free"


async def test_twins_at_once_are_one_job(busy: Site) -> None:
    await refused_cases(busy, 2)
    answers = await asyncio.gather(*(keyed(busy, PATH, JOB) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert len((await busy.op.get(PATH)).json()["items"]) == 1


async def test_without_a_key_and_as_a_preview_everything_is_as_ever(busy: Site) -> None:
    await refused_cases(busy, 2)
    looked = await keyed(busy, PATH, {"filter": ALL, "preview": True})
    assert looked.json()["count"] == 2
    first = await keyed(busy, PATH, JOB)
    assert first.status_code == 202
    assert "Idempotency-Replayed" not in first.headers, "a preview takes no key"
    malformed = await keyed(busy, PATH, JOB, "with space")
    assert (malformed.status_code, malformed.json()["code"]) == (400, "idempotency_key_form")


async def test_a_crash_between_act_and_answer_is_no_second_act(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await refused_cases(busy, 1)
    with monkeypatch.context() as patch:
        patch.setattr(Once, "place", property(lambda self: 1 / 0))  # the process dies where the answer would be kept
        assert (await keyed(busy, PATH, JOB)).status_code >= 500
    again = await keyed(busy, PATH, JOB)
    assert again.status_code == 202
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["id"] == (await busy.op.get(PATH)).json()["items"][0]["id"]
    third = await keyed(busy, PATH, JOB)
    assert third.content == again.content
    assert await acts(busy, "job.ask") == 1


@pytest.mark.parametrize("kind", ["same", "retranslate"])
async def test_a_delivery_that_failed_again_is_not_redriven_by_a_repeat(busy: Site, kind: str) -> None:
    busy.stage.puppet(HR).acts["case.submitted"].extend([REFUSED, REFUSED])
    case = await busy.case()
    found = await reaches(busy, "rejected", case, HR)
    path, body = f"/v1/ops/deliveries/{found['id']}/redrive", {"reason": "平台恢复", "kind": kind}
    first = await keyed(busy, path, body)
    assert first.status_code == 200, first.text
    made = first.json()["id"]

    async def failed_again() -> bool:
        row = await busy.house.store.row("delivery", made)
        return row is not None and row["state"] == "rejected" and row["attempts"] >= (2 if kind == "same" else 1)

    await until(failed_again, "it is refused again")
    alike(first, await keyed(busy, path, body))
    assert (await keyed(busy, path, body | {"reason": "x"})).json()["code"] == "idempotency_key_reused"
    await asyncio.sleep(0.1)
    assert await failed_again()
    assert await acts(busy, "delivery.redrive" if kind == "same" else "delivery.retranslate") == 1


async def test_a_persons_word_on_a_doubt_is_heard_once(busy: Site) -> None:
    """The dangerous one: the second word would send a third time to a platform that cannot tell repeats."""
    lost = RetryableError("timeout", maybe_accepted=True)
    union = busy.stage.puppet(UNION)
    union.acts["case.submitted"].extend([lost, lost])
    case = await busy.case(name="collective")
    found = await reaches(busy, "in_doubt", case, UNION)
    path, word = f"/v1/ops/deliveries/{found['id']}/resolve", {"arrived": False, "evidence": "电话核实"}
    first = await keyed(busy, path, word)
    assert first.json() == {"id": found["id"], "state": "pending"}

    async def again_in_doubt() -> bool:
        row = await busy.house.store.row("delivery", found["id"])
        return row is not None and (row["state"], row["attempts"]) == ("in_doubt", 2)

    await until(again_in_doubt, "the second sending is in doubt too")
    alike(first, await keyed(busy, path, word))
    await asyncio.sleep(0.1)
    assert await again_in_doubt()
    assert union.sent == []
    assert await acts(busy, "delivery.resolve") == 1


async def test_a_reconciliation_and_its_mending_are_asked_for_once(busy: Site) -> None:
    home = "/v1/ops/reconciliations"
    first = await keyed(busy, home, DAYS)
    assert first.status_code == 202, first.text
    alike(first, await keyed(busy, home, DAYS))
    assert len((await busy.op.get(home)).json()["items"]) == 1
    begun = first.json()["id"]

    async def done() -> bool:
        return bool((await busy.op.get(f"{home}/{begun}")).json()["state"] == "done")

    await until(done, "it is compared", 20)
    mended = await keyed(busy, f"{home}/{begun}/heal", {"reason": "月末"}, "heal-1")
    assert mended.status_code == 202, mended.text
    alike(mended, await keyed(busy, f"{home}/{begun}/heal", {"reason": "月末"}, "heal-1"))
    await until(done, "it is mended", 20)
    alike(mended, await keyed(busy, f"{home}/{begun}/heal", {"reason": "月末"}, "heal-1"))
    assert await acts(busy, "reconciliation.heal") == 1


async def test_one_key_is_one_act_whatever_the_address(busy: Site) -> None:
    assert (await keyed(busy, "/v1/ops/reconciliations", DAYS)).status_code == 202
    other = await keyed(busy, PATH, JOB)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_kept_answers_are_sealed(busy: Site) -> None:
    await refused_cases(busy, 1)
    assert (await keyed(busy, PATH, JOB)).status_code == 202
    rows = await table(busy.house.store, "SELECT answer FROM idempotency_keys WHERE key = 'evening-7'")
    assert [b"job_" in bytes(row[0]) or str(START["reason"]).encode() in bytes(row[0]) for row in rows] == [False]


def test_the_description_shows_the_key(shared_description: dict[str, Any]) -> None:
    for name in _KEYED:
        method, _, path = name.partition(" ")
        call = shared_description["paths"][path][method]
        assert "Idempotency-Key" in {one["name"] for one in call["parameters"]}, name
        assert "idempotency_key_reused" in str(call["responses"]["422"]), name
    token = shared_description["paths"]["/v1/oauth2/token"]["post"]
    assert "Idempotency-Key" not in {one["name"] for one in token["parameters"]}


@pytest.fixture
async def shared_description(site: Site) -> dict[str, Any]:
    """The description of the API."""
    return described(site.application.framework.openapi())
