"""Bulk redrives: a frozen list, a canary, a rate, a stop rule, a second person, and a restart in the middle."""

from __future__ import annotations

import re

import pytest

from contracts.errors import PermanentError
from contracts.messages import HR, ONE_STOP
from gateway.flow.moving.acts import ActRefused
from gateway.flow.moving.order import Principal
from gateway.flow.operating.bulk import Bulk, share
from gateway.store.console import DeliveryFilter
from gateway.store.engine import Row
from gateway.store.lists import list_deliveries
from tests.console.counter import Counter, open_counter
from tests.flow.puppets import PUPPETS
from tests.flow.stage import until
from tests.house import Gateways
from tests.web.site import site as open_site

HOW = {"reason": "平台维护结束", "per_minute": "6000", "canary": "3", "stop_percent": "20"}
REFUSED = PermanentError("E1001")


async def refused_cases(counter: Counter, many: int, endpoint: str = HR) -> list[str]:
    """So many cases that a platform refused; the ids of their deliveries there."""
    puppet = counter.site.stage.puppet(endpoint)
    before = {row["id"] for row in await rejected(counter)}
    puppet.acts["case.submitted"].extend([REFUSED] * many)
    for _ in range(many):
        await counter.site.case()

    async def all_of_them() -> list[str]:
        found = [row["id"] for row in await rejected(counter) if row["id"] not in before]
        return sorted(found) if len(found) == many else []

    found: list[str] = await until(all_of_them, "they are refused")
    return found


async def rejected(counter: Counter) -> list[Row]:
    return await counter.site.house.store.run(list_deliveries, "rejected", "", "", 1000)


async def job_of(counter: Counter, identifier: str) -> tuple[str, dict[str, int]]:
    store = counter.site.house.store
    row = await store.row("job", identifier)
    assert row is not None
    return row["state"], {one["state"]: one["many"] for one in await store.rows("job_counts", identifier)}


async def ended(counter: Counter, identifier: str, state: str = "done") -> dict[str, int]:
    async def there() -> bool:
        return (await job_of(counter, identifier))[0] == state

    await until(there, f"the job is {state}", 20)
    return (await job_of(counter, identifier))[1]


async def asked(counter: Counter, fields: dict[str, str]) -> str:
    answer = await counter.operator.post("jobs", HOW | fields)
    assert answer.status_code == 303, re.findall(r'class="problem"[^>]*>([^<]*)', answer.text)
    return str(answer.headers["location"].rpartition("/")[2])


def test_one_then_a_few_then_the_rest_at_the_rate() -> None:
    assert share(0, 0, 10, 120) == 1
    assert share(1, 1, 10, 120) == 0
    assert share(1, 0, 10, 120) == 9
    assert share(10, 4, 10, 120) == 0
    assert share(10, 0, 10, 120) == 1
    assert share(40, 7, 10, 1200) == 10
    assert share(12, 3, 10, 30) == 1


async def test_nothing_asked_is_not_everything(counter: Counter) -> None:
    await refused_cases(counter, 2)
    for path in ("jobs/new", "jobs/new?state=", "jobs/new?platform=", "jobs/new?nonsense=1"):
        assert (await counter.operator.get(path)).status_code == 422, path
    assert (await counter.operator.post("jobs", HOW)).status_code == 422
    assert (await counter.operator.post("jobs", HOW | {"state": "delivered"})).status_code == 422
    with pytest.raises(ActRefused, match="empty_filter"):
        await Bulk(counter.site.house.store, counter.site.house.endpoints).preview(DeliveryFilter())
    assert await counter.site.house.store.rows("newest_jobs", "zzz", 9) == []


async def test_what_was_previewed_is_what_is_sent_and_nothing_later(counter: Counter) -> None:
    frozen = await refused_cases(counter, 6)
    other = await refused_cases(counter, 2, ONE_STOP)
    page = (await counter.operator.get(f"jobs/new?state=rejected&platform={HR}")).text
    bound = re.search(r'name="bound" value="(dlv_\w+)"', page)
    assert bound is not None
    assert "<span>将重投</span><b>6</b>" in page
    later = await refused_cases(counter, 3)
    job = await asked(counter, {"state": "rejected", "platform": HR, "bound": bound.group(1)})
    assert await ended(counter, job) == {"ok": 6}
    left = {row["id"] for row in await rejected(counter)}
    assert left == {*later, *other}
    sent = [wire.id for wire in counter.site.stage.puppet(HR).sent if wire.id in frozen]
    assert sorted(sent) == frozen
    assert sent[0] == frozen[0]
    acts = [
        row
        for row in await counter.site.house.store.rows("newest_audit", 2**62, 50)
        if row["act"] == "delivery.redrive"
    ]
    assert len(acts) == 6
    assert all(row["actor"] == "user:oper01" and row["reason"].endswith(f"[{job}]") for row in acts)


async def test_the_canary_stops_a_bad_batch(counter: Counter) -> None:
    await refused_cases(counter, 8)
    puppet = counter.site.stage.puppet(HR)
    puppet.acts["case.submitted"].extend([REFUSED] * 20)
    job = await asked(counter, {"state": "rejected", "platform": HR})
    assert await ended(counter, job, "stopped") == {"failed": 1, "waiting": 7}
    page = (await counter.operator.get(f"jobs/{job}")).text
    assert "再次失败过多" in page
    puppet.acts["case.submitted"].clear()
    again = await asked(counter, {"job": job})
    assert await ended(counter, again) == {"ok": 8}
    assert await rejected(counter) == []


