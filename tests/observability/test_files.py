"""The board and the rules that are handed out: read as Grafana and Prometheus read them, naming what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as families
from promql_parser import VectorSelector

from contracts.messages import HR
from gateway.flow.alerting.channels.wording import RULES
from gateway.flow.relay import BrokerRelay
from gateway.web.api.health import figures
from tests.flow.stage import Stage
from tests.house import Gateways

ROOM = files("gateway.observability")
BOARD: dict[str, Any] = json.loads(ROOM.joinpath("board.json").read_text("utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load(ROOM.joinpath("alerts.yml").read_text("utf-8"))
RULE_LIST: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
ADDED = {"job", "instance"}
"""Labels that Prometheus itself adds."""


def panels() -> Iterator[dict[str, Any]]:
    """Every panel that shows something."""
    for panel in BOARD["panels"]:
        if panel["type"] != "row":
            yield panel


def expressions() -> dict[str, str]:
    """Every PromQL expression by where it stands, the board's variables put in."""
    found = {f"rule {rule['alert']}": rule["expr"] for rule in RULE_LIST}
    for panel in panels():
        for target in panel["targets"]:
            text = target["expr"].replace("$__rate_interval", "5m").replace("$endpoint", ".*").replace("$job", ".*")
            found[f"panel {panel['title']} {target['refId']}"] = text
    return found


def selectors(node: Any) -> Iterator[VectorSelector]:
    """Every selector of a parsed expression."""
    if isinstance(node, VectorSelector):
        yield node
        return
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        inner = getattr(node, name, None)
        if inner is not None and not isinstance(inner, str | float | int):
            yield from selectors(inner)
    for inner in getattr(node, "args", None) or ():
        yield from selectors(inner)


def name_of(selector: VectorSelector) -> str:
    """The metric that a selector names; all of ours name one."""
    assert selector.name is not None
    return selector.name


def grouped(text: str) -> set[str]:
    """Every label that an expression groups by."""
    return {label.strip() for part in re.findall(r"\bby \(([^)]*)\)", text) for label in part.split(",")}


@pytest.fixture
async def told(gateway: Gateways, stage: Stage) -> dict[str, set[str]]:
    """Every sample name that a process tells, with its labels: after some traffic, a broker beside it."""
    house = stage.house
    case = await stage.case()
    await stage.delivered(case, "case.submitted", endpoint=HR)
    metrics = house.metrics
    metrics.exchanged(HR, "standard", "pending", "timeout", 0.1)
    metrics.delivered(HR, "standard", 0.1)
    metrics.applied(HR, "applied", 0.1)
    metrics.called(HR, "stored")
    metrics.answered(202)
    metrics.taken("case.submitted", "accepted", 0.1)
    for group in ("commit", "settle"):
        metrics.committed(group, 3, 0.001)
    await stage.say(stage.word("confirmation", "confirmed", ("reference", "ZZ-1", "platform_no")))

    class Bus:
        """A broker that is never asked."""

        listened = True

        async def publish(self, envelopes: list[dict[str, Any]]) -> None:
            """Keep nothing."""

        async def close(self) -> None:
            """Nothing is open."""

    house.broker = BrokerRelay(house.store, Bus(), house.publisher)
    assert house.gauges is not None
    house.gauges.topic_quiet = lambda: 1.0
    found: dict[str, set[str]] = {}
    for family in families((await figures(house)).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
        if family.type == "gauge":
            found.setdefault(family.name, set())
    found["gateway_alert_notices_waiting"] |= {"channel"}  # this house has no channel
    return found


async def test_every_figure_that_is_named_is_told_with_those_labels(told: dict[str, set[str]]) -> None:
    missing = []
    for where, text in expressions().items():
        for selector in selectors(promql_parser.parse(text)):
            if selector.name not in told:
                missing.append(f"{where}: {selector.name}")
                continue
            named = {matcher.name for matcher in selector.matchers.matchers}
            missing += [f"{where}: {selector.name} has no {one}" for one in named - told[selector.name] - ADDED]
        names = {name_of(selector) for selector in selectors(promql_parser.parse(text))}
        known = ADDED.union(*(told.get(name, set()) for name in names))
        missing += [f"{where}: nothing has {one} to group by" for one in grouped(text) - known]
    assert missing == []


async def test_every_figure_of_ours_is_on_the_board(told: dict[str, set[str]]) -> None:
    shown = {
        re.sub(r"_(total|bucket|sum|count)$", "", name_of(selector))
        for text in expressions().values()
        for selector in selectors(promql_parser.parse(text))
    }
    ours = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in told if name.startswith("gateway_")}
    assert ours - shown == set()


@pytest.mark.parametrize("where", expressions())
def test_every_expression_is_promql_and_selects_something(where: str) -> None:
    assert list(selectors(promql_parser.parse(expressions()[where])))


def test_the_parser_does_refuse() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 # the parser's own message is none of ours
        promql_parser.parse("sum by (le (rate(x[5m]))")
    with pytest.raises(ValueError):  # noqa: PT011 # the same
        promql_parser.parse("rate(gateway_intake_total)")


def test_rules_say_how_bad_it_is_what_to_do_and_about_what() -> None:
    names = [rule["alert"] for rule in RULE_LIST]
    assert len(names) == len(set(names)) >= 12
    for rule in RULE_LIST:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in set(RULES.values())
        assert set(rule["annotations"]) == {"summary", "action"}
        assert re.fullmatch(r"[0-9]+[smh]", rule.get("for", "0s"))
        labels = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        kept = grouped(rule["expr"]) or ADDED
        assert labels <= kept, rule["alert"]
        for text in rule["annotations"].values():
            assert re.search(r"[\u4e00-\u9fff]", text)
            assert re.search(r"[a-z]{3}", text)


def test_the_board_is_one_that_grafana_takes() -> None:
    assert BOARD["uid"] == "mediation-gateway"
    assert BOARD["schemaVersion"] >= 36
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    names = {variable["name"] for variable in BOARD["templating"]["list"]}
    assert names == {"datasource", "job", "endpoint"}
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"]
        place = panel["gridPos"]
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
        used = set(re.findall(r"\$(\w+)", " ".join(target["expr"] for target in panel["targets"]))) - {
            "__rate_interval"
        }
        assert used <= names
        for target in panel["targets"]:
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert legend <= grouped(target["expr"]) | ADDED, panel["title"]


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_readme_names_files_that_are_there() -> None:
    text = ROOM.joinpath("README.md").read_text("utf-8")
    for name in ("board.json", "alerts.yml"):
        assert name in text
        assert ROOM.joinpath(name).is_file()
