"""Bulk redrives over the API: a preview that changes nothing, a frozen list, a second person, and how it goes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from contracts.errors import PermanentError, RetryableError
from contracts.messages import HR, ONE_STOP, UNION
from gateway.flow.moving.references import fold
from gateway.flow.operating.bulk import Bulk
from gateway.security.clients import OPERATOR_SCOPES
from gateway.store import console
from gateway.store.lists import list_deliveries
from tests.flow.stage import until
from tests.web.site import Site
from tests.web.test_ops import trail

PATH = "/v1/ops/redrives"
REFUSED = PermanentError("E1001")
START = {"reason": "平台维护结束", "rate": 100, "canary": 3}
ALL = {"endpoint": HR, "state": "rejected"}


async def ask(
    site: Site, body: dict[str, Any], status: int = 202, path: str = "", by: httpx.AsyncClient | None = None
) -> dict[str, Any]:
    response = await site.post(PATH + path, body, by=by or site.op)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def preview(site: Site, filters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await ask(site, {"filter": filters, "preview": True} | more, 200)


async def get(site: Site, path: str) -> dict[str, Any]:
    response = await site.op.get(PATH + path)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def rejected(site: Site) -> list[str]:
    return [row["id"] for row in await site.house.store.run(list_deliveries, "rejected", "", "", 1000)]


async def refused_cases(site: Site, many: int, endpoint: str = HR) -> list[str]:
    before = set(await rejected(site))
    site.stage.puppet(endpoint).acts["case.submitted"].extend([REFUSED] * many)
    for _ in range(many):
        await site.case()

    async def all_of_them() -> list[str]:
        found = [one for one in await rejected(site) if one not in before]
        return sorted(found) if len(found) == many else []

    found: list[str] = await until(all_of_them, "they are refused")
    return found


async def ended(site: Site, job: str, state: str = "done") -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        found = await get(site, f"/{job}")
        return found if found["state"] == state else None

    result: dict[str, Any] = await until(there, f"the job is {state}", 20)
    return result


async def at_rest(site: Site) -> dict[str, int]:
    """What is stored, once the house's own news of what went before is written."""
    seen: dict[str, int] = {}
    while (found := await site.counts()) != seen:
        seen = found
        await asyncio.sleep(1)
    return seen


async def second_operator(site: Site) -> httpx.AsyncClient:
    return await site.caller("op2", OPERATOR_SCOPES, ("*",))


# ------------------------------------------------------------------------------------------------------------- preview


async def test_a_preview_tells_everything_and_changes_nothing(busy: Site) -> None:
    mine = await refused_cases(busy, 3)
    await refused_cases(busy, 2, ONE_STOP)
    before, acts = await at_rest(busy), await trail(busy)
    told = await preview(busy, ALL)
    assert (told["preview"], told["kind"], told["count"], told["more"]) == (True, "same", 3, False)
    assert (told["by_class"], told["by_type"], told["by_code"]) == (
        {"standard": 3},
        {"case.submitted": 3},
        {"E1001": 3},
    )
    assert told["by_endpoint"] == [{"endpoint": HR, "count": 3, "delivery_class": "idempotent", "paused": False}]
    assert {one["id"] for one in told["sample"]} == set(mine)
    assert {tuple(one) for one in told["sample"]} == {("id", "endpoint", "type", "class", "state", "code", "case")}
    assert (told["needs_second"], told["statutory"], told["left_out"]) == (False, 0, {})
    everywhere = await preview(busy, {"state": ["rejected", "dead"], "code": "E1001"})
    assert everywhere["count"] == 5
    assert await busy.counts() == before
    assert await trail(busy) == acts
    assert (await get(busy, ""))["items"] == []
    assert set(await rejected(busy)) >= set(mine)


