"""An operator's calls: what is stuck and why, and the acts that heal it, each with its row in the audit trail."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import EndpointError, PermanentError, Reason, RetryableError
from contracts.messages import COURT, HR, ONE_STOP, UNION
from gateway.store import journal
from tests.flow import papers
from tests.flow.stage import until
from tests.web.site import Site, accepted

REASON = {"reason": "平台恢复"}


async def act(site: Site, path: str, body: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
    response = await site.post(f"/v1/ops/{path}", REASON if body is None else body, by=site.op)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def seen(site: Site, path: str) -> dict[str, Any]:
    response = await site.op.get(f"/v1/ops/{path}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def delivery(site: Site, case: str, endpoint: str, kind: str = "case.submitted") -> dict[str, Any]:
    items = (await seen(site, f"deliveries?case={case}&endpoint={endpoint}"))["items"]
    return next(item for item in items if item["type"] == kind)


async def reaches(site: Site, state: str, case: str, endpoint: str, kind: str = "case.submitted") -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        found = await delivery(site, case, endpoint, kind)
        return found if found["state"] == state else None

    result: dict[str, Any] = await until(there, f"{kind} at {endpoint} becomes {state}")
    return result


async def trail(site: Site) -> list[tuple[str, str, str, str | None]]:
    """The audit trail: actor, act, target, reason; and that its chain holds."""
    assert (await site.house.store.runner.read(journal.verify_audit)).sound
    rows = await site.house.store.rows("audit_after", 0, 1000)
    return [(row["actor"], row["act"], row["target"], row["reason"]) for row in rows]


# ------------------------------------------------------------------------------------------------------------ endpoints


async def test_a_paused_endpoint_waits_and_flows_again(busy: Site) -> None:
    assert await act(busy, f"endpoints/{HR}/pause", {"reason": "停机检修"}) == {"id": HR, "state": "paused"}
    case = await busy.case()
    await reaches(busy, "delivered", case, ONE_STOP)
    assert (await delivery(busy, case, HR))["state"] == "pending"
    listed = {one["name"]: one for one in (await seen(busy, "endpoints"))["items"]}
    assert (listed[HR]["paused"], listed[HR]["paused_by"], listed[HR]["reason"]) == (True, "op", "停机检修")
    assert listed[HR]["delivery_class"] == "idempotent"
    assert not listed[ONE_STOP]["paused"]
    flow = {one["endpoint"]: one for one in (await seen(busy, "flow"))["items"]}
    assert flow[HR]["deliveries"]["pending"] == 1
    assert "oldest_pending_at" in flow[HR]
    again = await act(busy, f"endpoints/{HR}/pause", status=409)
    assert (again["code"], again["state"]) == ("state", "paused")
    await act(busy, f"endpoints/{HR}/resume")
    await reaches(busy, "delivered", case, HR)
    assert await trail(busy) == [
        ("op", "endpoint.pause", HR, "停机检修"),
        ("op", "endpoint.resume", HR, "平台恢复"),
    ]


async def test_an_unknown_endpoint_is_404(site: Site) -> None:
    for path in ("endpoints/nobody/pause", "endpoints/nobody/resume"):
        assert (await act(site, path, status=404))["code"] == "not_found"
    assert await trail(site) == []


async def test_the_gateway_pauses_by_itself_and_says_why(busy: Site) -> None:
    busy.stage.puppet(HR).acts["case.submitted"].append(EndpointError("3004", "signature"))
    case = await busy.case()

    async def paused() -> bool:
        return bool({one["name"]: one for one in (await seen(busy, "endpoints"))["items"]}[HR]["paused"])

    await until(paused, "the endpoint is paused")
    found = await delivery(busy, case, HR)
    assert (found["state"], found["code"], found["attempts"]) == ("pending", "3004", 1)
    await act(busy, f"endpoints/{HR}/resume")
    await reaches(busy, "delivered", case, HR)


# ----------------------------------------------------------------------------------------------------------- deliveries


async def test_a_delivery_shows_its_attempts_and_their_steps(busy: Site) -> None:
    busy.stage.puppet(HR).acts["case.submitted"] += [
        RetryableError("http_503"),
        RetryableError("timeout", maybe_accepted=True),
    ]
    case = await busy.case()
    found = await reaches(busy, "delivered", case, HR)
    attempts = (await seen(busy, f"deliveries/{found['id']}/attempts"))["items"]
    assert [(one["number"], one["outcome"], one.get("code")) for one in attempts] == [
        (1, "pending", "http_503"),
        (2, "pending", "timeout"),
        (3, "delivered", None),
    ]
    one = await seen(busy, f"deliveries/{found['id']}")
    assert (one["state"], one["attempts"], one["reference"], one["case"]) == ("delivered", 3, "hr_arbitration-1", case)


async def test_a_wire_is_shown_with_its_losses_and_the_look_is_audited(busy: Site) -> None:
    case = await busy.case()
    found = await reaches(busy, "delivered", case, HR)
    wire = await seen(busy, f"deliveries/{found['id']}/wire")
    assert (wire["translated"], wire["operation"], wire["mapping"]) == (True, "case.submitted", "1")
    assert wire["losses"] == []
    assert ("op", "wire.read", found["id"], None) in await trail(busy)
    await act(busy, f"endpoints/{HR}/pause")
    waiting = await busy.case()
    unsent = await delivery(busy, waiting, HR)
    assert await seen(busy, f"deliveries/{unsent['id']}/wire") == {"id": unsent["id"], "translated": False}


async def test_a_refusal_shows_its_reasons_and_is_sent_again_on_an_operators_word(busy: Site) -> None:
    error = PermanentError("4002", reasons=(Reason("4002", "证件号码不正确", "BZP000[0].AAC147"),))
    busy.stage.puppet(HR).acts["case.submitted"].append(error)
    case = await busy.case()
    found = await reaches(busy, "rejected", case, HR)
    shown = await seen(busy, f"deliveries/{found['id']}")
    assert shown["reasons"] == [{"code": "4002", "place": "BZP000[0].AAC147", "text": "证件号码不正确"}]
    (task,) = (await seen(busy, "tasks?kind=rejected"))["items"]
    assert (task["about"], task["case"], task["endpoint"], task["code"]) == (found["id"], case, HR, "4002")
    assert await act(busy, f"deliveries/{found['id']}/redrive") == {"id": found["id"], "state": "pending"}
    await reaches(busy, "delivered", case, HR)
    assert (await seen(busy, "tasks?kind=rejected"))["items"] == []
    (wire,) = [one for one in busy.stage.puppet(HR).sent if one.operation == "case.submitted"]
    assert wire.id == found["id"]
    refused = await act(busy, f"deliveries/{found['id']}/redrive", status=409)
    assert (refused["code"], refused["state"]) == ("state", "delivered")
    assert await trail(busy) == [("op", "delivery.redrive", found["id"], "平台恢复")]


async def test_a_cancelled_delivery_frees_its_lane_and_is_never_sent(busy: Site) -> None:
    await act(busy, f"endpoints/{HR}/pause")
    case = await busy.case()
    found = await delivery(busy, case, HR)
    accepted(await busy.post(f"/v1/cases/{case}/transfers", papers.body("transfer", {"/to": "court"})))
    await act(busy, f"deliveries/{found['id']}/cancel")
    await act(busy, f"endpoints/{HR}/resume")
    await busy.stage.delivered(case, endpoint=COURT)
    assert (await delivery(busy, case, HR))["state"] == "cancelled"
    assert busy.stage.puppet(HR).sent == []
    history = await busy.stage.types(case)
    assert "delivery.cancelled" in history


@pytest.mark.parametrize(("arrived", "state"), [(True, "delivered"), (False, "relayed")])
async def test_a_delivery_in_doubt_is_a_persons_word(busy: Site, arrived: bool, state: str) -> None:
    union = busy.stage.puppet(UNION)
    union.acts["case.submitted"].append(RetryableError("timeout", maybe_accepted=True))
    case = await busy.case(name="collective")
    found = await reaches(busy, "in_doubt", case, UNION)
    assert [one["kind"] for one in (await seen(busy, "tasks"))["items"]] == ["in_doubt"]
    for wrong in ({}, {"arrived": "yes", "evidence": "x"}, {"arrived": True}, {"arrived": True, "evidence": " "}):
        await act(busy, f"deliveries/{found['id']}/resolve", wrong, 422)
    await act(busy, f"deliveries/{found['id']}/resolve", {"arrived": arrived, "evidence": "电话核实"})
    await reaches(busy, state, case, UNION)
    assert len([wire for wire in union.sent if wire.operation == "case.submitted"]) == (0 if arrived else 1)
    assert (await seen(busy, "tasks"))["items"] == []
    assert await trail(busy) == [("op", "delivery.resolve", found["id"], "电话核实")]


@pytest.mark.parametrize("call", ["redrive", "cancel", "resolve"])
async def test_an_unknown_delivery_is_404(site: Site, call: str) -> None:
    body = {"reason": "x", "arrived": True, "evidence": "x"}
    assert (await act(site, f"deliveries/dlv_01M7Q5CQG057N683VPG2HEWAGG/{call}", body, 404))["code"] == "not_found"
    for path in ("", "/attempts", "/wire"):
        assert (await site.op.get(f"/v1/ops/deliveries/dlv_none{path}")).status_code == 404


ACTS = (f"endpoints/{HR}/pause", "deliveries/dlv_x/redrive", "deliveries/dlv_x/resolve", "tasks/tsk_x/resolve")
BODIES = {b"{": 400, b"[]": 400, b'"x"': 400, b"7": 400, b"{}": 422, b'{"reason":""}': 422, b'{"reason":7}': 422}


@pytest.mark.parametrize("path", ACTS)
@pytest.mark.parametrize(("raw", "status"), BODIES.items())
@pytest.mark.asyncio(loop_scope="module")
async def test_an_act_needs_a_reason(shared: Site, path: str, raw: bytes, status: int) -> None:
    response = await shared.post(f"/v1/ops/{path}", raw, by=shared.op)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert await trail(shared) == []


async def test_a_reason_is_bounded(site: Site) -> None:
    await act(site, f"endpoints/{HR}/pause", {"reason": "x" * 501}, 422)
    response = await site.op.post(f"/v1/ops/endpoints/{HR}/pause")
    assert response.status_code == 422


async def test_lists_of_deliveries_are_filtered_and_paged(site: Site) -> None:
    cases = [await site.case() for _ in range(5)]
    everything = (await seen(site, "deliveries"))["items"]
    assert len(everything) == 10
    assert {one["endpoint"] for one in (await seen(site, f"deliveries?endpoint={HR}"))["items"]} == {HR}
    assert {one["case"] for one in (await seen(site, f"deliveries?case={cases[2]}"))["items"]} == {cases[2]}
    assert (await seen(site, "deliveries?state=delivered"))["items"] == []
    found, cursor = [], ""
    while True:
        page = await seen(site, f"deliveries?limit=3{f'&cursor={cursor}' if cursor else ''}")
        found += [one["id"] for one in page["items"]]
        if "cursor" not in page:
            break
        cursor = page["cursor"]
    assert found == [one["id"] for one in everything]
    for bad in ("cursor=x", "cursor=W10", "limit=0", "cursor=eyJhIjoxfQ", "cursor=%00"):
        assert (await site.op.get(f"/v1/ops/deliveries?{bad}")).status_code == 400, bad


# ---------------------------------------------------------------------------------------------------------------- tasks


async def test_tasks_are_given_and_closed(busy: Site) -> None:
    busy.stage.puppet(HR).acts["case.submitted"].append(PermanentError("4001"))
    case = await busy.case()
    await reaches(busy, "rejected", case, HR)
    (task,) = (await seen(busy, "tasks"))["items"]
    await act(busy, f"tasks/{task['id']}/assign", {"reason": "值班", "assignee": "zhang"})
    assert (await seen(busy, "tasks"))["items"][0]["assignee"] == "zhang"
    for wrong in ({"reason": "x"}, {"reason": "x", "assignee": ""}, {"reason": "x", "assignee": "z" * 101}):
        await act(busy, f"tasks/{task['id']}/assign", wrong, 422)
    await act(busy, f"tasks/{task['id']}/resolve", {"reason": "已电话告知"})
    assert (await seen(busy, "tasks"))["items"] == []
    (closed,) = (await seen(busy, "tasks?state=resolved"))["items"]
    assert closed["resolution"] == "op: 已电话告知"
    for call, body in (("resolve", {"reason": "x"}), ("assign", {"reason": "x", "assignee": "y"})):
        await act(busy, f"tasks/{task['id']}/{call}", body, 409)
        await act(busy, f"tasks/tsk_none/{call}", body, 404)
    assert [(entry[1], entry[3]) for entry in await trail(busy)] == [
        ("task.assign", "值班"),
        ("task.resolve", "已电话告知"),
    ]


async def test_orphans_are_listed(busy: Site) -> None:
    word = busy.stage.word("confirmation", "accepted", ("confirmation", "cnf_01M7Q5CQG057N683VPG2HEWAGG", ""))
    assert await busy.stage.say(word) == 200

    async def listed() -> list[Any]:
        items: list[Any] = (await seen(busy, "orphans"))["items"]
        return items

    (orphan,) = await until(listed, "the orphan is listed")
    assert (orphan["endpoint"], orphan["state"], orphan["code"]) == (HR, "orphan", "not_known")