async def test_statutory_documents_need_a_second_person(counter: Counter) -> None:
    await counter.journey()
    job = await asked(counter, {"state": "rejected"})
    assert (await job_of(counter, job))[0] == "asked"
    page = (await counter.operator.get(f"jobs/{job}")).text
    opened = re.findall(r'aria-current="true">([^<]*)</a>', page)
    assert opened == ["等待 1"], "what there is stands open, not an empty list of failures"
    assert (await counter.operator.post(f"jobs/{job}/approve")).status_code == 403
    admin = counter.visitors["administrator"]
    own = await admin.post("jobs", HOW | {"state": "rejected"})
    own_job = own.headers["location"].rpartition("/")[2]
    assert (await admin.post(f"jobs/{own_job}/approve")).status_code == 409
    assert (await admin.post(f"jobs/{own_job}/cancel")).status_code == 303
    assert (await admin.post(f"jobs/{job}/approve")).status_code == 303
    assert await ended(counter, job) == {"ok": 1}
    row = await counter.site.house.store.row("job", job)
    assert row is not None
    assert (row["actor"], row["approver"]) == ("user:oper01", "user:admi01")
    assert (await admin.post(f"jobs/{job}/approve")).status_code == 409


async def test_chosen_rows_alone(counter: Counter) -> None:
    chosen = (await refused_cases(counter, 4))[:2]
    page = await counter.operator.http.post(
        "/console/jobs/preview",
        data={"form_token": (await token(counter)), "id": chosen},
        headers={"Origin": "http://gateway.test"},
    )
    assert page.status_code == 200
    assert page.text.count('type="hidden" name="id"') == 2
    answer = await counter.operator.http.post(
        "/console/jobs",
        data={"form_token": (await token(counter)), "id": chosen, **HOW},
        headers={"Origin": "http://gateway.test"},
    )
    assert await ended(counter, answer.headers["location"].rpartition("/")[2]) == {"ok": 2}
    assert len(await rejected(counter)) == 2


async def token(counter: Counter) -> str:
    found = re.search(r'name="form_token" value="(\w+)"', (await counter.operator.get("jobs")).text)
    assert found is not None
    return found.group(1)


async def test_a_paused_job_waits_and_a_cancelled_one_ends(counter: Counter) -> None:
    await refused_cases(counter, 5)
    job = await asked(counter, {"state": "rejected", "platform": HR, "per_minute": "30", "canary": "1"})
    assert (await counter.operator.post(f"jobs/{job}/pause")).status_code == 303
    before = (await job_of(counter, job))[1]
    assert (await job_of(counter, job))[0] == "paused"
    assert before.get("waiting", 0) >= 3
    assert (await counter.operator.post(f"jobs/{job}/pause")).status_code == 409
    assert (await counter.operator.post(f"jobs/{job}/continue")).status_code == 303
    assert (await counter.operator.post(f"jobs/{job}/cancel")).status_code == 303
    assert (await job_of(counter, job))[0] == "cancelled"
    assert (await counter.operator.post(f"jobs/{job}/continue")).status_code == 409


async def test_a_job_goes_on_after_the_process_died(gateway: Gateways) -> None:
    endpoints = {name: {"adapter": name} for name in PUPPETS}
    house = await gateway(endpoints, adapters=PUPPETS)
    async with open_site(house) as site, open_counter(site) as counter:
        dead = await refused_cases(counter, 5)
        await house.store.write("pause_endpoint", (HR, "test", "holds"))
        bulk = Bulk(house.store, house.endpoints)
        preview = await bulk.preview_of(dead)
        job = await bulk.ask(
            Principal("user:x", frozenset({"*"}), frozenset()),
            preview,
            reason="again",
            told={"chosen": 5},
            per_minute=6000,
            canary=2,
            stop_percent=50,
        )

        async def begun() -> bool:
            return (await job_of(counter, job))[1].get("sent") == 1

        await until(begun, "one is on its way")
    await gateway.abandon(house)
    second = await gateway(endpoints, adapters=PUPPETS)
    await second.store.write("resume_endpoint", (HR,))

    async def done() -> bool:
        row = await second.store.row("job", job)
        return row is not None and row["state"] == "done"

    await until(done, "the job is done", 20)
    counts = {row["state"]: row["many"] for row in await second.store.rows("job_counts", job)}
    assert counts == {"ok": 5}


async def test_a_job_of_the_api_is_shown_with_its_lists(counter: Counter) -> None:
    await refused_cases(counter, 2)
    filters = {"endpoint": [HR, ONE_STOP], "state": ["rejected", "dead"], "type": ["case.submitted", "case.revised"]}
    body = {"filter": filters, "reason": "接口发起", "rate": 100}
    made = await counter.site.post("/v1/ops/redrives", body, by=counter.site.op)
    assert made.status_code == 202, made.text
    job = made.json()["id"]
    for path in ("jobs", f"jobs/{job}"):
        page = await counter.operator.get(path)
        assert page.status_code == 200
        assert "接口发起" in page.text or path == "jobs"
    assert (await ended(counter, job))["ok"] == 2