async def test_filters_narrow(busy: Site) -> None:
    mine = await refused_cases(busy, 3)
    case = (await busy.house.store.rows("delivery", mine[0]))[0]["subject"]
    number = (await busy.up.get(f"/v1/cases/{case}")).json()["document"]["source_case_no"]

    async def tallied() -> bool:
        return bool(await busy.house.store.runner.read(console.find_numbers, fold(number), 5))

    await until(tallied, "the number is in the search index")
    for filters, count in (
        ({"case": case}, 1),
        ({"case": number}, 1),
        ({"deliveries": mine[:2]}, 2),
        ({"organization": "SD-JN-LX-001"}, 3),
        ({"organization": "SD-LY-LS-007", "endpoint": HR}, 0),
        ({"type": "agreement.concluded"}, 0),
        ({"endpoint": HR, "to": "2020-01-01T00:00:00+08:00"}, 0),
        ({"endpoint": HR, "from": "2020-01-01T00:00:00+08:00"}, 3),
    ):
        assert (await preview(busy, filters))["count"] == count, filters


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no filter": ({}, "redrive_form", "/filter"),
    "filter of another type": ({"filter": "all"}, "redrive_form", "/filter"),
    "empty filter": ({"filter": {}}, "empty_filter", "/filter"),
    "misspelt": ({"filter": {"endpont": HR}}, "redrive_form", "/filter/endpont"),
    "unknown field": ({"filter": ALL, "dry_run": True}, "redrive_form", "/dry_run"),
    "unknown endpoint": ({"filter": {"endpoint": "nobody"}}, "redrive_form", "/filter/endpoint"),
    "unknown state": ({"filter": {"state": "delivered"}}, "redrive_form", "/filter/state"),
    "empty list": ({"filter": {"endpoint": []}}, "redrive_form", "/filter/endpoint"),
    "control character": ({"filter": {"case": "a\x00"}}, "redrive_form", "/filter/case"),
    "number for text": ({"filter": {"code": 7}}, "redrive_form", "/filter/code"),
    "unknown type": ({"filter": {"type": ["case"]}}, "redrive_form", "/filter/type"),
    "naive time": ({"filter": {"from": "2026-10-01T00:00:00"}}, "redrive_form", "/filter/from"),
    "no time": ({"filter": {"to": 7}}, "redrive_form", "/filter/to"),
    "no ids": ({"filter": {"deliveries": ["x"]}}, "redrive_form", "/filter/deliveries"),
    "ids and more": (
        {"filter": {"deliveries": ["dlv_01M7Q5CQG057N683VPG2HEWAGG"], "state": "dead"}},
        "redrive_form",
        "/filter/deliveries",
    ),
    "unknown kind": ({"filter": ALL, "kind": ["same"]}, "redrive_form", "/kind"),
    "rate": ({"filter": ALL, "rate": 0}, "redrive_form", "/rate"),
    "rate of another type": ({"filter": ALL, "rate": True}, "redrive_form", "/rate"),
    "canary": ({"filter": ALL, "canary": 1000}, "redrive_form", "/canary"),
    "stop rule": ({"filter": ALL, "stop_percent": "x"}, "redrive_form", "/stop_percent"),
    "bound": ({"filter": ALL, "bound": "x"}, "redrive_form", "/bound"),
    "flag": ({"filter": ALL, "overtaken": "yes"}, "redrive_form", "/overtaken"),
    "look-up of the refused": ({"filter": ALL, "kind": "lookup"}, "redrive_form", "/filter/state"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_not_understood_is_refused_field_by_field(shared: Site, name: str) -> None:
    body, code, pointer = BAD[name]
    for more in ({"preview": True}, START):
        found = await ask(shared, {**more, **body}, 422)
        assert found["code"] == code
        assert pointer in {error["pointer"] for error in found["errors"]}, found
        assert all(error["message"] and error["message_zh"] for error in found["errors"])
    response = await shared.op.post(PATH, json={**START, **body}, headers={"Accept-Language": "en"})
    assert response.json()["detail"].isascii() or "…" in response.json()["detail"]
    assert (await get(shared, ""))["items"] == []


@pytest.mark.parametrize("reason", [None, "", "  ", 7, "x" * 501, "a\x00b"])
@pytest.mark.asyncio(loop_scope="module")
async def test_a_start_needs_a_reason(shared: Site, reason: Any) -> None:
    found = await ask(shared, {"filter": ALL} | ({} if reason is None else {"reason": reason}), 422)
    assert (found["code"], [error["pointer"] for error in found["errors"]]) == ("reason_missing", ["/reason"])


async def test_nothing_that_matches_is_told(busy: Site) -> None:
    assert (await ask(busy, {"filter": ALL} | START, 422))["code"] == "nothing_to_redrive"
    found = await ask(busy, {"filter": {"case": "370102-XX-0000"}, "preview": True}, 422)
    assert (found["code"], found["field"]) == ("nothing_to_redrive", "/filter/case")


# --------------------------------------------------------------------------------------------------------------- start


async def test_a_job_runs_over_the_frozen_list_and_tells_how_it_goes(busy: Site) -> None:
    mine = await refused_cases(busy, 5)
    bound = (await preview(busy, ALL))["bound"]
    later = await refused_cases(busy, 1)
    response = await busy.post(PATH, {"filter": ALL, "bound": bound} | START, by=busy.op)
    assert response.status_code == 202
    job = response.json()
    assert response.headers["Location"] == f"{PATH}/{job['id']}"
    assert (job["state"], job["total"], job["needs_second"], job["filter"]) == ("running", 5, False, ALL)
    assert (job["rate"], job["canary"], job["stop_percent"], job["asked_by"]) == (100.0, 3, 20, "op")
    done = await ended(busy, job["id"])
    assert done["counts"] == {"waiting": 0, "sent": 0, "ok": 5, "failed": 0, "skipped": 0}
    assert "finished_at" in done
    assert await rejected(busy) == later, "what failed after the preview is not of the list"
    items = await get(busy, f"/{job['id']}/items?state=ok&limit=2")
    assert [item["delivery"] for item in items["items"]] == mine[:2]
    more = await get(busy, f"/{job['id']}/items?state=ok&limit=3&cursor={items['cursor']}")
    assert [item["delivery"] for item in more["items"]] == mine[2:]
    acts = await trail(busy)
    assert ("op", "job.ask", job["id"], "平台维护结束") in acts
    redriven = [entry for entry in acts if entry[1] == "delivery.redrive"]
    assert sorted(entry[2] for entry in redriven) == mine
    assert {entry[3] for entry in redriven} == {f"平台维护结束 [{job['id']}]"}
    assert [one["id"] for one in (await get(busy, ""))["items"]] == [job["id"]]


async def test_too_many_that_fail_again_stop_it(busy: Site) -> None:
    await refused_cases(busy, 6)
    busy.stage.puppet(HR).acts["case.submitted"].extend([REFUSED] * 6)
    job = await ask(busy, {"filter": ALL} | START)
    stopped = await ended(busy, job["id"], "stopped")
    assert (stopped["code"], stopped["counts"]["failed"], stopped["counts"]["waiting"]) == ("failed_again", 1, 5)
    items = await get(busy, f"/{job['id']}/items")
    assert [(item["state"], item["code"]) for item in items["items"]] == [("failed", "E1001")]


async def test_jobs_are_paused_continued_and_cancelled_by_a_word_with_a_reason(busy: Site) -> None:
    await refused_cases(busy, 4)
    await busy.post(f"/v1/ops/endpoints/{HR}/pause", {"reason": "x"}, by=busy.op)
    job = await ask(busy, {"filter": ALL} | START)
    assert (await ask(busy, {}, 422, f"/{job['id']}/pause"))["code"] == "reason_missing"
    assert (await ask(busy, {"reason": "等一等"}, 200, f"/{job['id']}/pause"))["state"] == "paused"
    assert (await ask(busy, {"reason": "x"}, 409, f"/{job['id']}/pause"))["code"] == "redrive_state"
    assert (await ask(busy, {"reason": "继续"}, 200, f"/{job['id']}/continue"))["state"] == "running"
    assert (await ask(busy, {"reason": "不做了"}, 200, f"/{job['id']}/cancel"))["state"] == "cancelled"
    assert (await ask(busy, {"reason": "x"}, 409, f"/{job['id']}/cancel"))["code"] == "redrive_state"
    assert [entry[1] for entry in await trail(busy) if entry[2] == job["id"]] == [
        "job.ask",
        "job.pause",
        "job.continue",
        "job.cancel",
    ]
    for act in ("approve", "pause", "continue", "cancel"):
        assert (await ask(busy, {"reason": "x"}, 404, f"/job_none/{act}"))["code"] == "not_found"
    for path in ("/job_none", "/job_none/items", "/%00", "/job_01M7Q5CQG057N683VPG2HEWAGG"):
        assert (await busy.op.get(PATH + path)).status_code == 404
    for path in ("?cursor=W10", "?cursor=WzFd", f"/{job['id']}/items?cursor=WyJ4Il0", "?limit=0"):
        assert (await busy.op.get(PATH + path)).status_code == 400, path
    assert (await busy.op.get(f"{PATH}/{job['id']}/items?state=nonsense")).status_code == 400


async def test_legal_documents_wait_for_another_operator(busy: Site) -> None:
    case = await busy.case()
    await busy.stage.delivered(case)
    busy.stage.puppet(HR).acts["agreement.concluded"].append(REFUSED)
    await busy.agreement(case)
    await until(lambda: rejected(busy), "the agreement is refused")
    told = await preview(busy, {"endpoint": HR})
    assert (told["needs_second"], told["statutory"], told["by_class"]) == (True, 1, {"statutory": 1})
    job = await ask(busy, {"filter": {"endpoint": HR}} | START)
    assert job["state"] == "asked"
    own = await ask(busy, {"reason": "同意"}, 409, f"/{job['id']}/approve")
    assert own["code"] == "second_person"
    assert (await get(busy, f"/{job['id']}"))["state"] == "asked"
    other = await second_operator(busy)
    approved = await ask(busy, {"reason": "同意"}, 200, f"/{job['id']}/approve", by=other)
    assert (approved["state"], approved["approved_by"]) == ("running", "op2")
    assert (await ended(busy, job["id"]))["counts"]["ok"] == 1
    assert ("op2", "job.approve", job["id"], "同意") in await trail(busy)


# ------------------------------------------------------------------------------------------------------- kinds, overtaken


async def overtaken(site: Site) -> tuple[str, str]:
    """A refused step that a later one has overtaken; both deliveries."""
    case = await site.case()
    await site.stage.delivered(case)
    site.stage.puppet(HR).acts["case.progressed"].append(REFUSED)
    await site.stage.progress(case, "mediating")
    await until(lambda: rejected(site), "the step is refused")
    await site.stage.progress(case, "failed", "2026-10-09T11:00:00+08:00")
    await site.stage.delivered(case)
    rows = (await site.stage.file(case)).deliveries
    later = next(row.id for row in rows if row.endpoint == HR and row.state == "delivered" and row.sequence > 2)
    return (await rejected(site))[0], later


async def test_what_was_overtaken_is_told_before_and_skipped(busy: Site) -> None:
    old, later = await overtaken(busy)
    (other,) = await refused_cases(busy, 1)
    told = await preview(busy, ALL)
    assert (told["count"], told["left_out"]) == (1, {"overtaken": 1})
    assert told["overtaken"] == [{"id": old, "why": "overtaken", "by": later}]
    job = await ask(busy, {"filter": ALL} | START)
    assert (await ended(busy, job["id"]))["counts"]["ok"] == 1
    assert await rejected(busy) == [old]
    assert other != old
    told = await preview(busy, ALL, overtaken=True)
    assert (told["count"], told["left_out"], len(told["overtaken"])) == (1, {}, 1)
    job = await ask(busy, {"filter": ALL, "overtaken": True} | START)
    assert (await ended(busy, job["id"]))["overtaken"] is True
    assert await rejected(busy) == []


async def test_what_is_overtaken_while_the_job_waits_is_skipped(busy: Site) -> None:
    case = await busy.case()
    await busy.stage.delivered(case)
    busy.stage.puppet(HR).acts["case.progressed"].append(REFUSED)
    await busy.stage.progress(case, "mediating")
    (old,) = await until(lambda: rejected(busy), "the step is refused")
    await busy.house.worker.stop()  # nothing moves between the question and the job's turn
    job = await ask(busy, {"filter": ALL} | START)
    await busy.stage.progress(case, "failed", "2026-10-09T11:00:00+08:00")
    row = next(one for one in (await busy.stage.file(case)).deliveries if one.endpoint == HR and one.state == "pending")
    claims = await busy.house.worker._deliverer.take(10)
    for claim in claims:
        await busy.house.worker._deliverer.bring(claim)
    bulk = busy.house.worker.loop("bulk").turn
    for _ in range(2):
        await bulk()
        await busy.house.store.write("rest_job", (job["id"], 0))
    found = await get(busy, f"/{job['id']}/items?state=skipped")
    assert found["items"] == [{"delivery": old, "state": "skipped", "code": "overtaken"}]
    assert row.id in {claim.delivery for claim in claims}
    assert (await get(busy, f"/{job['id']}"))["state"] == "done"


async def test_a_job_translates_anew(busy: Site) -> None:
    mine = await refused_cases(busy, 2)
    contexts = len(busy.stage.puppet(HR).contexts)
    job = await ask(busy, {"filter": ALL, "kind": "retranslate"} | START)
    assert (await ended(busy, job["id"]))["counts"] == {"waiting": 0, "sent": 0, "ok": 2, "failed": 0, "skipped": 0}
    made = [item["delivery"] for item in (await get(busy, f"/{job['id']}/items?state=ok"))["items"]]
    assert set(made).isdisjoint(mine), "the job follows the new ones"
    assert len(busy.stage.puppet(HR).contexts) == contexts + 2
    for one in mine:
        assert (await busy.op.get(f"/v1/ops/deliveries/{one}")).json()["state"] == "superseded"
    for one in made:
        assert (await busy.op.get(f"/v1/ops/deliveries/{one}")).json()["state"] == "delivered"


async def test_a_job_that_died_behind_a_translation_follows_the_new_one(busy: Site) -> None:
    mine = await refused_cases(busy, 2)
    job = await ask(busy, {"filter": ALL, "kind": "retranslate"} | START | {"rate": 0.02, "canary": 1})
    made = (await single(busy, mine[1], {"kind": "retranslate"}))["id"]  # as if the job had, and had not noted it
    await busy.house.store.write("move_job", (job["id"], "running", "paused", None))
    bulk = Bulk(busy.house.store, busy.house.endpoints, busy.house.bells.committed, busy.house.lines)
    row = await busy.house.store.row("job", job["id"])
    assert row is not None
    await bulk._send(row, 2)
    await busy.house.store.write("move_job", (job["id"], "paused", "running", None))
    done = await ended(busy, job["id"])
    assert (done["counts"]["ok"], done["counts"]["skipped"]) == (2, 0)
    assert made in [item["delivery"] for item in (await get(busy, f"/{job['id']}/items?state=ok"))["items"]]


async def test_a_job_only_asks(busy: Site) -> None:
    def unheard(wire: Any) -> Any:
        raise RetryableError("timeout", maybe_accepted=True)

    union = busy.stage.puppet(UNION)
    union.acts["case.submitted"].extend([unheard, RetryableError("timeout", maybe_accepted=True)])
    for _ in range(2):
        case = await busy.case(name="collective")
        await until(lambda: busy.stage.tasks("in_doubt"), "it is in doubt")
    await until(lambda: _two_tasks(busy), "both are in doubt")
    told = await preview(busy, {"endpoint": UNION}, kind="lookup")
    assert (told["count"], told["kind"], told["needs_second"]) == (2, "lookup", False)
    sent = len(union.sent)
    job = await ask(busy, {"filter": {"endpoint": UNION}, "kind": "lookup"} | START | {"stop_percent": 100})
    done = await ended(busy, job["id"])
    assert (done["counts"]["ok"], done["counts"]["failed"], done["kind"]) == (1, 1, "lookup")
    (failed,) = (await get(busy, f"/{job['id']}/items"))["items"]
    assert failed["code"] == "not_found_there"
    assert len(union.sent) == sent, "nothing was sent"
    assert case


async def _two_tasks(site: Site) -> bool:
    return len(await site.stage.tasks("in_doubt")) == 2


# -------------------------------------------------------------------------------------------------------------- single


async def single(site: Site, delivery: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    response = await site.post(f"/v1/ops/deliveries/{delivery}/redrive", {"reason": "x"} | body, by=site.op)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_single_redrive_has_the_same_kinds(busy: Site) -> None:
    (first,) = await refused_cases(busy, 1)
    for wrong in ({"kind": "x"}, {"kind": 7}, {"overtaken": "yes"}):
        assert (await single(busy, first, wrong, 422))["code"] == "redrive_form"
    assert (await single(busy, first, {"kind": "lookup"}, 409))["code"] == "state"
    made = await single(busy, first, {"kind": "retranslate"})
    assert (made["state"], made["replaces"]) == ("pending", first)
    assert made["id"] != first


async def test_a_single_redrive_asks_for_a_second_word(busy: Site) -> None:
    old, later = await overtaken(busy)
    refused = await single(busy, old, {}, 409)
    assert (refused["code"], refused["by"], refused["state"]) == ("overtaken", later, "rejected")
    assert refused["title"] == "已被后续投递越过"
    assert (await single(busy, old, {"overtaken": True}))["state"] == "pending"


async def test_a_single_look_up_tells_what_it_found(busy: Site) -> None:
    busy.stage.puppet(UNION).acts["case.submitted"].append(RetryableError("timeout", maybe_accepted=True))
    case = await busy.case(name="collective")
    await until(lambda: busy.stage.tasks("in_doubt"), "it is in doubt")
    row = next(one for one in (await busy.stage.file(case)).deliveries if one.endpoint == UNION)
    found = await single(busy, row.id, {"kind": "lookup"})
    assert found == {"id": row.id, "state": "in_doubt", "found": False, "conclusive": True}
