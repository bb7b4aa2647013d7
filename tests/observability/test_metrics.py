"""Figures for Prometheus: what is counted, how few labels there are, what a look costs; nothing personal in them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from contracts.errors import RetryableError
from contracts.messages import COURT, HR, UNION, MessageType
from gateway.flow.gauges import TEXTS, Gauges, now_standing
from gateway.flow.house import House
from gateway.flow.moving.order import Refused
from gateway.observability.metrics import OTHER, WEBHOOK, Metrics
from gateway.store import standing
from gateway.web.api.health import figures
from gateway.web.figures import figures_door
from tests.flow import papers
from tests.flow.stage import Stage, until
from tests.house import Gateways
from tests.web.site import Site


async def read(house: House) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample by its name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in families((await figures(house)).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def at(found: dict[str, dict[tuple[tuple[str, str], ...], float]], name: str, **labels: str) -> float:
    """One sample; 0 where there is none."""
    return found.get(name, {}).get(tuple(sorted(labels.items())), 0.0)


async def test_the_journey_is_counted_and_timed(stage: Stage) -> None:
    house = stage.house
    case = await stage.case()
    await stage.delivered(case, "case.submitted", endpoint=HR)
    with pytest.raises(Refused):
        await stage.post(MessageType.CASE_SUBMITTED, b"{")
    repeat = papers.raw("wages")
    await stage.post(MessageType.CASE_SUBMITTED, repeat, key="k-1")
    await stage.post(MessageType.CASE_SUBMITTED, repeat, key="k-1")
    orphan = stage.word("confirmation", "confirmed", ("reference", "ZZ-1", "platform_no"))
    await stage.say(orphan)
    await stage.say(orphan)
    await stage.say(orphan, headers={})

    async def counted() -> bool:
        found = await read(house)
        return (
            at(found, "gateway_exchange_seconds_count", endpoint=HR, **{"class": "standard"}) >= 1
            and at(found, "gateway_delivered_seconds_count", endpoint=HR, **{"class": "standard"}) >= 1
        )

    await until(counted, "the delivery is counted")
    found = await read(house)
    kind = "case.submitted"
    assert at(found, "gateway_intake_total", type=kind, outcome="accepted") == 2
    assert at(found, "gateway_intake_total", type=kind, outcome="replayed") == 1
    assert at(found, "gateway_intake_total", type=kind, outcome="json_invalid") == 1
    assert at(found, "gateway_intake_seconds_count", type=kind) == 4
    assert at(found, "gateway_exchanges_total", endpoint=HR, outcome="delivered", **{"class": "standard"}) >= 1
    assert at(found, "gateway_callbacks_received_total", endpoint=HR, outcome="stored") == 1
    assert at(found, "gateway_callbacks_received_total", endpoint=HR, outcome="duplicate") == 1
    assert at(found, "gateway_callbacks_received_total", endpoint=HR, outcome="rejected") == 1
    for group in ("commit", "settle", "freeze", "callback"):
        assert at(found, "gateway_commit_seconds_count", group=group) >= 1
        assert at(found, "gateway_commit_units_sum", group=group) >= 1
    assert at(found, "process_resident_memory_bytes") > 1e6


async def test_failures_say_where_and_why(stage: Stage) -> None:
    stage.puppet(HR).acts["case.submitted"] += [RetryableError("timeout"), RetryableError("E77:wire 1", "text")]
    case = await stage.case()
    await stage.delivered(case, "case.submitted", endpoint=HR)

    async def counted() -> bool:
        found = await read(stage.house)
        return at(found, "gateway_exchanges_total", endpoint=HR, outcome="delivered", **{"class": "standard"}) == 1

    await until(counted, "the delivery is counted")
    found = await read(stage.house)
    assert at(found, "gateway_exchanges_total", endpoint=HR, outcome="pending", **{"class": "standard"}) == 2
    assert at(found, "gateway_exchange_failures_total", endpoint=HR, code="timeout") == 1
    assert at(found, "gateway_exchange_failures_total", endpoint=HR, code="E77") == 1


async def test_a_call_that_is_applied_is_timed_and_a_later_word_counts_as_delivery(stage: Stage) -> None:
    case = await stage.case(name="collective")
    await stage.delivered(case, "case.submitted", endpoint=UNION)
    relayed = next(row for row in (await stage.file(case)).deliveries if row.endpoint == UNION)
    assert relayed.state == "relayed"
    word = stage.word("delivery", "accepted", ("delivery", relayed.id, ""))
    await stage.tell(word, endpoint=UNION)
    found = await read(stage.house)
    assert at(found, "gateway_delivered_seconds_count", endpoint=UNION, **{"class": "standard"}) == 1
    assert at(found, "gateway_callbacks_applied_total", endpoint=UNION, outcome="applied") == 1
    assert at(found, "gateway_callback_seconds_count", endpoint=UNION) == 1


async def test_gauges_show_what_stands(still: Stage, gateway: Gateways) -> None:
    house = still.house
    await still.case()
    _, _, confirmation = await still.chain()
    assert confirmation
    gateway.clock.skip(90)
    await house.store.write("set_breaker", (HR, 7, "open"))
    await house.store.write("pause_endpoint", (UNION, "user:a", "x"))
    await still.say(still.word("confirmation", "confirmed", ("reference", "ZZ-1", "platform_no")))
    await house.store.write("open_alert", ("alt_1", "breaker", HR, "7"))
    found = await read(house)
    assert at(found, "gateway_backlog", endpoint=HR, **{"class": "standard"}) == 2
    assert at(found, "gateway_backlog", endpoint=HR, **{"class": "statutory"}) == 2
    assert at(found, "gateway_deliveries", endpoint=HR, state="pending") == 4
    assert 89 < at(found, "gateway_backlog_oldest_seconds", endpoint=HR, **{"class": "standard"}) < 120
    assert (at(found, "gateway_breaker_open", endpoint=HR), at(found, "gateway_breaker_open", endpoint=UNION)) == (1, 0)
    assert at(found, "gateway_endpoint_paused", endpoint=UNION) == 1
    assert at(found, "gateway_endpoint_failures", endpoint=HR) == 7
    assert at(found, "gateway_callbacks", endpoint=HR, state="stored") == 1
    assert at(found, "gateway_alerts_open", rule="breaker", severity="critical") == 1
    assert at(found, "gateway_worker_slots", state="free") == house.settings.concurrency
    assert sum(found["gateway_clocks"].values()) >= 1
    assert at(found, "gateway_events_unnumbered") > 0
    assert set(found["gateway_clocks"]) == {(("band", band),) for band in ("overdue", "1d", "3d", "7d")}


async def test_what_was_ever_delivered_comes_from_the_tallies(stage: Stage) -> None:
    case = await stage.case()
    await stage.delivered(case, "case.submitted", endpoint=HR)

    async def tallied() -> bool:
        found = await now_standing(stage.house.store, stage.house.endpoints)
        return found.ended[(HR, "delivered")] == 1 and found.deliveries[(HR, "standard", "pending")] == 0

    await until(tallied, "the tally has counted it")


async def test_webhooks_are_one_and_nothing_else_is_added_by_traffic(still: Stage) -> None:
    house = still.house
    for number in range(3):
        row = (
            f"dlv_{number:026}",
            f"evt_{number}",
            "case.received",
            "case_1",
            f"whe_{number:026}",
            "case_1",
            number,
            0,
        )
        await house.store.write("add_delivery", (*row, "notify", None, None))
    found = await read(house)
    assert at(found, "gateway_backlog", endpoint=WEBHOOK, **{"class": "notify"}) == 3
    house.metrics.exchanged("whe_01JB", "notify", "delivered", None, 0.1)
    house.metrics.delivered("whe_01JC", "notify", 0.1)
    for number in range(500):
        house.metrics.exchanged(HR, "standard", "pending", f"E{number}", 0.1)
        house.metrics.taken("case.submitted", f"code_{number}", 0.001)
    found = await read(house)
    assert at(found, "gateway_exchanges_total", endpoint=WEBHOOK, outcome="delivered", **{"class": "notify"}) == 1
    assert len(found["gateway_exchange_failures_total"]) == 101
    assert at(found, "gateway_exchange_failures_total", endpoint=HR, code=OTHER) == 400
    assert len(found["gateway_intake_total"]) == 101


async def test_no_label_holds_a_case_a_person_or_an_organisation(busy: Site) -> None:
    case = await busy.case()
    await busy.agreement(case)
    text = (await busy.nobody.get("/metrics")).text
    assert case not in text
    series = "".join(re.findall(r"\{[^}]*\}", text))
    assert not re.search(r"(case|agr|cnf|dlv|msg|evt|cli)_[0-9A-Z]{20}", series)
    assert not re.search(r"SD-[A-Z]{2}|[0-9]{11}|[\u4e00-\u9fff]", series)
    labels = set(re.findall(r"[{,]([a-z_]+)=", series))
    assert labels <= {
        *("type", "outcome", "endpoint", "class", "state", "code", "status", "group", "le", "version", "band"),
        *("rule", "severity", "channel", "generation"),
    }


async def test_calls_are_counted_by_their_answers(busy: Site) -> None:
    await busy.nobody.get("/v1/cases")
    await busy.nobody.get("/v1/nothing")
    found = await read(busy.house)
    assert at(found, "gateway_http_answers_total", status="401") >= 1
    assert at(found, "gateway_http_answers_total", status="404") >= 1


# ---------------------------------------------------------------------------------------------------------- what it costs


async def test_many_looks_are_one_and_a_slow_one_is_kept_longer(still: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    house, looks, clock = still.house, count(1), [0.0]
    made: list[int] = []

    def slow(*arguments: Any) -> Any:
        made.append(next(looks))
        clock[0] += 2.0
        return standing_look(*arguments)

    standing_look = standing.look
    monkeypatch.setattr("gateway.store.standing.look", slow)
    assert house.notices is not None
    gauges = Gauges(house.store, house.endpoints, house.worker, house.notices, lambda: None, lambda: clock[0])
    for _ in range(5):
        await gauges.refresh()
    assert made == [1]
    clock[0] += 99
    await gauges.refresh()
    assert made == [1], "a look of 2 s is kept for 100 s"
    clock[0] += 2
    await gauges.refresh()
    assert made == [1, 2]


async def test_a_look_goes_no_further_than_its_bound(still: Stage) -> None:
    house = still.house
    rows = [
        (
            f"dlv_{number:026}",
            f"msg_{number}",
            "case.submitted",
            "case_1",
            COURT,
            "case_1",
            number,
            0,
            "standard",
            None,
            None,
        )
        for number in range(50)
    ]
    await house.store.write("add_delivery", *rows)
    names, ends = sorted(house.endpoints), ["2026-10-10", "2026-10-11", "2026-10-13", "2026-10-17"]
    seen = await house.store.runner.read(standing.look, names, house.store.now_ms(), ends, 20)
    assert seen.deliveries[(COURT, "standard", "pending")] == 20


def calls(act: Callable[[], object]) -> int:
    """How many functions one act calls, of Python and of C, once its series is there."""
    act()
    seen = 0

    def note(_: FrameType, event: str, __: object) -> None:
        nonlocal seen
        seen += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return seen


def test_an_observation_is_a_few_calls_however_many_series_there_are() -> None:
    """Each is a look-up and an addition: microseconds, and nothing that grows."""
    metrics = Metrics([HR, COURT, UNION])
    acts: dict[str, tuple[Callable[[], object], int]] = {
        "counter": (lambda: metrics.answered(202), 12),
        "histogram": (lambda: metrics.delivered(HR, "standard", 1.5), 16),
        "two of a commit": (lambda: metrics.committed("commit", 40, 0.003), 26),
    }
    alone = {name: calls(act) for name, (act, _) in acts.items()}
    assert all(alone[name] <= most for name, (_, most) in acts.items()), alone
    for number in range(300):
        metrics.answered(number)
        metrics.exchanged(COURT, "standard", "failed", f"code_{number}", 1.0)
        metrics.delivered((HR, COURT, UNION)[number % 3], f"class_{number % 7}", number / 10)
        metrics.committed(f"group_{number % 5}", number, number / 1000)
    assert {name: calls(act) for name, (act, _) in acts.items()} == alone


# ------------------------------------------------------------------------------------------------------------------ doors


async def test_a_process_without_a_door_has_one_for_its_figures(still: Stage) -> None:
    door = httpx.ASGITransport(figures_door(still.house))
    async with httpx.AsyncClient(transport=door, base_url="http://work.test") as http:
        answer = await http.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "gateway_worker_slots" in answer.text
        assert (await http.get("/v1/cases")).status_code == 404


async def test_two_processes_tell_each_its_own(processes: Gateways) -> None:
    one, two = await processes({}, adapters={}, start=False), await processes({}, adapters={}, start=False)
    one.metrics.taken("case.submitted", "accepted", 0.01)
    assert at(await read(one), "gateway_intake_total", type="case.submitted", outcome="accepted") == 1
    assert at(await read(two), "gateway_intake_total", type="case.submitted", outcome="accepted") == 0


async def test_every_gauge_is_described_and_there(still: Stage) -> None:
    found = {family.name for family in families((await figures(still.house)).decode())}
    of_a_broker = {"gateway_events_unpublished", "gateway_intake_topic_quiet_seconds"}
    assert set(TEXTS) - found <= of_a_broker, "what needs no broker is told"
    assert all(TEXTS.values())
