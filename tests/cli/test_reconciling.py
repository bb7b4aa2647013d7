"""``gateway reconcile`` against a gateway that answers as the contract says: its table, its JSON, its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from gateway.cli import reconciling
from gateway.cli.command import command
from gateway.client import GatewayClient

ITEM = {
    "kind": "missing",
    "code": "absent",
    "delivery": "dlv_01M7Q5CQG057N683VPG2HEWAGG",
    "about": "case_01M7Q5CQG057N683VPG2HEWAGG",
    "reference": "90071992547409930001",
    "ours": "delivered",
    "theirs": "absent",
    "state": "open",
}


class Gateway:
    """Answers like the gateway; ``calls`` is what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Any]] = []
        self.items: list[dict[str, Any]] = [dict(ITEM)]
        self.method = "asking"
        self.state = "done"
        self.outcome = "healed"
        self.turns = 1

    def shown(self, state: str) -> dict[str, Any]:
        """A reconciliation in a state."""
        kinds: dict[str, dict[str, int]] = {kind: {} for kind in ("missing", "foreign", "differing", "undecided")}
        for item in self.items:
            kinds[item["kind"]][item["state"]] = kinds[item["kind"]].get(item["state"], 0) + 1
        return {
            "id": "rcn_01M7Q5CQG057N683VPG2HEWAGG",
            "endpoint": "hr_arbitration",
            "state": state,
            "from": "2026-10-01T00:00:00.000+08:00",
            "to": "2026-10-02T00:00:00.000+08:00",
            "method": self.method,
            "comparable": self.method != "nothing",
            "sees": [] if self.method == "nothing" else ["missing", "differing", "undecided"],
            "compared": 12,
            "held": 0,
            "unasked": 1,
            "differences": kinds,
            "open": sum(item["state"] == "open" for item in self.items),
            "items": self.items,
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body: dict[str, Any] = json.loads(request.content) if request.content else {}
        self.calls.append((request.method, request.url.path, body))
        if request.method == "POST" and body.get("endpoint") == "nobody":
            return httpx.Response(404, json={"code": "not_found", "title": "没有", "status": 404})
        if request.url.path.endswith("/heal"):
            self.items = [item | {"state": self.outcome, "outcome": "filed_again"} for item in self.items]
            self.turns = 1
            return httpx.Response(202, json=self.shown("healing"))
        if request.method == "POST":
            return httpx.Response(202, json=self.shown("running"))
        self.turns -= 1
        return httpx.Response(200, json=self.shown("running" if self.turns > 0 else self.state))


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """The gateway that the command reaches."""
    gateway = Gateway()
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(reconciling, "_ASK_AGAIN_S", 0.001)

    def client(*_: object, **__: object) -> GatewayClient:
        return GatewayClient("http://gateway.test", "p.s", transport=httpx.MockTransport(gateway))

    monkeypatch.setattr(reconciling, "client_of", client)
    yield gateway


def reconcile(*more: str) -> Result:
    days = ("--from", "2026-10-01", "--to", "2026-10-01")
    return CliRunner().invoke(command, ["reconcile", "hr_arbitration", *days, "--key", "p.s", *more])


def test_differences_are_a_table_and_exit_code_1(there: Gateway) -> None:
    there.turns = 3
    result = reconcile()
    assert result.exit_code == 1
    for word in (ITEM["delivery"], ITEM["reference"], "平台缺失 missing there", "absent", "--heal", "逐笔查询"):
        assert str(word) in result.stdout
    assert "我方未知 unknown here" in result.stdout, "what this platform's protocol cannot tell is said"
    assert there.calls[0] == (
        "POST",
        "/v1/ops/reconciliations",
        {"endpoint": "hr_arbitration", "from": "2026-10-01", "to": "2026-10-01"},
    )
    assert len(there.calls) == 4


def test_nothing_differs_is_exit_code_0(there: Gateway) -> None:
    there.items = []
    result = reconcile()
    assert (result.exit_code, "没有差异 no differences" in result.stdout) == (0, True)


def test_healing_waits_and_says_what_was_done(there: Gateway) -> None:
    result = reconcile("--heal", "--reason", "补报", "--kind", "missing")
    assert result.exit_code == 0
    assert "已修复 mended (filed_again)" in result.stdout
    assert ("POST", f"/v1/ops/reconciliations/{there.shown('')['id']}/heal") == there.calls[2][:2]
    assert there.calls[2][2] == {"reason": "补报", "kinds": ["missing"]}


def test_what_a_person_must_settle_is_exit_code_1(there: Gateway) -> None:
    there.outcome = "person"
    result = reconcile("--heal", "--reason", "补报")
    assert (result.exit_code, "已转人工" in result.stdout) == (1, True)


def test_a_platform_that_cannot_be_compared_is_exit_code_3(there: Gateway) -> None:
    there.method, there.items = "nothing", []
    result = reconcile()
    assert (result.exit_code, "无法对账" in result.stdout) == (3, True)
    assert "Cannot be compared" in result.stdout


def test_one_that_stops_is_exit_code_1(there: Gateway) -> None:
    there.state, there.items = "stopped", []
    result = reconcile()
    assert (result.exit_code, "not finished" in result.stdout) == (1, True)


def test_json_is_one_line(there: Gateway) -> None:
    result = reconcile("--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["endpoint"], found["items"][0]["delivery"]) == ("hr_arbitration", ITEM["delivery"])
    assert result.stdout.count("\n") == 1


def test_mending_needs_a_reason_and_known_kinds(there: Gateway) -> None:
    assert reconcile("--heal").exit_code == 2
    assert reconcile("--heal", "--reason", " ").exit_code == 2
    assert reconcile("--kind", "everything").exit_code == 2
    assert there.calls == []


def test_an_unknown_endpoint_is_exit_code_4(there: Gateway) -> None:
    days = ("--from", "2026-10-01", "--to", "2026-10-01")
    result = CliRunner().invoke(command, ["reconcile", "nobody", *days, "--key", "p.s"])
    assert result.exit_code == 4
